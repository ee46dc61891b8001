"""The promise, kept by the whole limiter: tasks, clients, cancellations, pauses, threads."""

import asyncio
import gc
import threading
from bisect import bisect_right
from math import inf
from typing import NamedTuple
from weakref import ref

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.limits._clocks import BoundedClock, ReadingClock, in_threads
from ziett_async._clock import Clock, ManualClock
from ziett_async._operation import Bucket, Priority
from ziett_async.limits import Limiter, Permit, Rate, TokenBucketLimiter, Unlimited

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


class Attempt(NamedTuple):
    """An attempt to be made; in quarters of a second, so that sums are exact."""

    #: When it is asked for.
    at: int
    #: From the start until it arrives at the server.
    there: int
    #: From then until it ends.
    back: int
    #: How long after it was asked for it is cancelled; None if it is not.
    cancelled: int | None
    priority: Priority = Priority.URGENT


class Server:
    """Makes attempts through limiters, and notes when they arrive."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.arrivals: list[float] = []

    async def attempt(self, limiter: Limiter, attempt: Attempt) -> None:
        """Wait for a turn and use it."""
        await self.clock.sleep(attempt.at / 4)
        permit = await limiter.acquire(Bucket.SEND, priority=attempt.priority)
        try:
            await self.clock.sleep(attempt.there / 4)
            self.arrivals.append(self.clock.monotonic())
            await self.clock.sleep(attempt.back / 4)
        finally:
            await permit.release()

    async def cancelled(self, limiter: Limiter, attempt: Attempt) -> None:
        """Do the same, and cancel it at the time set."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.attempt, limiter, attempt)
            if attempt.cancelled is not None:
                await self.clock.sleep((attempt.at + attempt.cancelled) / 4)
                tasks.cancel_scope.cancel()


async def traffic(
    server: Server, limiter: Limiter, attempts: list[Attempt], pauses: list[tuple[int, int]]
) -> None:
    """Make all the attempts, each in a task of its own, while the server asks for pauses."""

    async def pause(at: int, seconds: int) -> None:
        await server.clock.sleep(at / 4)
        await limiter.pause(Bucket.SEND, seconds / 4)

    async with anyio.create_task_group() as tasks:
        for at, seconds in pauses:
            tasks.start_soon(pause, at, seconds)
        for attempt in attempts:
            tasks.start_soon(server.cancelled, limiter, attempt)


def crowd(arrivals: list[float], per: float) -> int:
    """Return the most arrivals in any window of `per`, not counting its first instant."""
    times = sorted(arrivals)
    return max(
        (bisect_right(times, last) - bisect_right(times, last - per) for last in times),
        default=0,
    )


