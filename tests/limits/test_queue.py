"""Waiting for a permit: in order, no longer than asked, and at no other call's cost."""

from math import inf, nan
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.limits._clocks import BoundedClock
from ziett_async._operation import Bucket, Priority
from ziett_async.limits import Limiter, Rate, TokenBucketLimiter, Unlimited
from ziett_async.limits._bucket import BATCH, Tokens
from ziett_async.limits._queue import Queue

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> BoundedClock:
    """Return a clock that jumps to the next end of a sleep."""
    return BoundedClock()


@pytest.fixture
def limiter(clock: BoundedClock) -> TokenBucketLimiter:
    """Return a limiter of two sends in ten seconds."""
    return TokenBucketLimiter(send=Rate(2, per=10.0), clock=clock)


class Starts:
    """Attempts that note when they start, in seconds, and under which name."""

    def __init__(self, limiter: Limiter, clock: BoundedClock) -> None:
        self.limiter, self.clock = limiter, clock
        self.seen: list[tuple[str, float]] = []

    async def attempt(
        self,
        name: str,
        lasts: float = 0.0,
        timeout: float | None = None,
        after: float = 0.0,
        priority: Priority = Priority.URGENT,
    ) -> None:
        """Start when it is time to, and note the start or that it timed out."""
        await self.clock.sleep(after)
        try:
            permit = await self.limiter.acquire(Bucket.SEND, priority=priority, timeout=timeout)
        except TimeoutError:
            self.seen.append((f"{name} timed out", self.clock.monotonic()))
            return
        try:
            self.seen.append((name, self.clock.monotonic()))
            await self.clock.sleep(lasts)
        finally:
            await permit.release()

    async def pass_time(self, seconds: float) -> float:
        """Sleep, and read the clock, which shows it that this task is awake."""
        await self.clock.sleep(seconds)
        return self.clock.monotonic()


@pytest.fixture
def starts(limiter: TokenBucketLimiter, clock: BoundedClock) -> Starts:
    """Return an empty record."""
    return Starts(limiter, clock)


@pytest.mark.promise("First come, first served; a cancelled waiter loses nothing")
async def test_first_come_first_served(starts: Starts) -> None:
    """Turns come in the order of asking, each as soon as a token is back."""
    async with anyio.create_task_group() as tasks:
        for number, name in enumerate("abcdef"):
            tasks.start_soon(starts.attempt, name, 1.0, None, number / 4)
    times = [0, 0.25, 11, 11.25, 22, 22.25]
    assert starts.seen == list(zip("abcdef", times, strict=True))


