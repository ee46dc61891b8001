"""Errors, for the one question after a failed send: was it sent?

```text
ZiettError
|-- ConfigurationError            the client cannot be built
|-- InvalidRequest (ValueError)   refused before sending; `.fields` says what and why
|-- RecipientNotAllowed           the allow-list says no
|-- TransportError                no usable answer came
|   |-- NotSent                   it certainly never reached the server
|   |   `-- LimiterUnavailable    the limiter could not decide
|   `-- OutcomeUnknown            it may have; `.idempotency_key`, `.safe_to_retry_until`
|-- DeadlineExceeded (TimeoutError) time was up, and certainly nothing was sent
|-- ApiError                      the server answered
|   |-- AuthenticationError 401   |-- PermissionDeniedError 403   |-- InsufficientFundsError 402
|   |-- NotFoundError 404         |-- ConflictError 409           |-- ValidationError 422
|   |-- RateLimitError 429        `-- ServerError 5xx
`-- InvalidResponse               an answer to a read that is not what the operation returns
```

After `InvalidRequest`, `RecipientNotAllowed`, `NotSent`, `DeadlineExceeded` or `ApiError` no
message went out. After `OutcomeUnknown` one may have, and calling again with its
`idempotency_key` is safe for 24 hours: the server answers with the first result.

Errors hold facts, never the request: not the key, not a number, not a text. They pickle.
"""

from collections.abc import Mapping
from datetime import datetime

import attrs

from ziett_async._value import Value
from ziett_async.models._enums import ErrorCode


class ZiettError(Exception):
    """Any failure of this package."""


class ConfigurationError(ZiettError):
    """The client cannot be built or used as it is set up; nothing was sent."""


class InvalidRequest(ZiettError, ValueError):
    """The arguments were refused before any I/O, by the server's own documented rules."""

    def __init__(self, operation: str, fields: Mapping[str, str]) -> None:
        super().__init__(operation, dict(fields))
        #: `send_message`.
        self.operation = operation
        #: Field name to message, as the server's 422 has it.
        self.fields = dict(fields)

    def __str__(self) -> str:
        return f"{self.operation}: {_listed(self.fields)}"


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
    #: Attempts made, 0 when none was begun.
    attempts: int = 0
    #: The key that every attempt carried; None for reads.
    idempotency_key: str | None = None


class CallError(ZiettError):
    """A call that was begun and failed."""

    def __init__(self, trail: Trail, message: str) -> None:
        super().__init__(trail, message)
        self.trail = trail
        #: What happened, in words.
        self.message = message

    @property
    def operation(self) -> str:
        """`send_message`."""
        return self.trail.operation

    @property
    def attempts(self) -> int:
        """How many attempts were made."""
        return self.trail.attempts

    @property
    def idempotency_key(self) -> str | None:
        """The key of the call: give it again to be answered for the same message."""
        return self.trail.idempotency_key

    def describe(self) -> str:
        """Return what happened in one line, as logs have it."""
        return f"{self.operation} (attempt {self.attempts}): {_one_line(self.message)}"

    def __str__(self) -> str:
        return self.describe()


class TransportError(CallError):
    """No usable answer came. For a read that is all there is to know."""


class NotSent(TransportError):
    """It certainly never reached the server: send it again whenever you like.

    That is said of this client's calls: what another process sent with the same key, this
    one cannot know.
    """


_ACQUIRE = Trail("acquire")


class LimiterUnavailable(NotSent):
    """The limiter cannot decide; yours raises `LimiterUnavailable("redis: timed out")`."""

    def __init__(self, message: str, trail: Trail = _ACQUIRE) -> None:
        super().__init__(trail, message)
        self.args = (message, trail)


class OutcomeUnknown(TransportError):
    """It may have been executed; call again with `idempotency_key` to be sure of one."""

    def __init__(self, trail: Trail, message: str, safe_to_retry_until: datetime) -> None:
        super().__init__(trail, message)
        self.args = (trail, message, safe_to_retry_until)
        #: When the server forgets the key: 24 hours after the first attempt, by this machine.
        self.safe_to_retry_until = safe_to_retry_until

    def __str__(self) -> str:
        until = self.safe_to_retry_until.isoformat(timespec="seconds")
        return (
            f"{self.describe()}; it may have been executed: call again with "
            f"idempotency_key={self.idempotency_key!r} before {until}"
        )


class DeadlineExceeded(CallError, TimeoutError):
    """The call's `timeout` was up, or would have been, and certainly nothing was sent."""


class InvalidResponse(CallError):
    """A read was answered with something else than the operation returns."""

    def __init__(self, trail: Trail, message: str, status: int) -> None:
        super().__init__(trail, message)
        self.args = (trail, message, status)
        #: The HTTP status it came with.
        self.status = status


@attrs.frozen(repr=False)
class Problem(Value):
    """The server's error object, as far as the answer held one (API page, Errors)."""

    #: The HTTP status.
    status: int
    #: `RATE_LIMIT_EXCEEDED`; None when the body was not the API's error object.
    code: ErrorCode | None = None
    #: The server's own words, or ours about a body that had none.
    message: str = "no message"
    #: What support asks for first.
    trace_id: str | None = None
    timestamp: datetime | None = None
    #: `core`, `billing`.
    service: str | None = None
    #: Field name to message; empty unless the status is 422.
    fields: Mapping[str, str] = attrs.field(factory=dict[str, str])
    #: Seconds the server asks to wait, from its `Retry-After`.
    retry_after: float | None = None


class ApiError(CallError):
    """The server answered, and the answer is no."""

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

    @classmethod
    def of(cls, trail: Trail, problem: Problem) -> "ApiError":
        """Return the error class that belongs to the status."""
        kind = ServerError if problem.status >= 500 else _BY_STATUS.get(problem.status, ApiError)
        return kind(trail, problem)

    def describe(self) -> str:
        """Return the server's words in one line, with status, code and trace id."""
        code = self.code or "no error code"
        told = f"{self.message}; {_listed(self.fields)}" if self.fields else self.message
        trace = f" (trace {self.trace_id})" if self.trace_id else ""
        words = _one_line(f"{self.status} {code}: {told}{trace}")
        return f"{self.operation} (attempt {self.attempts}): {words}"


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
    """429: too many requests; `retry_after` seconds if the server said so."""


class ServerError(ApiError):
    """5xx: the service or a proxy in front of it failed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitError,
}


def _one_line(words: str) -> str:
    """Return somebody else's words as they may stand in a log: a line end would forge a line."""
    return " ".join(words.split())


def _listed(fields: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {message}" for name, message in fields.items())
