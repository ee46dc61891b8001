"""What it costs to wait when thousands do."""

import time
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.limits._clocks import BoundedClock, StillClock
from ziett_async._operation import Bucket, Priority
from ziett_async.limits import Rate, TokenBucketLimiter

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
SEND, BULK = Bucket.SEND, Priority.BULK
#: The longer queue is eight times the shorter one: what is quadratic costs 64 times as much.
FEW, MANY = 250, 2000
MOST = 24


async def fill(limiter: TokenBucketLimiter, count: int, timeout: float) -> float:
    """Let so many calls wait, cancel all; return the CPU seconds that this took."""
    began = time.process_time()
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(acquire, limiter, timeout)
        for _ in range(5):
            await checkpoint()
        tasks.cancel_scope.cancel()
    return time.process_time() - began


async def acquire(limiter: TokenBucketLimiter, timeout: float) -> None:
    """Wait for a permit, and let it time out."""
    try:
        await limiter.acquire(SEND, timeout=timeout)
    except TimeoutError:
        return


async def pause_again_and_again(limiter: TokenBucketLimiter, count: int, timeout: float) -> float:
    """Let so many calls wait and pause the bucket for longer than they can."""
    began = 0.0
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(acquire, limiter, timeout)
        for _ in range(5):
            await checkpoint()
        began = time.process_time()
        for number in range(50):
            await limiter.pause(SEND, timeout / 2 + number / 64)
        await limiter.pause(SEND, timeout + 1)
    return time.process_time() - began


Work = Callable[[TokenBucketLimiter, int, float], Awaitable[float]]


@pytest.mark.parametrize(
    ("work", "timeout"), [(fill, 1e6), (pause_again_and_again, 500.0)], ids=["cancelled", "paused"]
)
@BACKENDS
def test_eight_times_the_calls_cost_about_eight_times_as_much(
    backend: str, work: Work, timeout: float
) -> None:
    """To wait with a timeout, be cancelled and be paused is linear, however long the queue."""

    async def main(count: int) -> float:
        limiter = TokenBucketLimiter(send=Rate(1000, per=1e-3), clock=StillClock())
        await limiter.pause(SEND, 1.0)
        return await work(limiter, count, timeout)

    def cost(count: int) -> float:
        return min(anyio.run(main, count, backend=backend) for _ in range(3))

    assert cost(MANY) <= MOST * cost(FEW)


@BACKENDS
def test_a_cancelled_crowd_takes_no_token(backend: str) -> None:
    """Thousands of calls that are cancelled at once, in the instant of their turn, take none."""

    async def main() -> None:
        clock = BoundedClock(autojump=False)
        limiter = TokenBucketLimiter(send=Rate(3, per=10.0), clock=clock)
        for _ in range(3):
            await (await limiter.acquire(SEND)).release()
        async with anyio.create_task_group() as tasks:
            for number in range(3000):
                priority = BULK if number % 2 else Priority.URGENT
                tasks.start_soon(partial(limiter.acquire, SEND, priority=priority))
            for _ in range(5):
                await checkpoint()
            clock.advance(10)
            tasks.cancel_scope.cancel()
        for _ in range(3):
            await limiter.acquire(SEND, timeout=0)

    anyio.run(main, backend=backend)


@BACKENDS
def test_a_wait_with_a_timeout_is_looked_at_a_few_times(backend: str) -> None:
    """A call that waits for an hour is woken for its turn and when its time may be up only."""

    async def main() -> None:
        clock = BoundedClock()
        limiter = TokenBucketLimiter(send=Rate(10, per=60.0), clock=clock)
        async with anyio.create_task_group() as tasks:
            for _ in range(600):
                tasks.start_soon(attempt, limiter, 3600.0)
        assert clock.naps <= 600 * 3

    anyio.run(main, backend=backend)


async def attempt(limiter: TokenBucketLimiter, timeout: float) -> None:
    """Make an attempt of no length."""
    permit = await limiter.acquire(SEND, timeout=timeout)
    await permit.release()
