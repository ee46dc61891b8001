"""One bucket in a store, as a process reaches it: every step ends in time and is guarded."""

import logging
from collections.abc import Awaitable, Callable
from typing import Concatenate, NamedTuple, ParamSpec

import anyio

from ziett_async._clock import Clock
from ziett_async.errors import LimiterUnavailable
from ziett_async.limits.distributed._clock_guard import ClockGuard
from ziett_async.limits.distributed._store import Answer, Store, Terms

P = ParamSpec("P")
#: A method of a store.
Step = Callable[Concatenate[str, Terms, P], Awaitable[Answer]]

logger = logging.getLogger("ziett_async")

#: Seconds for which a step is tried; then, for how long the store is not asked again.
ANSWER_WITHIN, COOL_DOWN = 2.0, 1.0
#: Seconds between two tries of a step.
_AGAIN = 0.05

_CLOCK_WAS_SET = "%s: its clock was set by %+.1f s, so no attempt starts for %.1f s"
_NOT_IDENTIFIED = (
    "%s: INFO is not permitted, so a restart or failover that keeps some data is not noticed"
)


class Received(NamedTuple):
    """An answer, and when the process asked for it and received it."""

    answer: Answer
    asked: float
    received: float


class StoreBucket:
    """A bucket of one account."""

    def __init__(self, store: Store, name: str, terms: Terms, clock: Clock) -> None:
        self.store = store
        self.name = name
        self.terms = terms
        self.monotonic = clock.monotonic
        self._guard = ClockGuard()
        self._closed_until = 0.0
        self._reason = ""
        self._is_identified = True

    async def step(self, method: Step[P], *args: P.args, **kwargs: P.kwargs) -> Received:
        """Take a step; where the store's clock was set, the answer is that of a quarantine.

        A step may be taken twice, as its first answer may be lost: a store's steps allow it.

        Raises:
            LimiterUnavailable: the store did not answer, or answered with an error, for
                `ANSWER_WITHIN` seconds, or it did so less than `COOL_DOWN` seconds ago; or its
                clock was set twice at once.

        """
        received = await self._until_answered(method, *args, **kwargs)
        if by := self._guard.unexplained(*received):
            received = await self._distrust(received.answer, by)
        if self._is_identified and not received.answer.is_identified:
            self._is_identified = False
            name = self.store.name
            logger.warning(_NOT_IDENTIFIED, name, extra={"ziett_store": name})
        return received

    async def _distrust(self, answer: Answer, by: float) -> Received:
        name = self.store.name
        fields = {"ziett_store": name, "ziett_clock_set_by": by}
        logger.warning(_CLOCK_WAS_SET, name, by, self.terms.quarantine, extra=fields)
        received = await self._until_answered(self.store.distrust, answer.jumped, by)
        if self._guard.unexplained(*received):
            message = f"{name}: its clock does not run steadily"
            raise LimiterUnavailable(message)
        return received

    async def _until_answered(self, method: Step[P], *args: P.args, **kwargs: P.kwargs) -> Received:
        if self.monotonic() < self._closed_until:
            raise LimiterUnavailable(self._reason)
        failure = "no answer"
        with anyio.move_on_after(ANSWER_WITHIN):
            while True:
                asked = self.monotonic()
                try:
                    answer = await method(self.name, self.terms, *args, **kwargs)
                except LimiterUnavailable:
                    raise  # asking again would not help
                except Exception as error:  # noqa: BLE001 - whatever the store's client raises
                    failure = type(error).__name__
                    await anyio.sleep(_AGAIN)
                else:
                    self._closed_until = 0.0
                    return Received(answer, asked, self.monotonic())
        self._closed_until = self.monotonic() + COOL_DOWN
        self._reason = f"{self.store.name}: {failure}, for {ANSWER_WITHIN:g} seconds"
        raise LimiterUnavailable(self._reason)