async def test_no_call_overtakes(starts: Starts) -> None:
    """A call that comes in the instant in which a token comes back goes behind those that wait."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(starts.attempt, "late", 0.0, None, 10.0)
        await starts.attempt("first")
        await starts.attempt("second")
        tasks.start_soon(starts.attempt, "early", 0.0, None, 1.0)
        tasks.start_soon(starts.attempt, "behind", 0.0, None, 2.0)
    assert starts.seen[2:] == [("early", 10), ("behind", 10), ("late", 20)]


async def test_a_free_token_costs_no_turn_of_the_event_loop(
    limiter: TokenBucketLimiter, clock: BoundedClock
) -> None:
    """Two may start at once, and no time passes."""
    await limiter.acquire(Bucket.SEND)
    await limiter.acquire(Bucket.SEND, timeout=0)
    assert clock.monotonic() == 0


async def test_buckets_are_apart(starts: Starts, limiter: TokenBucketLimiter) -> None:
    """A full or a paused bucket makes no call wait at another one."""
    await limiter.pause(Bucket.SEND, inf)
    for bucket in (Bucket.LIST, Bucket.READ, Bucket.BATCH):
        await limiter.acquire(bucket, timeout=0)
    await starts.attempt("sent", timeout=0)
    assert starts.seen == [("sent timed out", 0)]


async def test_the_defaults_are_the_documented_rates(clock: BoundedClock) -> None:
    """120 sends, 60 lists, 300 reads and 10 batches may start at once, and no more."""
    limiter = TokenBucketLimiter(clock=clock)
    limits = {Bucket.SEND: 120, Bucket.LIST: 60, Bucket.READ: 300, Bucket.BATCH: 10}
    for bucket, limit in limits.items():
        for _ in range(limit):
            await limiter.acquire(bucket, timeout=0)
        with pytest.raises(TimeoutError):
            await limiter.acquire(bucket, timeout=59.9)
    assert clock.monotonic() == 0


@pytest.mark.promise("First come, first served; a cancelled waiter loses nothing")
async def test_a_cancelled_waiter_loses_nothing_and_blocks_no_call(starts: Starts) -> None:
    """Waiters that are cancelled, at the head or behind, leave their turns to the others."""
    async with anyio.create_task_group() as tasks:
        for name in ("first", "second"):
            await starts.attempt(name)
        scopes = {name: anyio.CancelScope() for name in "abcd"}

        async def attempt(name: str) -> None:
            with scopes[name]:
                await starts.attempt(name, after=ord(name) % 8 / 8)

        for name in "abcd":
            tasks.start_soon(attempt, name)
        await starts.pass_time(3)
        scopes["c"].cancel()
        await starts.pass_time(3)
        scopes["a"].cancel()
    assert starts.seen[2:] == [("b", 10), ("d", 10)]


async def test_a_waiter_cancelled_in_the_instant_of_its_turn_hands_it_on() -> None:
    """The next one starts in the same instant."""
    clock = BoundedClock(autojump=False)
    limiter = TokenBucketLimiter(send=Rate(1, per=10.0), clock=clock)
    starts = Starts(limiter, clock)
    await starts.attempt("first")
    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def attempt() -> None:
            with scope:
                await starts.attempt("cancelled")

        tasks.start_soon(attempt)
        await settle()
        tasks.start_soon(starts.attempt, "next")
        await settle()
        clock.advance(10)
        scope.cancel()
    assert starts.seen == [("first", 0), ("next", 10)]


async def settle() -> None:
    """Let every other task run until it waits."""
    for _ in range(30):
        await checkpoint()


async def test_a_wait_that_cannot_end_in_time_fails_at_once(starts: Starts) -> None:
    """With two tokens per ten seconds the seventh cannot start within 29 seconds."""
    async with anyio.create_task_group() as tasks:
        for number in range(7):
            tasks.start_soon(starts.attempt, str(number), 0.0, 29.0, number / 8)
    assert starts.seen[2] == ("6 timed out", 0.75)
    assert starts.seen[-1] == ("5", 20.125)


async def test_a_wait_that_is_in_vain_says_why(limiter: TokenBucketLimiter) -> None:
    """It stands in the error for a program that uses the limiter alone."""
    for _ in range(2):
        await limiter.acquire(Bucket.SEND)
    with pytest.raises(TimeoutError, match=r"allows no attempt within the timeout$"):
        await limiter.acquire(Bucket.SEND, timeout=1.0)


async def test_it_is_known_how_many_wait_in_each_event_loop() -> None:
    """While there are several event loops the head is watched; a call that left is forgotten."""
    clock = BoundedClock(autojump=False)
    queue = Queue(Bucket.SEND, Tokens([Rate(2, per=10.0)]), clock)

    async def attempt() -> None:
        await queue.wait(Priority.URGENT, None)
        queue.tokens.give_back(clock.monotonic())

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(attempt)
        for waiting in ([3], [1], []):
            await settle()
            calls = [len(loop.waiting[Priority.URGENT]) for loop in queue.loops.values()]
            assert calls == waiting
            clock.advance(10)


async def test_the_next_calls_need_not_ask_for_a_token() -> None:
    """A call that finds many tokens free leaves a batch of them to those that follow."""
    limiter: Any = TokenBucketLimiter(clock=BoundedClock())
    for taken in range(BATCH + 1):
        await limiter.acquire(Bucket.SEND)
        assert len(limiter._queues[Bucket.SEND].spare) == BATCH - taken


async def test_while_calls_wait_there_is_nothing_to_spare() -> None:
    """What another thread put aside in the instant before a call joins is free for that call."""
    tokens = Tokens([Rate(BATCH, per=10.0)])
    queue = Queue(Bucket.SEND, tokens, BoundedClock())
    tokens.stock(0.0)
    assert len(queue.spare) == BATCH
    await queue.wait(Priority.URGENT, 0.5)
    assert (queue.spare, tokens.in_flight) == ([], 1)


async def test_a_turn_at_the_deadline_is_in_time(starts: Starts) -> None:
    """A call that has ten seconds gets the token that is back after ten."""
    for name in "abc":
        await starts.attempt(name, timeout=10.0)
    assert starts.seen == [("a", 0), ("b", 0), ("c", 10)]


async def test_it_fails_as_soon_as_it_is_certain(starts: Starts) -> None:
    """When attempts take so long that no token can be back in time, no call waits longer."""
    async with anyio.create_task_group() as tasks:
        for name in ("slow", "slower"):
            tasks.start_soon(starts.attempt, name, 40.0)
        await starts.pass_time(1)
        for name in ("head", "behind"):
            tasks.start_soon(starts.attempt, name, 0.0, 24.0)
        tasks.start_soon(starts.attempt, "third", 0.0, 34.0, 1.0)
    failed = {name: when for name, when in starts.seen if "timed out" in name}
    late = {"head timed out": 15, "behind timed out": 15, "third timed out": 26}
    assert failed == pytest.approx(late, abs=0.002)


async def test_a_call_that_has_no_time_does_not_overtake_either() -> None:
    """A token that is due is for the head of the queue, even before the head has woken up."""
    clock = BoundedClock(autojump=False)
    limiter = TokenBucketLimiter(send=Rate(1, per=10.0), clock=clock)
    starts = Starts(limiter, clock)
    await starts.attempt("first")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(starts.attempt, "head")
        await settle()
        clock.advance(10)
        with pytest.raises(TimeoutError):
            await limiter.acquire(Bucket.SEND, timeout=0)
    assert starts.seen == [("first", 0), ("head", 10)]


async def test_a_pause_holds_every_call(starts: Starts, limiter: TokenBucketLimiter) -> None:
    """No attempt starts before its end, also of calls that wait already."""
    await limiter.pause(Bucket.SEND, 4)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(starts.attempt, "waits")
        await starts.pass_time(1)
        await limiter.pause(Bucket.SEND, 7)
        await limiter.pause(Bucket.SEND, 2)
        tasks.start_soon(starts.attempt, "comes later")
    assert starts.seen == [("waits", 8), ("comes later", 8)]


async def test_a_pause_fails_those_it_makes_too_late(
    starts: Starts, limiter: TokenBucketLimiter
) -> None:
    """A call whose deadline lies in the pause fails at once, and the others stay."""
    await limiter.pause(Bucket.SEND, 4)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(starts.attempt, "soon", 0.0, 5.0)
        tasks.start_soon(starts.attempt, "later", 0.0, 9.0, 0.25)
        tasks.start_soon(starts.attempt, "some day", 0.0, None, 0.5)
        await starts.pass_time(1)
        await limiter.pause(Bucket.SEND, 7)
    assert starts.seen == [("soon timed out", 1), ("later", 8), ("some day", 8)]


async def test_unlimited_does_nothing() -> None:
    """Without a limit no call waits, not even after a pause."""
    limiter: Limiter = Unlimited()
    await limiter.pause(Bucket.SEND, 60)
    for _ in range(1000):
        permit = await limiter.acquire(Bucket.SEND, priority=Priority.BULK, timeout=0)
        await permit.release()


@pytest.mark.promise("One 429 stops no call for more than ten minutes")
@pytest.mark.parametrize(
    ("asked", "paused"), [(99_999_999, 600), (inf, 600), (600.5, 600), (599, 599)]
)
async def test_a_pause_has_a_bound(
    starts: Starts, limiter: TokenBucketLimiter, asked: float, paused: float
) -> None:
    """One answer stops no call for more than ten minutes, whatever it asks for."""
    await limiter.pause(Bucket.SEND, asked)
    await starts.attempt("after")
    assert starts.seen == [("after", paused)]


@pytest.mark.parametrize("seconds", [nan, 0, -5, -inf])
async def test_a_pause_of_no_length_is_none(
    starts: Starts, limiter: TokenBucketLimiter, seconds: float
) -> None:
    """What is no time to wait makes no call wait."""
    await limiter.pause(Bucket.SEND, seconds)
    await starts.attempt("at once")
    assert starts.seen == [("at once", 0)]


async def test_a_pause_takes_back_what_is_ready() -> None:
    """Calls that find a token without asking find none during a pause."""
    clock = BoundedClock()
    limiter = TokenBucketLimiter(send=Rate(100, per=10.0), clock=clock)
    await limiter.acquire(Bucket.SEND)
    await limiter.pause(Bucket.SEND, 5)
    with pytest.raises(TimeoutError):
        await limiter.acquire(Bucket.SEND, timeout=4)


@pytest.mark.parametrize("priority", Priority)
async def test_a_permit_is_released_once(priority: Priority, clock: BoundedClock) -> None:
    """A second release changes nothing: it does not give another call's token back."""
    limiter = TokenBucketLimiter(send=Rate(2, per=10.0), reserve=0.0, clock=clock)
    first, second = [await limiter.acquire(Bucket.SEND, priority=priority) for _ in range(2)]
    await first.release()
    await first.release()
    await limiter.acquire(Bucket.SEND, priority=priority)
    assert clock.monotonic() == 10
    with pytest.raises(TimeoutError):
        await limiter.acquire(Bucket.SEND, priority=priority, timeout=5)
    await second.release()


@pytest.mark.parametrize("rates", [(), (Rate(1), 5), 5, None, "120", [Rate(1), None]])
def test_rates_are_rates(rates: Any) -> None:  # noqa: ANN401 - anything
    """What is neither a rate nor several of them is refused by the name of its bucket."""
    with pytest.raises(ValueError, match=r"^batch: must be a Rate, or several in a sequence, got "):
        TokenBucketLimiter(batch=rates)


@pytest.mark.parametrize("reserve", [1, 1.0, -0.1, nan, inf, True, "0.2", None])
def test_a_reserve_is_a_share(reserve: Any) -> None:  # noqa: ANN401 - anything
    """What is no share below the whole is refused by its name."""
    with pytest.raises(ValueError, match=r"^reserve: must be a share of at least 0 and below 1, "):
        TokenBucketLimiter(reserve=reserve)
