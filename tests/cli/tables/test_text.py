"""CSV with the quirks of Excel and its relatives."""

import csv
from io import StringIO

import pytest

from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.table import Table
from ziett_async.cli.tables.text import read_text

TEXT = "Nome;Telefone\r\nJoão;+244923456789\r\nConceição;912345678\r\n"
CELLS = [("João", "+244923456789"), ("Conceição", "912345678")]


def cells(table: Table) -> list[tuple[str, ...]]:
    """Return the cells of all rows."""
    return [row.cells for row in table.rows]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_found(content: bytes, kind: str) -> None:
    """Those that Excel writes; `kind` names it."""
    table = read_text(content)
    assert table.columns == ("Nome", "Telefone")
    assert cells(table) == CELLS
    assert table.kind == f"CSV, {kind}, delimiter ;"


@pytest.mark.parametrize("encoding", ["mac-roman", "utf-16-le", "utf-8"])
def test_any_other_encoding_can_be_named(encoding: str) -> None:
    """With a mark or without."""
    for text in (TEXT, "\ufeff" + TEXT) if encoding.startswith("utf") else (TEXT,):
        table = read_text(text.encode(encoding), encoding)
        assert (table.columns, cells(table)) == (("Nome", "Telefone"), CELLS)


@pytest.mark.parametrize(
    ("content", "encoding", "wrong"),
    [
        (b"a\x81;b", None, "no text in utf-8 or cp1252; name its encoding with --encoding"),
        (b"\xff\xfea", None, "no text in utf-16; name its encoding"),
        ("João".encode("cp1252"), "utf-8", "no text in utf-8; name"),
        (b"a;b", "klingon", "there is no encoding 'klingon'; try utf-8, cp1252 or utf-16"),
        (TEXT.encode("utf-16-le"), None, "the file is no text"),
        (b"\x00\x01\x02", None, "the file is no text"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    content: bytes, encoding: str | None, wrong: str
) -> None:
    """Rather than sending mojibake."""
    with pytest.raises(UsageError, match=wrong):
        read_text(content, encoding)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    """Though others stand in the cells more often."""
    rows = [["Nome", "Texto", "Tel"], *[["Ana", "a, b, c; d | e\tf", "923456789"]] * 3]
    held = StringIO(newline="")
    csv.writer(held, delimiter=delimiter).writerows(rows)
    table = read_text(held.getvalue().encode())
    assert table.columns == ("Nome", "Texto", "Tel")
    assert {row.cells[1] for row in table.rows} == {"a, b, c; d | e\tf"}
    assert table.kind.endswith("delimiter tab" if delimiter == "\t" else f"delimiter {delimiter}")


@pytest.mark.parametrize("told", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n"])
def test_a_line_that_tells_the_delimiter_is_no_row(told: str) -> None:
    """As Excel reads and writes it; the lines after it keep their places."""
    table = read_text(f"{told}a,b,c;d\n1,2,3;4\n".encode())
    assert table.columns == ("a,b,c", "d")
    assert [row.place for row in table.rows] == [3]


def test_one_column_needs_no_delimiter() -> None:
    """With a name or without."""
    assert cells(read_text(b"telefone\n923456789\n\n912345678")) == [("923456789",), ("912345678",)]
    assert cells(read_text(b"923456789\n912345678")) == [("923456789",), ("912345678",)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_cell_may_have_lines_of_its_own(end: str) -> None:
    """A row's place is the line on which it begins; empty lines count."""
    text = f'a;b{end}"1{end}{end}x";2{end}{end};{end}3;4'
    table = read_text(text.encode())
    assert cells(table) == [(f"1{end}{end}x", "2"), ("3", "4")]
    assert [row.place for row in table.rows] == [2, 7]


@pytest.mark.parametrize(("line", "naive"), [('"Ana;923456789', 3), ('x;"Ana" Maria', 5)])
def test_a_quote_that_is_not_closed_is_an_error(line: str, naive: int) -> None:
    """Read naively, all contacts below it may be one cell."""
    text = f"a;b\n1;2\n{line}\n3;4\n5;6\n"
    assert len(list(csv.reader(StringIO(text), delimiter=";"))) == naive
    with pytest.raises(UsageError, match=r"line 3 is no CSV: .*is a quote missing"):
        read_text(text.encode())


def test_a_cell_without_an_end_is_an_error() -> None:
    """As in a file that is no table at all."""
    with pytest.raises(UsageError, match="line 2 is no CSV: field larger than field limit"):
        read_text(b"a;b\n" + 200_000 * b"x")


def test_an_empty_file_is_an_error() -> None:
    """Also with a mark, or with empty lines in it."""
    for content in (b"", b"\xef\xbb\xbf", b"\r\n;;\r\n", b"sep=;\n"):
        with pytest.raises(UsageError, match="has no rows"):
            read_text(content)
