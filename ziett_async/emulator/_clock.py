"""A clock for a service on a desk: the machine's time, which can be put forward."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import anyio

from ziett_async._clock import SystemClock


class AdjustableClock:
    """Runs as the machine's does, and ahead of it by what `advance` was told.

    Both its readings are seconds since 1970, and neither ever goes back while it runs.
    """

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()
        self._stopped_at: float | None = None

    def monotonic(self) -> float:
        """Return the seconds."""
        return time.monotonic() + self._ahead if self._stopped_at is None else self._stopped_at

    def time(self) -> float:
        """Return the calendar's seconds."""
        return self.monotonic()

    def advance(self, seconds: float) -> None:
        """Put it forward, for deliveries, limits and keys to come of age."""
        if seconds < 0:
            message = f"seconds: time does not run backwards, got {seconds}"
            raise ValueError(message)
        self._ahead += seconds

    @contextmanager
    def stopped(self, at: float | None = None) -> Generator[float]:
        """Let a block happen in one moment, now or another; yields that moment."""
        self._stopped_at = self.monotonic() if at is None else at
        try:
            yield self._stopped_at
        finally:
            self._stopped_at = None

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait in real time."""
        await SystemClock().sleep(seconds, until)
