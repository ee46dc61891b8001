"""Spreadsheets: the first visible sheet of a workbook, each cell as text."""

from datetime import date, datetime, time
from io import BytesIO

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Table, make_table

#: How the files of spreadsheets begin: .xlsx and .ods are archives, .xls is a compound file.
SIGNATURES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def read_workbook(content: bytes) -> Table:
    """Return the table of the first visible sheet.

    Raises:
        UsageError: it is no workbook, has a password, or no sheet is visible.
        ModuleNotFoundError: python-calamine is not installed.

    """
    # Here and not above: it is an extra, which only spreadsheets need.
    from python_calamine import (  # noqa: PLC0415
        CalamineError,
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(content))
        names = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if (sheet.visible, sheet.typ) == (SheetVisibleEnum.Visible, SheetTypeEnum.WorkSheet)
        ]
        sheet = workbook.get_sheet_by_name(names[0])
        lines = sheet.to_python(skip_empty_area=False)
    except (CalamineError, IndexError) as error:
        message = f"the workbook cannot be read: {error}"
        raise UsageError(message) from None
    kind = f"sheet {names[0]!r}, the first of {len(names)}" if names[1:] else f"sheet {names[0]!r}"
    return make_table(
        ((place, [cell_text(cell) for cell in line]) for place, line in enumerate(lines, 1)), kind
    )


def cell_text(cell: object) -> str:
    """Return what a cell holds, dates as they are written where Portuguese is spoken.

    >>> cell_text(923456789.0), cell_text(1.5), cell_text(date(2025, 7, 14)), cell_text("Ana")
    ('923456789', '1.5', '14/07/2025', 'Ana')
    """
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return f"{cell:%d/%m/%Y %H:%M}".removesuffix(" 00:00")
    if isinstance(cell, date):
        return f"{cell:%d/%m/%Y}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return str(cell)
