"""`ziett send`: one message, once, whatever happens."""

import json
import os
import pty
import signal

import pytest

from tests.cli._shell import interrupted, ziett
from tests.cli.conftest import Noticing, Start
from tests.support.samples import CONTENT, NUMBER, REMITTER
from ziett_async.emulator import Emulator
from ziett_async.testing import Fault


def test_it_prints_the_id_for_a_script(emulator: Emulator) -> None:
    """`ID=$(ziett send ...)` is what `ziett get` takes."""
    ended = ziett("send", NUMBER, CONTENT)
    [message] = emulator.service.inbox(NUMBER)
    assert (ended.code, ended.out, ended.err) == (0, f"{message.id}\n", "")
    assert message.content == CONTENT


def test_a_person_sees_the_key_and_what_is_next(emulator: Emulator, width: int) -> None:
    """On a terminal, whose width it keeps to."""
    ended = ziett("send", NUMBER, CONTENT, terminal=True)
    [message] = emulator.service.inbox(NUMBER)
    assert ended.code == 0
    assert f"ziett get {message.id}" in ended.out
    assert "idempotency key" in ended.out
    assert max(map(len, ended.out.splitlines())) <= width


def test_programs_get_one_object(emulator: Emulator) -> None:
    """With the id and the key, in one line."""
    ended = ziett("send", NUMBER, CONTENT, "--json", "--idempotency-key", "order-17")
    [message] = emulator.service.messages
    assert ended.out.count("\n") == 1
    held = {"message_id": str(message.id), "idempotency_key": "order-17"}
    assert json.loads(ended.out).items() >= held.items()


def test_one_key_is_one_message(emulator: Emulator) -> None:
    """However often the command is repeated with it."""
    said = {ziett("send", NUMBER, CONTENT, "--idempotency-key", "order-17").out for _ in range(2)}
    assert len(said) == len(emulator.service.messages) == 1


def test_a_text_may_come_from_standard_input(emulator: Emulator) -> None:
    """Then no list of processes shows it; the last line end is not part of it."""
    assert ziett("send", NUMBER, "-", stdin=f"{CONTENT}\n").code == 0
    assert [each.content for each in emulator.service.messages] == [CONTENT]


def test_a_local_number_needs_a_country(emulator: Emulator) -> None:
    """Which is an option; the error without it names the field, not the number."""
    refused = ziett("send", "923456789", CONTENT)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("ziett send: send_message: target_e164: ")
    assert "923456789" not in refused.err
    assert ziett("send", "923456789", CONTENT, "--country", "AO").code == 0
    assert [each.target_e164 for each in emulator.service.messages] == [NUMBER]


def test_a_refusal_is_one_line_and_exit_code_3(emulator: Emulator) -> None:
    """With status, code and trace id."""
    emulator.service.faults.add(Fault.status(402, operation="send_message"))
    ended = ziett("send", NUMBER, CONTENT)
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    assert ended.err.startswith("ziett send: ")
    assert "402 BILLING_INSUFFICIENT_FUNDS" in ended.err
    assert "(trace " in ended.err


def test_an_unknown_outcome_is_exit_code_4_and_repeatable(emulator: Emulator) -> None:
    """The line names the key; with it the same message is found."""
    with emulator.service.script(*[Fault.lose_answer(operation="send_message")] * 3):
        ended = ziett("send", NUMBER, CONTENT, "--idempotency-key", "order-17")
    assert (ended.code, ended.out, ended.err.count("\n")) == (4, "", 1)
    assert "order-17" in ended.err
    assert ziett("send", NUMBER, CONTENT, "--idempotency-key", "order-17").code == 0
    assert len(emulator.service.messages) == 1


def test_what_was_not_sent_is_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where nothing listens at the address."""
    with Emulator() as closed:
        url = closed.base_url
    for name, value in (("BASE_URL", url), ("API_KEY", "zk_test_x")):
        monkeypatch.setenv(f"ZIETT_{name}", value)
    sender = "019b4b56-e704-7c30-83a0-527df63c3e00"
    ended = ziett("send", NUMBER, CONTENT, "--remitter", sender)
    assert (ended.code, ended.err.count("\n")) == (1, 1)


def test_without_a_key_and_a_terminal_it_names_the_variable(start: Start) -> None:
    """In one line, exit code 2; the key is never an argument."""
    process = start("-m", "ziett_async", "send", NUMBER, CONTENT, "--remitter", REMITTER)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, b"")
    assert err.startswith(b"ziett send: there is no API key: set ZIETT_API_KEY, or type it in")


def test_without_a_sender_it_names_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the variable; before anything is sent."""
    monkeypatch.delenv("ZIETT_REMITTER_ID", raising=False)
    ended = ziett("send", NUMBER, CONTENT)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "ziett send: there is no sender: set ZIETT_REMITTER_ID, or give --remitter\n"
    )


def read_until(terminal: int, text: bytes) -> bytes:
    """Return what a terminal shows up to a text."""
    shown = b""
    while text not in shown:
        shown += os.read(terminal, 1024)
    return shown


def test_on_a_terminal_the_key_is_asked_for_and_not_shown(
    emulator: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed by a person."""
    monkeypatch.delenv("ZIETT_API_KEY")
    ours, theirs = pty.openpty()
    process = start("-m", "ziett_async", "send", NUMBER, CONTENT, terminal=theirs)
    os.close(theirs)
    read_until(ours, b"API key")
    os.write(ours, b"zk_test_typed\n")
    shown = read_until(ours, b"ziett get ")
    assert process.wait(timeout=30) == 0
    os.close(ours)
    assert b"zk_test_typed" not in shown
    assert len(emulator.service.messages) == 1


def test_ctrl_c_says_how_to_be_sure(emulator: Emulator, service: Noticing, start: Start) -> None:
    """It may have been sent: with the key that is named the command may be repeated."""
    service.faults.add(Fault.stall(operation="send_message"))
    process = start("-m", "ziett_async", "send", NUMBER, CONTENT)
    assert service.has_arrived.wait(30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    key = err.decode().split()[-1]
    assert err.decode().startswith("ziett send: interrupted; it may have been sent")
    assert ziett("send", NUMBER, CONTENT, "--idempotency-key", key).code == 0
    assert len(emulator.service.messages) == 1


@pytest.mark.usefixtures("emulator")
def test_ctrl_c_names_the_key_that_was_given() -> None:
    """It is the same one."""
    ended = interrupted("send", NUMBER, CONTENT, "--idempotency-key", "order-17", at="stdout")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.endswith("it may have been sent: repeat with --idempotency-key order-17\n")


def test_ctrl_c_at_the_prompt_is_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """As nothing was sent then."""
    monkeypatch.delenv("ZIETT_API_KEY", raising=False)
    ended = interrupted("send", NUMBER, CONTENT, "--remitter", REMITTER, at="stdin")
    assert (ended.code, ended.out, ended.err) == (130, "", "")


def test_without_rich_nothing_is_sent(emulator: Emulator, start: Start) -> None:
    """Where it is needed, on a terminal: exit code 2 says that nothing was sent."""
    ours, theirs = pty.openpty()
    code = "import sys; sys.modules['rich'] = None; from ziett_async.cli import main"
    arguments = ("send", NUMBER, CONTENT)
    process = start("-c", f"{code}; sys.exit(main(sys.argv[1:]))", *arguments, terminal=theirs)
    os.close(theirs)
    read_until(ours, b"ziett needs rich: python -m pip install '.[cli]' in the clone")
    assert process.wait(timeout=30) == 2
    os.close(ours)
    assert emulator.service.messages == []
