"""How far a run is."""

import re
from contextlib import redirect_stderr
from io import StringIO

import anyio
import pytest

from ziett_async import Bucket, Priority
from ziett_async.cli._progress import CountingLimiter, Pace, duration, progress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "a minute"),
        (100, "2 minutes"),
        (119 * 60, "119 minutes"),
        (2.4 * 3600, "2 hours"),
    ],
)
def test_a_time_is_as_people_say_it(seconds: float, text: str) -> None:
    """To the minute, and beyond two hours to the hour."""
    assert duration(seconds) == text


@pytest.mark.anyio
async def test_what_waits_at_the_limit_is_known() -> None:
    """And no longer once it has its turn, or is cancelled; a fifth of the limit stays free."""
    limiter = CountingLimiter(10)
    pace = Pace(100, limiter, 10)
    for _ in range(8):
        await limiter.acquire(Bucket.SEND, priority=Priority.BULK)
        pace.advance()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_acquire, limiter)
        await anyio.wait_all_tasks_blocked()
        assert pace.describe() == "8/min, 12 minutes left, 1 wait for the limit"
        tasks.cancel_scope.cancel()
    assert limiter.waiting == 0
    await limiter.acquire(Bucket.SEND)
    assert pace.describe() == "9/min, 12 minutes left"


@pytest.mark.anyio
async def test_the_rate_is_that_of_the_last_minute() -> None:
    """What began before counts no longer."""
    times = iter([0.0, 30.0, 59.0, 61.0, 200.0])
    limiter = CountingLimiter(1000, lambda: next(times))
    for _ in range(2):
        await limiter.acquire(Bucket.SEND)
    assert [limiter.last_minute() for _ in range(3)] == [2, 1, 0]


async def _acquire(limiter: CountingLimiter) -> None:
    await limiter.acquire(Bucket.SEND, priority=Priority.BULK)


@pytest.mark.anyio
async def test_a_pause_reaches_the_limiter() -> None:
    """A 429 holds up all calls."""
    limiter = CountingLimiter(10)
    await limiter.pause(Bucket.SEND, 60)
    with pytest.raises(TimeoutError):
        await limiter.acquire(Bucket.SEND, timeout=0.01)


class Screen(StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how many there are, on standard error; it fits 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    pace, screen = Pace(3, CountingLimiter(120), 120), Screen()
    with redirect_stderr(screen), progress(pace) as advance:
        for _ in range(3):
            advance()
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue())
    assert "3/3" in shown
    assert "0/3" in shown
    assert max(map(len, re.split(r"[\r\n]", shown))) <= 80


def test_elsewhere_there_is_none() -> None:
    """The log has what waits."""
    pace, screen = Pace(3, CountingLimiter(120), 120), StringIO()
    with redirect_stderr(screen), progress(pace) as advance:
        advance()
    assert (pace.done, screen.getvalue()) == (1, "")
