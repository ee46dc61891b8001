"""The calls of one event loop that wait for a bucket."""

from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from math import inf

import anyio

from ziett_async._loops import CallSoon
from ziett_async._operation import Priority

#: Seconds that an event loop has to run a wake-up of its calls, before it is silent.
REACTION = 0.1


class Waiter:
    """A call that waits: until its deadline, or asleep until its event is set."""

    __slots__ = ("asked", "deadline", "event", "number", "priority")

    def __init__(self, priority: Priority, deadline: float, number: int) -> None:
        self.priority = priority
        self.deadline = deadline
        #: How many calls of its priority had come with it.
        self.number = number
        #: Since when it waits to learn whether the other event loops run; inf if it does not.
        self.asked = inf
        self.event = anyio.Event()

    @property
    def turn(self) -> tuple[bool, int]:
        """The place in the order of a queue: urgent first, and then as they came."""
        return self.priority == Priority.BULK, self.number

    def rearm(self) -> None:
        """Make the next sleep last until it is woken again."""
        if self.event.is_set():
            self.event = anyio.Event()


class LoopQueue:
    """The calls of one event loop that wait, first come first served within a priority."""

    __slots__ = ("call_soon", "waiting", "woken")

    def __init__(self, call_soon: CallSoon) -> None:
        self.call_soon = call_soon
        #: Since when a wake-up has been waiting for the event loop to run it; inf without one.
        self.woken = inf
        # Ordered dicts find their first key quickly, however many were removed before it.
        self.waiting = {each: OrderedDict[Waiter, None]() for each in Priority}

    def head(self) -> Waiter | None:
        """Return the first urgent call, or if there is none the first bulk call."""
        return next(iter(self.waiting[Priority.URGENT] or self.waiting[Priority.BULK]), None)

    def wake_head(self) -> None:
        """Wake the first call; runs in its event loop."""
        self.woken = inf
        if head := self.head():
            head.event.set()

    def is_silent(self, now: float) -> bool:
        """Return whether its event loop does not run."""
        return self.woken + REACTION <= now

    def wake_before(self, moment: float) -> None:
        """Wake the calls whose deadline comes before a moment, so that they check it again."""
        late = [each for calls in self.waiting.values() for each in calls if each.deadline < moment]
        with suppress(RuntimeError):  # the loop has been closed
            self.call_soon(partial(_wake, late))


def _wake(waiters: Iterable[Waiter]) -> None:
    """Wake calls; runs in their event loop."""
    for waiter in waiters:
        waiter.event.set()
