"""A file with a table in it, whichever kind it is."""

from pathlib import Path

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Table
from ziett_async.cli.tables.text import read_text
from ziett_async.cli.tables.workbook import SIGNATURES, read_workbook


def read_table(path: Path, encoding: str | None = None) -> Table:
    """Return the table of a file; what it is, its first bytes tell, and not its name.

    Raises:
        UsageError: it cannot be read, or it is neither CSV nor a spreadsheet.
        ModuleNotFoundError: it is a spreadsheet, and python-calamine is not installed.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise UsageError(message) from None
    if content.startswith(SIGNATURES):
        return read_workbook(content)
    return read_text(content, encoding)
