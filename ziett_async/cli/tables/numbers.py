"""Which column of a table holds the telephone numbers: by its name, or else by its values."""

import re
from collections.abc import Callable, Sequence
from itertools import islice

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Table, plain

#: Words in the name of a column that holds telephone numbers and nothing else.
_CERTAIN = re.compile(
    r"\b(telefones?|telemove(l|is)|tele?|t(lm|lf)|celular(es)?|move(l|is)|whatsapp|sms"
    r"|(tele)?phones?|mobiles?|cell(phone)?s?|msisdn|e164)\b"
)
#: Words in the name of a column that may hold other numbers, too.
_POSSIBLE = re.compile(r"\b(numeros?|num|n\.?o|contact?os?|contatos?|numbers?|contacts?|to)\b")
#: The share of a column's cells that have to be telephone numbers for it to be taken by them.
_SHARE = 0.5
#: How many cells of a column are looked at.
_SAMPLE = 500


def number_column(table: Table, is_number: Callable[[str], bool], name: str | None = None) -> int:
    """Return the column of numbers, by its index.

    Args:
        table: the table.
        is_number: whether a cell is a telephone number.
        name: what the user calls the column; None finds it.

    Raises:
        UsageError: no column will do, or more than one.

    """
    if name is not None:
        return table.index(name)
    shares = [_share(table, column, is_number) for column in range(len(table.columns))]
    certain = _named(table, _CERTAIN)
    possible = [column for column in _named(table, _POSSIBLE) if shares[column] >= _SHARE]
    by_value = [column for column, share in enumerate(shares) if share >= _SHARE]
    for found in (certain, possible, by_value):
        if found:
            return _only(table, found, shares)
    message = f"no column holds telephone numbers; name one with --column: {_shown(table)}"
    raise UsageError(message)


def number_text(cell: str) -> str:
    """Return a cell without what makes spreadsheets take a number for a text.

    >>> number_text("'+244923456789"), number_text('="+244923456789"'), number_text("923 456 789")
    ('+244923456789', '+244923456789', '923 456 789')
    """
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1]
    return cell.removeprefix("'")


def _only(table: Table, found: Sequence[int], shares: Sequence[float]) -> int:
    """Return the one column that has numbers of those whose name fits."""
    filled = [column for column in found if shares[column] >= _SHARE]
    candidates = filled or found
    if len(candidates) == 1:
        return candidates[0]
    several = ", ".join(repr(table.columns[column]) for column in candidates)
    message = f"more than one column may hold the numbers: {several}; choose with --column"
    raise UsageError(message)


def _named(table: Table, words: re.Pattern[str]) -> list[int]:
    names = [plain(name).replace("_", " ") for name in table.columns]
    return [column for column, name in enumerate(names) if words.search(name)]


def _share(table: Table, column: int, is_number: Callable[[str], bool]) -> float:
    """Return the share of numbers among a column's first cells that are not empty."""
    filled = (row.cells[column] for row in table.rows if row.cells[column])
    cells = list(islice(filled, _SAMPLE))
    return sum(map(is_number, cells)) / len(cells) if cells else 0.0


def _shown(table: Table) -> str:
    return ", ".join(each or "(no name)" for each in table.columns)