class Refilled:
    """The naive rival: the usual bucket, refilled all the time."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self.rate, self.clock = rate, clock
        self.level, self.last = float(rate.limit), clock.monotonic()

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Wait until it holds a token; it does not care when attempts end."""
        speed = self.rate.limit / self.rate.per
        while (missing := 1 - self.refilled(speed)) > 0:
            await self.clock.sleep(missing / speed)
        self.level -= 1
        return await Unlimited().acquire(bucket, priority=priority, timeout=timeout)

    def refilled(self, speed: float) -> float:
        """Return how many tokens it holds by now."""
        now = self.clock.monotonic()
        self.level = min(self.rate.limit, self.level + (now - self.last) * speed)
        self.last = now
        return self.level

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Do nothing."""


quarters = st.integers(0, 60)
attempts = st.lists(
    st.builds(
        Attempt, quarters, quarters, quarters, st.none() | quarters, st.sampled_from(Priority)
    ),
    max_size=14,
)


@pytest.mark.promise("No window of the server's clock holds more than the limit")
@BACKENDS
@settings(deadline=None)
@given(attempts, st.lists(st.tuples(quarters, quarters), max_size=3))
def test_no_window_is_overfull(
    backend: str, attempts: list[Attempt], pauses: list[tuple[int, int]]
) -> None:
    """Whatever the latencies, cancellations and pauses, no window holds more than the limit."""
    clock = BoundedClock()
    server = Server(clock)
    limiter = TokenBucketLimiter(send=Rate(3, per=8.0), clock=clock)
    anyio.run(traffic, server, limiter, attempts, pauses, backend=backend)
    assert crowd(server.arrivals, 8.0) <= 3
    assert len(server.arrivals) >= sum(attempt.cancelled is None for attempt in attempts)


@pytest.mark.promise(
    "Several rates hold in every window, and bulk leaves the reserve to urgent calls"
)
@BACKENDS
@settings(deadline=None)
@given(attempts, st.lists(st.tuples(quarters, quarters), max_size=3))
def test_each_of_several_rates_holds(
    backend: str, attempts: list[Attempt], pauses: list[tuple[int, int]]
) -> None:
    """Where two rates hold together no window of either holds more than its limit."""
    clock = BoundedClock()
    server = Server(clock)
    rates = (Rate(4, per=8.0), Rate(2, per=1.0))
    limiter = TokenBucketLimiter(send=rates, clock=clock)
    anyio.run(traffic, server, limiter, attempts, pauses, backend=backend)
    assert [crowd(server.arrivals, rate.per) <= rate.limit for rate in rates] == [True, True]
    assert len(server.arrivals) >= sum(attempt.cancelled is None for attempt in attempts)


async def saturate(limiter: Limiter, clock: Clock, starts: int) -> list[float]:
    """Start attempts of 5 to 75 ms as fast as the limiter lets them; return the starts."""
    started = list[float]()

    async def finish(number: int, permit: Permit) -> None:
        await clock.sleep(0.005 + 0.07 * (number * 37 % 101) / 100)
        await permit.release()

    async with anyio.create_task_group() as tasks:
        for number in range(starts):
            permit = await limiter.acquire(Bucket.SEND)
            started.append(clock.monotonic())
            tasks.start_soon(finish, number, permit)
    return started


@pytest.mark.promise("A saturated client uses 99 % of the limit")
@BACKENDS
def test_a_saturated_client_uses_99_percent(backend: str) -> None:
    """At ordinary latencies 600 attempts take hardly more than the five minutes they must."""
    clock = BoundedClock()
    limiter = TokenBucketLimiter(clock=clock)
    started = anyio.run(saturate, limiter, clock, 601, backend=backend)
    assert crowd(started, 60.0) == 120
    assert 600 / (started[-1] - started[0]) >= 0.99 * 120 / 60.0


@pytest.mark.naive("A bucket refilled 2/s", "239 in the first minute")
@BACKENDS
def test_a_refilled_bucket_overfills_a_window(backend: str) -> None:
    """The bucket that is refilled all the time lets 239 through in the first minute."""
    clock = BoundedClock()
    limiter = Refilled(Rate(120, per=60.0), clock)
    started = anyio.run(saturate, limiter, clock, 300, backend=backend)
    with pytest.raises(AssertionError):
        assert crowd(started, 60.0) <= 120
    assert crowd(started, 60.0) == 239


@BACKENDS
def test_many_clients_share_one_limit(backend: str) -> None:
    """Thirty tasks that each make one attempt after the other never exceed it together."""
    clock = BoundedClock()
    limiter = TokenBucketLimiter(send=Rate(10, per=60.0), clock=clock)
    server = Server(clock)

    async def client(number: int) -> None:
        for latency in range(3):
            await server.attempt(limiter, Attempt(number % 7, latency, number % 5, None))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(30):
                tasks.start_soon(client, number)

    anyio.run(main, backend=backend)
    assert crowd(server.arrivals, 60.0) == 10
    assert len(server.arrivals) == 90


@pytest.mark.promise("The same for many clients, tasks, threads and event loops on one key")
def test_threads_share_one_limit() -> None:
    """Two asyncio loops and two trio loops at once never exceed the limit, nor get stuck."""
    clock = ReadingClock()
    limiter = TokenBucketLimiter(send=Rate(5, per=1.0), clock=clock)
    server = Server(clock)
    attempts = [Attempt(number % 2, 0, number % 3, None) for number in range(12)]
    attempts += [Attempt(0, 0, 0, number) for number in range(4)]
    in_threads(
        *(
            lambda backend=backend: anyio.run(
                traffic, server, limiter, attempts, [(2, 4)], backend=backend
            )
            for backend in ("asyncio", "trio", "asyncio", "trio")
        )
    )
    assert crowd(server.arrivals, 1.0) <= 5
    assert len(server.arrivals) >= 48


class StoppedClock:
    """A clock on which nothing happens by itself, and which records that it is slept on."""

    def __init__(self) -> None:
        self.asleep = threading.Event()

    def monotonic(self) -> float:
        """Return the same time for ever."""
        return 0.0

    time = monotonic

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait for the event, without ever looking at the time."""
        assert until is not None, seconds
        self.asleep.set()
        await until.wait()


