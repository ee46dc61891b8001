"""Processes of one command, on one machine or several, that are killed and started again."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, Popen
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import attrs

import ziett_async
from tests.support.samples import REMITTER
from ziett_async.testing import FakeZiett

#: Where the package is, which need not be installed.
ROOT = Path(ziett_async.__file__).parents[1]


def environment(base_url: str, **settings: str) -> dict[str, str]:
    """Return the environment of a program that sends to an emulator, and to nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZIETT_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "ZIETT_BASE_URL": base_url,
        "ZIETT_API_KEY": "zk_test_x",
        "ZIETT_REMITTER_ID": REMITTER,
        **settings,
    }


@attrs.define(eq=False)
class Fleet:
    """Processes that run the same commands; killed together, and then started again."""

    commands: Sequence[Sequence[str]]
    folder: Path
    environment: Mapping[str, str]
    #: Seconds between a kill and the next start.
    pause: float = 0.0
    kills: int = 0
    _processes: list[Popen[bytes]] = attrs.field(factory=list[Popen[bytes]], init=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._kill_groups()
        self.wait()

    def start(self) -> None:
        """Start all of them."""
        with (self.folder / "log").open("ab") as log:
            self._processes = [
                Popen(  # noqa: S603 - a recipe's command
                    command,
                    cwd=self.folder,
                    env=self.environment,
                    stdin=DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # What they start ends with them.
                    start_new_session=True,
                )
                for command in self.commands
            ]

    @property
    def ids(self) -> list[int]:
        """The processes that run."""
        return [each.pid for each in self._processes if each.poll() is None]

    def poll(self) -> int | None:
        """Return None while one of them runs, else an exit code."""
        codes = [each.poll() for each in self._processes]
        return None if None in codes else codes[0]

    def kill(self) -> None:
        """Kill them all."""
        self.kills += 1
        self._kill_groups()

    def wait(self) -> None:
        """Return when all have ended."""
        for each in self._processes:
            each.wait()

    def run_until(self, is_done: Callable[[], bool], seconds: float = 40.0) -> None:
        """Start them again whenever they were killed, until it is done."""
        end = monotonic() + seconds
        while not is_done():
            assert monotonic() < end, self.log
            if self.poll() is not None:
                self.wait()
                sleep(self.pause)
                self.start()
            sleep(0.02)

    @property
    def log(self) -> str:
        """What they have printed."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def _kill_groups(self) -> None:
        for each in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)


@attrs.define(eq=False)
class Children:
    """The processes that those of a fleet have started, and start again when they are killed."""

    fleet: Fleet
    kills: int = 0
    _killed: list[int] = attrs.field(factory=list[int], init=False)

    def poll(self) -> int | None:
        """Return None while their parents run."""
        return self.fleet.poll()

    def kill(self) -> None:
        """Kill them all, and no parent."""
        self.kills += 1
        self._killed = [child for parent in self.fleet.ids for child in _children_of(parent)]
        for each in self._killed:
            os.kill(each, signal.SIGKILL)

    def wait(self) -> None:
        """Return when none runs any more; only their parents are notified."""
        while any(_is_running(each) for each in self._killed):
            sleep(0.005)


def _children_of(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(each) for each in text.split()]


def _is_running(process: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        return status.rpartition(")")[2].split()[0] not in "ZX"
    return False


def received(fake: FakeZiett) -> Counter[str]:
    """Return how many messages each number has got, by the emulator's ledger."""
    return Counter(message.target_e164 for message in fake.messages)
