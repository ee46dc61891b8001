"""The calls that wait for one bucket, first come first served, whichever event loop they are in.

Only the head of the queue may take a token, and it takes it itself, under the lock and with
no await before it returns. So nothing is ever granted to a call that may just have been
cancelled, no call is overtaken within its priority, and a call that leaves, served or not,
only wakes the next one. The head sleeps until the earliest moment at which it can start and
then looks again; as that moment is a lower bound, a release does not have to wake any call.

The calls of one event loop have a queue of their own. The head of the whole is the first of the
heads of these: urgent before bulk, and then as they came. Another loop is woken by a function that
it is asked to run soon, from any thread and without blocking. A loop that has been closed refuses
that, and its calls are dropped. A loop that was stopped, or is blocked, accepts the function and
does not run it: after `REACTION` seconds it is silent, and until it does run it the queue
consists of the other loops' calls. While there are several loops, the head of each looks whether
the head of the queue lets its turn pass, and if so wakes the other loops and looks again. So event
loops that do not run hold the others up for at most twice `REACTION` seconds, once. A token is
still taken under the lock by one call at a time, so no window sees more than before, and the
order within a loop stays what it is.

How many calls are ahead is known by counting: every call has a number, and at most as many
calls wait behind it as numbers were given out since. Where some of those have left, the count of
calls ahead is a lower bound, and so are the times that follow from it.
"""

import logging
from collections.abc import Iterable
from functools import partial
from math import inf
from operator import itemgetter
from threading import RLock

from ziett_async._clock import Clock
from ziett_async._loops import CallSoon, call_soon_here
from ziett_async._operation import Bucket, Priority
from ziett_async.limits._bucket import GRAIN, LONGEST_PAUSE, Tokens
from ziett_async.limits._loop_queue import REACTION, LoopQueue, Waiter

logger = logging.getLogger("ziett_async")

#: A wait of more seconds is logged; and for how long then no other one of the bucket.
_LONG_WAIT, _QUIET = 1.0, 60.0

_URGENT, _BULK = Priority.URGENT, Priority.BULK


