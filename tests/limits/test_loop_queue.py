"""An event loop that does not run holds the calls of the others up for an instant, once."""

import asyncio
import threading
from bisect import bisect_right
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from contextvars import Context
from typing import Any, TypeVarTuple

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.limits._clocks import BoundedClock, ReadingClock, StillClock, in_threads
from ziett_async._clock import Clock, SystemClock
from ziett_async._operation import Bucket, Priority
from ziett_async.limits import Rate, TokenBucketLimiter, shared_limiter
from ziett_async.limits._bucket import Tokens
from ziett_async.limits._loop_queue import REACTION, LoopQueue
from ziett_async.limits._queue import Queue

Ts = TypeVarTuple("Ts")

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])
#: Seconds in which a call that a loop which does not run holds up gives up.
TIMEOUT = 30.0


class Patient(Queue):
    """The naive queue: its head is the call that came first, whatever has become of its loop."""

    __slots__ = ()

    def _running(self, now: float) -> list[LoopQueue]:
        del now
        return list(self.loops.values())


def make_patient(limiter: Any, clock: ReadingClock, rate: Rate) -> None:  # noqa: ANN401
    """Give a limiter the naive queue for sends."""
    limiter._queues[Bucket.SEND] = Patient(Bucket.SEND, Tokens([rate]), clock)


class Starts:
    """Attempts of calls in any event loop, with the seconds at which they started."""

    def __init__(self, limiter: TokenBucketLimiter, clock: Clock) -> None:
        self.limiter, self.clock = limiter, clock
        self.seen: list[tuple[str, float]] = []

    async def attempt(
        self, name: str, timeout: float | None = TIMEOUT, priority: Priority = Priority.URGENT
    ) -> None:
        """Make one."""
        permit = await self.limiter.acquire(Bucket.SEND, priority=priority, timeout=timeout)
        self.seen.append((name, self.clock.monotonic()))
        await permit.release()

    async def attempts(self, name: str, count: int) -> None:
        """Make some, one after the other."""
        for _ in range(count):
            await self.attempt(name)

    def names(self) -> list[str]:
        """Return whose attempts they were, in order."""
        return [name for name, _ in self.seen]

    def crowd(self, per: float) -> int:
        """Return the most starts in any window of `per`."""
        times = sorted(at for _, at in self.seen)
        return max(bisect_right(times, at) - bisect_right(times, at - per) for at in times)


