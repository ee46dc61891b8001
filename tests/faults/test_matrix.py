"""The matrix in the documentation: every cell has its test, and every test its cell."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "faults.md"
#: [`test_name`](../tests/folder/test_file.py)
LINK = re.compile(r"\[`(test_\w+)`\]\(([^)]+)\)")
TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def names_in(file: Path) -> set[str]:
    """Return the names of a file's tests."""
    return set(TEST.findall(file.read_text()))


def links() -> set[tuple[Path, str]]:
    """Return the tests that the page names."""
    found = LINK.findall(PAGE.read_text())
    return {((PAGE.parent / file).resolve(), name) for name, file in found}


def test_every_link_leads_to_a_test() -> None:
    """What the page names is there, in the file that it links to."""
    lost = {(file.name, name) for file, name in links() if name not in names_in(file)}
    assert not lost


def tables() -> dict[str, list[list[str]]]:
    """Return the rows of each table, by the first word of its head."""
    found: dict[str, list[list[str]]] = {}
    for block in PAGE.read_text().split("\n\n"):
        if block.startswith("| "):
            head, _, *rows = [
                [cell.strip() for cell in line[1:-1].split("|")]
                for line in block.strip().splitlines()
            ]
            found[head[0]] = rows
    return found


def test_every_cell_has_a_test() -> None:
    """No cell promises what nothing proves; only what no read can meet has a cell for none."""
    matrix = tables()["Fault"]
    blank = [row[0] for row in matrix if row[2] == ""]
    assert [name[:8] for name in blank] == ["nginx is", "409 whil", "The same", "A stored"]
    assert [row[0] for row in matrix if not LINK.search(row[1])] == []
    assert [row[0] for row in matrix if not LINK.search(row[2]) and row[0] not in blank] == []
    assert len(matrix) >= 23


@pytest.mark.parametrize("table", ["Promise", "Design", "Check"])
def test_every_row_has_a_test(table: str) -> None:
    """The other tables promise nothing without one either."""
    rows = tables()[table]
    assert [row[0] for row in rows if not LINK.search(row[-1])] == []
    assert len(rows) >= 5


def test_every_test_has_a_cell() -> None:
    """What is proved here is told there."""
    files = set(HERE.glob("test_*.py")) - {Path(__file__)}
    tests = {(file.resolve(), name) for file in files for name in names_in(file)}
    assert {name for _, name in tests - links()} == set()
