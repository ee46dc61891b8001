"""Runs the command in this process, as a shell runs it in one of its own."""

import re
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from typing import Literal, TextIO

import attrs

from ziett_async.cli import main

_COLOURS = re.compile(r"\x1b\[[\d;]*m")


@attrs.frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Terminal(TextIOWrapper):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class Keyboard(StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@contextmanager
def reading(file: TextIO) -> Generator[None]:
    """Make a file standard input."""
    before, sys.stdin = sys.stdin, file
    try:
        yield
    finally:
        sys.stdin = before


def ziett(*arguments: str, terminal: bool = False, stdin: str = "") -> Ended:
    """Run `ziett` with these arguments, from files and to files or on a terminal."""
    held, err = BytesIO(), StringIO()
    kind = Terminal if terminal else TextIOWrapper
    keyboard = Keyboard(stdin) if terminal else StringIO(stdin)
    out = kind(held, encoding="utf-8", newline="")
    with redirect_stdout(out), redirect_stderr(err), reading(keyboard):
        code = main(arguments)
    return Ended(code, _COLOURS.sub("", held.getvalue().decode()), err.getvalue())


class Interrupting(StringIO):
    """A stream where Ctrl-C is pressed when a command asks whether it is a terminal."""

    def isatty(self) -> bool:
        """Press it; it is none."""
        signal.raise_signal(signal.SIGINT)
        return False


def interrupted(*arguments: str, at: Literal["stdin", "stdout", "stderr"]) -> Ended:
    """Run `ziett` until it first looks at one of its streams, and press Ctrl-C then.

    No request has been made then. (After one, CPython 3.11 no longer traces what handles it.)
    """
    out, err, keyboard = (
        Interrupting() if at == name else StringIO() for name in ("stdout", "stderr", "stdin")
    )
    with redirect_stdout(out), redirect_stderr(err), reading(keyboard):
        code = main(arguments)
    return Ended(code, out.getvalue(), err.getvalue())
