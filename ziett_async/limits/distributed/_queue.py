"""The local queue in front of a store: its head asks for a permit, for itself and who follows.

It is the queue of a process, of one priority: which of them comes first is the store's matter,
and so is the order among processes. Its head takes a permit as it takes a token elsewhere,
under the lock and with no await before it returns; but first it has to ask for it. The request
belongs to the queue: a head that is cancelled while it waits for the answer leaves the request
to the next one, which asks it again under the same permit id, and so gets what was granted
meanwhile, or keeps the place. Only the last one to leave withdraws it.
"""

from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from math import inf
from os import getpid

import anyio

from ziett_async._clock import Clock
from ziett_async._operation import Bucket, Priority
from ziett_async.errors import LimiterUnavailable
from ziett_async.limits._bucket import Rate, Tokens
from ziett_async.limits._loop_queue import Waiter
from ziett_async.limits._queue import Queue
from ziett_async.limits.distributed._bucket import Received, StoreBucket
from ziett_async.limits.distributed._store import START_WITHIN

#: Seconds for withdrawing a request: less than a caller who has cancelled notices.
_WITHDRAW_WITHIN = 0.5


class StorePermit:
    """The right to make one attempt, which the store counts until it is released."""

    __slots__ = ("_bucket", "_id")

    def __init__(self, bucket: StoreBucket, permit_id: str) -> None:
        self._bucket = bucket
        self._id = permit_id

    async def release(self) -> None:
        """Record that the attempt has ended; a second release changes nothing.

        Raises:
            LimiterUnavailable: the store does not answer; the permit ends when its lease does.

        """
        await self._bucket.step(self._bucket.store.release, self._id)


class _Request:
    """A permit that was asked for and not granted, as far as is known."""

    __slots__ = ("id", "was_asked")

    def __init__(self, permit_id: str) -> None:
        self.id = permit_id
        self.was_asked = False


class StoreTokens(Tokens):
    """What a process knows of the tokens in a store: those granted, and when to ask again."""

    __slots__ = ("ask_at", "granted", "taken")

    def __init__(self, rates: Iterable[Rate]) -> None:
        super().__init__(tuple(rates))
        #: Ids of permits and when they were asked for, until the head of the queue takes one.
        self.granted: list[tuple[str, float]] = []
        #: Those that were taken, from there until the call that took one has it.
        self.taken: list[str] = []
        #: The store has said that no permit will be granted before this moment.
        self.ask_at = -inf

    def take(self, now: float, priority: Priority = Priority.URGENT, count: int = 1) -> bool:
        """Take a permit if one was granted a moment ago; one that is older expires unused."""
        del priority, count
        while self.granted:
            permit_id, asked = self.granted.pop()
            if now - asked < START_WITHIN:
                self.taken.append(permit_id)
                return True
        return False

    def earliest(
        self, now: float, ahead: int, priority: Priority = Priority.URGENT, bulk_ahead: int = 0
    ) -> float:
        """Return the earliest moment at which the attempt with so many ahead of it can start.

        A lower bound: of any `limit + 1` attempts, the last starts `per` after the first.
        """
        del priority, bulk_ahead
        start = max(now, self.ask_at, self.paused_until)
        return start + max(ahead // limit * per for limit, per in self.rates)


class StoreQueue(Queue):
    """The calls of a process and priority that wait for one bucket of a store."""

    __slots__ = ("_ids", "_priority", "_remote", "_request", "_tokens")

    def __init__(
        self, bucket: Bucket, priority: Priority, remote: StoreBucket, nonce: str, clock: Clock
    ) -> None:
        self._tokens = StoreTokens(remote.terms.rates)
        super().__init__(bucket, self._tokens, clock)
        self._priority = priority
        self._remote = remote
        # A forked child goes on with its parent's numbers, but not with its process id.
        self._ids = (f"{getpid()}.{nonce}{priority[0]}{number}" for number in count())
        self._request: _Request | None = None

    async def acquire(self, timeout: float | None) -> StorePermit:
        """Wait for a permit.

        Raises:
            TimeoutError: the time has passed, or the store grants no permit before.
            LimiterUnavailable: the store does not answer.

        """
        try:
            await self.wait(self._priority, timeout)
        except LimiterUnavailable:
            raise  # what was asked may have been granted: the next call asks it again
        except BaseException:
            await self._withdraw_if_last()
            raise
        return StorePermit(self._remote, self._tokens.taken.pop())

    def abandon(self) -> None:
        """Forget the calls, and what was asked for them: they are the parent process's."""
        super().abandon()
        self._request, self._tokens.ask_at = None, -inf
        self._tokens.granted.clear()

    async def _rest(self, seconds: float, waiter: Waiter) -> None:
        """Sleep, or as the head of the queue ask the store until the waiter's deadline."""
        if seconds > 0:
            await super()._rest(seconds, waiter)
            return
        if waiter.deadline == inf:
            await self._ask()
            return
        with anyio.move_on_after(waiter.deadline - self.monotonic()):
            await self._ask()

    async def _ask(self) -> None:
        remote = self._remote
        with self.lock:
            request = self._request = self._request or _Request(next(self._ids))
            asked_before, request.was_asked = request.was_asked, True
        received = await remote.step(
            remote.store.acquire, request.id, self._priority, asked_before=asked_before
        )
        with self.lock:
            # Another event loop has the answer if it asked as well, because this one stood still.
            if request is self._request:
                self._note(request, received)

    def _note(self, request: _Request, received: Received) -> None:
        answer, tokens = received.answer, self._tokens
        if not answer.granted:
            tokens.ask_at = received.received + answer.until - answer.now
        elif self.monotonic() - received.asked < START_WITHIN:
            # Else the process was suspended: it asks again, and the permit begins anew.
            self._request, tokens.ask_at = None, -inf
            tokens.granted.append((request.id, received.asked))

    async def _withdraw_if_last(self) -> None:
        with self.lock:
            request = self._request
            if self.loops or request is None:
                return
            self._request, self._tokens.ask_at = None, -inf
        # If it cannot be withdrawn it expires.
        with anyio.move_on_after(_WITHDRAW_WITHIN, shield=True), suppress(LimiterUnavailable):
            await self._remote.step(self._remote.store.withdraw, request.id)
