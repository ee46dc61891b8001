"""What a failed attempt means: which error it is, and whether another attempt may fare better.

A keyed call ends in one of three outcomes: carried out, certainly not sent, or unknown. Until
an attempt may have reached the service, it is certainly not sent. Once one may have, only an
answer about these very bytes settles it: a result, or a refusal that follows from the bytes
themselves. Every other answer (an expired key's 401, a 402, a 429) depends on the moment and
settles nothing about the attempt before it, and the outcome stays unknown.

A 5xx or a 408 is no refusal: a proxy also sends one when the service behind it has carried the
request out but its answer was lost or late. So such an attempt counts as one that may have
reached the service, as does one that ended without an answer. A 4xx without the API's error
object is taken for a refusal by something in front of the service: this attempt did not get
through, and that settles nothing about those before it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from typing import Generic, TypeVar

import attrs

from ziett_async._operation import Call
from ziett_async._unsettled_keys import KEY_LIFETIME, KeyForgotten, KeyUse
from ziett_async._waits import ClientClosed
from ziett_async._wire import SendFailed
from ziett_async.errors import (
    ApiError,
    CallError,
    DeadlineExceeded,
    InvalidResponse,
    LimiterUnavailable,
    NotSent,
    OutcomeUnknown,
    Trail,
    TransportError,
)
from ziett_async.errors._api import RETRIED
from ziett_async.errors._call import one_line
from ziett_async.models import Attempt
from ziett_async.models._problem import Problem

T_co = TypeVar("T_co", covariant=True)

#: Refusals that follow from the bytes of a request, so that the same bytes always get them.
_ABOUT_THE_BYTES = {400, 404, 405, 413, 415, 422}
_REQUEST_TIMEOUT, _CONFLICT, _TOO_MANY_REQUESTS = 408, 409, 429


@attrs.frozen(eq=False, repr=False)
class FailedAttempt:
    """An attempt that gave no result, and whether another may."""

    #: What to raise if no other attempt is made.
    error: CallError
    #: Whether another attempt may fare better.
    is_retried: bool
    #: Seconds the server asks to wait.
    retry_after: float | None = None
    #: Whether the server refused it because the rate limit is used up.
    is_rate_limit: bool = False


class CallState(Generic[T_co]):
    """What is known of one call, over all its attempts so far."""

    # Defaults on the class: most calls never change these, and so need not set them.

    #: The attempts that gave no result, in order.
    attempts_made: tuple[Attempt, ...] = ()
    #: How many of them were refused with a 429, which means that nothing was done.
    rate_limited = 0
    #: When the first of these came, in seconds on the clock.
    rate_limited_since = inf
    #: When the last attempt started to wait for its permit, got it and ended, on the clock; the
    #: last is inf while it lasts.
    queued = started = ended = 0.0
    #: Whether these bytes may have reached the server, and no answer has settled that.
    is_unsettled = False
    #: Whether an answer about these bytes has decided what became of them.
    is_settled = False
    #: When the server forgets the key, in seconds since 1970: a day after the first attempt.
    key_expires = inf
    #: Called with every attempt when it has ended, where the call is observed.
    on_attempt: Callable[[Attempt], object] | None = None
    _was_unsettled = False
    _traces: frozenset[str] = frozenset()

    def __init__(self, call: Call[T_co], key: str | None, began: float, use: KeyUse | None) -> None:
        self.call = call
        #: The idempotency key, the same in every attempt; None for a read.
        self.key = key
        #: When the call began, in seconds on the clock.
        self.began = began
        #: What the client knows of a key that the caller gave.
        self._use = use

    def begin(self, queued: float, started: float, now: float) -> None:
        """Start an attempt; `now` is seconds since 1970, the others are on the clock.

        From here on it may have reached the server, even if it is cancelled.
        """
        self.queued, self.started, self.ended = queued, started, inf
        if not self.attempts_made:
            self.key_expires = now + KEY_LIFETIME
            if self._use is not None:
                self._use.expires = self.key_expires = min(self.key_expires, self._use.expires)
        self._was_unsettled, self.is_unsettled = self.is_unsettled, True
        self.is_settled = False

    def check_key(self, end: float) -> None:
        """Raise `KeyForgotten` if an attempt that ends then, since 1970, might send again."""
        if self._may_have_been_sent and end > self._forgotten:
            raise KeyForgotten

    @property
    def trail(self) -> Trail:
        """Which call it is, and the attempts made so far."""
        return Trail(self.call.operation.name, self.attempts_made, self.key)

    def last_attempt(self, status: int | None, error: str | None = None) -> Attempt:
        """Return the last attempt as a value."""
        number, started = len(self.attempts_made) + 1, self.started
        return Attempt(number, started - self.queued, self.ended - started, status, error)

    def _add_failed(self, status: int | None, error: str) -> None:
        attempt = self.last_attempt(status, one_line(error))
        self.attempts_made = (*self.attempts_made, attempt)
        if self.on_attempt is not None:
            self.on_attempt(attempt)

    def record_cut_off(self, now: float, cause: BaseException) -> None:
        """Record an attempt that something else than its answer has ended."""
        self.ended = now
        self._add_failed(None, f"cut off by {type(cause).__name__}")

    def count_rate_limit(self, now: float) -> None:
        """Count a 429; `now` is in seconds on the clock."""
        self.rate_limited += 1
        self.rate_limited_since = min(self.rate_limited_since, now)

    def save_to(self, use: KeyUse, digest: int) -> None:
        """Keep what is known of the key and these bytes for later calls with it."""
        if self.is_settled:
            use.unsettled.discard(digest)
        elif self.is_unsettled:
            use.expires = min(use.expires, self.key_expires)
            use.unsettled.add(digest)

    def no_permit(self, cause: Exception) -> CallError:
        """Return the error of a call that got no permit for its first attempt."""
        if isinstance(cause, TimeoutError):
            reason = "the rate limit allows no attempt within the timeout"
            error: CallError = DeadlineExceeded(self.trail, reason)
        elif isinstance(cause, LimiterUnavailable):
            error = LimiterUnavailable(cause.message, self.trail)
        elif isinstance(cause, ClientClosed | KeyForgotten):
            error = NotSent(self.trail, str(cause))
        else:
            # Its text may hold anything.
            reason = f"the limiter raised {type(cause).__name__}"
            error = LimiterUnavailable(reason, self.trail)
        return self._unknown(error.message) if self._may_have_been_sent else error

    def interpret_failure(self, failure: SendFailed, *, time_is_up: bool) -> FailedAttempt:
        """Interpret an attempt that got no complete answer."""
        self.is_unsettled = self._was_unsettled or failure.reached
        message, status = str(failure), failure.status
        self._add_failed(status, message)
        if self._may_have_been_sent:
            error: CallError = self._unknown(message, Problem(status) if status else None)
        elif time_is_up and failure.timed_out:
            error = DeadlineExceeded(self.trail, message)
        elif status is not None:
            error = InvalidResponse(self.trail, message, status)
        else:
            error = (TransportError if self.is_unsettled else NotSent)(self.trail, message)
        return FailedAttempt(error, is_retried=True)

    def interpret_unusable(self, status: int, reason: str) -> FailedAttempt:
        """Interpret a 2xx that does not hold the result: it may have been carried out."""
        failure = SendFailed(f"{status}, but {reason}", reached=True, status=status)
        return self.interpret_failure(failure, time_is_up=False)

    def interpret_refusal(self, problem: Problem) -> FailedAttempt:
        """Interpret an answer outside 2xx, from the service or from a proxy in front of it.

        A 409 means that the first call is still running if there may have been one, or if the
        409 has a `Retry-After`; otherwise the key was used with another payload. A 5xx with
        the trace id of an earlier one is the same answer, stored for the key: every repetition
        would get it again.
        """
        status, trace = problem.status, problem.trace_id
        self._add_failed(status, problem.message)
        may_be_known = self._was_unsettled or self._is_shared
        is_stored = self._is_keyed and status >= 500 and trace in self._traces
        self._traces |= {trace} if trace else frozenset()
        is_running = status == _CONFLICT and (may_be_known or problem.retry_after is not None)
        is_refusal = 400 <= status < 500 and status != _REQUEST_TIMEOUT
        # Without the error object it is a proxy's, which knows nothing of earlier attempts.
        self.is_settled = is_refusal and not (
            may_be_known and (problem.code is None or status not in _ABOUT_THE_BYTES)
        )
        self.is_unsettled = not self.is_settled and (self._was_unsettled or not is_refusal)
        error: CallError = ApiError.of(self.trail, problem)
        if self._is_keyed and not self.is_settled:
            traced = f" (trace {trace})" if trace else ""
            error = self._unknown(f"{status}: {problem.message}{traced}", problem)
        is_retried = (status in RETRIED or is_running) and not is_stored
        return FailedAttempt(error, is_retried, problem.retry_after, status == _TOO_MANY_REQUESTS)

    @property
    def _is_keyed(self) -> bool:
        return self.call.operation.is_keyed

    @property
    def _may_have_been_sent(self) -> bool:
        """Whether something that must not happen twice may have happened under the key."""
        return self._is_keyed and (self.is_unsettled or self._is_shared)

    @property
    def _is_shared(self) -> bool:
        """Whether the server may know the key from another call."""
        return self._use is not None and self._use.is_shared

    @property
    def _forgotten(self) -> float:
        """When the server forgets the key at the earliest, in seconds since 1970."""
        return self.key_expires if self._use is None else min(self.key_expires, self._use.expires)

    def _unknown(self, message: str, problem: Problem | None = None) -> OutcomeUnknown:
        until = datetime.fromtimestamp(self._forgotten, UTC)
        return OutcomeUnknown(self.trail, message, until, problem)
