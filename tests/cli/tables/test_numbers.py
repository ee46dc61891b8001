"""The column of telephone numbers."""

import re

import pytest

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.numbers import number_column, number_text
from ziett_async.cli.tables.table import Row, Table


def find(columns: str, *rows: str, name: str | None = None) -> str:
    """Return the name of the column that is found in a table, whose cells stand between bars."""
    held = [Row(place, tuple(row.split("|"))) for place, row in enumerate(rows, 2)]
    table = Table(tuple(columns.split("|")), held, "CSV")
    is_number = re.compile(r"\+?\d{9,12}").fullmatch
    return table.columns[number_column(table, lambda cell: is_number(cell) is not None, name)]


@pytest.mark.parametrize(
    "name",
    [
        *("numero", "Número", "telefone", "TELEFONE 1", "Nº de telemóvel", "phone", "phone_number"),
        *("Contacto", "contato", "celular", "Telemóvel (Ana)", "mobile", "msisdn", "target_e164"),
        *("Tel.", "N.º", "WhatsApp", "to", "number"),
    ],
)
def test_it_is_found_by_its_name(name: str) -> None:
    """In Portuguese and in English."""
    assert find(f"id|{name}|nome", "1|923456789|Ana", "2|912345678|Rui") == name


def test_a_name_that_is_certain_goes_first() -> None:
    """Whatever is in it; a number may be one of an invoice."""
    assert find("Número|Telefone", "123456789|923456789") == "Telefone"
    assert find("Número|Telefone", "123456789|x") == "Telefone"


def test_without_a_name_its_values_tell() -> None:
    """At least half of those that are not empty."""
    rows = ["Ana|923456789", "Rui|912345678", "Zé|?", "Eva|"]
    assert find("a|b", *rows) == "b"
    assert find("Número|b", "7|923456789") == "b"


def test_of_two_that_fit_the_one_with_numbers_is_it() -> None:
    """An empty column is no rival."""
    assert find("telefone 1|telefone 2", "923456789|", "912345678|") == "telefone 1"


@pytest.mark.parametrize(
    ("columns", "row", "wrong"),
    [
        ("telefone|telemóvel", "923456789|912345678", "more than one .*'telefone', 'telemóvel'"),
        ("a|b", "923456789|912345678", "more than one column .*choose with --column"),
        ("a|", "x|y", r"no column holds telephone numbers; .*--column: a, \(no name\)"),
    ],
)
def test_what_cannot_be_told_is_an_error(columns: str, row: str, wrong: str) -> None:
    """It is named what there is to choose from."""
    with pytest.raises(UsageError, match=wrong):
        find(columns, row)


def test_it_can_be_named() -> None:
    """Then nothing else counts."""
    assert find("telefone|b", "923456789|x", name="B") == "b"
    with pytest.raises(UsageError, match="there is no column 'c'"):
        find("telefone|b", "923456789|x", name="c")


@pytest.mark.parametrize("cell", ["+244923456789", "'+244923456789", '="+244923456789"'])
def test_a_number_may_be_marked_as_a_text(cell: str) -> None:
    """As people and programs do, so that no spreadsheet calculates with it."""
    assert number_text(cell) == "+244923456789"
