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
    LimiterUnavailable,
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


@attrs.frozen(eq=False, repr=False)
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

    def __init__(
        self, call: Call[T_co], key: str | None, began: float, open_until: datetime | None
    ) -> None:
        self.call = call
        #: The idempotency key, the same in every attempt.
        self.key = key
        #: When the call began, in seconds on the clock.
        self.began = began
        #: Until when the server knows the key, if an earlier call with it may have reached it.
        self.open_until = open_until
        #: Attempts begun.
        self.count = 0
        #: Seconds waited for the limiter, over all attempts.
        self.waited = 0.0
        self._may_have_reached = open_until is not None
        self._traces: frozenset[str] = frozenset()

    def begin(self, waited: float) -> None:
        """Count an attempt, and the seconds its turn took."""
        self.count += 1
        self.waited += waited

    @property
    def trail(self) -> Trail:
        """Which call it is, and how far it came."""
        return Trail(self.call.operation.name, self.count, self.key)

    def late(self) -> CallError:
        """Judge a call whose time was up before its first attempt."""
        message = "the rate limit has no turn for it within its timeout"
        if self.open_until is not None:
            return OutcomeUnknown(self.trail, message, self.open_until)
        return DeadlineExceeded(self.trail, message)

    def undecided(self, error: Exception) -> CallError:
        """Judge a call whose first attempt got no permit, as the limiter failed.

        Only the words of a `LimiterUnavailable` are for a person; others may hold anything.
        """
        if isinstance(error, LimiterUnavailable):
            message = error.message
        else:
            message = f"the limiter raised {type(error).__name__}"
        if self.open_until is not None:
            return OutcomeUnknown(self.trail, message, self.open_until)
        return LimiterUnavailable(message, self.trail)

    def broken(
        self, failure: SendFailed, safe_to_retry_until: datetime, *, time_is_up: bool
    ) -> Verdict:
        """Judge an attempt that brought no whole answer."""
        self._may_have_reached |= failure.reached
        message = str(failure)
        if self._is_open:
            error: CallError = OutcomeUnknown(self.trail, message, safe_to_retry_until)
        elif time_is_up and failure.timed_out:
            error = DeadlineExceeded(self.trail, message)
        elif failure.status is not None:
            error = InvalidResponse(self.trail, message, failure.status)
        else:
            error = (TransportError if self._may_have_reached else NotSent)(self.trail, message)
        return Verdict(error, is_retried=True)

    def unusable(self, status: int, words: str, safe_to_retry_until: datetime) -> Verdict:
        """Judge a 2xx that does not hold the result: something was done, but what?"""
        failure = SendFailed(f"{status}, but {words}", reached=True, status=status)
        return self.broken(failure, safe_to_retry_until, time_is_up=False)

    def refused(self, problem: Problem, safe_to_retry_until: datetime) -> Verdict:
        """Judge an answer that is the server's, or a proxy's, no.

        A 409 means that the first one is still running if these bytes may be that first
        one, or if the server says when to come back; it is another payload under the same
        key otherwise. A 5xx with the trace id of an earlier one is that answer, stored for
        the key: to ask again is to be told the same.
        """
        status, trace = problem.status, problem.trace_id
        is_stored = self.call.operation.is_keyed and status >= 500 and trace in self._traces
        self._may_have_reached |= is_stored
        self._traces |= {trace} if trace else frozenset()
        is_running = status == _CONFLICT and (
            self._may_have_reached or problem.retry_after is not None
        )
        # Without the error object it may be a proxy that speaks.
        is_decided = problem.code is not None and 400 <= status < 500
        is_decided = is_decided and status not in _UNDECIDED and not is_running
        error: CallError = ApiError.of(self.trail, problem)
        if self._is_open and not is_decided:
            told = f" (trace {trace})" if trace else ""
            message = f"{status}: {problem.message}{told}"
            error = OutcomeUnknown(self.trail, message, safe_to_retry_until)
        is_retried = (status in RETRIED or is_running) and not is_stored
        return Verdict(error, is_retried, problem.retry_after, status == _TOO_MANY_REQUESTS)

    @property
    def _is_open(self) -> bool:
        """Whether something that must not happen twice may have happened."""
        return self._may_have_reached and self.call.operation.is_keyed


class OpenKeys:
    """Keys whose outcome this client does not know, each with what it was sent with.

    A later call with such a key and the same bytes goes on where the earlier one ended: a
    409 means that the first is still running, and a refused connection does not mean that
    nothing was sent. Other bytes under the key are another call.
    """

    #: The most keys kept; the oldest is forgotten first.
    _MOST = 10_000

    def __init__(self) -> None:
        self._sent: dict[str | None, tuple[int, datetime]] = {}

    def until(self, key: str | None, body: bytes) -> datetime | None:
        """Return until when the server knows the key, if these bytes may have reached it."""
        if key not in self._sent:
            return None
        sent, until = self._sent[key]
        return until if sent == hash(body) else None

    def add(self, key: str, body: bytes, until: datetime) -> None:
        """Remember a key that was sent with these bytes and has no known outcome."""
        self._sent.setdefault(key, (hash(body), until))
        if len(self._sent) > self._MOST:
            del self._sent[next(iter(self._sent))]

    def settle(self, key: str | None) -> None:
        """Forget a key whose outcome is known."""
        self._sent.pop(key, None)
