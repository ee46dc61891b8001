"""`ziett export`: CSV that no spreadsheet takes for a program."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from tests.cli._shell import ziett
from tests.support.samples import NUMBER
from ziett_async.cli.commands.export import safe_cell
from ziett_async.emulator import Emulator

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", '=cmd|"/c calc"!A1']
#: Starts of spreadsheet formulas.
STARTS = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


def rows_of(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    """Return the rows of CSV, as a spreadsheet that removes the mark has them."""
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text[1:], newline=""), delimiter=delimiter))


def test_it_has_every_message(emulator: Emulator) -> None:
    """Of any number of pages; lines end as RFC 4180 has it."""
    for _ in range(250):
        emulator.service.add_message(content='Olá;\n"Ana"')
    ended = ziett("export")
    rows = rows_of(ended.out)
    assert (ended.code, len(rows), ended.err) == (0, 250, "")
    assert {row["content"] for row in rows} == {'Olá;\n"Ana"'}
    assert {row["id"] for row in rows} == {str(each.id) for each in emulator.service.messages}
    assert ended.out.splitlines()[0].startswith("\ufeffcreated_at,")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(emulator: Emulator, text: str) -> None:
    """Numbers included: their plus would be calculated away. Naively written, each cell is one."""
    assert text.lstrip(" ").startswith(tuple(STARTS))
    emulator.service.add_message(target_e164=NUMBER, content=text)
    [row] = rows_of(ziett("export").out)
    assert not any(cell.lstrip(" ").startswith(tuple(STARTS)) for cell in row.values())
    assert row["number"] == f"'{NUMBER}"
    assert row["content"].replace("'", "") == text


@pytest.mark.parametrize("opened_with", [";", "\t", "|"])
def test_no_cell_is_a_formula_with_another_delimiter(emulator: Emulator, opened_with: str) -> None:
    """A spreadsheet may split the lines where its country's lists are split."""
    emulator.service.add_message(content=f"a{opened_with}=1+1\n=2")
    text = ziett("export").out[1:]
    cells = [cell for line in text.splitlines() for cell in line.split(opened_with)]
    assert "=1+1" in text
    assert not any(cell.startswith(tuple(STARTS)) for cell in cells)


def test_an_ordinary_text_stays_as_it_is() -> None:
    """Hyphens, sums and addresses inside a text are no formulas."""
    for text in ("Olá, Ana - até já", "2+2=4", "ana@example.ao", "20-30 kg", "Total: -5"):
        assert safe_cell(text) == text


def test_excel_in_portuguese_has_its_delimiter(emulator: Emulator, tmp_path: Path) -> None:
    """And a file keeps its encoding on any machine."""
    emulator.service.add_message(content="Olá, Ana")
    file = tmp_path / "messages.csv"
    ended = ziett("export", "--delimiter", ";", "--output", str(file))
    assert (ended.code, ended.out) == (0, "")
    assert file.read_bytes().startswith(b"\xef\xbb\xbfcreated_at;")
    [row] = rows_of(file.read_text("utf-8"), ";")
    assert row["content"] == "Olá, Ana"


def test_programs_get_an_object_a_line(emulator: Emulator) -> None:
    """Without the mark, and without apostrophes."""
    emulator.service.add_message(target_e164=NUMBER, content="=1+1")
    held = json.loads(ziett("export", "--json").out)
    assert (held["content"], held["target_e164"]) == ("=1+1", NUMBER)


def test_filters_narrow_it(emulator: Emulator) -> None:
    """The same as those of `ziett list`."""
    emulator.service.add_message(status="FAILED")
    emulator.service.add_message(status="SENT")
    [row] = rows_of(ziett("export", "--status", "FAILED").out)
    assert row["status"] == "FAILED"
