"""Table: names of columns, rows and their places."""

import pytest

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Row, looks_like_number, make_table, plain


def test_the_first_line_names_the_columns() -> None:
    """Empty lines are left out, cells lose the spaces around them, places stay."""
    lines = [["", " "], [" Nome", "Telefone "], ["\u00a0Ana ", "923"], ["", ""], ["Rui", "912"]]
    table = make_table(enumerate(lines, 1), "CSV")
    assert table.columns == ("Nome", "Telefone")
    assert table.rows == [Row(3, ("Ana", "923")), Row(5, ("Rui", "912"))]


def test_a_row_is_as_wide_as_the_table() -> None:
    """A spreadsheet leaves out what is empty at the end; what is too much is a defect."""
    lines = [["a", "b", "", ""], ["1"], ["1", "2", ""], ["1", "2", "", "4"]]
    table = make_table(enumerate(lines, 1), "CSV")
    assert table.columns == ("a", "b")
    assert [row.cells for row in table.rows] == [("1", ""), ("1", "2"), ("1", "2")]
    assert [row.defect for row in table.rows] == [
        *(None, None, "has 4 cells, and the table 2 columns")
    ]


def test_without_names_the_columns_are_numbered() -> None:
    """A first line with a telephone number is a contact; naively it would get no message."""
    table = make_table([(1, ["Ana", "'+244 923 456 789"]), (2, ["Rui", "912345678", "x"])], "CSV")
    assert table.columns == ("1", "2", "3")
    assert len(table.rows) == 2


@pytest.mark.parametrize("lines", [[], [["", ""]], [[]]])
def test_nothing_at_all_is_an_error(lines: list[list[str]]) -> None:
    """Before anything else."""
    with pytest.raises(UsageError, match="the file has no rows"):
        make_table(enumerate(lines, 1), "CSV")


def test_a_column_is_found_as_people_write_it() -> None:
    """In any case, with accents or without; exactly, where there are several so."""
    table = make_table([(1, ["Nome", "Telemóvel", "nome", "Data de  Início", ""])], "CSV")
    names = ["telemovel", "TELEMÓVEL", "nome", "Nome", "data de inicio"]
    assert [table.index(name) for name in names] == [1, 1, 2, 0, 3]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("morada", "there is no column 'morada'"), ("NOME", "more than one column is called 'NOME'")],
)
def test_a_column_that_is_not_there_is_an_error(name: str, wrong: str) -> None:
    """Which lists those that are."""
    table = make_table([(1, ["Nome", "", "nome"]), (2, ["x"])], "CSV")
    with pytest.raises(UsageError) as refused:
        table.index(name)
    assert str(refused.value) == f"{wrong}; the columns are: Nome, (no name), nome"


def test_names_are_compared_without_what_differs_by_habit() -> None:
    """Case, accents, and how many spaces."""
    assert plain("  TELEMÓVEL \n 1 ") == "telemovel 1"


@pytest.mark.parametrize(
    "cell", ["923456789", "+244 (0) 923 456 789", "00244.923.456.789", '="+244923456789"']
)
def test_a_number_looks_like_one(cell: str) -> None:
    """However it is written."""
    assert looks_like_number(cell)


@pytest.mark.parametrize("cell", ["Telefone", "tel 923456789", "12", "2025", "9.2E8", ""])
def test_a_name_does_not_look_like_a_number(cell: str) -> None:
    """Nor does a year."""
    assert not looks_like_number(cell)
