"""`ziett demo`: what a new user sees first."""

import os
import signal
from argparse import Namespace
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from subprocess import Popen

import pytest
from rich.console import Console

from ziett_async.cli import main
from ziett_async.cli.commands.demo import demo, read_recipients, run

Start = Callable[..., Popen[bytes]]


@pytest.mark.anyio
async def test_it_shows_what_became_of_every_message() -> None:
    """On asyncio and trio: nothing lost, nothing twice, no 429, no refusal unseen."""
    screen = StringIO()
    console = Console(file=screen, width=80, highlight=False)
    assert await demo(console, 0.5) == 0
    said = " ".join(screen.getvalue().split())
    assert "per 0.5 s here" in said
    assert "Refused before sending: 12" in said
    assert "Read back with iter_messages(): 288" in said
    assert "answers of 429 0" in said
    assert "messages that took more than one 5" in said
    assert "repeats the service knew by their key 3" in said
    assert "288 accepted, 288 at the service, 288 read back: 0 lost, 0 twice." in said


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_in_a_file_it_is_plain_text(start: Start, encoding: str) -> None:
    """No control characters, no line longer than 80, nothing on stderr, exit code 0."""
    process = start("-m", "ziett_async", "demo", "--per", "0.2", encoding=encoding)
    said, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, b"")
    assert not [character for character in said.decode() if character < " " and character != "\n"]
    assert max(map(len, said.decode().splitlines())) <= 80


def test_the_environment_is_not_its_business(monkeypatch: pytest.MonkeyPatch) -> None:
    """An allow-list, or anything else that is set for real messages, does not stop it."""
    monkeypatch.setenv("ZIETT_ALLOWED_RECIPIENTS", "+244912345678")
    screen = StringIO()
    assert run(Namespace(per=0.5), Console(file=screen, width=80)) == 0
    assert "0 lost, 0 twice" in " ".join(screen.getvalue().split())
    assert os.environ["ZIETT_ALLOWED_RECIPIENTS"] == "+244912345678"


def test_ctrl_c_ends_it_in_one_line(start: Start) -> None:
    """Nothing is left running, and no traceback."""
    process = start("-m", "ziett_async", "demo", "--per", "60")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate(timeout=30)
    assert said.decode().splitlines()[-1] == "Stopped. Nothing is left running."
    assert (process.returncode, complaints) == (130, b"")


class Impatient(Console):
    """A console that gets a Ctrl-C with its first output."""

    pressed = False

    def print(self, *args: object, **kwargs: object) -> None:
        """Press it once."""
        if not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)
        print_: Callable[..., None] = super().print
        print_(*args, **kwargs)


def test_its_exit_code_says_how_it_ended() -> None:
    """By Ctrl-C, or by itself."""
    screen = StringIO()
    assert run(Namespace(per=60.0), Impatient(file=screen)) == 130
    assert "Stopped" in screen.getvalue()


def test_it_can_be_called_with_its_output_redirected() -> None:
    """As from a notebook; by itself it ends with exit code 0."""
    screen = StringIO()
    with redirect_stdout(screen):
        assert main(["demo", "--per", "0.2"]) == 0
    assert "0 lost, 0 twice" in screen.getvalue()


def test_its_recipients_are_of_every_kind() -> None:
    """Several operators, local and international notation, accents, some no numbers at all."""
    recipients = read_recipients()
    numbers = [recipient["number"] for recipient in recipients]
    assert len(recipients) == 300
    assert all("{name}" in recipient["text"] for recipient in recipients)
    for start in ("+244", "+351", "00244", "244", "09", "92", "95", "99"):
        assert any(number.startswith(start) for number in numbers)
