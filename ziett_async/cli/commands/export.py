"""Writes messages as CSV that is safe to open in Excel, LibreOffice and the like.

UTF-8 with the mark by which Excel knows it. A cell that a spreadsheet would take for a formula
begins with an apostrophe, and so do numbers, '+244923456789: Excel otherwise calculates the plus
away. `ziett bulk` reads such a number. Excel in Portuguese expects --delimiter ';'.
"""

import csv
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from ziett_async import AsyncZiett, Message
from ziett_async.cli._client import run_with_client
from ziett_async.cli._failures import DONE
from ziett_async.cli._filters import add_filters, filters_of
from ziett_async.cli._output import add_json
from ziett_async.cli._values import json_line

#: The start of a formula: of the cell, or of what another delimiter makes a cell.
_FORMULA = re.compile('(^|[,;|\\t\\r\\n"])([ \u00a0]*)(?=[=+\\-@\\t\\r\uff1d\uff0b\uff0d\uff20])')

_COLUMNS: dict[str, Callable[[Message], object]] = {
    "created_at": lambda message: _written(message.created_at),
    "updated_at": lambda message: _written(message.updated_at),
    "id": lambda message: message.id,
    "number": lambda message: message.target_e164,
    "status": lambda message: message.status,
    "error_code": lambda message: message.error_code,
    "operator": lambda message: message.channel_destination,
    "channel": lambda message: message.channel_type,
    "remitter_id": lambda message: message.remitter_id,
    "campaign_id": lambda message: message.campaign_id,
    "contact_id": lambda message: message.contact_id,
    "cost": lambda message: message.cost,
    "content": lambda message: message.content,
}


def add_arguments(parser: ArgumentParser) -> None:
    """Take filters, and where to write."""
    add = parser.add_argument
    add("--output", type=Path, metavar="FILE", help="by default standard output")
    add("--delimiter", choices=[",", ";", "\t"], default=",", help="between cells")
    add_json(parser)
    add_filters(parser)


def run(options: Namespace) -> int:
    """Write them; return the exit code."""
    return run_with_client(_export, options)


async def _export(client: AsyncZiett, options: Namespace) -> int:
    with _opened(options.output, "utf-8" if options.json else "utf-8-sig") as file:
        write = _as_json(file) if options.json else _as_csv(file, options.delimiter)
        async for message in client.iter_messages(**filters_of(options)):
            write(message)
    return DONE


def _as_json(file: TextIO) -> Callable[[Message], object]:
    return lambda message: file.write(f"{json_line(message)}\n")


def _as_csv(file: TextIO, delimiter: str) -> Callable[[Message], object]:
    rows = csv.writer(file, delimiter=delimiter)
    rows.writerow(_COLUMNS)
    return lambda message: rows.writerow([safe_cell(text(message)) for text in _COLUMNS.values()])


def safe_cell(value: object) -> str:
    """Return the text of a cell, with an apostrophe wherever a formula could begin.

    >>> safe_cell("=1+1"), safe_cell("a;=1+1"), safe_cell("2-1"), safe_cell(None)
    ("'=1+1", "a;'=1+1", '2-1', '')
    """
    return "" if value is None else _FORMULA.sub(r"\1\2'", str(value))


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone().isoformat(timespec="seconds") if moment else None


@contextmanager
def _opened(path: Path | None, encoding: str) -> Generator[TextIO]:
    """Give the file, or standard output, in this encoding and with line ends as they are."""
    if path is not None:
        with path.open("w", encoding=encoding, newline="") as file:
            yield file
        return
    output: Any = sys.stdout
    output.reconfigure(encoding=encoding, newline="")
    yield output