@contextmanager
def stopped_loop(
    starts: Starts, used: int, waiting: int
) -> Generator[tuple[Any, list[asyncio.Task[None]]]]:
    """Lend an event loop that stopped while calls waited, and their tasks."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(starts.attempts("before", used))
    tasks = [loop.create_task(starts.attempt(f"stopped {n}", None)) for n in range(waiting)]
    loop.run_until_complete(asyncio.sleep(0))
    try:
        yield loop, tasks
    finally:
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()


RATE = Rate(2, per=1.0)


def test_the_calls_of_a_closed_event_loop_are_not_woken() -> None:
    """The loop says so, and that holds no other loop up."""
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(RuntimeError):
        loop.call_soon_threadsafe(int)
    LoopQueue(loop.call_soon_threadsafe).wake_before(1.0)


def pass_a_stopped_loop(backend: str, change: Callable[[Any, ReadingClock], None]) -> None:
    """Let three calls wait in a loop that is stopped, and make six attempts in another."""
    clock = ReadingClock()
    limiter = TokenBucketLimiter(send=RATE, clock=clock)
    change(limiter, clock)
    starts = Starts(limiter, clock)
    with stopped_loop(starts, used=2, waiting=3) as (loop, tasks):
        before = len(loop._ready)
        in_threads(lambda: anyio.run(starts.attempts, "running", 6, backend=backend))
        times = [at for name, at in starts.seen if name == "running"]
        assert times[0] <= starts.seen[1][1] + RATE.per + 3 * REACTION
        assert times[5] <= times[0] + 2 * RATE.per + REACTION, "it was held up again"
        # It runs again: its calls are served in their order, before those that come later.
        piled_up = len(loop._ready) - before
        loop.run_until_complete(asyncio.gather(*tasks, starts.attempts("later", 1)))
        assert starts.names()[8:] == ["stopped 0", "stopped 1", "stopped 2", "later"]
        assert starts.crowd(RATE.per) <= RATE.limit
        assert piled_up == 1, "what a loop does not run piles up there"
        assert clock.naps <= 20, "calls look again and again"


@pytest.mark.promise(
    "An event loop that is stopped, blocked or closed delays the others by an instant"
)
@BACKENDS
def test_a_stopped_event_loop_is_passed(backend: str) -> None:
    """Calls of another loop wait an instant for it, once; when it runs again it loses nothing."""
    pass_a_stopped_loop(backend, lambda _, __: None)


@pytest.mark.naive(
    "A queue that waits for its head, whatever its event loop does",
    "a stopped loop holds every call up",
)
def test_a_queue_that_waits_for_its_head_is_held_up() -> None:
    """The naive queue fails the very same check: its calls run out of time."""
    with pytest.raises(TimeoutError):
        pass_a_stopped_loop("asyncio", lambda each, clock: make_patient(each, clock, RATE))


def block_a_loop(blocked: str, running: str, change: Callable[[Any, ReadingClock], None]) -> None:
    """Let two calls wait in a loop that is then blocked, and make four attempts in another."""
    clock = ReadingClock()
    limiter = TokenBucketLimiter(send=RATE, clock=clock)
    change(limiter, clock)
    starts = Starts(limiter, clock)
    waiting, served = threading.Event(), threading.Event()

    async def block() -> None:
        await starts.attempts("before", 2)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(starts.attempt, "blocked 0", None)
            await checkpoint()
            tasks.start_soon(starts.attempt, "blocked 1", None)
            await checkpoint()
            await checkpoint()
            waiting.set()
            assert served.wait(timeout=60)

    async def run() -> None:
        assert waiting.wait(timeout=60)
        try:
            await starts.attempts("running", 4)
        finally:
            served.set()

    in_threads(lambda: anyio.run(block, backend=blocked), lambda: anyio.run(run, backend=running))
    assert starts.names()[2:] == ["running"] * 4 + ["blocked 0", "blocked 1"]
    assert starts.crowd(RATE.per) <= RATE.limit


@pytest.mark.promise(
    "An event loop that is stopped, blocked or closed delays the others by an instant"
)
@pytest.mark.parametrize("running", ["asyncio", "trio"])
@pytest.mark.parametrize("blocked", ["asyncio", "trio"])
def test_a_blocked_event_loop_is_passed(blocked: str, running: str) -> None:
    """A loop whose thread is busy with something else holds the other loop up for an instant."""
    block_a_loop(blocked, running, lambda _, __: None)


@pytest.mark.naive(
    "A queue that waits for its head, whatever its event loop does",
    "a stopped loop holds every call up",
)
def test_a_queue_that_waits_for_its_head_is_held_up_by_a_blocked_loop() -> None:
    """The naive queue fails this check, too."""
    with pytest.raises(TimeoutError):
        block_a_loop("asyncio", "asyncio", lambda each, clock: make_patient(each, clock, RATE))


@pytest.mark.promise(
    "An event loop that is stopped, blocked or closed delays the others by an instant"
)
@BACKENDS
def test_the_default_limiter_passes_a_stopped_loop(backend: str) -> None:
    """So do the clients that share a limiter because they have the same key."""
    clock = ReadingClock(per_second=32)
    starts = Starts(shared_limiter("zk_test_x", "https://api.ziett.example", clock), clock)
    other = Starts(shared_limiter("zk_test_x", "https://api.ziett.example", clock), clock)
    with stopped_loop(starts, used=120, waiting=3):
        in_threads(lambda: anyio.run(other.attempt, "running", 80.0, backend=backend))
    assert other.names() == ["running"]


@pytest.mark.parametrize("priority", Priority)
@BACKENDS
def test_a_stopped_loop_makes_no_call_time_out(backend: str, priority: Priority) -> None:
    """Calls ahead that are not served count for nothing when a timeout is compared."""
    clock = ReadingClock()
    starts = Starts(TokenBucketLimiter(send=RATE, clock=clock), clock)
    with stopped_loop(starts, used=2, waiting=40):
        in_threads(lambda: anyio.run(starts.attempt, "in time", 2.0, priority, backend=backend))
    assert starts.names()[2:] == ["in time"]


@BACKENDS
def test_calls_of_a_running_loop_ahead_count(backend: str) -> None:
    """Behind forty calls of a loop that runs, a call fails in the instant it takes to ask."""
    clock = SystemClock()  # on which the time to react is one that another thread has, too
    starts = Starts(TokenBucketLimiter(send=Rate(2, per=10.0), clock=clock), clock)
    waiting, failed = threading.Event(), threading.Event()

    async def wait() -> None:
        await starts.attempts("before", 2)
        async with anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(starts.attempt, "ahead", None)
            await checkpoint()
            await checkpoint()
            waiting.set()
            await anyio.to_thread.run_sync(failed.wait, 60)
            tasks.cancel_scope.cancel()

    async def fail() -> None:
        assert waiting.wait(timeout=60)
        began = clock.monotonic()
        try:
            with pytest.raises(TimeoutError):
                await starts.attempt("in vain", timeout=100.0)
        finally:
            failed.set()
        assert REACTION <= clock.monotonic() - began <= 5.0

    in_threads(lambda: anyio.run(wait, backend=backend), lambda: anyio.run(fail))
    assert starts.names() == ["before"] * 2


@BACKENDS
def test_a_call_whose_time_is_up_at_once_is_not_asked_about(backend: str) -> None:
    """Behind its own loop's calls a call fails without waiting, whatever the other loops do."""
    clock = ReadingClock()
    starts = Starts(TokenBucketLimiter(send=RATE, clock=clock), clock)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(starts.attempt, "ahead", None)
            await checkpoint()
            await checkpoint()
            began = clock.monotonic()
            with pytest.raises(TimeoutError):
                await starts.attempt("in vain", timeout=15.0)
            assert clock.monotonic() - began < REACTION
            group.cancel_scope.cancel()

    with stopped_loop(starts, used=2, waiting=1):
        in_threads(lambda: anyio.run(main, backend=backend))


