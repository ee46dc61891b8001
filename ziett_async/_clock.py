"""Time as a port: all that a call waits and measures, except on sockets, is on a `Clock`.

As in an operating system there are two readings, both in seconds: `monotonic`, for durations,
which cannot be set; and `time`, for the calendar, which can be set and then jumps. `time` is
used for dates that the server sends and for the moment at which it forgets a key.
"""

import time
from bisect import insort
from datetime import UTC, datetime
from math import inf
from operator import attrgetter
from typing import Protocol

import anyio
from anyio.lowlevel import checkpoint


class Clock(Protocol):
    """Reads the time, and sleeps."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; it never goes back."""
        ...

    def time(self) -> float:
        """Return the calendar's seconds since 1970 in UTC; it may be set, so it may jump."""
        ...

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait for `seconds`, or until the event is set, whichever comes first."""
        ...


class SystemClock:
    """The machine's own clock."""

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait in real time."""
        with anyio.move_on_after(seconds):
            await _wait_for(until)


class _Sleeper:
    """A sleep on a `ManualClock`, until its end or until it is woken to check again."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.scope = anyio.CancelScope()

    async def wait(self, until: anyio.Event | None) -> None:
        with anyio.CancelScope() as self.scope:
            await _wait_for(until)


async def _wait_for(event: anyio.Event | None) -> None:
    """Wait until the event is set; for ever if it is None."""
    await (anyio.sleep_forever() if event is None else event.wait())


class ManualClock:
    """A clock for tests: time passes when the test moves it, or when every task is waiting.

    `advance` moves it by hand. With `autojump`, the default, it also jumps to the end of the
    earliest sleep as soon as every task is waiting: code that sleeps for a day returns at
    once, sleeps end in their order, and every run is the same.

    It serves one event loop, whose tasks wait only for this clock and for each other.
    """

    #: Turns of the event loop without a use of the clock, after which every task is assumed
    #: to be waiting. A running task uses the clock at least once in that many turns.
    _QUIET = 12

    def __init__(
        self,
        start: datetime = datetime(2025, 7, 14, 10, 30, tzinfo=UTC),
        *,
        autojump: bool = True,
    ) -> None:
        """Make a clock whose calendar begins at `start`, an aware datetime."""
        if start.tzinfo is None:
            message = "start: is a naive datetime; give it a zone, as in datetime.now(UTC)"
            raise ValueError(message)
        self._autojump = autojump
        self._now = 0.0
        self._epoch = start.timestamp()
        #: By the end of their sleep, earliest first; sleeps without an end are not among them.
        self._sleepers: list[_Sleeper] = []
        self._touches = 0

    def monotonic(self) -> float:
        """Return the seconds that have passed since the clock was made."""
        self._touches += 1
        return self._now

    def time(self) -> float:
        """Return the calendar time, in seconds since 1970."""
        return self._epoch + self._now

    def now(self) -> datetime:
        """Return the calendar time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass; sleepers that are due wake in their next turns."""
        if seconds < 0:
            message = f"seconds: time does not run backwards, got {seconds}"
            raise ValueError(message)
        self._now += seconds
        self._wake_first()

    def set_calendar(self, moment: datetime) -> None:
        """Set the calendar, as an administrator or NTP does; no time passes."""
        self._epoch = moment.timestamp() - self._now

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait until this clock has advanced by `seconds`, or until the event is set."""
        self._touches += 1
        try:
            if seconds < inf:
                await self._sleep(_Sleeper(self._now + seconds), until)
            else:
                await _wait_for(until)
        finally:
            # A task that wakes is about to act: no other sleeper may move the clock before that.
            self._touches += 1

    async def _sleep(self, sleeper: _Sleeper, until: anyio.Event | None) -> None:
        insort(self._sleepers, sleeper, key=attrgetter("end"))
        try:
            while self._now < sleeper.end and not (until and until.is_set()):
                if self._autojump and self._sleepers[0] is sleeper:
                    await self._jump_when_quiet(sleeper, until)
                else:
                    await sleeper.wait(until)
            await checkpoint()
        finally:
            self._sleepers.remove(sleeper)
            self._wake_first()

    async def _jump_when_quiet(self, sleeper: _Sleeper, until: anyio.Event | None) -> None:
        """Move to the end of the first sleep, unless anything else happens meanwhile."""
        touches = self._touches
        for _ in range(self._QUIET):
            await checkpoint()
            if touches != self._touches or (until and until.is_set()):
                return
        self._now = max(self._now, sleeper.end)

    def _wake_first(self) -> None:
        if self._sleepers:
            self._sleepers[0].scope.cancel()
