"""The half of a shared limit that knows no store: over one in memory, which a test can watch."""

import threading
from collections.abc import Callable

import anyio
import attrs
import pytest
from anyio.lowlevel import checkpoint

from tests.limits._clocks import in_threads
from ziett_async import Bucket, LimiterUnavailable, Priority, Rate
from ziett_async.limits._rates import rates_of_buckets
from ziett_async.limits.distributed._clock_guard import ClockGuard
from ziett_async.limits.distributed._limiter import DistributedLimiter, begin_anew
from ziett_async.limits.distributed._queue import StoreTokens
from ziett_async.limits.distributed._store import Answer, Terms

SEND = Bucket.SEND


@attrs.define
class MemoryStore:
    """A store that grants everything, and what was done with it."""

    name: str = "memory"
    #: Called while a permit is asked for, with its id and how often that was asked for.
    on_acquire: Callable[[str, int], object] = attrs.field(default=lambda _, __: None)
    #: Whether it does not answer who asks for a permit.
    is_silent: bool = False
    asked: list[str] = attrs.field(factory=list[str])
    released: list[str] = attrs.field(factory=list[str])
    withdrawn: list[str] = attrs.field(factory=list[str])
    #: By how much its clock advances with each step.
    step: float = 0.0
    now: float = 0.0

    def answer(self, *, granted: bool = False) -> Answer:
        """Return one at which nothing can be wrong."""
        self.now += self.step
        return Answer(granted, self.now, self.now, 0.0, is_identified=True)

    async def acquire(
        self, bucket: str, terms: Terms, permit: str, priority: Priority, *, asked_before: bool
    ) -> Answer:
        """Grant it."""
        assert bucket.endswith(":send")
        assert (asked_before, terms.reserve, priority) == (permit in self.asked, 0.2, "urgent")
        self.asked.append(permit)
        await (anyio.sleep_forever() if self.is_silent else checkpoint())
        self.on_acquire(permit, self.asked.count(permit))
        return self.answer(granted=True)

    async def release(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """Record it."""
        del bucket, terms
        self.released.append(permit)
        return self.answer()

    async def withdraw(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """Record it."""
        del bucket, terms
        self.withdrawn.append(permit)
        return self.answer()

    async def pause(self, bucket: str, terms: Terms, seconds: float) -> Answer:
        """Do nothing."""
        del bucket, terms, seconds
        return self.answer()

    async def distrust(self, bucket: str, terms: Terms, jumped: float, by: float) -> Answer:
        """Do nothing about it, which no store may."""
        del bucket, terms, jumped, by
        return self.answer()


def limiter_over(store: MemoryStore) -> DistributedLimiter:
    """Return a limiter over a store."""
    rate = Rate(120, per=60.0)
    return DistributedLimiter(
        store,
        rates_of_buckets(rate, rate, rate, rate),
        reserve=0.2,
        longest_attempt=15.0,
        new_store="wait",
        on_failure="closed",
    )


def test_an_event_loop_that_stands_still_leaves_its_request_to_another() -> None:
    """Which gets the permit, once: what the first one asked for is not used by both."""
    stands, store = threading.Event(), MemoryStore()
    limiter = limiter_over(store)

    def stand(_: str, times: int) -> None:
        if times == 1 and not stands.is_set():
            stands.set()
            goes_on.wait(timeout=20)

    goes_on, store.on_acquire = threading.Event(), stand

    async def call() -> None:
        permit = await limiter.acquire(SEND)
        await permit.release()

    async def call_when_it_stands() -> None:
        assert stands.wait(timeout=20)
        await call()
        goes_on.set()

    in_threads(lambda: anyio.run(call), lambda: anyio.run(call_when_it_stands))
    assert len(store.asked) == 3
    assert len(set(store.asked)) == len(set(store.released)) == 2


@pytest.mark.anyio
async def test_a_forked_child_makes_its_own_requests() -> None:
    """What its parent has asked and not been answered is the parent's."""
    store = MemoryStore(is_silent=True)
    limiter = limiter_over(store)
    async with anyio.create_task_group() as group:
        group.start_soon(limiter.acquire, SEND)
        await anyio.wait_all_tasks_blocked()
        begin_anew()
        store.is_silent = False
        await limiter.acquire(SEND)
        group.cancel_scope.cancel()
    assert len(set(store.asked)) == 2


def _refuse(_: str, __: int) -> None:
    """Fail."""
    raise ConnectionError


@pytest.mark.anyio
async def test_a_clock_that_jumps_while_it_is_reported_grants_nothing() -> None:
    """It cannot be a clock: the call fails, and no permit of it is used."""
    store = MemoryStore()
    limiter = limiter_over(store)
    await limiter.acquire(SEND)
    store.step = 100.0
    with pytest.raises(LimiterUnavailable, match="memory: its clock does not run steadily"):
        await limiter.acquire(SEND)
    store.on_acquire = _refuse
    with pytest.raises(LimiterUnavailable, match="memory: ConnectionError, for 2 seconds"):
        await limiter.acquire(SEND)
    # What may have been granted is not forgotten: it is what the next call asks for.
    assert len(set(store.asked)) == 2


def test_the_first_reading_of_a_clock_is_believed() -> None:
    """And each honest one is what the next is compared with; time is bounded from both sides."""
    guard = ClockGuard()

    def read(now: float, asked: float, received: float, jumped: float = 0.0) -> float:
        answer = Answer(granted=False, now=now, until=now, jumped=jumped, is_identified=True)
        return guard.unexplained(answer, asked, received)

    assert read(1000.0, 5.0, 6.0) == 0.0
    assert read(1011.1, 15.0, 16.0) == 0.0
    assert read(1020.0, 25.0, 26.0) == 0.0
    assert read(1031.2, 35.0, 36.0) == pytest.approx(0.2)
    assert read(1048.5, 55.0, 56.0) == pytest.approx(-0.5)
    assert read(1048.5, 55.0, 56.0, jumped=-0.5) == 0.0


def test_a_permit_that_was_not_taken_in_time_is_not_taken() -> None:
    """It is as old as what it was asked with: its attempt might outlast it."""
    tokens = StoreTokens([Rate(120, per=60.0)])
    tokens.granted += [("new", 100.5), ("old", 99.0)]
    assert tokens.take(101.0)
    assert tokens.taken == ["new"]
    tokens.granted += [("old", 99.0)]
    assert not tokens.take(101.0)
