"""Urgent before bulk, and the reserve that bulk leaves."""

import anyio
import pytest

from tests.limits._clocks import BoundedClock
from ziett_async._operation import Bucket, Priority
from ziett_async.limits import Rate, TokenBucketLimiter

pytestmark = pytest.mark.anyio

URGENT, BULK = Priority.URGENT, Priority.BULK


class Starts:
    """Attempts of no length that record when they start, in seconds."""

    def __init__(self, limit: int, reserve: float = 0.2) -> None:
        self.clock = BoundedClock()
        self.limiter = TokenBucketLimiter(
            send=Rate(limit, per=10.0), reserve=reserve, clock=self.clock
        )
        self.seen: list[tuple[str, float]] = []

    async def attempt(
        self, name: str, priority: Priority, after: float = 0.0, timeout: float | None = None
    ) -> None:
        """Make one."""
        await self.clock.sleep(after)
        try:
            permit = await self.limiter.acquire(Bucket.SEND, priority=priority, timeout=timeout)
        except TimeoutError:
            self.seen.append((f"{name} timed out", self.clock.monotonic()))
        else:
            self.seen.append((name, self.clock.monotonic()))
            await permit.release()


@pytest.mark.promise(
    "Several rates hold in every window, and bulk leaves the reserve to urgent calls"
)
async def test_an_urgent_call_never_waits_behind_bulk() -> None:
    """Though bulk calls without end wait, urgent ones start at once within the reserve."""
    starts = Starts(10)
    async with anyio.create_task_group() as tasks:
        for _ in range(30):
            tasks.start_soon(starts.attempt, "bulk", BULK)
        for second in (1, 2, 11, 12):
            tasks.start_soon(starts.attempt, "urgent", URGENT, second)
    urgent = [at for name, at in starts.seen if name == "urgent"]
    bulk = [at for name, at in starts.seen if name == "bulk"]
    assert urgent == [1, 2, 11, 12]
    assert bulk[:8] == [0] * 8
    # What urgent calls use is the reserve's.
    assert (bulk[8:16], bulk[16]) == ([10] * 8, 20)


async def test_bulk_never_takes_the_reserve() -> None:
    """Without any urgent call the last tokens stay where they are."""
    starts = Starts(10, reserve=0.5)
    async with anyio.create_task_group() as tasks:
        for _ in range(11):
            tasks.start_soon(starts.attempt, "bulk", BULK)
    assert [at for _, at in starts.seen] == [0] * 5 + [10] * 5 + [20]


async def test_an_urgent_call_goes_before_bulk_that_waits() -> None:
    """An urgent call is first; within a priority the call that came first is."""
    starts = Starts(1)
    async with anyio.create_task_group() as tasks:
        await starts.attempt("first", URGENT)
        for number, name in enumerate(["bulk 1", "urgent 1", "bulk 2", "urgent 2"]):
            priority = BULK if name.startswith("bulk") else URGENT
            tasks.start_soon(starts.attempt, name, priority, number / 4)
    assert starts.seen[1:] == [("urgent 1", 10), ("urgent 2", 20), ("bulk 1", 30), ("bulk 2", 40)]


async def test_a_bulk_call_that_cannot_start_in_time_fails_at_once() -> None:
    """The urgent calls ahead of it count, and so do the tokens that it must leave."""
    starts = Starts(10)
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            await starts.attempt("first", URGENT)
        for _ in range(10):
            tasks.start_soon(starts.attempt, "urgent", URGENT, 1)
        tasks.start_soon(starts.attempt, "too late", BULK, 2, 17.9)
        tasks.start_soon(starts.attempt, "in time", BULK, 2, 18.0)
    assert starts.seen[10:] == [
        ("too late timed out", 2),
        *[("urgent", 10)] * 10,
        ("in time", 20),
    ]


async def test_a_bulk_call_behind_more_bulk_than_the_reserve_leaves() -> None:
    """Eight of ten start in a window, so the seventeenth bulk call is for the third."""
    starts = Starts(10)
    async with anyio.create_task_group() as tasks:
        for number in range(17):
            tasks.start_soon(starts.attempt, "bulk", BULK, number / 64, 19.7)
    assert starts.seen[8] == ("bulk timed out", 0.25)
    assert starts.seen[-1] == ("bulk", 10 + 7 / 64)
