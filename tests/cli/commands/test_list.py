"""`ziett list`: the newest messages, for people and for programs."""

import json

import pytest

from tests.cli._shell import ziett
from tests.support.samples import NUMBER
from ziett_async.cli import main
from ziett_async.emulator import Emulator
from ziett_async.testing import Fault


def test_elsewhere_than_on_a_terminal_it_is_lines_with_tabs(emulator: Emulator) -> None:
    """A message a line, the newest first, whatever its text has in it."""
    emulator.service.add_message(content="one\n\tline")
    message = emulator.service.add_message(content="two", status="SENT")
    emulator.service.deliver(message.id, "FAILED", "X_Y")
    ended = ziett("list")
    newest, oldest = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert newest.split("\t")[1:] == [
        *(message.target_e164, "FAILED", str(message.id), "X_Y", "two")
    ]
    assert oldest.split("\t")[-1] == "one line"


def test_on_a_terminal_it_is_a_table(emulator: Emulator, width: int) -> None:
    """That fits; its text only where there is room, and never as a command to the terminal."""
    emulator.service.add_message(content="\x1b[2J[red]Olá, Ana" + 200 * "!", status="DELIVERED")
    ended = ziett("list", terminal=True)
    lines = ended.out.splitlines()
    assert lines[0].split()[:4] == ["Created", "Number", "Status", "Id"]
    assert all(len(line) <= width for line in lines)
    assert "\x1b[2J" not in ended.out
    assert ("[red]Olá, Ana" in ended.out) == (width == 120)


def test_nothing_found_is_nothing_printed(emulator: Emulator) -> None:
    """On a terminal it is said, on standard error."""
    assert emulator.service.messages == []
    assert ziett("list").out == ""
    ended = ziett("list", terminal=True)
    assert (ended.out, ended.err) == ("", "Nothing found.\n")


def test_programs_get_an_object_a_line(emulator: Emulator) -> None:
    """With all that the list has of a message, in ASCII."""
    message = emulator.service.add_message(content="Olá")
    ended = ziett("list", "--json")
    held = json.loads(ended.out)
    assert (held["id"], held["content"]) == (str(message.id), "Olá")
    assert ended.out.isascii()


@pytest.mark.parametrize("limit", [1, 3, 250])
def test_it_shows_no_more_than_the_limit(emulator: Emulator, limit: int) -> None:
    """However many pages that takes."""
    for _ in range(260):
        emulator.service.add_message()
    assert ziett("list", "--limit", str(limit)).out.count("\n") == limit


def test_filters_narrow_it(emulator: Emulator) -> None:
    """A filter that is repeated matches any of its values; statuses in any case."""
    for status in ("PENDING", "SENT", "FAILED"):
        emulator.service.add_message(target_e164=NUMBER, status=status)
    emulator.service.add_message(target_e164="+244912345678", status="FAILED")
    found = ziett("list", "--status", "failed", "--status", "SENT", "--search", NUMBER)
    assert [line.split("\t")[2] for line in found.out.splitlines()] == ["FAILED", "SENT"]


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_none_is_a_usage_error(
    limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is read."""
    with pytest.raises(SystemExit) as ended:
        main(["list", f"--limit={limit}"])
    assert ended.value.code == 2
    assert "must be a number, 1 or more" in capsys.readouterr().err


def test_an_error_is_not_taken_for_an_empty_list(emulator: Emulator) -> None:
    """On a terminal only the error is shown, and what was read before it."""
    emulator.service.faults.add(Fault.status(401, operation="list_messages"))
    ended = ziett("list", terminal=True)
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
