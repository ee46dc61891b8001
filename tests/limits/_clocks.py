"""Clocks and threads for tests of waiting, which end in a failure where they would hang."""

import threading
from collections.abc import Callable
from itertools import count

import anyio
from anyio.lowlevel import checkpoint

from ziett_async._clock import ManualClock


class BoundedClock(ManualClock):
    """A clock that jumps over waits, and on which a test sleeps no more often than it needs to."""

    def __init__(self, most: int = 20_000, *, autojump: bool = True) -> None:
        super().__init__(autojump=autojump)
        self.naps, self._most = 0, most

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Sleep; a call that wakes again and again, or never, fails."""
        self.naps += 1
        assert self.naps <= self._most, "a call looks again and again"
        with anyio.move_on_after(20) as scope:
            await super().sleep(seconds, until)
        assert not scope.cancelled_caught, "a call waits for ever"


class ReadingClock:
    """A clock for threads, on which time passes whenever it is read."""

    def __init__(self, per_second: int = 1024) -> None:
        self._readings, self._per_second = count(), per_second
        self.naps = 0

    def monotonic(self) -> float:
        """Return the seconds that the readings so far have taken."""
        return next(self._readings) / self._per_second

    time = monotonic

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Read the clock until the time has passed or the event is set."""
        self.naps += 1
        end = self.monotonic() + seconds
        while self.monotonic() < end and not (until and until.is_set()):
            await checkpoint()


class StillClock:
    """A clock that passes only by hand, and on which only an event ends a sleep."""

    now = 0.0

    def monotonic(self) -> float:
        """Return the seconds that the test let pass."""
        return self.now

    time = monotonic

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait for the event."""
        assert until is not None, seconds
        await until.wait()


def in_threads(*jobs: Callable[[], object]) -> None:
    """Run all jobs at once and wait for them; raise what one of them raised."""
    errors = list[BaseException]()

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - it is raised below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread waits for ever"
    for error in errors:
        raise error
