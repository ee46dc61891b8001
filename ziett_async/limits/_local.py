"""The limiter of one process: a queue per bucket.

A limiter holds a queue per bucket; `_queue` explains how calls wait and `_bucket` why no
window of `per` seconds ever sees more than `limit` arrivals.
"""

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from ziett_async._clock import Clock, SystemClock
from ziett_async._operation import Bucket, Priority
from ziett_async.limits._base import Permit
from ziett_async.limits._bucket import Rate, Tokens
from ziett_async.limits._forks import register_at_fork
from ziett_async.limits._guard import InstantPermit
from ziett_async.limits._queue import Queue
from ziett_async.limits._rates import BATCH, LIST, READ, SEND, checked_reserve, rates_of_buckets

_URGENT = Priority.URGENT  # to look up a member of an enum takes longer than to lock a lock


class _LocalPermit(InstantPermit):
    """The right to make one attempt, which holds a token of each rate until it is released."""

    __slots__ = ("queue",)
    #: Where its token is; None after the release. Set from outside, because `__init__` would
    #: cost more than everything else here.
    queue: Queue | None

    async def release(self) -> None:
        """Record that the attempt has ended; its token comes back `per` seconds from now.

        A second release changes nothing.
        """
        queue = self.queue
        if queue is not None:
            self.queue = None
            queue.lock.acquire()  # half the cost of `with`
            try:
                queue.tokens.give_back(queue.monotonic())
            finally:
                queue.lock.release()


class _BulkPermit(_LocalPermit):
    """The permit of a bulk attempt: with one class, each release would look at the priority."""

    __slots__ = ()

    async def release(self) -> None:
        """Record that the attempt has ended."""
        if queue := self.queue:
            self.queue = None
            with queue.lock:
                queue.tokens.give_back_bulk(queue.monotonic())


def _permit(queue: Queue, priority: Priority) -> _LocalPermit:
    permit = _LocalPermit() if priority is _URGENT else _BulkPermit()
    permit.queue = queue
    return permit


class TokenBucketLimiter:
    """Keeps a process within the API's rate limits, whichever algorithm the server uses.

    A token is taken when an attempt starts and comes back `per` seconds after it has ended.
    So no window of `per` seconds sees more than `limit` attempts of a bucket arrive at the
    server, while a saturated client uses 99 % of the limit at ordinary latencies.

    One limiter serves any number of clients, threads and event loops at once, asyncio and
    trio; an event loop that does not run holds the others up for at most 0.2 seconds. The
    limits are those of one process: it knows nothing of others, and a forked child starts
    with every token free.

    Args:
        send: the rate of `POST /messages`, or several that hold together, each of them
            exactly: `(Rate(120, per=60.0), Rate(15, per=1.0))`.
        list: the rate of the paginated lists. The defaults are those of the API page, Rate
            limits.
        read: the rate of the other GETs.
        batch: the rate of `POST /campaigns/batch`.
        reserve: the share of every rate that bulk attempts leave to urgent ones, at least 0
            and below 1. It is rounded up to whole attempts; one is always left to bulk.
        clock: None is the system's.

    Raises:
        ValueError: a rate, the reserve or the clock is invalid; the message names it.

    """

    __slots__ = ("__weakref__", "_clock", "_queues", "_rates", "_reserve")

    def __init__(
        self,
        *,
        send: Rate | Sequence[Rate] = SEND,
        list: Rate | Sequence[Rate] = LIST,  # noqa: A002 - the four are called as the buckets are
        read: Rate | Sequence[Rate] = READ,
        batch: Rate | Sequence[Rate] = BATCH,
        reserve: float = 0.2,
        clock: Clock | None = None,
    ) -> None:
        if clock is not None and not all(
            callable(getattr(clock, each, None)) for each in ("monotonic", "time", "sleep")
        ):
            message = f"clock: must have monotonic, time, sleep, got {type(clock).__name__}"
            raise ValueError(message)
        self._rates = rates_of_buckets(send, list, read, batch)
        self._reserve = checked_reserve(reserve)
        self._clock = clock or SystemClock()
        self._queues = self._new_queues()
        _limiters[self] = TokenBucketLimiter._reset_after_fork

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = _URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Wait for a permit, first come first served within a priority.

        Returns without yielding to other tasks if there is no need to wait. A call that is
        cancelled takes no permit.

        Args:
            bucket: the rate limit that the attempt counts against.
            priority: urgent calls go before bulk calls, which leave them the `reserve`.
            timeout: seconds on the limiter's clock; None waits as long as it takes.

        Raises:
            TimeoutError: the time has passed, or the permit is certain to come later. That is
                checked when the call begins, when the bucket is paused, and `per` seconds
                before the time is up.

        """
        permit = self.acquire_nowait(bucket, priority=priority)
        if permit is None:
            queue = self._queues[bucket]
            await queue.wait(priority, timeout)
            permit = _permit(queue, priority)
        return permit

    def acquire_nowait(
        self, bucket: Bucket, *, priority: Priority = _URGENT
    ) -> _LocalPermit | None:
        """Return a permit if a call need not wait for it, else None."""
        queue = self._queues[bucket]
        if priority is not _URGENT:
            return _permit(queue, priority) if queue.take(priority) else None
        permit = _LocalPermit()
        permit.queue = queue
        try:
            queue.spare.pop()
        except IndexError:
            return permit if queue.take(priority) else None
        return permit

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Stop handing out permits for `seconds`, at most 600; never shorten a pause.

        Calls whose `timeout` ends before the pause does fail at once.
        """
        self._queues[bucket].pause(seconds)

    def used(self, bucket: Bucket) -> float:
        """Return the share of a bucket's limit that is used now, for metrics: 0.0 to 1.0.

        At 1.0 the next attempt has to wait; a pause is not in it. Of several rates it is that
        of the one that is used most.
        """
        queue = self._queues[bucket]
        with queue.lock:
            return queue.tokens.used(queue.monotonic())

    def _new_queues(self) -> dict[Bucket, Queue]:
        return {
            bucket: Queue(bucket, Tokens(rates, self._reserve), self._clock)
            for bucket, rates in self._rates.items()
        }

    def _reset_after_fork(self) -> None:
        """Forget all attempts, in a forked child: they are its parent's."""
        for queue in self._queues.values():
            queue.abandon()
        self._queues = self._new_queues()


#: Every limiter of this process, with the function that resets it after a fork.
_limiters = WeakKeyDictionary[TokenBucketLimiter, Callable[[TokenBucketLimiter], None]]()


def reset_after_fork() -> None:
    """Leave all attempts to the parent process, and all locks, after a fork."""
    for limiter, begin in tuple(_limiters.items()):
        begin(limiter)


register_at_fork(after_in_child=reset_after_fork)


class Unlimited:
    """A limiter that never makes a call wait."""

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = _URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Return at once."""
        del bucket, priority, timeout
        return _UNLIMITED

    def acquire_nowait(self, bucket: Bucket, *, priority: Priority = _URGENT) -> Permit:
        """Return a permit."""
        del bucket, priority
        return _UNLIMITED

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Do nothing: not even a 429 makes calls wait."""


_UNLIMITED = InstantPermit()
