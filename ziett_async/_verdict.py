"""What a failed attempt means: which error it is, and whether another attempt may fare better.

A keyed call is in one of three worlds. Until an attempt may have reached the server it is
certainly not sent. Once one may have, only an answer about these very bytes settles it: a
result, or a refusal that the server decides by looking at them. Every other answer (a
proxy's 503, an expired key's 401, a 429) says nothing of the attempt before it, and the
outcome stays unknown.
"""

from datetime import datetime
from typing import Generic, TypeVar

import attrs

from ziett_async._operation import Call
from ziett_async._retry import RETRIED
from ziett_async._wire import SendFailed
from ziett_async.errors import (
    ApiError,
    CallError,
    DeadlineExceeded,
    InvalidResponse,
    NotSent,
    OutcomeUnknown,
    Problem,
    Trail,
    TransportError,
)

T_co = TypeVar("T_co", covariant=True)

#: Client errors that are not about the bytes of the request.
_UNDECIDED = RETRIED | {401, 403, 407}
_CONFLICT, _TOO_MANY_REQUESTS = 409, 429


@attrs.frozen(eq=False)
class Verdict:
    """The end of one attempt that gave no result."""

    #: What to raise if no other attempt is made.
    error: CallError
    #: Whether another attempt may fare better.
    is_retried: bool
    #: Seconds the server asks to wait.
    retry_after: float | None = None
    #: Whether the server says that the limit is used up, by whomever.
    is_rate_limit: bool = False


class Attempts(Generic[T_co]):
    """What is known of one call, over all its attempts so far."""

    def __init__(self, call: Call[T_co], key: str | None, began: float) -> None:
        self.call = call
        #: The idempotency key, the same in every attempt.
        self.key = key
        #: When the call began, in seconds on the clock.
        self.began = began
        #: Attempts begun.
        self.count = 0
        #: Seconds waited for the limiter, over all attempts.
        self.waited = 0.0
        self._may_have_reached = False
        self._traces: frozenset[str] = frozenset()

    def begin(self, waited: float) -> None:
        """Count an attempt, and the seconds its turn took."""
        self.count += 1
        self.waited += waited

    @property
    def trail(self) -> Trail:
        """Which call it is, and how far it came."""
        return Trail(self.call.operation.name, self.count, self.key)

    def broken(
        self, failure: SendFailed, safe_to_retry_until: datetime, *, time_is_up: bool
    ) -> Verdict:
        """Judge an attempt that brought no answer."""
        self._may_have_reached |= failure.reached
        if self._is_open:
            return Verdict(self._unknown(str(failure), safe_to_retry_until), is_retried=True)
        if time_is_up and failure.timed_out:
            kind: type[CallError] = DeadlineExceeded
        else:
            kind = TransportError if self._may_have_reached else NotSent
        return Verdict(kind(self.trail, str(failure)), is_retried=True)

    def unusable(self, status: int, words: str, safe_to_retry_until: datetime) -> Verdict:
        """Judge a 2xx that does not hold the result: something was done, but what?"""
        self._may_have_reached = True
        message = f"{status}, but {words}"
        if self._is_open:
            return Verdict(self._unknown(message, safe_to_retry_until), is_retried=True)
        return Verdict(InvalidResponse(self.trail, message, status), is_retried=True)

    def refused(self, problem: Problem, safe_to_retry_until: datetime) -> Verdict:
        """Judge an answer that is the server's, or a proxy's, no.

        A 409 means that the first one is still running if an attempt of this call may be
        that first one, or if the server says when to come back; it is another payload under
        the same key otherwise. A 5xx with the trace id of an earlier one is that answer,
        stored for the key: to ask again is to be told the same.
        """
        status, trace = problem.status, problem.trace_id
        is_stored = self.call.operation.is_keyed and status >= 500 and trace in self._traces
        self._may_have_reached |= is_stored
        self._traces |= {trace} if trace else frozenset()
        is_running = status == _CONFLICT and (
            self._may_have_reached or problem.retry_after is not None
        )
        is_decided = 400 <= status < 500 and status not in _UNDECIDED and not is_running
        error: CallError = ApiError.of(self.trail, problem)
        if self._is_open and not is_decided:
            told = f" (trace {trace})" if trace else ""
            error = self._unknown(f"{status}: {problem.message}{told}", safe_to_retry_until)
        is_retried = (status in RETRIED or is_running) and not is_stored
        return Verdict(error, is_retried, problem.retry_after, status == _TOO_MANY_REQUESTS)

    @property
    def _is_open(self) -> bool:
        """Whether something that must not happen twice may have happened."""
        return self._may_have_reached and self.call.operation.is_keyed

    def _unknown(self, message: str, safe_to_retry_until: datetime) -> OutcomeUnknown:
        return OutcomeUnknown(self.trail, message, safe_to_retry_until)
