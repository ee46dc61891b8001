"""The matrix in the documentation: every cell has its test, and every test its cell."""

import re
from pathlib import Path

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


def test_every_cell_has_a_test() -> None:
    """No cell promises what nothing proves."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [cell for row in rows for cell in row.strip("| ").split(" | ")[-1:]]
    heads = {"A read", "Test"}
    assert all(LINK.search(cell) for cell in cells if cell not in heads)
    assert len(rows) >= 30


def test_every_test_has_a_cell() -> None:
    """What is proved here is told there."""
    files = set(HERE.glob("test_*.py")) - {Path(__file__)}
    tests = {(file.resolve(), name) for file in files for name in names_in(file)}
    assert {name for _, name in tests - links()} == set()
