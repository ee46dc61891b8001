"""How far a run is: a bar on a terminal, with what waits at the limit and the time left."""

import logging
import sys
from argparse import ArgumentParser
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

from ziett_async import Bucket, Limiter, Permit, Priority, Rate, TokenBucketLimiter
from ziett_async.cli._filters import count

#: Sends that the API allows in a minute.
_LIMIT = 120
#: The share of the limit that bulk leaves to urgent calls, the limiter's default.
_RESERVE = 0.2


def add_rate(parser: ArgumentParser) -> None:
    """Take how many sends a minute the account is allowed."""
    purpose = f"sends a minute that the account is allowed, by default {_LIMIT}; a fifth is left"
    parser.add_argument(
        "--per-minute", type=count, default=_LIMIT, metavar="N", help=f"{purpose} to other programs"
    )


def bulk_rate(per_minute: int) -> float:
    """Return how many of the requests a minute that are allowed a run makes."""
    return per_minute * (1 - _RESERVE)


def duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> duration(20), duration(90), duration(4 * 3600)
    ('less than a minute', '2 minutes', '4 hours')
    """
    minutes = round(seconds / 60)
    if seconds < 60:
        return "less than a minute"
    if minutes < 120:
        return "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"{round(minutes / 60)} hours"


class CountingLimiter:
    """A limiter that knows how many calls wait for it."""

    def __init__(self, per_minute: int, now: Callable[[], float] = monotonic) -> None:
        self._limiter: Limiter = TokenBucketLimiter(
            send=Rate(per_minute, per=60.0), reserve=_RESERVE
        )
        self._now = now
        #: How many calls wait now.
        self.waiting = 0
        #: When the attempts of the last minute began.
        self._begun = deque[float]()

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Wait for a permit, counted."""
        self.waiting += 1
        try:
            permit = await self._limiter.acquire(bucket, priority=priority, timeout=timeout)
        finally:
            self.waiting -= 1
        self._begun.append(self._now())
        return permit

    def last_minute(self) -> int:
        """Return how many attempts began in the last minute."""
        since = self._now() - 60
        while self._begun and self._begun[0] < since:
            self._begun.popleft()
        return len(self._begun)

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Stop handing out permits for `seconds`."""
        await self._limiter.pause(bucket, seconds)


class Pace:
    """How far a run is, and how long the rest of it takes at the limit."""

    def __init__(self, total: int, limiter: CountingLimiter, per_minute: int) -> None:
        self.total = total
        self.done = 0
        self._limiter = limiter
        self._per_second = bulk_rate(per_minute) / 60

    def advance(self) -> None:
        """Count one more."""
        self.done += 1

    def describe(self) -> str:
        """Return rate, time left, and how many wait for the limit."""
        left = duration((self.total - self.done) / self._per_second)
        waiting = f", {self._limiter.waiting} wait for the limit" if self._limiter.waiting else ""
        return f"{self._limiter.last_minute()}/min, {left} left{waiting}"


@contextmanager
def progress(pace: Pace) -> Generator[Callable[[], None]]:
    """Give a function that counts one more; on a terminal a bar shows how many there are."""
    if not sys.stderr.isatty():
        # The log has a line a minute about calls that wait.
        yield pace.advance
        return
    # Here and not above: only a terminal needs it.
    from ziett_async.cli._bar import bar  # noqa: PLC0415

    logger, silence = logging.getLogger("ziett_async"), logging.NullHandler()
    # The bar shows what the log would: that calls wait.
    logger.addHandler(silence)
    try:
        with bar(pace.total, pace.describe) as advance:

            def count() -> None:
                pace.advance()
                advance()

            yield count
    finally:
        logger.removeHandler(silence)
