"""Runs the command in this process, as a shell runs it in one of its own."""

import re
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper

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


@contextmanager
def typed(text: str) -> Generator[None]:
    """Give a text to standard input, which is no terminal."""
    before, sys.stdin = sys.stdin, StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before


def ziett(*arguments: str, terminal: bool = False, stdin: str = "") -> Ended:
    """Run `ziett` with these arguments; standard output is a file, or a terminal."""
    held, err = BytesIO(), StringIO()
    kind = Terminal if terminal else TextIOWrapper
    out = kind(held, encoding="utf-8", newline="")
    with redirect_stdout(out), redirect_stderr(err), typed(stdin):
        code = main(arguments)
    return Ended(code, _COLOURS.sub("", held.getvalue().decode()), err.getvalue())
