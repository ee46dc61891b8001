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
_STYLES = {
    "DELIVERED": "green",
    "FAILED": "red",
    "UNDELIVERED": "yellow",
    "EXPIRED": "yellow",
    "REJECTED": "red",
    "CANCELLED": "yellow",
}


@attrs.frozen
class Column(Generic[T]):
    """A column of a table."""

    name: str
    #: Makes the text of a cell.
    text: Callable[[T], str]
    #: Whether a terminal of 80 columns has no room for it.
    wide: bool = False


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


def show_record(fields: Mapping[str, str], value: object, *, as_json: bool) -> None:
    """Print one value: a line for each field that is not empty."""
    columns = [
        Column[tuple[str, str]]("", lambda field: field[0]),
        Column[tuple[str, str]]("", lambda field: field[1]),
    ]
    if as_json:
        write(json_line(value))
        return
    with table(columns, as_json=False) as show:
        for field in fields.items():
            if field[1]:
                show(field)


@contextmanager
def _rich_table(columns: Sequence[Column[T]]) -> Generator[Callable[[T], None]]:
    # Here and not above: only a terminal needs it, and it costs as much as all the rest.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    def cell(text: str) -> Text:
        # In a table with names on top a row is a line.
        style, overflow = _STYLES.get(text, ""), "ellipsis" if has_header else "fold"
        return Text(text, style, no_wrap=has_header, overflow=overflow)

    console = Console(highlight=False)
    shown = [each for each in columns if console.width >= _WIDE or not each.wide]
    has_header = any(each.name for each in shown)
    rows = Table(box=None, pad_edge=False, show_header=has_header, padding=(0, 2, 0, 0))
    for place, each in enumerate(shown):
        is_last = place == len(shown) - 1
        name_style = "" if has_header or place else "dim"
        # The last column alone gives way where there is no room.
        rows.add_column(each.name, style=name_style, no_wrap=not is_last)

    def show(row: T) -> None:
        rows.add_row(*(cell(printable(each.text(row))) for each in shown))

    try:
        yield show
    finally:
        if rows.row_count:
            console.print(rows)
        else:
            sys.stderr.write("Nothing found.\n")
