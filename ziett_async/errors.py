"""Errors, for the one question after a failed send: was it sent?

```text
ZiettError
|-- ConfigurationError            the client cannot be built
|-- InvalidRequest (ValueError)   refused before sending; `.fields` has the reasons
|-- RecipientNotAllowed           not in the client's `allowed_recipients`
|-- TransportError                no answer came that settles the call
|   |-- NotSent                   no attempt can have reached the server
|   |   `-- LimiterUnavailable    the limiter could not decide
|   `-- OutcomeUnknown            it may have been carried out; `.idempotency_key`,
|                                 `.safe_to_retry_until`, `.status .code .trace_id`
|-- DeadlineExceeded (TimeoutError) time was up, and no attempt can have reached the server
|-- ApiError                      the service refused
|   |-- AuthenticationError 401   |-- PermissionDeniedError 403   |-- InsufficientFundsError 402
|   |-- NotFoundError 404         |-- ConflictError 409           |-- ValidationError 422
|   |-- RateLimitError 429        `-- ServerError 5xx, of a read
`-- InvalidResponse               an answer to a read that is not what the operation returns
```

After `InvalidRequest`, `RecipientNotAllowed`, `NotSent`, `DeadlineExceeded` or `ApiError` no
message went out. After `OutcomeUnknown` one may have, and calling again with its
`idempotency_key` is safe for 24 hours: the server answers with the first result. A 5xx to a
send is `OutcomeUnknown` too: a proxy answers so also when the service has carried it out.

Errors hold facts, never the request: not the key, not a number, not a text. They pickle.
"""

from collections.abc import Mapping
from datetime import datetime

import attrs

from ziett_async._repr import Value
from ziett_async.models._call import Attempt
from ziett_async.models._problem import Problem

#: Statuses with which the same bytes may fare better in a moment.
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Statuses that are about the account or its key, and not about one call.
_ABOUT_THE_ACCOUNT = {401, 402, 403}


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
        return f"{self.operation}: {_format_fields(self.fields)}"


class RecipientNotAllowed(ZiettError):
    """The client's `allowed_recipients` does not hold a recipient; nothing was sent."""

    def __init__(self, operation: str, refused: int = 1) -> None:
        super().__init__(operation, refused)
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
        #: What the last attempt was answered, if it was: the HTTP status, code and trace id.
        self.status = problem.status if problem else None
        self.code = problem.code if problem else None
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


class InvalidResponse(CallError):
    """A read was answered with something else than the operation returns."""

    is_retryable = True

    def __init__(self, trail: Trail, message: str, status: int) -> None:
        super().__init__(trail, message)
        self.args = (trail, message, status)
        #: The HTTP status it came with.
        self.status = status


class ApiError(CallError):
    """The service refused the call, so nothing was sent."""

    def __init__(self, trail: Trail, problem: Problem) -> None:
        super().__init__(trail, problem.message)
        self.args = (trail, problem)
        self.problem = problem
        self.status = problem.status
        self.code = problem.code
        self.trace_id = problem.trace_id
        self.timestamp = problem.timestamp
        self.service = problem.service
        self.fields = problem.fields
        self.retry_after = problem.retry_after
        is_running = problem.status == 409 and problem.retry_after is not None
        self.is_retryable = problem.status in RETRIED or is_running
        self.affects_all_calls = problem.status in _ABOUT_THE_ACCOUNT

    @classmethod
    def of(cls, trail: Trail, problem: Problem) -> "ApiError":
        """Return the error class that belongs to the status."""
        kind = ServerError if problem.status >= 500 else _BY_STATUS.get(problem.status, ApiError)
        return kind(trail, problem)

    def describe(self) -> str:
        """Return the server's message in one line, with status, code and trace id."""
        code = self.code or "no error code"
        detail = f"{self.message}; {_format_fields(self.fields)}" if self.fields else self.message
        trace = f" (trace {self.trace_id})" if self.trace_id else ""
        line = one_line(f"{self.status} {code}: {detail}{trace}")
        return f"{self.operation} (attempt {self.attempts}): {line}"


class AuthenticationError(ApiError):
    """401: the key is missing, malformed or revoked."""


class InsufficientFundsError(ApiError):
    """402: the balance is below the cost."""


class PermissionDeniedError(ApiError):
    """403: the key lacks the scope."""


class NotFoundError(ApiError):
    """404: not there, or another organisation's."""


class ConflictError(ApiError):
    """409: the idempotency key is in use, by a first call still running or another payload."""


class ValidationError(ApiError):
    """422: see `fields`."""


class RateLimitError(ApiError):
    """429: too many requests; `retry_after` seconds if the server sent it."""


class ServerError(ApiError):
    """5xx to a read: the service or a proxy in front of it failed. Of a send, `OutcomeUnknown`."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitError,
}


def one_line(text: str) -> str:
    """Return a text from outside in one line: a line end in it would forge a line of a log."""
    return " ".join(text.split())


def _format_fields(fields: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {message}" for name, message in fields.items())
