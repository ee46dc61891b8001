"""Whom a file is about: its rows sorted into those that get a message and those that do not."""

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from ziett_async import InvalidRequest, normalize_number, prepare_recipients
from ziett_async._settings import read_defaults
from ziett_async.cli._output import Column, table, write
from ziett_async.cli.tables.numbers import number_column, number_text
from ziett_async.cli.tables.source import read_table
from ziett_async.cli.tables.table import Row, Table

#: How many rejected rows are shown.
_EXAMPLES = 20


@attrs.frozen
class Contact:
    """A row that gets a message."""

    #: E.164.
    number: str
    row: Row


@attrs.frozen
class Rejected:
    """A row that gets no message."""

    #: Where it stands in the file, from 1.
    row: int
    #: Its cell in the column of numbers.
    given: str
    #: `invalid`, `duplicate`, `not_mobile` and so on.
    reason: str
    #: What is wrong with it, where the reason alone does not say.
    detail: str = ""


@attrs.frozen
class Audience:
    """A file of contacts, sorted; every row is in one of both."""

    table: Table
    #: The name of the column of numbers.
    column: str
    accepted: Sequence[Contact]
    rejected: Sequence[Rejected]


_REJECTED = (
    Column[Rejected]("Row", lambda rejected: str(rejected.row or "")),
    Column[Rejected]("Given", lambda rejected: rejected.given),
    Column[Rejected]("Reason", lambda rejected: rejected.reason),
    Column[Rejected]("Detail", lambda rejected: rejected.detail, is_folded=True),
)


def add_audience(parser: ArgumentParser) -> None:
    """Take a file of contacts, and what cannot be told from it."""
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="CSV in any dialect of Excel, or a workbook")
    add("--column", metavar="NAME", help="of the numbers; by default found by name or values")
    add("--country", metavar="AO", help="of local numbers; by default ZIETT_DEFAULT_COUNTRY")
    add("--encoding", metavar="NAME", help="of a CSV file, where it cannot be told from its bytes")


def read_audience(options: Namespace) -> Audience:
    """Return the contacts of a file.

    Raises:
        UsageError: the file cannot be used.
        ConfigurationError: the country, or the allow-list of the environment, cannot be used.

    """
    table = read_table(options.file, options.encoding)
    defaults = read_defaults(None, options.country, None)
    column = number_column(table, lambda cell: _is_number(cell, defaults.country), options.column)
    sound = [row for row in table.rows if row.defect is None]
    cells = [number_text(row.cells[column]) for row in sound]
    allowed = defaults.allowed_recipients
    sorted_rows = prepare_recipients(cells, country=defaults.country, allowed=allowed)
    rejected = [
        Rejected(sound[each.row].place, each.given, each.reason.value, each.detail or "")
        for each in sorted_rows.rejected
    ]
    rejected += [
        Rejected(row.place, row.cells[column], "defect", row.defect)
        for row in table.rows
        if row.defect is not None
    ]
    accepted = [Contact(each.number, sound[each.row]) for each in sorted_rows.accepted]
    return Audience(table, table.columns[column], accepted, sorted(rejected, key=_place))


def count_reasons(rejected: Iterable[Rejected]) -> str:
    """Return how many rows there are, and how many for each reason: `5: 3 invalid, 2 duplicate`."""
    counts = Counter(each.reason for each in rejected)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    return f"{counts.total()}: {reasons}" if counts else "0"


def show_rejected(rejected: Sequence[Rejected]) -> None:
    """Print the rows that get no message, at most some of them."""
    if not rejected:
        return
    if sys.stdout.isatty():
        write("")
    with table(_REJECTED, as_json=False) as show:
        for each in rejected[:_EXAMPLES]:
            show(each)
        if len(rejected) > _EXAMPLES:
            show(Rejected(0, "", f"and {len(rejected) - _EXAMPLES} more"))


def _is_number(cell: str, country: str | None) -> bool:
    try:
        normalize_number(number_text(cell), country)
    except InvalidRequest:
        return False
    return True


def _place(rejected: Rejected) -> int:
    return rejected.row
