"""Watcher: the loop that carries out the schedule, shared by all callers of one event loop.

No task runs in the background. Of the callers that wait, one leads: it makes the requests, and
every caller gets what they show. When it leaves, because it has what it waits for, is cancelled
or has no time left, another one leads. The schedule changes only after an answer, so a request
that is cancelled with its leader is made again by the next.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from math import inf
from uuid import UUID
from weakref import WeakSet, WeakValueDictionary

import anyio
import attrs
from anyio.lowlevel import current_token

from ziett_async._session import Session
from ziett_async._waits import ClientClosed
from ziett_async.delivery._scan import ReadPage
from ziett_async.delivery._schedule import Ask, ReadMessage, Schedule
from ziett_async.delivery._waiter import Waiter
from ziett_async.errors import (
    ApiError,
    ConfigurationError,
    DeadlineExceeded,
    InvalidResponse,
    NotFoundError,
    Trail,
    ZiettError,
)
from ziett_async.errors._call import error_fields
from ziett_async.models import Message, Page

logger = logging.getLogger("ziett_async")

#: Statuses that are not about a list alone, as a 403 may be: a scope may be missing.
_ABOUT_THE_ACCOUNT = {401, 402}


@attrs.frozen(eq=False)
class Reader:
    """How the server is asked; the last argument is a timeout, or None for the client's."""

    message: Callable[[UUID, float | None], Awaitable[Message]]
    page: Callable[[ReadPage, float | None], Awaitable[Page[Message]]]


