"""`ziett campaign`: one text to all contacts of a file."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli._shell import interrupted, ziett
from tests.cli.conftest import Noticing, Start
from ziett_async.emulator import Emulator
from ziett_async.testing import Fault


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of 1001 contacts, and one row that is none."""
    path = tmp_path / "contactos.csv"
    numbers = [str(923000000 + number) for number in range(1001)]
    path.write_text("\n".join(["telefone", *numbers, "12"]), "utf-8")
    return path


@pytest.fixture(autouse=True)
def _country(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in Angola."""
    monkeypatch.setenv("ZIETT_DEFAULT_COUNTRY", "AO")


def test_it_goes_out_in_as_few_campaigns_as_can_be(emulator: Emulator, file: Path) -> None:
    """A line for each; the same command again sends nothing."""
    arguments = ("campaign", str(file), "--content", "Olá", "--name", "Julho", "--yes")
    first = ziett(*arguments)
    lines = [line.split("\t") for line in first.out.splitlines()[-2:]]
    assert (first.code, first.err) == (1, "")
    assert sorted(line[0] for line in lines) == ["500", "501"]
    assert ziett(*arguments).out.splitlines()[-2:] == first.out.splitlines()[-2:]
    assert len(emulator.service.campaigns) == 2
    assert len(emulator.service.messages) == 1001
    assert {line[1] for line in lines} == {str(each.id) for each in emulator.service.campaigns}


def test_a_dry_run_sends_nothing(emulator: Emulator, file: Path) -> None:
    """It shows how few requests it takes."""
    ended = ziett("campaign", str(file), "--content", "Olá", "--dry-run")
    assert (ended.code, emulator.service.campaigns) == (1, [])
    assert "requests\t2, less than a minute at the limit\n" in ended.out
    assert "parts\t1001; 1001 of the texts are UCS-2 because of: á\n" in ended.out


def test_programs_get_an_object_a_line(emulator: Emulator, file: Path) -> None:
    """One for each campaign, and nothing for people."""
    ended = ziett("campaign", str(file), "--content", "x", "--yes", "--json")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert sorted(line["recipients"] for line in lines) == [500, 501]
    assert len(emulator.service.campaigns) == 2


def test_a_placeholder_is_a_mistake(emulator: Emulator, file: Path) -> None:
    """As all recipients get the same text."""
    ended = ziett("campaign", str(file), "--content", "Olá {nome}", "--yes")
    assert (ended.code, ended.out) == (2, "")
    assert "`ziett bulk` fills in columns" in ended.err
    assert emulator.service.campaigns == []


def test_it_does_not_go_out_unasked(emulator: Emulator, file: Path) -> None:
    """Where there is no terminal, `--yes` is needed."""
    arguments = ("campaign", str(file), "--content", "Olá")
    ended = ziett(*arguments)
    assert ended.code == 2
    assert "give --yes" in ended.err
    assert ziett(*arguments, terminal=True, stdin="n\n").code == 0
    assert emulator.service.campaigns == []
    assert ziett(*arguments, terminal=True, stdin="y\n").code == 1
    assert len(emulator.service.campaigns) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.status(422, operation="send_batch_campaign"), 1),
        (Fault.lose_answer(operation="send_batch_campaign"), 4),
        (Fault.status(402, operation="send_batch_campaign"), 3),
    ],
)
def test_its_exit_code_tells_the_worst(
    emulator: Emulator, file: Path, fault: Fault, code: int
) -> None:
    """Of all its campaigns."""
    emulator.service.faults.add(*[fault] * (6 if code == 4 else 1))
    assert ziett("campaign", str(file), "--content", "x", "--yes").code == code


def test_ctrl_c_leaves_a_journal_to_go_on_with(
    emulator: Emulator, service: Noticing, file: Path, start: Start
) -> None:
    """The same command does the rest, and nothing twice."""
    service.faults.add(Fault.stall(operation="send_batch_campaign"))
    arguments = ("campaign", str(file), "--content", "x", "--yes")
    process = start("-m", "ziett_async", *arguments)
    assert service.has_arrived.wait(30)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == b"ziett campaign: interrupted; the same command goes on from there\n"
    assert ziett(*arguments).code == 1
    assert len(emulator.service.messages) == 1001


@pytest.mark.usefixtures("emulator")
def test_ctrl_c_is_exit_code_130(file: Path) -> None:
    """In one line."""
    ended = interrupted("campaign", str(file), "--content", "x", "--yes", "--json", at="stdout")
    assert (ended.code, ended.out, ended.err.count("\n")) == (130, "", 1)
