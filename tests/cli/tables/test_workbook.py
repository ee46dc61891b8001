"""Spreadsheets."""

from datetime import UTC, datetime, time

import pytest

from tests.cli.tables._xlsx import Cell, Days, workbook
from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.workbook import SIGNATURES, cell_text, read_workbook

ROWS: list[list[Cell]] = [
    ["Nome", "Telefone", "Data", "Valor"],
    [],
    ["João", 923456789.0, Days(45852), 1500.5],
    ["Ana", "+244 912 345 678", Days(45852.4375), 244923456789.0],
]


def test_the_first_visible_sheet_is_read() -> None:
    """Numbers by their digits, dates as people write them, places as the spreadsheet has them."""
    content = workbook({"Velho": [["x"]], "Contactos": ROWS, "Notas": [["y"]]}, hidden=["Velho"])
    table = read_workbook(content)
    assert content.startswith(SIGNATURES)
    assert table.columns == ("Nome", "Telefone", "Data", "Valor")
    assert [row.place for row in table.rows] == [3, 4]
    assert [row.cells for row in table.rows] == [
        ("João", "923456789", "14/07/2025", "1500.5"),
        ("Ana", "+244 912 345 678", "14/07/2025 10:30", "244923456789"),
    ]
    assert table.kind == "sheet 'Contactos', the first of 2"


def test_a_single_sheet_is_named() -> None:
    """Which is what the file has."""
    assert read_workbook(workbook({"Folha1": ROWS})).kind == "sheet 'Folha1'"


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0 no workbook", workbook({"a": ROWS}, ["a"])],
)
def test_what_is_no_workbook_is_an_error(content: bytes) -> None:
    """Whatever begins like one."""
    with pytest.raises(UsageError, match="the workbook cannot be read"):
        read_workbook(content)


def test_a_workbook_without_rows_is_an_error() -> None:
    """As an empty file is."""
    with pytest.raises(UsageError, match="the file has no rows"):
        read_workbook(workbook({"a": []}))


def test_every_cell_is_text() -> None:
    """As a person would write it."""
    moment = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
    for cell, text in {moment: "14/07/2025 10:30", time(8, 5): "08:05", True: "True"}.items():
        assert cell_text(cell) == text
    assert cell_text(9.5) == "9.5"
