"""The tables of docs/faults.md: what the markers of the tests give, and a marker for each fault."""

from pathlib import Path

import pytest

from tests.docs.fault_matrix import COMMAND, PAGE, TESTS, Marker, markers, markers_in, written

FOUND = markers()
#: Faults that no read can meet.
OF_SENDS = {
    "nginx is killed and restarted amid 502s and 504s",
    "409: the first is still running",
    "422 or 409: the key came with another payload",
    "A stored 5xx is replayed for the key",
}


def rows(table: str) -> set[str]:
    """Return the titles of a table's rows."""
    return {marker.row for marker in FOUND if marker.table == table}


def test_the_page_is_what_the_markers_give() -> None:
    """Nothing in its tables is kept by hand."""
    page = PAGE.read_text(encoding="utf-8")
    assert written(page, FOUND) == page, f"docs/faults.md is out of date; run: {COMMAND}"


@pytest.mark.parametrize("column", ["A send", "A read"])
def test_every_fault_has_a_test(column: str) -> None:
    """Of a send and of a read, unless a read cannot meet it."""
    proved = {marker.row for marker in FOUND if marker.cells.get(column)}
    assert rows("fault") - proved == (OF_SENDS if column == "A read" else set())


@pytest.mark.parametrize(
    ("table", "least"), [("fault", 34), ("promise", 22), ("naive", 22), ("check", 7)]
)
def test_no_row_is_lost(table: str, least: int) -> None:
    """A row leaves its table with its last marker; there are as many as there were."""
    assert len(rows(table)) >= least


def test_every_test_of_a_fault_has_a_marker() -> None:
    """What is proved in the suite of faults stands on the page."""
    marked = {marker.test for marker in FOUND}
    tests = {
        line.split("(")[0].split()[-1]
        for file in TESTS.glob("faults/test_*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith(("def test_", "async def test_"))
    }
    assert tests - marked == set()


def test_every_line_of_a_cell_is_a_few_words() -> None:
    """A person reads the page on a telephone, too."""
    lines = [
        words for marker in FOUND if marker.table == "fault" for words in marker.cells.values()
    ]
    assert [words for words in lines if len(words.split()) > 7] == []
    assert [marker.row for marker in FOUND if len(marker.row) > 90] == []


def test_new_rows_come_last_and_known_ones_stay_where_they_are() -> None:
    """The order is the page's own; tests that share their words share a line."""
    file = TESTS / "faults" / "test_it.py"

    def marker(row: str, test: str, **cells: str) -> Marker:
        return Marker("fault", row, {"A send": "", "A read": ""} | cells, file, test)

    page = "Words.\n\n<!-- fault: x -->\n\n| B |\n| A |\n\n<!-- end -->\n\nMore.\n"
    found = [
        marker("A", "test_a", **{"A send": "sent"}),
        marker("C", "test_c", **{"A read": "read"}),
        marker("B", "test_b", **{"A send": "sent"}),
        marker("B", "test_d", **{"A send": "sent"}),
        marker("B", "test_e", **{"A send": "not sent"}),
    ]
    before, start, head, _, b, a, c, *after = written(page, found).replace("\n\n", "\n").split("\n")
    to = "../tests/faults/test_it.py"
    assert [before, start, *after] == ["Words.", "<!-- fault: x -->", "<!-- end -->", "More.", ""]
    assert head == "| Fault | A send | A read |"
    assert b == (
        f'| B | [sent]({to} "test_b") [(2)]({to} "test_d");<br>[not sent]({to} "test_e") | - |'
    )
    assert [a[:3], c[:3]] == ["| A", "| C"]
    assert c == f'| C | - | [read]({to} "test_c") |'


def test_a_marker_that_is_written_wrong_is_an_error(tmp_path: Path) -> None:
    """A column that is not there would leave its words out without a sound."""
    file = tmp_path / "test_it.py"
    file.write_text('@pytest.mark.fault("A", sends="x")\ndef test_a(): ...\n', encoding="utf-8")
    with pytest.raises(TypeError, match="sends"):
        list(markers_in(file))
