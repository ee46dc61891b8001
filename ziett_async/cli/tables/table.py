"""Table: columns with names, and rows that remember where they stand in the file."""

import re
from collections.abc import Iterable, Sequence
from unicodedata import combining, normalize

import attrs

from ziett_async.cli._failures import UsageError

#: Seven digits or more as people write telephone numbers, and as `ziett export` does.
_NUMBER = re.compile(r"[+'=\"\s\u00a0().\-/]*\d(?:[\s\u00a0().\-/]*\d){6,}[\s\u00a0\"]*")


@attrs.frozen
class Row:
    """A row that is not empty."""

    #: Where a spreadsheet or an editor shows it, from 1.
    place: int
    #: One for each column, without spaces around it.
    cells: tuple[str, ...]
    #: Why its cells do not belong to the columns; None if they do.
    defect: str | None = None


@attrs.frozen
class Table:
    """What a file holds."""

    columns: tuple[str, ...]
    rows: Sequence[Row]
    #: How it was read, for people: `CSV, utf-8, delimiter ;`.
    kind: str

    def index(self, name: str) -> int:
        """Return which column has a name, written in any case, with accents or without.

        Raises:
            UsageError: there is no such column, or more than one.

        """
        exact = [index for index, each in enumerate(self.columns) if each == name]
        alike = [index for index, each in enumerate(self.columns) if plain(each) == plain(name)]
        found = exact or alike
        if len(found) == 1:
            return found[0]
        columns = ", ".join(each or "(no name)" for each in self.columns)
        wrong = "more than one column is called" if found else "there is no column"
        message = f"{wrong} {name!r}; the columns are: {columns}"
        raise UsageError(message)


def make_table(lines: Iterable[tuple[int, Sequence[str]]], kind: str) -> Table:
    """Return a table of lines of cells, each with its place; the first one names the columns.

    Where the first line has a telephone number in it there are no names: columns are then called
    1, 2, 3 and so on.

    Raises:
        UsageError: there is no row.

    """
    filled = [(place, tuple(each.strip() for each in cells)) for place, cells in lines]
    filled = [(place, cells) for place, cells in filled if any(cells)]
    if not filled:
        message = "the file has no rows"
        raise UsageError(message)
    columns = filled[0][1]
    if any(looks_like_number(each) for each in columns):
        width = max(len(cells) for _, cells in filled)
        columns = tuple(str(number) for number in range(1, width + 1))
    else:
        filled = filled[1:]
        while not columns[-1]:
            columns = columns[:-1]
    return Table(columns, [_row(place, cells, len(columns)) for place, cells in filled], kind)


def plain(name: str) -> str:
    """Return a name of a column without accents, in lower case, with single spaces.

    >>> plain(" N.º  de Telemóvel")
    'n.o de telemovel'
    """
    letters = normalize("NFKD", name.casefold())
    return " ".join("".join(each for each in letters if not combining(each)).split())


def looks_like_number(cell: str) -> bool:
    """Return whether a cell has the digits of a telephone number and no letter.

    >>> looks_like_number("+244 923-456-789"), looks_like_number("Telefone 1")
    (True, False)
    """
    return _NUMBER.fullmatch(cell) is not None


def _row(place: int, cells: tuple[str, ...], width: int) -> Row:
    """Return a row as wide as the table: a spreadsheet leaves out empty cells at the end."""
    if any(cells[width:]):
        return Row(place, cells[:width], f"has {len(cells)} cells, and the table {width} columns")
    return Row(place, (*cells[:width], *("",) * (width - len(cells))))
