"""Files with tables in them."""

from pathlib import Path

import pytest

from tests.cli.tables._xlsx import workbook
from ziett_async.cli._failures import UsageError
from ziett_async.cli.tables.source import read_table


def test_what_a_file_is_its_content_tells(tmp_path: Path) -> None:
    """A workbook that is called CSV, and the other way round."""
    (tmp_path / "a.csv").write_bytes(workbook({"a": [["tel"], [923456789.0]]}))
    (tmp_path / "a.xlsx").write_bytes("tel;nome\n923456789;João".encode("cp1252"))
    (tmp_path / "b.txt").write_bytes("tel;nome\n923456789;João".encode("mac-roman"))
    assert read_table(tmp_path / "a.csv").rows[0].cells == ("923456789",)
    assert read_table(tmp_path / "a.xlsx").rows[0].cells == ("923456789", "João")
    assert read_table(tmp_path / "b.txt", "mac-roman").rows[0].cells == ("923456789", "João")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(UsageError, match=r"contacts\.csv: No such file or directory"):
        read_table(tmp_path / "contacts.csv")
