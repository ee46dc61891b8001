"""Time as a port: every second this package waits or measures is a second on a `Clock`.

Two readings, as an operating system has them: `monotonic` for durations, which nobody
can set, and `time` for the calendar, which jumps when somebody does. Only what the server
says in calendar terms (an HTTP date) is compared with the second.
"""

import time
from datetime import UTC, datetime
from math import inf
from typing import Protocol

import anyio
from anyio.lowlevel import checkpoint


class Clock(Protocol):
    """Something that tells the time and lets it pass."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; it never goes back."""
        ...

    def time(self) -> float:
        """Return the calendar's seconds since 1970 in UTC; it may be set, so it may jump."""
        ...

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait for so many seconds, or until the event is set if that is sooner."""
        ...


class SystemClock:
    """The machine's own clock."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait in real time."""
        with anyio.move_on_after(seconds):
            await (anyio.sleep_forever() if until is None else until.wait())


class ManualClock:
    """A clock for tests: an hour passes when the test says so, or when nothing else can.

    `advance` moves it by hand. With `autojump`, the default, a sleeper also moves it to
    the end of its sleep once every other task waits too, so that code which sleeps for a
    day returns at once and in the order in which the sleeps end. Every run is the same.

    For one event loop; its tasks must wait on this clock and on each other only.
    """

    #: Turns of the event loop without anybody reading the clock, after which every task is
    #: taken to be waiting. A task in memory reads it at least once in so many turns.
    _QUIET = 12

    def __init__(
        self,
        start: datetime = datetime(2025, 7, 14, 10, 30, tzinfo=UTC),
        *,
        autojump: bool = True,
    ) -> None:
        self._autojump = autojump
        self._now = 0.0
        self._epoch = start.timestamp()
        self._ends: list[float] = []
        self._readings = 0

    def monotonic(self) -> float:
        """Return the seconds that have passed since the clock was made."""
        self._readings += 1
        return self._now

    def time(self) -> float:
        """Return the calendar time, in seconds since 1970."""
        return self._epoch + self._now

    def now(self) -> datetime:
        """Return the calendar time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass; sleepers whose time has come wake in their next turn."""
        if seconds < 0:
            message = f"seconds: time does not run backwards, got {seconds}"
            raise ValueError(message)
        self._now += seconds

    def set_calendar(self, moment: datetime) -> None:
        """Set the calendar, as an administrator or NTP does; no time passes by it."""
        self._epoch = moment.timestamp() - self._now

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait until this clock has moved so far, or until the event is set."""
        end = self._now + seconds
        self._ends.append(end)
        self._readings += 1
        try:
            quiet, readings = 0, self._readings
            while self._now < end and not (until and until.is_set()):
                await checkpoint()
                quiet = quiet + 1 if readings == self._readings else 0
                readings = self._readings
                if self._autojump and quiet >= self._QUIET and end == min(self._ends) < inf:
                    self._now = max(self._now, end)
            await checkpoint()
        finally:
            self._ends.remove(end)
            # Whoever wakes is about to do something: nobody else may jump before that.
            self._readings += 1
