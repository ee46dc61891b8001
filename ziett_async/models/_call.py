"""CallInfo: how a call went. Attempt: how one attempt of it went."""

from typing import cast

import attrs

from ziett_async._repr import Value


@attrs.frozen(repr=False)
class Attempt(Value):
    """One attempt of a call, for logs and metrics."""

    #: 1 for the first.
    number: int
    #: Seconds waited for the rate limiter before the attempt.
    waited: float
    #: Seconds from its start until its permit was released.
    elapsed: float
    #: The HTTP status of its response; None without one.
    status: int | None = None
    #: Why it gave no result, safe to log: `no connection in time`; None if it gave one.
    error: str | None = None


def log_fields(operation: str, attempt: Attempt) -> dict[str, object]:
    """Return what a log record about an attempt has as `extra`.

    The prefix keeps the names apart from what a program's own `LogRecord` factory has set, such
    as its `trace_id`: logging raises KeyError for a name that a record has already.
    """
    return {
        "ziett_operation": operation,
        "ziett_attempt": attempt.number,
        "ziett_waited": attempt.waited,
        "ziett_elapsed": attempt.elapsed,
        "ziett_status": attempt.status,
    }


@attrs.frozen(repr=False)
class CallInfo(Value):
    """How a call went, for logs and metrics."""

    #: Every attempt in order; the last one gave the result.
    attempts_made: tuple[Attempt, ...]
    #: Seconds in all: limiter, attempts and backoff.
    elapsed: float
    #: The response's `trace_id`, where it held one.
    trace_id: str | None = None

    @property
    def attempts(self) -> int:
        """How many attempts were made; 1 when the first succeeded."""
        return len(self.attempts_made)

    @property
    def waited(self) -> float:
        """Seconds waited for the rate limiter, over all attempts."""
        return sum(attempt.waited for attempt in self.attempts_made)

    @property
    def status(self) -> int:
        """The HTTP status of the response that gave the result."""
        return cast("int", self.attempts_made[-1].status)
