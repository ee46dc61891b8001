"""`ziett bulk`: a message to each contact of a file, once."""

import json
import os
import pty
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli._shell import interrupted, ziett
from tests.cli.conftest import Noticing, Start
from tests.cli.tables._xlsx import workbook
from tests.support.samples import REMITTER
from ziett_async import SystemClock
from ziett_async.emulator import Emulator
from ziett_async.testing import FakeZiett, Fault

TEMPLATE = "Olá {nome}, até {{dia}}."
#: So that no test waits for the limit.
FAST = ("--yes", "--per-minute", "1000000")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of contacts as Excel writes it in Portuguese: three are good."""
    path = tmp_path / "contactos.csv"
    lines = [
        "Nome;Telefone;Dia",
        "João;923 456 789;segunda",
        "Ana;+244 912 345 678;",
        "Rui;9,23457E+11;terça",
        "Eva;923456789;quarta",
        "Zé;222 123 456;quinta",
        "Mia;924000001;sexta;x",
        "Lia;924000002;sexta",
    ]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    return path


@pytest.fixture(autouse=True)
def _country(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in Angola, where nothing is limited."""
    monkeypatch.setenv("ZIETT_DEFAULT_COUNTRY", "AO")


def inbox(emulator: Emulator) -> Counter[tuple[str, str]]:
    """Return what was sent, number and text, and how often."""
    return Counter((each.target_e164, each.content) for each in emulator.service.messages)


SENT = {
    ("+244923456789", "Olá João, até segunda."): 1,
    ("+244912345678", "Olá Ana, até ."): 1,
    ("+244924000002", "Olá Lia, até sexta."): 1,
}


def test_each_contact_gets_its_message(emulator: Emulator, file: Path) -> None:
    """What is rejected gets none, and makes the exit code 1."""
    ended = ziett("bulk", str(file), "--template", TEMPLATE, *FAST)
    assert inbox(emulator) == SENT
    assert (ended.code, ended.err) == (1, "")
    assert "accepted\t3\nrejected\t4\n" in ended.out


def test_the_same_command_again_sends_nothing(emulator: Emulator, file: Path) -> None:
    """It finds the journal beside the file."""
    arguments = ("bulk", str(file), "--template", TEMPLATE, *FAST)
    first, second = ziett(*arguments), ziett(*arguments)
    assert "accepted\t3\nrejected\t4\n" in first.out
    assert "accepted\t3, all of them in an earlier run\nrejected\t4\n" in second.out
    assert "goes on with it" in second.out
    assert inbox(emulator) == SENT
    assert len(list(file.parent.glob("contactos.csv-*.journal"))) == 1


