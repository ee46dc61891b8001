"""Those who wait for one bucket, first come first served, whichever event loop they are in.

Only the head of the queue may take a token, and it takes it itself, under the lock and with
no await before it returns. So nothing is ever granted to somebody who may just have been
cancelled, nobody is overtaken, and whoever leaves, served or not, only wakes the next one.
The head sleeps until the earliest moment at which it can start and then looks again; as
that moment is a lower bound, a release does not have to wake anybody.

A waiter is woken by a call that its event loop takes from any thread without blocking. A
loop that has been closed refuses the call: its waiter is gone, and the next one is woken.
While a queue holds waiters of several loops, those behind the head wake it when they join
and again at least every `per` seconds, so that a head whose loop was closed while it slept
holds the others up no longer than that.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from math import inf
from threading import RLock
from typing import Any

import anyio
from anyio.lowlevel import current_token

from ziett_async._clock import Clock
from ziett_async.limits._bucket import Rate, Tokens

CallSoon = Callable[[Callable[[], object]], object]


def _call_soon() -> CallSoon:
    """Return what calls a function in the running event loop, soon and from any thread."""
    loop: Any = current_token().native_token
    call: CallSoon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    return call


class _Waiter:
    """One who waits: until its deadline, or asleep until its event is set."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.event = anyio.Event()
        self.call_soon = _call_soon()

    def wake(self) -> bool:
        """Let it look again; return False if its event loop has been closed."""
        with suppress(RuntimeError):  # trio's RunFinishedError is one
            self.call_soon(self.event.set)
            return True
        return False


class Queue:
    """A bucket and those who wait for it."""

    __slots__ = ("clock", "lock", "loops", "tokens", "waiters")

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self.clock = clock
        self.tokens = Tokens(rate.limit, rate.per)
        self.waiters: OrderedDict[_Waiter, None] = OrderedDict()
        #: How many of them each event loop has.
        self.loops = Counter[CallSoon]()
        #: Never held across an await. Re-entrant, because the garbage collector may close
        #: a waiter of a dead loop, which then leaves, while this thread holds it.
        self.lock = RLock()

    async def wait(self, timeout: float | None) -> None:
        """Join, and stay until a token is taken. Raises `TimeoutError` when that is in vain."""
        waiter = _Waiter(inf if timeout is None else self.clock.monotonic() + timeout)
        with self.lock:
            self.waiters[waiter] = None
            self.loops[waiter.call_soon] += 1
        try:
            while (nap := self._take_or_nap(waiter)) is not None:
                await self.clock.sleep(nap, waiter.event)
        finally:
            with self.lock:
                self._strike_out(waiter)
                self._wake_head()

    def pause(self, seconds: float) -> None:
        """Let nobody start for so many seconds; wake those whose deadline that misses."""
        with self.lock:
            now = self.clock.monotonic()
            self.tokens.pause(now + seconds)
            for ahead, waiter in enumerate(list(self.waiters)):
                if self.tokens.earliest(now, ahead) > waiter.deadline:
                    waiter.wake()

    def _take_or_nap(self, waiter: _Waiter) -> float | None:
        """Take a token, or return after how many seconds to try again."""
        with self.lock:
            if len(self.loops) > 1 and self._head() is not waiter:
                self._wake_head()
            now = self.clock.monotonic()
            is_head = self._head() is waiter
            if is_head and self.tokens.take(now):
                return None
            if now >= waiter.deadline or self._earliest(waiter, now) > waiter.deadline:
                message = "no turn within the rate limit in the time given"
                raise TimeoutError(message)
            if waiter.event.is_set():
                waiter.event = anyio.Event()
            nap = self.tokens.patience(now, waiter.deadline)
            if len(self.loops) > 1:
                nap = min(nap, self.tokens.per)
            return min(nap, self.tokens.earliest(now, 0) - now) if is_head else nap

    def _earliest(self, waiter: _Waiter, now: float) -> float:
        """Return the earliest moment at which it can start, if it has a deadline to compare."""
        ahead = 0 if waiter.deadline == inf else list(self.waiters).index(waiter)
        return self.tokens.earliest(now, ahead)

    def _head(self) -> _Waiter:
        return next(iter(self.waiters))

    def _wake_head(self) -> None:
        """Wake the first one whose event loop still runs, and strike out those before it."""
        while self.waiters and not (head := self._head()).wake():
            self._strike_out(head)

    def _strike_out(self, waiter: _Waiter) -> None:
        if waiter in self.waiters:
            del self.waiters[waiter]
            self.loops[waiter.call_soon] -= 1
            if not self.loops[waiter.call_soon]:
                del self.loops[waiter.call_soon]
