"""Template: a text with the names of columns in braces, `{nome}` or `{{nome}}`."""

import re
from collections.abc import Sequence

import attrs

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Row, Table

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}|\{([^{}]*)\}")


@attrs.frozen
class Template:
    """A text whose placeholders are columns of a table."""

    #: What stands before each placeholder, and after the last.
    texts: Sequence[str]
    #: The column of each placeholder, by its index.
    columns: Sequence[int]

    def fill(self, row: Row) -> str:
        """Return the text for a row; what its cells hold is never taken for a placeholder."""
        values = [*(row.cells[column] for column in self.columns), ""]
        return "".join(f"{text}{value}" for text, value in zip(self.texts, values, strict=True))

    def empty(self, row: Row) -> list[int]:
        """Return the columns of placeholders that are empty in a row."""
        return [column for column in dict.fromkeys(self.columns) if not row.cells[column]]


def make_constant(text: str) -> Template:
    """Return a template without placeholders.

    Raises:
        UsageError: it looks as if it had one.

    """
    if _PLACEHOLDER.search(text):
        message = "--content: a campaign sends one text to all; `ziett bulk` fills in columns"
        raise UsageError(message)
    return Template([text], [])


def make_template(text: str, table: Table) -> Template:
    """Return a template for the rows of a table.

    Raises:
        UsageError: it names no column, or more than one, or has a brace too many.

    """
    parts = _PLACEHOLDER.split(text)
    # Two groups, of which one matched: text, double, single, text, double, single, ..., text.
    texts, names = parts[::3], [double or single for double, single in _pairs(parts)]
    if any(brace in each for each in texts for brace in "{}"):
        message = "--template: a brace without its partner; a placeholder looks like {nome}"
        raise UsageError(message)
    return Template(texts, [table.index(name.strip()) for name in names])


def _pairs(parts: Sequence[str | None]) -> list[tuple[str, str]]:
    return [
        (double or "", single or "")
        for double, single in zip(parts[1::3], parts[2::3], strict=True)
    ]