@BACKENDS
def test_a_sleeping_event_loop_is_woken_from_another_thread(backend: str) -> None:
    """A loop that has nothing to do but wait hears at once that its wait is in vain."""
    clock = StoppedClock()
    limiter = TokenBucketLimiter(clock=clock)
    failed = threading.Event()

    async def wait() -> None:
        await limiter.pause(Bucket.SEND, 1.0)
        with pytest.raises(TimeoutError):
            await limiter.acquire(Bucket.SEND, timeout=50.0)
        failed.set()

    def pause() -> None:
        assert clock.asleep.wait(timeout=60)
        anyio.run(limiter.pause, Bucket.SEND, inf)

    in_threads(lambda: anyio.run(wait, backend=backend), pause)
    assert failed.is_set()


@pytest.mark.promise(
    "An event loop that is stopped, blocked or closed delays the others by an instant"
)
@pytest.mark.parametrize("closed_first", [True, False])
@BACKENDS
def test_a_closed_event_loop_holds_no_call_up(backend: str, *, closed_first: bool) -> None:
    """A call whose loop is closed under it is passed by the calls behind it."""
    limiter = TokenBucketLimiter(send=Rate(1, per=1.0), clock=ReadingClock())
    loop = asyncio.new_event_loop()
    loop.run_until_complete(limiter.pause(Bucket.SEND, 0.5))
    task = loop.create_task(limiter.acquire(Bucket.SEND))
    loop.run_until_complete(asyncio.sleep(0))
    if closed_first:
        loop.close()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(limiter.acquire, Bucket.SEND)
            await checkpoint()
            loop.close()

    anyio.run(main, backend=backend)
    assert not task.done()


def test_an_event_loop_is_not_kept_when_its_waiters_have_left() -> None:
    """A limiter outlives the loops that waited for it, and holds none of them."""
    limiter = TokenBucketLimiter(send=Rate(1, per=1.0), clock=ReadingClock())

    async def wait() -> None:
        for _ in range(2):
            permit = await limiter.acquire(Bucket.SEND)
            await permit.release()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(wait())
    loop.close()
    kept = ref(loop)
    del loop
    gc.collect()
    assert kept() is None


def test_the_use_of_a_limit_is_what_is_not_free() -> None:
    """In flight, or on its way back; of several rates that of the one that is used most."""

    async def use() -> list[float]:
        clock = ManualClock()
        rates = (Rate(100, per=60.0), Rate(5, per=1.0))
        limiter = TokenBucketLimiter(send=rates, clock=clock)
        shares = [limiter.used(Bucket.SEND)]
        permits = [await limiter.acquire(Bucket.SEND) for _ in range(4)]
        shares.append(limiter.used(Bucket.SEND))
        for permit in permits:
            await permit.release()
        for seconds in (0.5, 0.5, 59.0):
            clock.advance(seconds)
            shares.append(limiter.used(Bucket.SEND))
        return shares

    assert anyio.run(use) == [0.0, 0.8, 0.8, 0.04, 0.0]


@given(
    st.lists(st.sampled_from(["take", "release", "advance"]), max_size=200),
    st.sampled_from([1, 2, 5, 33, 34, 40]),
)
@example(["take", "take"], 33)
def test_a_limit_is_used_up_when_the_next_attempt_has_to_wait(steps: list[str], most: int) -> None:
    """And never before, also where tokens are taken in advance."""

    async def check() -> None:
        clock = ManualClock()
        limiter = TokenBucketLimiter(send=Rate(most, per=4.0), clock=clock)
        permits = list[Permit]()
        for step in steps:
            if step == "release" and permits:
                await permits.pop().release()
            elif step == "advance":
                clock.advance(1.0)
            elif step == "take":
                share = limiter.used(Bucket.SEND)
                permit = limiter.acquire_nowait(Bucket.SEND)
                assert (share == 1.0) is (permit is None)
                permits += [permit] if permit else []

    asyncio.run(check())