@pytest.mark.usefixtures("emulator")
def test_what_an_earlier_run_sent_is_counted_by_itself(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is accepted in all: here the balance was used up on the way."""
    service = FakeZiett(clock=SystemClock(), limits={}, balance=2 * 15)
    arguments = ("bulk", str(file), "--template", TEMPLATE, *FAST)
    with Emulator(service) as other:
        monkeypatch.setenv("ZIETT_BASE_URL", other.base_url)
        assert "accepted\t2\n" in ziett(*arguments).out
        service.top_up(1000)
        assert "accepted\t3, 2 of them in an earlier run\n" in ziett(*arguments).out
        assert inbox(other) == SENT


def test_without_its_journal_nothing_is_sent_twice(emulator: Emulator, file: Path) -> None:
    """Nor with a corrected file: a key is of number and text, and not of the row."""
    assert ziett("bulk", str(file), "--template", TEMPLATE, *FAST).code == 1
    [journal] = file.parent.glob("*.journal")
    journal.unlink()
    text = file.read_text("cp1252").replace("9,23457E+11", "923457000").replace("Zé;222", "Zé;922")
    file.write_text(text, "cp1252")
    assert ziett("bulk", str(file), "--template", TEMPLATE, *FAST).code == 1
    assert Counter(number for number, _ in inbox(emulator).elements()) == Counter(
        ["+244923456789", "+244912345678", "+244924000002", "+244923457000", "+244922123456"]
    )


def test_another_journal_sends_anew(emulator: Emulator, file: Path) -> None:
    """On purpose: its name is that of the run."""
    for name in ("monday", "tuesday"):
        path = file.with_name(f"{name}.db")
        ziett("bulk", str(file), "--template", TEMPLATE, *FAST, "--journal", str(path))
    assert set(inbox(emulator).values()) == {2}


def test_another_list_under_its_journal_is_refused(emulator: Emulator, file: Path) -> None:
    """In one line, before anything is sent."""
    ziett("bulk", str(file), "--template", TEMPLATE, *FAST)
    with file.open("ab") as end:
        end.write(b"\r\nNovo;924000003;hoje")
    ended = ziett("bulk", str(file), "--template", TEMPLATE, *FAST)
    assert ended.code == 2
    assert "journal: it belongs to another list" in ended.err
    assert inbox(emulator) == SENT


def test_a_dry_run_shows_all_of_it_and_sends_nothing(file: Path) -> None:
    """Without a key; rows by their place in the file, with their reasons."""
    ended = ziett("bulk", str(file), "--template", TEMPLATE, "--dry-run", "--remitter", REMITTER)
    lines = [line.split("\t") for line in ended.out.splitlines()]
    fields = {line[0]: line[1] for line in lines if len(line) == 2}
    assert (ended.code, ended.err) == (1, "")
    assert fields["file"] == f"{file}: CSV, cp1252, delimiter ;"
    assert fields["numbers"] == "column Telefone"
    assert fields["accepted"] == "3"
    assert fields["rejected"] == "4: 1 invalid, 1 duplicate, 1 not_mobile, 1 defect"
    assert fields["parts"] == "3; 3 of the texts are UCS-2 because of: á ã"
    assert fields["requests"] == "3, less than a minute at the limit"
    assert fields["empty"] == "{Dia} in row 3"
    assert fields["first text"] == "Olá João, até segunda."
    rejected = {line[0]: line[1:] for line in lines if len(line) == 4}
    assert [(row, *line[:2]) for row, line in rejected.items()] == [
        ("4", "9,23457E+11", "invalid"),
        ("5", "923456789", "duplicate"),
        ("6", "222 123 456", "not_mobile"),
        ("7", "924000001", "defect"),
    ]
    assert rejected["4"][2]
    assert not list(file.parent.glob("*.journal"))


def test_one_text_is_and_several_are_ucs2(file: Path) -> None:
    """As people write it."""
    arguments = ("bulk", str(file), "--dry-run", "--remitter", REMITTER, "--template")
    assert "3; 1 of the texts is UCS-2 because of: ã\n" in ziett(*arguments, "{nome}").out
    assert "3; 3 of the texts are UCS-2 because of: ã\n" in ziett(*arguments, "ã").out


def test_programs_get_an_object_a_line(emulator: Emulator, file: Path) -> None:
    """Of a dry run what would be sent; of a run what became of each; nothing for people."""
    arguments = ("bulk", str(file), "--template", TEMPLATE, "--json")
    rows = [json.loads(line) for line in ziett(*arguments, "--dry-run").out.splitlines()]
    assert rows[0] == {
        "row": 2,
        "number": "+244923456789",
        "content": "Olá João, até segunda.",
        "parts": 1,
        "encoding": "UCS-2",
    }
    assert [row["row"] for row in rows if row.get("status") == "rejected"] == [4, 5, 6, 7]
    assert inbox(emulator) == {}
    sent = [json.loads(line) for line in ziett(*arguments, *FAST).out.splitlines()]
    ids = {str(each.id): each.target_e164 for each in emulator.service.messages}
    assert {row["message_id"]: row["number"] for row in sent} == ids
    assert {row["status"] for row in sent} == {"accepted"}


def test_a_workbook_is_read(emulator: Emulator, tmp_path: Path) -> None:
    """Its numbers are numbers."""
    path = tmp_path / "contactos.xlsx"
    path.write_bytes(workbook({"Folha1": [["Nome", "Telemóvel"], ["Ana", 923456789.0]]}))
    assert ziett("bulk", str(path), "--template", "Olá {nome}", *FAST).code == 0
    assert inbox(emulator) == {("+244923456789", "Olá Ana"): 1}


def test_a_spreadsheet_needs_its_extra(start: Start, tmp_path: Path) -> None:
    """Which is named, in one line."""
    path = tmp_path / "contacts.xlsx"
    path.write_bytes(workbook({"a": [["tel"], [923456789.0]]}))
    code = "import sys; sys.modules['python_calamine'] = None; from ziett_async.cli import main"
    arguments = ("bulk", str(path), "--template", "x", "--dry-run", "--remitter", REMITTER)
    process = start("-c", f"{code}; sys.exit(main(sys.argv[1:]))", *arguments)
    _, said = process.communicate(timeout=30)
    assert said == b"ziett needs python_calamine: python -m pip install '.[xlsx]' in the clone\n"
    assert process.returncode == 2


def test_what_an_export_has_can_be_read(emulator: Emulator, tmp_path: Path) -> None:
    """Though its numbers begin with an apostrophe."""
    emulator.service.add_message(target_e164="+244923456789")
    path = tmp_path / "export.csv"
    assert ziett("export", "--output", str(path)).code == 0
    ended = ziett("bulk", str(path), "--template", "x", "--dry-run")
    assert (ended.code, "accepted\t1\n" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["--template", "Olá {nom}"], "there is no column 'nom'; the columns are: Nome,"),
        (["--template", "Olá {nome"], "--template: a brace without its partner"),
        (["--template", "x", "--column", "Morada"], "there is no column 'Morada'"),
        (["--template", "x", "--encoding", "utf-8"], "no text in utf-8"),
        (["--template", "x", "--country", "AOO"], "default_country: "),
    ],
)
def test_what_cannot_be_used_is_one_line(
    emulator: Emulator, file: Path, arguments: list[str], wrong: str
) -> None:
    """Before anything is sent."""
    ended = ziett("bulk", str(file), *arguments, *FAST)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert wrong in ended.err
    assert inbox(emulator) == {}


def test_without_a_sender_nothing_begins(
    emulator: Emulator, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As each message would be refused."""
    monkeypatch.delenv("ZIETT_REMITTER_ID")
    ended = ziett("bulk", str(file), "--template", TEMPLATE, *FAST)
    assert (ended.code, ended.out) == (2, "")
    assert "there is no sender: set ZIETT_REMITTER_ID" in ended.err
    assert inbox(emulator) == {}


def test_without_a_terminal_it_needs_a_yes(emulator: Emulator, file: Path) -> None:
    """Which is `--yes`; nothing is sent without it."""
    ended = ziett("bulk", str(file), "--template", TEMPLATE)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "give --yes" in ended.err
    assert inbox(emulator) == {}


@pytest.mark.parametrize(("answer", "sent"), [("s", 3), ("yes", 3), ("", 0), ("n", 0)])
def test_on_a_terminal_it_asks(
    emulator: Emulator, file: Path, start: Start, answer: str, sent: int
) -> None:
    """Only a clear yes, in English or Portuguese, spends money."""
    ours, theirs = pty.openpty()
    arguments = ("bulk", str(file), "--template", TEMPLATE, "--per-minute", "100000")
    process = start("-m", "ziett_async", *arguments, terminal=theirs)
    os.close(theirs)
    read_until(ours, "Send 3 messages? [y/N] ")
    os.write(ours, f"{answer}\n".encode())
    shown = read_until(ours)
    assert process.wait(timeout=30) == (1 if sent else 0)
    os.close(ours)
    assert ("3/3" in shown) == bool(sent)
    assert inbox(emulator).total() == sent


def test_a_clear_yes_is_needed(emulator: Emulator, file: Path) -> None:
    """The rejected rows are apart from what is sent."""
    arguments = ("bulk", str(file), "--template", TEMPLATE, "--per-minute", "100000")
    refused = ziett(*arguments, terminal=True, stdin="maybe\n")
    assert (refused.code, inbox(emulator)) == (0, {})
    assert "Send 3 messages? [y/N] " in refused.err
    assert "\n\nRow  Given" in refused.out
    assert ziett(*arguments, terminal=True, stdin="SIM\n").code == 1
    assert inbox(emulator) == SENT


def read_until(terminal: int, text: str | None = None) -> str:
    """Return what a terminal shows up to a text, or to its end."""
    shown = b""
    # Linux has no end of a terminal: reading it fails.
    with suppress(OSError):
        while text is None or text.encode() not in shown:
            shown += os.read(terminal, 4096)
    return shown.decode()


def test_a_refusal_that_affects_all_ends_it(emulator: Emulator, file: Path) -> None:
    """Exit code 3, what was accepted is shown, and the same command goes on."""
    emulator.service.faults.add(Fault.status(402, operation="send_message"))
    ended = ziett("bulk", str(file), "--template", TEMPLATE, *FAST)
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert "402 BILLING_INSUFFICIENT_FUNDS" in ended.err
    assert ziett("bulk", str(file), "--template", TEMPLATE, *FAST).code == 1
    assert inbox(emulator) == SENT


def test_what_is_left_is_shown(
    emulator: Emulator, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do: as where the balance is used up on the way."""
    contacts = [str(924000010 + row) for row in range(200)]
    file.write_text("\n".join(["telefone", *contacts]), "utf-8")
    service = FakeZiett(clock=SystemClock(), limits={}, balance=150 * 15)
    with Emulator(service) as other:
        monkeypatch.setenv("ZIETT_BASE_URL", other.base_url)
        ended = ziett("bulk", str(file), "--template", "x", *FAST)
    fields = dict(line.split("\t", 1) for line in ended.out.splitlines() if "\t" in line)
    assert (ended.code, fields["accepted"]) == (3, "150")
    assert fields["not begun"] == "50"
    assert fields["next"].startswith("the same command tries again")
    assert emulator.service.messages == []


def test_a_message_that_fails_is_shown_by_its_row(emulator: Emulator, file: Path) -> None:
    """And is no end of the others; exit code 4 if it may have been sent."""
    emulator.service.faults.add(*[Fault.lose_answer(operation="send_message")] * 9)
    ended = ziett("bulk", str(file), "--template", TEMPLATE, *FAST)
    assert ended.code == 4
    assert "unknown\t3\n" in ended.out
    assert {line.split("\t")[0] for line in ended.out.splitlines()[-3:]} == {"2", "3", "8"}
    emulator.service.faults.add(*[Fault.lose_answer(operation="send_message")] * 9)
    lines = ziett("bulk", str(file), "--template", TEMPLATE, *FAST, "--json").out.splitlines()
    assert {json.loads(line)["status"] for line in lines} == {"unknown"}
    assert ziett("bulk", str(file), "--template", TEMPLATE, *FAST).code == 1
    assert inbox(emulator) == SENT


def test_a_text_that_is_too_long_is_rejected(emulator: Emulator, file: Path) -> None:
    """Before anything is sent, with its length."""
    template = "{nome}" + 1597 * "x"
    ended = ziett("bulk", str(file), "--template", template, "--dry-run")
    detail = "must have at most 1600 characters, got 1601"
    assert f"2\t+244923456789\tcontent\t{detail}\n" in ended.out
    assert "accepted\t2\n" in ended.out
    assert inbox(emulator) == {}


def test_of_many_rejected_rows_some_are_shown(emulator: Emulator, tmp_path: Path) -> None:
    """And how many more there are."""
    path = tmp_path / "none.csv"
    path.write_text("\n".join(["telefone", *(str(row) for row in range(1, 26))]), "utf-8")
    ended = ziett("bulk", str(path), "--template", "x", "--dry-run")
    lines = ended.out.splitlines()
    assert (ended.code, len(lines)) == (1, 7 + 20 + 1)
    assert lines[-1] == "\t\tand 5 more\t"
    assert ziett("bulk", str(path), "--template", "x", "--yes").code == 1
    assert not emulator.service.requests


def test_only_allowed_recipients_are_accepted(
    emulator: Emulator, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a staging system."""
    monkeypatch.setenv("ZIETT_ALLOWED_RECIPIENTS", "+244923456789")
    ended = ziett("bulk", str(file), "--template", TEMPLATE, *FAST)
    assert "2 not_allowed" in ended.out
    assert [each.target_e164 for each in emulator.service.messages] == ["+244923456789"]


def test_ctrl_c_leaves_a_journal_to_go_on_with(
    emulator: Emulator, service: Noticing, file: Path, start: Start
) -> None:
    """It tells how far the run is; the same command does the rest, and nothing twice."""
    service.faults.add(Fault.stall(operation="send_message"))
    arguments = ("bulk", str(file), "--template", TEMPLATE, *FAST)
    process = start("-m", "ziett_async", *arguments)
    assert service.has_arrived.wait(30)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.startswith(b"ziett bulk: interrupted, ")
    assert said.endswith(b"of 3 messages are accepted; the same command goes on from there\n")
    assert ziett(*arguments).code == 1
    assert inbox(emulator) == SENT


@pytest.mark.usefixtures("emulator")
def test_ctrl_c_leaves_programs_what_they_read(file: Path) -> None:
    """Standard output has objects, and no summary."""
    arguments = ("bulk", str(file), "--template", TEMPLATE, *FAST)
    assert "not begun" not in interrupted(*arguments, at="stderr").out
    ended = interrupted(*arguments, "--json", at="stderr")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.startswith("ziett bulk: interrupted, 0 of 3 messages are accepted")


def test_it_is_killed_and_goes_on(
    emulator: Emulator, service: Noticing, tmp_path: Path, start: Start
) -> None:
    """At any moment, again and again: each contact gets its message exactly once."""
    file = tmp_path / "many.csv"
    contacts = [f"{name},{923000000 + name}" for name in range(300)]
    file.write_text("\n".join(["nome,telefone", *contacts]), "utf-8")
    arguments = ("bulk", str(file), "--template", "Olá {nome}", *FAST)
    for _ in range(3):
        service.has_arrived.clear()
        process = start("-m", "ziett_async", *arguments)
        assert service.has_arrived.wait(30)
        process.kill()
        process.communicate(timeout=30)
    assert ziett(*arguments).code == 0
    assert set(inbox(emulator).values()) == {1}
    assert len(inbox(emulator)) == 300