class Queue:
    """A bucket and the calls that wait for it."""

    __slots__ = (
        "_bucket",
        "_came",
        "_clock",
        "_logged",
        "lock",
        "loops",
        "monotonic",
        "spare",
        "tokens",
    )

    def __init__(self, bucket: Bucket, tokens: Tokens, clock: Clock) -> None:
        self._bucket = bucket
        self.tokens = tokens
        #: The tokens' own: an urgent call that gets one by `pop` need not ask for more.
        self.spare = tokens.spare
        self._clock = clock
        self.monotonic = clock.monotonic
        #: None of them is empty.
        self.loops: dict[CallSoon, LoopQueue] = {}
        #: How many calls have come to wait, by priority.
        self._came = {_URGENT: 0, _BULK: 0}
        #: How many waited when that was last logged, and when.
        self._logged = {_URGENT: (0, -inf), _BULK: (0, -inf)}
        #: Never held across an await. Re-entrant, because the garbage collector may close
        #: a waiting call of a dead loop, which then leaves, while this thread holds it.
        self.lock = RLock()

    def take(self, priority: Priority) -> bool:
        """Start a call if none waits and there is a token for it."""
        with self.lock:
            self.tokens.take_back()
            now = self.monotonic()
            if self.loops or not self.tokens.take(now, priority):
                return False
            if priority is _URGENT:
                self.tokens.stock(now)
            return True

    async def wait(self, priority: Priority, timeout: float | None) -> None:
        """Wait until a token is taken; raises `TimeoutError` when none can come in time."""
        deadline = inf if timeout is None else self.monotonic() + timeout
        with self.lock:
            waiter, loop = self._join(priority, deadline)
        is_here = False
        try:
            while (seconds := self._take_or_delay(waiter, loop)) is not None:
                await self._rest(seconds, waiter)
            is_here = True  # Otherwise the garbage collector may be closing it, in any thread.
        finally:
            with self.lock:
                self._leave(waiter, loop, is_here=is_here)

    def pause(self, seconds: float) -> None:
        """Start no attempt for `seconds`; wake the calls whose deadline comes first."""
        with self.lock:
            self.tokens.take_back()
            until = self.monotonic() + min(seconds, LONGEST_PAUSE)
            if not self.tokens.pause(until):
                return
            for loop in list(self.loops.values()):
                loop.wake_before(until)

    def abandon(self) -> None:
        """Forget the calls and the lock, even if it is held: they are the parent process's."""
        self.loops.clear()
        self.lock = RLock()

    async def _rest(self, seconds: float, waiter: Waiter) -> None:
        """Sleep; without a delay above 0 it is the turn of the head, which is this call."""
        self._log(waiter.priority)
        await self._clock.sleep(seconds, waiter.event)

    def _join(self, priority: Priority, deadline: float) -> tuple[Waiter, LoopQueue]:
        self.tokens.take_back()  # while calls wait there is nothing to spare
        self._came[priority] += 1
        waiter, call_soon = Waiter(priority, deadline, self._came[priority]), call_soon_here()
        loop = self.loops.get(call_soon)
        if loop is None:
            loop = self.loops[call_soon] = LoopQueue(call_soon)
        loop.waiting[priority][waiter] = None
        return waiter, loop

    def _leave(self, waiter: Waiter, loop: LoopQueue, *, is_here: bool) -> None:
        was_head = loop.head() is waiter
        loop.waiting[waiter.priority].pop(waiter, None)
        if was_head:
            now, woken = self.monotonic(), loop if is_here else None
            if loop.head() is None:
                self.loops.pop(loop.call_soon, None)
            elif is_here:
                loop.wake_head()  # To wake a selector takes four system calls.
            else:
                self._wake(loop, now)
            while (first := self._first(now)) not in (None, woken) and not self._wake(first, now):
                pass

    def _take_or_delay(self, waiter: Waiter, loop: LoopQueue) -> float | None:
        """Take a token, or return after how many seconds to try again."""
        with self.lock:
            now = self.monotonic()
            first = self._first(now) or loop
            head = first.head()
            if head is waiter and self.tokens.take(now, waiter.priority):
                return None
            seconds = self._check_deadline(waiter, loop, now)
            waiter.rearm()
            if waiter is not loop.head() or head is None:
                return seconds
            turn = self.tokens.earliest(now, 0, head.priority) - now
            if head is waiter:
                return min(seconds, turn)
            if turn <= 0:
                self._wake_others(loop, now)
            return min(seconds, max(turn, REACTION + GRAIN))

    def _check_deadline(self, waiter: Waiter, loop: LoopQueue, now: float) -> float:
        """Raise `TimeoutError` if a call cannot start in time; return when to check again."""
        if waiter.deadline == inf:
            return inf
        if now < waiter.deadline:
            place = waiter.priority, waiter.number
            if self._earliest(*place, self._running(now), now) <= waiter.deadline:
                return self.tokens.recheck_in(now, waiter.deadline)
            waiter.asked = min(waiter.asked, now)
            left = waiter.asked + REACTION + GRAIN - now
            if left > 0 and self._earliest(*place, [loop], now) <= waiter.deadline:
                # No token can come in time only if the loops of the others run.
                self._wake_others(loop, now)
                return min(left, waiter.deadline - now)
        message = "the rate limit allows no attempt within the timeout"
        raise TimeoutError(message)

    def _earliest(
        self, priority: Priority, number: int, loops: Iterable[LoopQueue], now: float
    ) -> float:
        """Return the earliest moment at which a call can start behind the others of some loops.

        Its number is how many calls of its priority had come with it.
        """
        behind = self._came[priority] - number
        ahead = {each: sum(len(loop.waiting[each]) for loop in loops) for each in Priority}
        ahead[priority] = max(0, ahead[priority] - 1 - behind)
        if priority == _URGENT:
            return self.tokens.earliest(now, ahead[_URGENT])
        return self.tokens.earliest(now, ahead[_URGENT] + ahead[_BULK], _BULK, ahead[_BULK])

    def _running(self, now: float) -> list[LoopQueue]:
        return [loop for loop in list(self.loops.values()) if not loop.is_silent(now)]

    def _first(self, now: float) -> LoopQueue | None:
        """Return the event loop of the queue's head."""
        loops = list(self.loops.values())
        if len(loops) == 1:
            return loops[0]
        heads = [(head.turn, loop) for loop in self._running(now) if (head := loop.head())]
        return min(heads, key=itemgetter(0))[1] if heads else None

    def _wake_others(self, loop: LoopQueue, now: float) -> None:
        for each in list(self.loops.values()):
            if each is not loop:
                self._wake(each, now)

    def _wake(self, loop: LoopQueue, now: float) -> bool:
        """Wake the head of a loop; if its event loop has been closed drop it, return False."""
        if loop.woken == inf:
            loop.woken = now
            try:
                loop.call_soon(partial(self._wake_here, loop))
            except RuntimeError:  # trio's RunFinishedError is one
                self.loops.pop(loop.call_soon, None)
                return False
        return True

    def _wake_here(self, loop: LoopQueue) -> None:
        """Wake the head of a loop; runs in its event loop."""
        with self.lock:
            loop.wake_head()

    def _log(self, priority: Priority) -> None:
        """Log that calls of a priority wait long, once a minute or when ten times as many do."""
        with self.lock:
            now = self.monotonic()
            loops = self._running(now)
            waiting = sum(len(loop.waiting[priority]) for loop in loops)
            most, last = self._logged[priority]
            if now < last + _QUIET and waiting < 10 * most:
                return
            # As the last of them has it.
            seconds = self._earliest(priority, self._came[priority], loops, now) - now
            if seconds <= _LONG_WAIT:
                return
            self._logged[priority] = waiting, now
        level = logging.WARNING if priority == _URGENT else logging.INFO
        message = (
            "%s: waiting for the rate limit; %d %s in line, the last of them for at least %.0f s"
        )
        names = ("ziett_bucket", "ziett_waiting", "ziett_priority", "ziett_wait")
        facts = (self._bucket, waiting, priority, seconds)
        logger.log(level, message, *facts, extra=dict(zip(names, facts, strict=True)))
