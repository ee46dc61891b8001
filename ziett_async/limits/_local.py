"""The limiter of one process, and how its clients come to share one.

A limiter holds a queue per bucket; `_queue` says how waiting works and `_bucket` why no
window of `per` seconds ever sees more than `limit` arrivals. Clients with the same key and
the same address count against the same limits at the server, so they get the same limiter.
"""

import os
from collections import deque
from threading import Lock
from weakref import WeakValueDictionary

from ziett_async._clock import Clock, SystemClock
from ziett_async._operation import Bucket
from ziett_async.limits._bucket import Rate
from ziett_async.limits._queue import Queue

# API page, Rate limits.
_SEND = Rate(120, per=60.0)
_LIST = Rate(60, per=60.0)
_READ = Rate(300, per=60.0)
_BATCH = Rate(10, per=60.0)


class TokenBucketLimiter:
    """Keeps a process within the API's rate limits, whichever algorithm the server uses.

    A token is taken when an attempt starts and comes back `per` seconds after it has ended.
    So no window of `per` seconds sees more than `limit` attempts of a bucket arrive at the
    server, while a saturated client uses 99 % of the limit at ordinary latencies. `send`
    counts `POST /messages`, `list` the paginated lists, `read` the other GETs and `batch`
    `POST /campaigns/batch`; the defaults are those of the API page, Rate limits.

    One limiter serves any number of clients, threads and event loops at once, asyncio and
    trio. It knows nothing of other processes: do not carry one across `os.fork`.
    """

    __slots__ = ("__weakref__", "_monotonic", "_queues")

    def __init__(
        self,
        *,
        send: Rate = _SEND,
        list: Rate = _LIST,  # noqa: A002 - the four are called as the buckets are
        read: Rate = _READ,
        batch: Rate = _BATCH,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        rates = {Bucket.SEND: send, Bucket.LIST: list, Bucket.READ: read, Bucket.BATCH: batch}
        self._monotonic = clock.monotonic
        self._queues = {bucket: Queue(rate, clock) for bucket, rate in rates.items()}

    async def acquire(self, bucket: Bucket, timeout: float | None = None) -> None:
        """Wait for a turn, first come first served; None waits as long as that takes.

        Returns without giving other tasks a turn if nobody has to wait. Cancelling it gives
        nothing away and takes nothing. `timeout` is in seconds on the limiter's clock.
        Raises `TimeoutError` when they have passed, or as soon as it is certain that the
        turn comes later, if that is so from the start then without waiting at all.
        """
        queue = self._queues[bucket]
        queue.lock.acquire()  # half the price of `with`, here and in `release`
        try:
            if not queue.waiters and queue.tokens.take(self._monotonic()):
                return
        finally:
            queue.lock.release()
        await queue.wait(timeout)

    def release(self, bucket: Bucket) -> None:
        """Tell that an attempt has ended; its token comes back `per` seconds from now.

        Raises `RuntimeError` when no attempt of this bucket is under way.
        """
        queue = self._queues[bucket]
        queue.lock.acquire()
        try:
            queue.tokens.give_back(self._monotonic())
        finally:
            queue.lock.release()

    def pause(self, bucket: Bucket, seconds: float) -> None:
        """Let nobody start for so many seconds; it never shortens a pause under way.

        Those whose turn this puts off beyond their timeout fail at once.
        """
        self._queues[bucket].pause(seconds)


class Unlimited:
    """A limiter that lets everybody start at once."""

    async def acquire(self, bucket: Bucket, timeout: float | None = None) -> None:
        """Return at once."""

    def release(self, bucket: Bucket) -> None:
        """Do nothing."""

    def pause(self, bucket: Bucket, seconds: float) -> None:
        """Do nothing: not even a 429 makes anybody wait."""


class _Registry:
    """The shared limiters of one process; those that nobody uses are forgotten in time."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.limiters = WeakValueDictionary[tuple[bytes, int | None], TokenBucketLimiter]()
        #: The last ones that were looked up, kept alive so that a program that makes one
        #: client per request does not forget between two of them what it has sent.
        self.recent = deque[TokenBucketLimiter](maxlen=64)


#: By process id: a forked child starts anew, without the parent's waiters and held locks.
_registries: dict[int, _Registry] = {}


def shared_limiter(key: str, base_url: str, clock: Clock) -> TokenBucketLimiter:
    """Return the default limiter that all clients of one key, address and clock share.

    It stays the same as long as one of them uses it, and afterwards for 64 more calls of
    this function. All `SystemClock`s are one clock. The key is kept as a hash only. May be
    called from any thread, and in a child after `os.fork`, which shares nothing with its
    parent.
    """
    # OpenSSL comes with it, which a client with a limiter of its own need not load.
    from hashlib import sha256  # noqa: PLC0415

    registry = _registries.setdefault(os.getpid(), _Registry())
    digest = sha256(f"{base_url} {key}".encode()).digest()
    name = (digest, None if isinstance(clock, SystemClock) else id(clock))
    with registry.lock:
        limiter = registry.limiters.get(name) or TokenBucketLimiter(clock=clock)
        registry.limiters[name] = limiter
        registry.recent.append(limiter)
    return limiter