@BACKENDS
def test_closed_loops_are_dropped_when_it_is_their_turn(backend: str) -> None:
    """Bulk calls of two closed loops stand before one of a running loop, which starts in time."""
    clock = ReadingClock()
    limiter = TokenBucketLimiter(send=RATE, reserve=0, clock=clock)
    starts = Starts(limiter, clock)
    inside: Any = limiter
    tasks = list[asyncio.Task[None]]()

    def close_a_loop() -> None:
        loop = asyncio.new_event_loop()
        tasks.append(loop.create_task(starts.attempt("closed", None, Priority.BULK)))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    async def main() -> None:
        await starts.attempts("before", 2)
        for _ in range(2):
            await anyio.to_thread.run_sync(close_a_loop)
        async with anyio.create_task_group() as group:
            group.start_soon(starts.attempt, "urgent")
            group.start_soon(starts.attempt, "bulk", TIMEOUT, Priority.BULK)

    anyio.run(main, backend=backend)
    assert starts.names()[2:] == ["urgent", "bulk"]
    assert inside._queues[Bucket.SEND].loops == {}


@BACKENDS
def test_many_stopped_loops_are_passed_together(backend: str) -> None:
    """Eight event loops that do not run hold a call up no longer than one of them."""
    clock = ReadingClock()
    starts = Starts(TokenBucketLimiter(send=RATE, clock=clock), clock)
    with ExitStack() as stack:
        stack.enter_context(stopped_loop(starts, used=2, waiting=1))
        for _ in range(7):
            stack.enter_context(stopped_loop(starts, used=0, waiting=1))
        in_threads(lambda: anyio.run(starts.attempt, "running", backend=backend))
        assert starts.seen[2][1] <= starts.seen[1][1] + RATE.per + 3 * REACTION


@BACKENDS
def test_a_call_that_leaves_hands_on_the_watch(backend: str) -> None:
    """Where the first call of a loop is cancelled, the next one passes the stopped loop."""
    clock = ReadingClock()
    starts = Starts(TokenBucketLimiter(send=RATE, clock=clock), clock)

    async def main() -> None:
        async with anyio.create_task_group() as others, anyio.create_task_group() as first:
            first.start_soon(starts.attempt, "cancelled")
            await checkpoint()
            await checkpoint()
            others.start_soon(starts.attempt, "next", None)
            await checkpoint()
            await checkpoint()
            first.cancel_scope.cancel()

    with stopped_loop(starts, used=2, waiting=1):
        in_threads(lambda: anyio.run(main, backend=backend))
        assert starts.names()[2:] == ["next"]
        assert starts.seen[2][1] <= starts.seen[1][1] + RATE.per + 3 * REACTION


def run(loop: asyncio.AbstractEventLoop) -> None:
    """Let the tasks of an event loop run until they wait."""

    async def settle() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    loop.run_until_complete(settle())


