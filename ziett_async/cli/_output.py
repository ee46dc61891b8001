"""What commands print: tables on a terminal, tab-separated lines elsewhere, JSON if asked."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import attrs

from ziett_async.cli._values import json_line, printable

T = TypeVar("T")

#: The width of a terminal from which on columns that are `wide` are shown.
_WIDE = 110
#: The colours of statuses, and of what `ziett check` finds.
_COLOURS = {
    "DELIVERED": "green",
    "FAILED": "red",
    "REJECTED": "red",
    "UNDELIVERED": "yellow",
    "EXPIRED": "yellow",
    "CANCELLED": "yellow",
    "ok": "green",
    "no": "red",
    "unknown": "yellow",
}


@attrs.frozen
class Column(Generic[T]):
    """A column of a table."""

    name: str
    #: Makes the text of a cell.
    text: Callable[[T], str]
    #: Whether a terminal of 80 columns has no room for it.
    is_wide: bool = False
    #: Whether its words have colours.
    is_coloured: bool = False
    #: Whether all of it is shown, in several lines if need be.
    is_folded: bool = False


_FIELDS = (
    Column[tuple[str, str]]("", lambda field: field[0]),
    Column[tuple[str, str]]("", lambda field: field[1], is_folded=True),
)


def add_json(parser: ArgumentParser) -> None:
    """Take `--json`, as every command does that prints rows."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def write(line: str) -> None:
    """Print a line of text, whatever there is in it."""
    sys.stdout.write(f"{line}\n")


@contextmanager
def table(columns: Sequence[Column[T]], *, as_json: bool) -> Generator[Callable[[T], None]]:
    """Give a function that prints one row; on a terminal all rows appear at the end."""
    if as_json:
        yield lambda row: write(json_line(row))
    elif sys.stdout.isatty():
        with _rich_table(columns) as show:
            yield show
    else:
        yield lambda row: write("\t".join(printable(each.text(row)) for each in columns))


@contextmanager
def lines(columns: Sequence[Column[T]], *, as_json: bool) -> Generator[Callable[[T], None]]:
    """Give a function that prints one row at once, on a terminal too."""
    separator = "  " if sys.stdout.isatty() else "\t"

    def show(row: T) -> None:
        cells = separator.join(printable(each.text(row)) for each in columns)
        write(json_line(row) if as_json else cells.rstrip())
        sys.stdout.flush()

    yield show


@contextmanager
def record(*, as_json: bool) -> Generator[Callable[[Mapping[str, str], object], None]]:
    """Give a function that prints one value: a line for each field that is not empty.

    All that printing needs is imported before, so that no message is sent if that fails.
    """
    if as_json:
        yield lambda _, value: write(json_line(value))
        return
    with table(_FIELDS, as_json=False) as show:

        def show_fields(fields: Mapping[str, str], _: object) -> None:
            for field in fields.items():
                if field[1]:
                    show(field)

        yield show_fields


def show_record(fields: Mapping[str, str], value: object, *, as_json: bool) -> None:
    """Print one value."""
    with record(as_json=as_json) as show:
        show(fields, value)


@contextmanager
def _rich_table(columns: Sequence[Column[T]]) -> Generator[Callable[[T], None]]:
    # Here and not above: only a terminal needs it, and it costs as much as all the rest.
    from rich.console import Console  # noqa: PLC0415

    console, rows = Console(highlight=False), list[list[str]]()
    try:
        yield lambda row: rows.append([printable(each.text(row)) for each in columns])
    finally:
        # What was read before an error is worth to be seen.
        if rows:
            console.print(_table_of(columns, rows, console.width))
    if not rows:
        sys.stderr.write("Nothing found.\n")


def _table_of(columns: Sequence[Column[T]], rows: Sequence[Sequence[str]], width: int) -> object:
    """Return a table for rich, in which the last column gives way where there is no room."""
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    has_header = any(each.name for each in columns)
    shown = [
        (place, column)
        for place, column in enumerate(columns)
        if not column.is_wide or (width >= _WIDE and any(row[place] for row in rows))
    ]
    table = Table(box=None, pad_edge=False, show_header=has_header, padding=(0, 2, 0, 0))
    for place, column in shown:
        is_name = not has_header and place == 0
        table.add_column(
            column.name, style="dim" if is_name else "", no_wrap=column != shown[-1][1]
        )

    def cell(text: str, column: Column[T]) -> Text:
        style = _COLOURS.get(text, "") if column.is_coloured else ""
        return Text(text, style, no_wrap=not column.is_folded, overflow="ellipsis")

    for row in rows:
        table.add_row(*(cell(row[place], column) for place, column in shown))
    return table
