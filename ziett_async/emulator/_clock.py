"""AdjustableClock: the machine's time, which can be set forward and stopped."""

import time
from collections.abc import Generator
from contextlib import contextmanager

import anyio

from ziett_async._clock import SystemClock

#: Seconds since 1970, just before the year 10000: `datetime` has no later one.
LAST_MOMENT = 253_000_000_000


class AdjustableClock:
    """Runs with the machine's clock, ahead of it by the sum of what was advanced.

    Both readings are seconds since 1970, and neither goes back while the clock runs.
    """

    def __init__(self) -> None:
        self._began = self._ahead = time.time() - time.monotonic()
        self._stopped_at: float | None = None

    def monotonic(self) -> float:
        """Return seconds since 1970."""
        return time.monotonic() + self._ahead if self._stopped_at is None else self._stopped_at

    def time(self) -> float:
        """Return seconds since 1970, the same as `monotonic`."""
        return self.monotonic()

    @property
    def advanced(self) -> float:
        """By how many seconds it was set forward in all."""
        return self._ahead - self._began

    def advance(self, seconds: float) -> None:
        """Set the clock forward by `seconds`.

        Raises:
            ValueError: `seconds` is negative.

        """
        if seconds < 0:
            message = f"seconds: time does not run backwards, got {seconds}"
            raise ValueError(message)
        self._ahead += seconds

    @contextmanager
    def stopped(self, at: float | None = None) -> Generator[float]:
        """Stop the clock during a block, now or at another moment; yields that moment."""
        self._stopped_at = self.monotonic() if at is None else at
        try:
            yield self._stopped_at
        finally:
            self._stopped_at = None

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait in real time, or until the event is set."""
        await SystemClock().sleep(seconds, until)
