"""Errors before a call is answered: refused here, not sent, or with an unknown outcome."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import attrs

from ziett_async._repr import Value
from ziett_async.models._call import Attempt, log_fields
from ziett_async.models._message import Message
from ziett_async.models._problem import Problem


class ZiettError(Exception):
    """Any failure of this package, with what a loop of sends needs to know about it."""

    #: Whether the same call, with the same idempotency key, may succeed later as it is.
    is_retryable: bool = False
    #: Whether the message may have gone out all the same.
    may_have_been_sent: bool = False
    #: Whether no other send will fare better before the account or the set-up changes.
    affects_all_calls: bool = False


class ConfigurationError(ZiettError):
    """The client cannot be built or used as it is set up; nothing was sent."""

    affects_all_calls = True


class InvalidRequest(ZiettError, ValueError):
    """The arguments were refused before any I/O, by the server's own documented rules."""

    def __init__(self, operation: str, fields: Mapping[str, str]) -> None:
        super().__init__(operation, dict(fields))
        #: `send_message`.
        self.operation = operation
        #: Field name to message, as the server's 422 has it.
        self.fields = dict(fields)

    def __str__(self) -> str:
        return f"{self.operation}: {format_fields(self.fields)}"


class RecipientNotAllowed(ZiettError):
    """The client's `allowed_recipients` does not hold a recipient; nothing was sent."""

    def __init__(self, operation: str, refused: int = 1) -> None:
        super().__init__(operation, refused)
        #: `send_message`.
        self.operation = operation
        #: How many recipients of the call the list does not hold.
        self.refused = refused

    def __str__(self) -> str:
        return (
            f"{self.operation}: {self.refused} recipient(s) not in allowed_recipients; "
            "add them there, or build the client without the list"
        )


@attrs.frozen(repr=False)
class Trail(Value):
    """Which call an error is about, and how far it came."""

    #: `send_message`.
    operation: str
    #: Every attempt in order; none where the call failed before the first.
    attempts_made: tuple[Attempt, ...] = ()
    #: The key that every attempt carried; None for reads.
    idempotency_key: str | None = None


class CallError(ZiettError):
    """A call that was begun and failed."""

    def __init__(self, trail: Trail, message: str) -> None:
        super().__init__(trail, message)
        self.trail = trail
        #: What happened, in a sentence.
        self.message = message

    @property
    def operation(self) -> str:
        """`send_message`."""
        return self.trail.operation

    @property
    def attempts(self) -> int:
        """How many attempts were made."""
        return len(self.trail.attempts_made)

    @property
    def attempts_made(self) -> tuple[Attempt, ...]:
        """Every attempt in order, each with the reason why it gave no result."""
        return self.trail.attempts_made

    @property
    def idempotency_key(self) -> str | None:
        """The key of the call; a later call with it gets the result of the same message."""
        return self.trail.idempotency_key

    def describe(self) -> str:
        """Return what happened in one line, as logs have it."""
        return f"{self.operation} (attempt {self.attempts}): {one_line(self.message)}"

    def __str__(self) -> str:
        return self.describe()


class TransportError(CallError):
    """No answer came that settles the call. For a read that is all there is to know."""

    is_retryable = True


class NotSent(TransportError):
    """No attempt can have reached the server: send it again whenever you like.

    This covers the calls of this client with the key in the last 24 hours. A call of another
    process with the same key is not known here.
    """


_ACQUIRE = Trail("acquire")


class LimiterUnavailable(NotSent):
    """The limiter cannot decide; yours raises `LimiterUnavailable("redis: timed out")`."""

    def __init__(self, message: str, trail: Trail = _ACQUIRE) -> None:
        super().__init__(trail, message)
        self.args = (message, trail)


class OutcomeUnknown(TransportError):
    """It may have been carried out; call again with `idempotency_key` to be sure of one."""

    may_have_been_sent = True

    def __init__(
        self,
        trail: Trail,
        message: str,
        safe_to_retry_until: datetime,
        problem: Problem | None = None,
    ) -> None:
        super().__init__(trail, message)
        self.args = (trail, message, safe_to_retry_until, problem)
        #: When the server forgets the key: 24 hours after the first attempt with it, by this
        #: machine's calendar.
        self.safe_to_retry_until = safe_to_retry_until
        #: The HTTP status that answered the last attempt; None if nothing did.
        self.status = problem.status if problem else None
        #: The code of that answer, if it had one.
        self.code = problem.code if problem else None
        #: Identifies that request to the API's support, if the answer did.
        self.trace_id = problem.trace_id if problem else None

    def __str__(self) -> str:
        until = self.safe_to_retry_until.isoformat(timespec="seconds")
        return (
            f"{self.describe()}; it may have been carried out: call again with "
            f"idempotency_key={self.idempotency_key!r} before {until}"
        )


class DeadlineExceeded(CallError, TimeoutError):
    """The call's `timeout` was up, or would have been; no attempt can have reached the server."""

    is_retryable = True
    #: Of `wait_until_final` and `watch_messages`: what is known of the messages, by id.
    messages: Mapping[UUID, Message] = MappingProxyType({})


class InvalidResponse(CallError):
    """A read was answered with something else than the operation returns."""

    is_retryable = True

    def __init__(self, trail: Trail, message: str, status: int) -> None:
        super().__init__(trail, message)
        self.args = (trail, message, status)
        #: The HTTP status it came with.
        self.status = status


def error_fields(error: ZiettError) -> dict[str, object]:
    """Return what a log record about an error has as `extra`; see `log_fields` for the names."""
    operation: str = getattr(error, "operation", "")
    fields: dict[str, object] = {
        "ziett_operation": operation,
        "ziett_error": type(error).__name__,
        "ziett_trace_id": getattr(error, "trace_id", None),
    }
    attempts: tuple[Attempt, ...] = getattr(error, "attempts_made", ())
    for attempt in attempts[-1:]:
        fields |= log_fields(operation, attempt)
    return fields


def one_line(text: str) -> str:
    """Return a text from outside in one line: a line end in it would forge a line of a log."""
    return " ".join(text.split())


def format_fields(fields: Mapping[str, str]) -> str:
    """Return what is wrong with each field, in one line."""
    return "; ".join(f"{name}: {message}" for name, message in fields.items())