def test_a_head_that_leaves_wakes_the_next_one_in_another_loop() -> None:
    """It does not have to find out by itself, in its own time."""
    clock = StillClock()
    limiter = TokenBucketLimiter(send=Rate(1, per=10.0), clock=clock)
    one, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    permit = one.run_until_complete(limiter.acquire(Bucket.SEND))
    one.run_until_complete(permit.release())
    head, behind = (each.create_task(limiter.acquire(Bucket.SEND)) for each in (one, other))
    for loop in (one, other, one, other):
        run(loop)
    clock.now = 10.0
    head.cancel()
    run(one)
    run(other)
    assert (head.cancelled(), behind.done()) == (True, True)
    one.close()
    other.close()


def test_an_urgent_call_goes_before_a_bulk_call_of_another_loop() -> None:
    """Priority counts before the order in which calls came, in whichever loop they are."""
    clock = StillClock()
    limiter = TokenBucketLimiter(send=Rate(1, per=10.0), clock=clock)
    one, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    permit = one.run_until_complete(limiter.acquire(Bucket.SEND))
    one.run_until_complete(permit.release())
    head = one.create_task(limiter.acquire(Bucket.SEND))
    bulk = one.create_task(limiter.acquire(Bucket.SEND, priority=Priority.BULK))
    run(one)
    urgent = other.create_task(limiter.acquire(Bucket.SEND))
    for loop in (other, one, other):
        run(loop)
    clock.now = 10.0
    head.cancel()
    run(one)
    run(other)
    assert (urgent.done(), bulk.done()) == (True, False)
    bulk.cancel()
    run(one)
    one.close()
    other.close()


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts how often it is woken through its selector."""

    wake_ups = 0

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Count a call."""
        self.wake_ups += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


def test_a_call_wakes_the_next_one_of_its_event_loop_without_a_selector() -> None:
    """To wake another event loop takes system calls, and another turn of it."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        clock = BoundedClock()
        starts = Starts(TokenBucketLimiter(send=Rate(1, per=10.0), clock=clock), clock)
        async with anyio.create_task_group() as tasks:
            for name in "abcdef":
                tasks.start_soon(starts.attempt, name, None)
        assert starts.seen == [(name, 10.0 * number) for number, name in enumerate("abcdef")]
        assert loop.wake_ups == 0

    anyio.run(main, backend_options={"loop_factory": CountingLoop})


def test_a_call_cancelled_in_the_instant_in_which_it_was_woken_wakes_the_next() -> None:
    """With asyncio a task can be cancelled after what it waits for has come, before it runs."""

    async def main() -> None:
        clock = BoundedClock(autojump=False)
        starts = Starts(TokenBucketLimiter(send=Rate(2, per=10.0), clock=clock), clock)
        for name in "xy":
            await starts.attempt(name)
        tasks = list[asyncio.Task[None]]()

        async def cancel_the_next() -> None:
            await starts.attempt("a", None)
            tasks[1].cancel()

        attempts = [cancel_the_next(), *(starts.attempt(name, None) for name in "bc")]
        tasks += [asyncio.create_task(each) for each in attempts]
        for _ in range(5):
            await checkpoint()
        clock.advance(10)
        await asyncio.wait(tasks)
        assert tasks[1].cancelled()
        assert starts.seen[2:] == [("a", 10), ("c", 10)]

    asyncio.run(main())


def test_a_call_that_another_thread_closes_wakes_the_next_through_the_selector() -> None:
    """As the garbage collector may, wherever it runs, with a call that no task runs any more."""

    async def main() -> None:
        clock = StillClock()
        starts = Starts(TokenBucketLimiter(send=Rate(1, per=10.0), clock=clock), clock)
        await starts.attempt("first")
        waiting = starts.attempt("closed", None)
        closed, served = (
            asyncio.create_task(waiting),
            asyncio.create_task(starts.attempt("b", None)),
        )
        for _ in range(5):
            await checkpoint()
        clock.now = 10.0
        thread, began = threading.Timer(0.1, waiting.close), SystemClock.monotonic()
        thread.start()
        await asyncio.wait([served], timeout=5)
        assert starts.seen[1:] == [("b", 10)]
        assert SystemClock.monotonic() - began < 4
        thread.join()
        closed.cancel()
        await asyncio.wait([closed])
        assert isinstance(closed.exception(), RuntimeError)  # nothing is left of it to cancel

    asyncio.run(main())
