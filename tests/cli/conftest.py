"""How these tests start the command in a process of its own."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from threading import Event

import pytest

import ziett_async
from tests.support.samples import API_KEY, REMITTER
from ziett_async import Request, SystemClock
from ziett_async.emulator import Emulator
from ziett_async.testing import Exchange, FakeZiett

#: Where the package is, which need not be installed.
ROOT = Path(ziett_async.__file__).parents[1]

#: Starts Python with these arguments, without a terminal unless one is given.
Start = Callable[..., Popen[bytes]]


@pytest.fixture(autouse=True)
def _ctrl_c() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where `nohup` or a shell's `&` has this process ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _no_colours_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Python 3.14 from colouring help, for which it asks standard output what it is."""
    monkeypatch.setenv("PYTHON_COLORS", "0")


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python; what still runs when the test is over is killed."""
    with ExitStack() as stack:

        def popen(
            *arguments: str,
            encoding: str = "utf-8",
            terminal: int | None = None,
            output: int | None = None,
        ) -> Popen[bytes]:
            # Unbuffered: a line that was read leaves the rest for `communicate`.
            process = Popen(  # noqa: S603 (Python itself)
                [sys.executable, *arguments],
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding},
                stdin=terminal or DEVNULL,
                stdout=output or terminal or PIPE,
                stderr=terminal or PIPE,
                # With a terminal, in a session of its own: else the tests' own would be asked.
                start_new_session=terminal is not None,
                bufsize=0,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield popen


class Noticing(FakeZiett):
    """A service without limits that notices when a request has arrived."""

    def __init__(self) -> None:
        super().__init__(clock=SystemClock(), limits={})
        self.has_arrived = Event()

    def exchange(self, request: Request) -> Exchange:
        """Notice it once it is carried out."""
        exchange = super().exchange(request)
        self.has_arrived.set()
        return exchange


@pytest.fixture
def service() -> Noticing:
    """Return the service behind `emulator`."""
    return Noticing()


@pytest.fixture
def emulator(service: Noticing, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Name an emulator in the environment, as a user of the command does."""
    with Emulator(service) as emulator:
        monkeypatch.setenv("ZIETT_API_KEY", API_KEY)
        monkeypatch.setenv("ZIETT_REMITTER_ID", REMITTER)
        monkeypatch.setenv("ZIETT_BASE_URL", emulator.base_url)
        yield emulator


@pytest.fixture(params=[80, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Make terminals that wide."""
    columns: int = request.param
    monkeypatch.setenv("COLUMNS", str(columns))
    return columns
