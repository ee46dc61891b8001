"""Waiter: what one caller waits for, and what is known of it."""

from collections import deque
from collections.abc import Mapping
from uuid import UUID

import attrs

from ziett_async.errors import DeadlineExceeded, NotFoundError, Trail, ZiettError
from ziett_async.models import Message


@attrs.define(eq=False)
class Waiter:
    """One caller of one operation."""

    #: `wait_until_final`, for errors.
    operation: str
    #: In the caller's order, each once.
    ids: tuple[UUID, ...]
    #: When to give up, on the clock.
    end: float
    #: Whether every change of a status counts, or only a final one.
    every_status: bool
    #: Those that are not final yet.
    open: set[UUID] = attrs.field(
        init=False, default=attrs.Factory(lambda self: set(self.ids), takes_self=True)
    )
    #: Changes that the caller has not taken yet, the oldest first.
    changes: deque[Message] = attrs.field(init=False, factory=deque[Message])
    #: Set when too little time is left for a request.
    makes_no_requests: bool = attrs.field(init=False, default=False)
    #: What ended the waiting of all callers.
    error: ZiettError | None = attrs.field(init=False, default=None)
    #: As last seen.
    known: dict[UUID, Message] = attrs.field(init=False, factory=dict[UUID, Message])
    #: Given up, each with the error of its last read.
    missing: dict[UUID, NotFoundError] = attrs.field(init=False, factory=dict[UUID, NotFoundError])

    @property
    def has_result(self) -> bool:
        """Whether its next step ends: with a change, an error, or because all are final."""
        return not self.open or bool(self.changes) or self.error is not None

    def record_all(self, messages: Mapping[UUID, Message]) -> None:
        """Record what messages were seen as, if they are waited for here."""
        if not messages.keys().isdisjoint(self.open):
            for message in messages.values():
                self.record(message)

    def record(self, message: Message) -> None:
        """Record what a message was seen as, if it is waited for here."""
        if message.id not in self.open:
            return
        known = self.known.get(message.id)
        if known is not None and not message.is_final and _is_newer(known, message):
            return
        self.known[message.id] = message
        if self.every_status and (known is None or known.status != message.status):
            self.changes.append(message)
        if message.is_final:
            self.open.discard(message.id)

    def give_up(self, message_id: UUID, error: NotFoundError) -> None:
        """Record that there is no such message, if it is waited for here."""
        if message_id in self.open:
            self.open.discard(message_id)
            self.missing[message_id] = error

    def messages(self) -> dict[UUID, Message]:
        """Return what is known, in the caller's order."""
        return {each: self.known[each] for each in self.ids if each in self.known}

    def raise_error(self) -> None:
        """Raise what ended the waiting, once; and at its end, that messages are missing."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        if self.missing and not (self.open or self.changes):
            raise self._not_found()

    def time_is_up(self, failure: ZiettError | None) -> DeadlineExceeded:
        """Return the error for a caller whose time is up; `failure` is of the last request."""
        message = f"{len(self.open)} of {len(self.ids)} messages are not known to be final"
        if failure is not None:
            message += f"; the last request failed: {failure}"
        error = DeadlineExceeded(Trail(self.operation), message)
        error.messages = self.messages()
        return error

    def _not_found(self) -> NotFoundError:
        [(message_id, error), *others] = self.missing.items()
        which = f"{message_id} and {len(others)} more" if others else f"{message_id}"
        problem = attrs.evolve(error.problem, message=f"{error.message} (message {which})")
        found = NotFoundError(attrs.evolve(error.trail, operation=self.operation), problem)
        found.messages = self.messages()
        return found


def _is_newer(known: Message, message: Message) -> bool:
    """Return whether what is known changed after what was read, as from a copy that lags."""
    if known.updated_at is None or message.updated_at is None:
        return False
    return known.updated_at > message.updated_at