class Watcher:
    """The callers of one client that wait in one event loop."""

    def __init__(self, session: Session, reader: Reader) -> None:
        self._clock = session.pipeline.clock
        self._waits = session.pipeline.waits
        #: Seconds for a request, where its caller has no less.
        self._timeout = session.defaults.timeout or inf
        self._reader = reader
        self._schedule = Schedule()
        #: Weak, as a loop over changes may be left at any point.
        self._waiters = WeakSet[Waiter]()
        #: Messages that callers still have.
        self._final = WeakValueDictionary[UUID, Message]()
        self._leader: Waiter | None = None
        #: Sleeping callers, each with what wakes it.
        self._asleep: dict[Waiter, anyio.Event] = {}
        #: Why the last request gave nothing.
        self._failure: ZiettError | None = None

    @classmethod
    def here(cls, session: Session, reader: Reader) -> "Watcher":
        """Return the watcher of the running event loop, which lives as long as its callers."""
        loop = current_token().native_token
        found = session.watchers.get(loop)
        if not isinstance(found, cls):
            found = session.watchers[loop] = cls(session, reader)
        return found

    def join(self, waiter: Waiter) -> None:
        """Add a caller; what is known of its messages already is recorded at once."""
        for each in waiter.ids:
            message = self._final.get(each) or self._schedule.seen(each)
            if message is not None:
                waiter.record(message)
        self._waiters.add(waiter)
        now, calendar = self._clock.monotonic(), self._clock.time()
        self._schedule.add(waiter.open, now, calendar, every_status=waiter.every_status)
        if self._leader is not None:
            self._wake(self._leader)

    def leave(self, waiter: Waiter) -> None:
        """Remove a caller; messages that no other waits for are not asked for any more."""
        self._waiters.discard(waiter)

    async def serve(self, waiter: Waiter) -> None:
        """Wait until there is something for a caller; while it leads, make requests.

        Raises:
            DeadlineExceeded: the caller's time is up.
            ConfigurationError: the client is closed.
            NotFoundError: there is no such message, and all others are final.
            ZiettError: an error that concerns all messages.

        """
        try:
            while not waiter.has_result:
                await self._lead_or_sleep(waiter)
        finally:
            self._hand_over(waiter)
        waiter.raise_error()

    async def _lead_or_sleep(self, waiter: Waiter) -> None:
        if self._clock.monotonic() >= waiter.end:
            raise waiter.time_is_up(self._failure) from self._failure
        if self._leader in {None, waiter} and not waiter.makes_no_requests:
            self._leader = waiter
            await self._step(waiter)
        else:
            await self._sleep(waiter, waiter.end)

    def _hand_over(self, waiter: Waiter) -> None:
        """Let another caller lead, if this one does or none does."""
        if self._leader in {None, waiter}:
            self._leader = None
            self._wake(next((each for each in self._asleep if not each.makes_no_requests), waiter))

    async def _step(self, leader: Waiter) -> None:
        """Sleep until the next request is due, or make it."""
        self._schedule.keep(set[UUID]().union(*(waiter.open for waiter in self._waiters)))
        now = self._clock.monotonic()
        when = min(self._schedule.when, leader.end)
        if when > now:
            await self._sleep(leader, when)
        else:
            await self._ask(self._schedule.ask(now), leader, leader.end - now)

    async def _sleep(self, waiter: Waiter, until: float) -> None:
        """Sleep until a time, or until another caller wakes this one."""
        event = self._asleep[waiter] = anyio.Event()
        try:
            self._waits.check_open()
            left = until - self._clock.monotonic()
            await self._waits.wait(self._clock.sleep(left, event))
        except ClientClosed:
            message = "the client was closed while messages were waited for"
            raise ConfigurationError(message) from None
        finally:
            del self._asleep[waiter]

    def _wake(self, waiter: Waiter) -> None:
        if waiter in self._asleep:
            self._asleep[waiter].set()

    async def _ask(self, ask: Ask, leader: Waiter, left: float) -> None:
        """Make a request, and give every caller what it shows."""
        try:
            messages = await self._read(ask, left if left < self._timeout else None)
        except ZiettError as error:
            if isinstance(error, DeadlineExceeded) and left < self._timeout:
                leader.makes_no_requests = True
                self._hand_over(leader)
            else:
                self._handle(error, ask)
        else:
            self._failure = None
            self._final.update({each.id: each for each in messages.values() if each.is_final})
            for waiter in self._waiters:
                waiter.record_all(messages)
        for waiter in list(self._asleep):
            if waiter.has_result:
                self._wake(waiter)

    async def _read(self, ask: Ask, timeout: float | None) -> Mapping[UUID, Message]:
        if isinstance(ask, ReadPage):
            page = await self._reader.page(ask, timeout)
            messages = self._schedule.after_page(page, self._clock.monotonic())
            return {each.id: each for each in messages}
        message = await self._reader.message(ask.id, timeout)
        if message.id != ask.id:
            raise InvalidResponse(Trail("get_message"), "the answer is another message", 200)
        self._schedule.after_message(message, self._clock.monotonic())
        return {ask.id: message}

    def _handle(self, error: ZiettError, ask: Ask) -> None:
        """Decide what a failed request means: for one message, for the lists or for all."""
        now = self._clock.monotonic()
        if isinstance(ask, ReadMessage) and isinstance(error, NotFoundError):
            if self._schedule.after_absence(now):
                self._give_up(ask.id, error)
        elif error.is_retryable:
            self._failure = error
            wait = self._schedule.after_failure(now)
            fields = {**error_fields(error), "ziett_retry_in": wait}
            logger.warning("%s; again in %.0f s", error, wait, extra=fields)
        elif isinstance(ask, ReadPage) and _is_about_the_list(error):
            self._schedule.without_lists(now)
            message = "%s; messages are read one by one from now on"
            logger.warning(message, error, extra=error_fields(error))
        else:
            for waiter in filter(None, (self._leader, *self._asleep)):
                waiter.error = copy(error)

    def _give_up(self, message_id: UUID, error: NotFoundError) -> None:
        fields = {**error_fields(error), "ziett_message_id": str(message_id)}
        logger.warning("%s; not waiting for message %s any more", error, message_id, extra=fields)
        for waiter in self._waiters:
            waiter.give_up(message_id, error)


def _is_about_the_list(error: ZiettError) -> bool:
    return isinstance(error, ApiError) and error.status not in _ABOUT_THE_ACCOUNT
