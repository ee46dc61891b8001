"""docs/cli.md: its commands run, and print what it shows."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli._shell import ziett
from ziett_async.cli._parser import COMMANDS
from ziett_async.emulator import Emulator

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONTACTS = """\
Nome;Telefone
Ana;923 456 789
Rui;912345678
Eva;9,23457E+11
Ana;+244923456789
João;924000001
"""


def examples() -> Iterator[tuple[str, list[str]]]:
    """Yield each command that is shown, and the lines below it."""
    for block in CONSOLE.findall(PAGE.read_text("utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield command, lines


def plain(line: str) -> str:
    """Return a line without what differs each time."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", line).rstrip()


EXAMPLES = [each for each in examples() if each[0].startswith("ziett ")]


@pytest.mark.usefixtures("emulator")
@pytest.mark.parametrize(("command", "lines"), EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_a_command_prints_what_is_shown(
    command: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal; ids differ."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "contactos.csv").write_text(CONTACTS, "cp1252")
    _, *arguments = shlex.split(command)
    ended = ziett(*arguments, terminal=True)
    printed = {plain(line) for line in ended.out.splitlines()}
    assert ended.code == (1 if "rejected" in ended.out else 0)
    assert [plain(line) for line in lines if plain(line) not in printed] == []


def test_every_command_is_named(emulator: Emulator) -> None:
    """Each has its place on the page."""
    text = PAGE.read_text("utf-8")
    assert emulator.service.messages == []
    assert [name for name in COMMANDS if f"ziett {name}" not in text] == ["demo"]
