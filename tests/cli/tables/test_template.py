"""Templates: texts with columns in braces."""

import pytest

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Row, Table
from ziett_async.cli.tables.template import make_template

ROWS = [Row(2, ("Ana", "923", "{nome} {x}")), Row(3, ("", "912", "y"))]
TABLE = Table(("nome", "Nº", "Já pago"), ROWS, "CSV")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Olá {nome}!", "Olá Ana!"),
        ("Olá {{nome}}!", "Olá Ana!"),
        ("{ Nome }{{ nº }}", "Ana923"),
        ("{ja pago}: {nome}", "{nome} {x}: Ana"),
        ("Olá", "Olá"),
        ("{nome}{nome}", "AnaAna"),
    ],
)
def test_a_placeholder_is_filled(text: str, expected: str) -> None:
    """With one pair of braces or two; what a cell holds is a value and no template."""
    assert make_template(text, TABLE).fill(ROWS[0]) == expected


@pytest.mark.parametrize("text", ["Olá {nom}", "{}", "{{}}", "{nome.__class__}", "{0}"])
def test_a_column_that_is_not_there_is_an_error(text: str) -> None:
    """Before anything is sent, with those that are."""
    with pytest.raises(UsageError, match=r"there is no column .*: nome, Nº, Já pago"):
        make_template(text, TABLE)


@pytest.mark.parametrize(
    "text", ["Olá {nome", "nome}", "{{nome}", "{nome}}", "{no{me}}", "{{{nome}}}"]
)
def test_a_brace_without_its_partner_is_an_error(text: str) -> None:
    """Which is a slip of the keyboard, and would go out as it is."""
    with pytest.raises(UsageError, match="--template: a brace without its partner"):
        make_template(text, TABLE)


def test_what_is_empty_is_known() -> None:
    """Each column once, so that it can be shown."""
    template = make_template("{nome} {Nº} {nome}", TABLE)
    assert [template.empty(row) for row in ROWS] == [[], [0]]
