"""Writes the tables of docs/faults.md from the markers of the tests.

`python -m tests.docs.fault_matrix`. A marker stands on the test that proves what it says:

    @pytest.mark.fault("401 or 403", send="not tried again", read="not tried again")
    @pytest.mark.promise("A saturated client uses 99 % of the limit")
    @pytest.mark.naive("A bucket refilled 2/s", "239 in the first minute")
    @pytest.mark.check("Secrets")

Markers with the same words in one row share a cell's line, and each has its link. Rows keep the
order that they have on the page; a new one is the last of its table until its line is moved.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"
COMMAND = "python -m tests.docs.fault_matrix"

#: The title of a row, and by column the words that a marker puts there.
Cells = tuple[str, dict[str, str]]
#: The columns of each table, by the marker that fills it. Without columns it is a list.
COLUMNS = {
    "fault": ("Fault", "A send", "A read"),
    "promise": (),
    "naive": ("Design", "What it does"),
    "check": (),
}
TABLE = re.compile(r"(<!-- (\w+): [^>]+ -->\n).*?(\n<!-- end -->)", re.DOTALL)


@attrs.frozen
class Marker:
    """One marker of a test."""

    table: str
    row: str
    #: Words by column; in a list the row itself is the words.
    cells: dict[str, str]
    file: Path
    test: str

    @property
    def link(self) -> str:
        """What a link to the test leads to, and shows as its title."""
        return f'(../tests/{self.file.relative_to(TESTS).as_posix()} "{self.test}")'


def fault(row: str, *, send: str = "", read: str = "") -> Cells:
    """Read what a test proves of a fault: what becomes of a send, of a read or of both."""
    return row, {"A send": send, "A read": read}


def promise(row: str) -> Cells:
    """Read which promise a test keeps, over faults, arrivals and changes that are drawn."""
    return row, {"": row}


def naive(row: str, does: str) -> Cells:
    """Read what a naive design does wrong in a test that the package passes."""
    return row, {"What it does": does}


def check(row: str) -> Cells:
    """Read which check of every run a test is about."""
    return row, {"": row}


READERS: dict[str, Callable[..., Cells]] = {
    "fault": fault,
    "promise": promise,
    "naive": naive,
    "check": check,
}


def markers() -> list[Marker]:
    """Return the markers of all tests, in the order of files and lines."""
    return [found for file in sorted(TESTS.rglob("test_*.py")) for found in markers_in(file)]


def markers_in(file: Path) -> Iterator[Marker]:
    """Yield the markers of a file."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in node.decorator_list:
                name = ast.unparse(each.func) if isinstance(each, ast.Call) else ""
                table = name.removeprefix("pytest.mark.")
                if isinstance(each, ast.Call) and table in READERS:
                    words = [ast.literal_eval(value) for value in each.args]
                    named = {str(one.arg): ast.literal_eval(one.value) for one in each.keywords}
                    row, cells = READERS[table](*words, **named)
                    yield Marker(table, row, cells, file, node.name)


def rows(found: list[Marker]) -> dict[str, list[Marker]]:
    """Return markers by the title of their row."""
    by_row = defaultdict[str, list[Marker]](list)
    for marker in found:
        by_row[marker.row].append(marker)
    return by_row


def cell(found: list[Marker], column: str) -> str:
    """Return the words of a cell, each with the links to its tests behind them."""
    links = defaultdict[str, list[str]](list)
    for marker in found:
        if words := marker.cells[column]:
            links[words].append(marker.link)
    return ";<br>".join(
        " ".join([f"[{words}]{first}", *(f"[({at})]{each}" for at, each in enumerate(more, 2))])
        for words, (first, *more) in links.items()
    )


def table(name: str, found: list[Marker], page: str) -> str:
    """Return one table or list in Markdown."""
    by_row, (title, *columns) = rows(found), COLUMNS[name] or ("",)
    start = "| {} |" if columns else "- [{}]("

    def place(row: str) -> int:
        """Return where the page has the row; at its end if it is new."""
        at = page.find(start.format(row))
        return len(page) if at < 0 else at

    ordered = sorted(by_row, key=place)
    if not columns:
        return "\n".join(f"- {cell(by_row[row], '')}" for row in ordered)
    lines = [[title, *columns], ["---"] * (1 + len(columns))]
    lines += [[row, *(cell(by_row[row], column) or "-" for column in columns)] for row in ordered]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def written(page: str, found: list[Marker]) -> str:
    """Return the page with its tables as the markers give them."""

    def filled(match: re.Match[str]) -> str:
        head, name, end = match.groups()
        mine = [marker for marker in found if marker.table == name]
        return f"{head}\n{table(name, mine, page)}\n{end}"

    return TABLE.sub(filled, page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), markers()), encoding="utf-8")
