"""How these tests start the command in a process of its own."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

import ziett_async

#: Where the package is, which need not be installed.
ROOT = Path(ziett_async.__file__).parents[1]

#: Starts Python with these arguments, without a terminal.
Start = Callable[..., Popen[bytes]]


@pytest.fixture(autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where `nohup` or a shell's `&` has this process ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python; what still runs when the test is over is killed."""
    with ExitStack() as stack:

        def popen(*arguments: str, encoding: str = "utf-8") -> Popen[bytes]:
            # Unbuffered: a line that was read leaves the rest for `communicate`.
            process = Popen(  # noqa: S603 (Python itself)
                [sys.executable, *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
                stdout=PIPE,
                stderr=PIPE,
                bufsize=0,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield popen
