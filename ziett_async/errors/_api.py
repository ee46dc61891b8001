"""ApiError: what the service refuses, one class for each status a program reacts to."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from ziett_async.errors._call import CallError, Trail, format_fields, one_line
from ziett_async.models._message import Message
from ziett_async.models._problem import Problem

#: Statuses with which the same bytes may fare better in a moment.
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Statuses that are about the account or its key, and not about one call.
_ABOUT_THE_ACCOUNT = {401, 402, 403}


class ApiError(CallError):
    """The service refused the call, so nothing was sent."""

    def __init__(self, trail: Trail, problem: Problem) -> None:
        super().__init__(trail, problem.message)
        self.args = (trail, problem)
        self.problem = problem
        #: The HTTP status: 422.
        self.status = problem.status
        #: `RATE_LIMIT_EXCEEDED`; None where the answer was not the API's error object.
        self.code = problem.code
        #: Identifies the request to the API's support; None where the answer had none.
        self.trace_id = problem.trace_id
        #: When the service refused it; None where the answer does not say.
        self.timestamp = problem.timestamp
        #: The part of the service: `core`, `billing`; None where the answer does not say.
        self.service = problem.service
        #: Field name to message; empty unless the status is 422.
        self.fields = problem.fields
        #: Seconds the server asks to wait; None where it does not.
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
        detail = f"{self.message}; {format_fields(self.fields)}" if self.fields else self.message
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

    #: Of `wait_until_final` and `watch_messages`: the other messages, by id.
    messages: Mapping[UUID, Message] = MappingProxyType({})


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
