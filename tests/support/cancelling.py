"""Cancelling a call at its k-th await, as event loops do it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

import anyio

from ziett_async import TransportError

T = TypeVar("T")

#: More awaits than any call of these tests has.
MANY = 400


class Steps(Generic[T]):
    """A coroutine that is interfered with at its k-th suspension, or before it begins."""

    def __init__(self, work: Coroutine[Any, Any, T], at: int, *, wakes: bool) -> None:
        self._work = work
        self._at = at
        self._wakes = wakes
        self._taken = 0
        self.interrupt: Callable[[], object] = lambda: None

    @property
    def is_interrupted(self) -> bool:
        """Whether it came so far."""
        return self._taken >= self._at

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        resume: Callable[[], Any] = partial(next, steps)
        if self._at == 0:
            self.interrupt()
        while True:
            try:
                trap = resume()
            except StopIteration as end:
                result: T = end.value
                return result
            self._taken += 1
            if self._taken == self._at and not self._wakes:
                self.interrupt()
            try:
                resume = partial(steps.send, (yield trap))
            except BaseException as error:  # noqa: BLE001 - it goes on where it was thrown
                resume = partial(steps.throw, error)
            else:
                if self._taken == self._at and self._wakes:
                    resume = partial(steps.throw, asyncio.CancelledError())


#: Runs a call, cancelled at its k-th await, and returns whether it had so many.
Cancel = Callable[[Coroutine[Any, Any, object], int], Awaitable[bool]]


async def by_scope(work: Coroutine[Any, Any, object], at: int) -> bool:
    """Cancel as anyio and trio do: a scope, while the call waits."""
    steps = Steps(work, at, wakes=False)
    with anyio.CancelScope() as scope:
        steps.interrupt = scope.cancel
        await steps
    return steps.is_interrupted


async def _in_a_task(steps: Steps[object]) -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        steps.interrupt = task.cancel
        await steps

    await asyncio.wait([asyncio.create_task(main())])


async def by_task(work: Coroutine[Any, Any, object], at: int) -> bool:
    """Cancel as asyncio does: the task, while the call waits."""
    steps = Steps(work, at, wakes=False)
    await _in_a_task(steps)
    return steps.is_interrupted


async def in_waking(work: Coroutine[Any, Any, object], at: int) -> bool:
    """Cancel as only asyncio does: what it waits for is there already, and it does not get it."""
    steps = Steps(work, at + 1, wakes=True)
    await _in_a_task(steps)
    return steps.is_interrupted


async def at_every_await(
    make: Callable[[int], Coroutine[Any, Any, object]],
    then: Callable[[int], Awaitable[object]],
) -> int:
    """Cancel at the first await, at the second, and so on; return how many there are."""

    async def call(turn: int) -> None:
        with suppress(TransportError):
            await make(turn)

    for turn in range(1, MANY):
        is_interrupted = await by_scope(call(turn), turn)
        await then(turn)
        if not is_interrupted:
            return turn - 1
    message = "there is no end to it"
    raise AssertionError(message)
