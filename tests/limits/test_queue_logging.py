"""A wait of more than a second is a line in the log, and thousands of them are not thousands."""

import logging

import anyio
import pytest

from tests.limits._clocks import BoundedClock
from ziett_async._operation import Bucket, Priority
from ziett_async.limits import Rate, TokenBucketLimiter

pytestmark = pytest.mark.anyio

URGENT, BULK = Priority.URGENT, Priority.BULK


class Calls:
    """Calls that wait, and the lines that this leads to."""

    def __init__(self, caplog: pytest.LogCaptureFixture, rate: Rate) -> None:
        self.caplog, self.clock = caplog, BoundedClock()
        self.limiter = TokenBucketLimiter(send=rate, reserve=0, clock=self.clock)
        caplog.set_level(logging.INFO, logger="ziett_async")

    async def attempt(self, after: float = 0.0, priority: Priority = URGENT) -> None:
        """Make one."""
        await self.clock.sleep(after)
        permit = await self.limiter.acquire(Bucket.SEND, priority=priority)
        await permit.release()

    async def attempts(self, count: int, priority: Priority = URGENT) -> None:
        """Make so many at once."""
        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(self.attempt, 0.0, priority)

    @property
    def lines(self) -> list[tuple[int, str]]:
        """The level and the words of every line."""
        return [
            (each.levelno, each.getMessage())
            for each in self.caplog.records
            if each.name == "ziett_async"
        ]


async def test_a_long_wait_is_logged_when_it_begins(caplog: pytest.LogCaptureFixture) -> None:
    """The line has the limit that makes calls wait, how many wait, and for how long."""
    calls = Calls(caplog, Rate(1, per=60.0))
    words = "send: waiting for the rate limit; 1 urgent in line, the last of them for at least 60 s"
    async with anyio.create_task_group() as tasks:
        await calls.attempt()
        tasks.start_soon(calls.attempt)
        await calls.clock.sleep(0.5)
        assert calls.lines == [(logging.WARNING, words)]


async def test_a_short_wait_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A second is what a limit of 15 a second costs all the time."""
    calls = Calls(caplog, Rate(2, per=1.0))
    await calls.attempts(4)
    assert (calls.lines, calls.clock.monotonic()) == ([], 1.0)


async def test_a_wait_of_bulk_is_news_and_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """To wait is what a long run does, so its lines are of level INFO."""
    calls = Calls(caplog, Rate(1, per=60.0))
    await calls.attempts(2, BULK)
    words = "send: waiting for the rate limit; 1 bulk in line, the last of them for at least 60 s"
    assert calls.lines == [(logging.INFO, words)]


async def test_a_crowd_is_a_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """It grows to ten times as many with each line, and then there is one in every minute."""
    calls = Calls(caplog, Rate(100, per=60.0))
    await calls.attempts(2100)
    counts = [int(words.split()[6]) for _, words in calls.lines]
    assert counts == [1, 10, 100, 1000, *range(1900, 0, -100)]


async def test_a_wait_that_begins_in_a_quiet_minute_is_logged_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A second wait of the same minute adds no line; one after it does."""
    calls = Calls(caplog, Rate(1, per=7.0))
    await calls.attempts(2)
    await calls.attempts(2)
    assert len(calls.lines) == 1
    await calls.clock.sleep(60)
    await calls.attempts(2)
    assert len(calls.lines) == 2
