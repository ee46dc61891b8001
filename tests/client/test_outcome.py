"""What a failed attempt means, with all that is known of those before it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async._operation import Bucket, Operation
from ziett_async._outcome import CallState, FailedAttempt
from ziett_async._unsettled_keys import KEY_LIFETIME, KeyUse
from ziett_async._waits import ClientClosed
from ziett_async._wire import SendFailed
from ziett_async.errors import (
    ApiError,
    AuthenticationError,
    CallError,
    ConflictError,
    DeadlineExceeded,
    InsufficientFundsError,
    InvalidResponse,
    LimiterUnavailable,
    NotFoundError,
    NotSent,
    OutcomeUnknown,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
    ValidationError,
)
from ziett_async.errors._api import RETRIED
from ziett_async.models import AcceptedMessage, Attempt, ErrorCode, Message
from ziett_async.models._problem import Problem

UNTIL = datetime(2025, 7, 15, 10, 30, tzinfo=UTC)
#: When the first attempt began, a day before that, in seconds since 1970.
FIRST = UNTIL.timestamp() - KEY_LIFETIME
SEND = Operation("send_message", "POST", "/messages", AcceptedMessage, Bucket.SEND)
GET = Operation("get_message", "GET", "/messages/{message_id}", Message, Bucket.READ)


class Unusable:
    """A 2xx without the result."""


class Late:
    """A failure after which the call's time is up."""

    def __init__(self, failure: SendFailed) -> None:
        self.failure = failure


Event = SendFailed | Problem | Unusable | Late

#: Nothing reached the server, for certain.
REFUSED = SendFailed("connection refused", reached=False)
#: Time ran out before anything was sent.
SLOW = SendFailed("connecting timed out", reached=False, timed_out=True)
#: The server may have it.
RESET = SendFailed("connection reset", reached=True)
SILENT = SendFailed("no answer in time", reached=True, timed_out=True)
UNUSABLE = Unusable()


def no(status: int, trace_id: str | None = None, retry_after: float | None = None) -> Problem:
    """Return a refusal of the service."""
    code = ErrorCode("ANY_CODE")
    return Problem(status, code, trace_id=trace_id, retry_after=retry_after)


def page(status: int) -> Problem:
    """Return the answer of a proxy in front of the server."""
    return Problem(status)


def new_state(operation: Operation[object], use: KeyUse | None = None) -> CallState[object]:
    """Return the state of a call before its first attempt."""
    return CallState(operation(path={"message_id": "x"}), "key-1", 7.0, use)


def interpret(
    operation: Operation[object], events: Sequence[Event], use: KeyUse | None = None
) -> FailedAttempt:
    """Return what the last of these attempts means."""
    state = new_state(operation, use)
    failures = [attempt(state, event) for event in events]
    return failures[-1]


def attempt(state: CallState[object], event: Event) -> FailedAttempt:
    """Return what one more attempt means."""
    state.begin(queued=7.0, started=7.5, now=FIRST)
    if isinstance(event, Problem):
        return state.interpret_refusal(event)
    if isinstance(event, Unusable):
        return state.interpret_unusable(202, "the body is empty")
    if isinstance(event, Late):
        return state.interpret_failure(event.failure, time_is_up=True)
    return state.interpret_failure(event, time_is_up=False)


Row = tuple[list[Event], type[CallError], bool]

#: Attempts of a send, the error if the last was the last, and whether it need not be.
SENDS: list[Row] = [
    # Certainly not sent.
    ([REFUSED], NotSent, True),
    ([REFUSED, REFUSED], NotSent, True),
    ([SLOW], NotSent, True),
    ([Late(SLOW)], DeadlineExceeded, True),
    ([REFUSED, Late(SLOW)], DeadlineExceeded, True),
    ([Late(REFUSED)], NotSent, True),
    # It may have been.
    ([RESET], OutcomeUnknown, True),
    ([SILENT], OutcomeUnknown, True),
    ([Late(SILENT)], OutcomeUnknown, True),
    ([UNUSABLE], OutcomeUnknown, True),
    ([REFUSED, RESET], OutcomeUnknown, True),
    # Once it may have been, not being sent again settles nothing.
    ([RESET, REFUSED], OutcomeUnknown, True),
    ([RESET, Late(SLOW)], OutcomeUnknown, True),
    ([UNUSABLE, REFUSED], OutcomeUnknown, True),
    # A refusal of a first attempt.
    ([no(400)], ApiError, False),
    ([no(401)], AuthenticationError, False),
    ([no(402)], InsufficientFundsError, False),
    ([no(403)], PermissionDeniedError, False),
    ([no(404)], NotFoundError, False),
    ([no(407)], ApiError, False),
    ([no(409)], ConflictError, False),
    ([no(422)], ValidationError, False),
    ([no(425)], ApiError, True),
    ([no(429)], RateLimitError, True),
    ([no(429), REFUSED], NotSent, True),
    ([no(429), Late(SLOW)], DeadlineExceeded, True),
    ([page(404)], NotFoundError, False),
    ([page(413)], ApiError, False),
    # What a proxy answers also when the service has carried it out.
    ([no(302)], OutcomeUnknown, False),
    ([page(303)], OutcomeUnknown, False),
    ([no(501)], OutcomeUnknown, False),
    ([no(408)], OutcomeUnknown, True),
    ([page(408)], OutcomeUnknown, True),
    ([no(500)], OutcomeUnknown, True),
    ([page(502)], OutcomeUnknown, True),
    ([no(503)], OutcomeUnknown, True),
    ([page(504)], OutcomeUnknown, True),
    ([page(502), REFUSED], OutcomeUnknown, True),
    ([page(502), Late(SLOW)], OutcomeUnknown, True),
    ([page(502), page(404)], OutcomeUnknown, False),
    ([page(502), no(402)], OutcomeUnknown, False),
    ([no(408), no(402)], OutcomeUnknown, False),
    ([no(429), no(503), no(422)], ValidationError, False),
    # An answer about these very bytes settles what was unknown.
    ([RESET, no(400)], ApiError, False),
    ([RESET, no(404)], NotFoundError, False),
    ([RESET, no(405)], ApiError, False),
    ([RESET, no(413)], ApiError, False),
    ([RESET, no(415)], ApiError, False),
    ([RESET, no(422)], ValidationError, False),
    ([RESET, no(422), REFUSED], NotSent, True),
    ([UNUSABLE, no(422)], ValidationError, False),
    # Any other does not. A 402 least of all: it may be the message that used up the balance.
    ([RESET, no(402)], OutcomeUnknown, False),
    ([RESET, no(418)], OutcomeUnknown, False),
    ([RESET, no(429), REFUSED], OutcomeUnknown, True),
    ([RESET, no(402), REFUSED], OutcomeUnknown, True),
    ([RESET, page(405)], OutcomeUnknown, False),
    ([RESET, page(418)], OutcomeUnknown, False),
    ([page(405)], ApiError, False),
    ([RESET, no(401)], OutcomeUnknown, False),
    ([RESET, no(403)], OutcomeUnknown, False),
    ([RESET, no(407)], OutcomeUnknown, False),
    ([RESET, no(302)], OutcomeUnknown, False),
    ([RESET, no(501)], OutcomeUnknown, False),
    ([RESET, no(408)], OutcomeUnknown, True),
    ([RESET, no(425)], OutcomeUnknown, True),
    ([RESET, no(429)], OutcomeUnknown, True),
    ([RESET, no(500)], OutcomeUnknown, True),
    ([RESET, no(503)], OutcomeUnknown, True),
    ([UNUSABLE, no(401)], OutcomeUnknown, False),
    # A 409 is the first one still running if there may be one, or if it has a `Retry-After`.
    ([RESET, no(409)], OutcomeUnknown, True),
    ([REFUSED, no(409)], ConflictError, False),
    ([no(429), no(409)], ConflictError, False),
    ([no(503), no(409)], OutcomeUnknown, True),
    ([no(409, retry_after=1.0)], ConflictError, True),
    ([no(409, retry_after=0.0)], ConflictError, True),
    ([RESET, no(409, retry_after=1.0)], OutcomeUnknown, True),
    ([RESET, no(409), no(409)], OutcomeUnknown, True),
    ([RESET, no(409), no(422)], ValidationError, False),
    # The trace id of an earlier 5xx: that answer was stored for the key.
    ([no(500, "a")], OutcomeUnknown, True),
    ([no(500, "a"), no(500, "b")], OutcomeUnknown, True),
    ([no(500, "a"), no(500, "a")], OutcomeUnknown, False),
    ([no(500, "a"), no(503, "b"), no(500, "a")], OutcomeUnknown, False),
    ([no(500, "a"), REFUSED, no(500, "a")], OutcomeUnknown, False),
    ([RESET, no(500, "a"), no(500, "a")], OutcomeUnknown, False),
    ([no(500, "a"), no(500, "a"), no(503)], OutcomeUnknown, True),
    ([no(500), no(500)], OutcomeUnknown, True),
    ([no(500, ""), no(500, "")], OutcomeUnknown, True),
    ([no(429, "a"), no(429, "a")], RateLimitError, True),
]
#: The same of a read, which may always be repeated, and of which nothing is unknown.
READS: list[Row] = [
    ([REFUSED], NotSent, True),
    ([Late(SLOW)], DeadlineExceeded, True),
    ([RESET], TransportError, True),
    ([SILENT], TransportError, True),
    ([Late(SILENT)], DeadlineExceeded, True),
    ([RESET, REFUSED], TransportError, True),
    ([UNUSABLE], InvalidResponse, True),
    ([UNUSABLE, REFUSED], TransportError, True),
    ([no(503), REFUSED], TransportError, True),
    ([RESET, UNUSABLE], InvalidResponse, True),
    ([no(401)], AuthenticationError, False),
    ([RESET, no(401)], AuthenticationError, False),
    ([RESET, no(404)], NotFoundError, False),
    ([RESET, no(429)], RateLimitError, True),
    ([RESET, no(503)], ServerError, True),
    ([no(500, "a"), no(500, "a")], ServerError, True),
    ([no(301)], ApiError, False),
    ([no(409)], ConflictError, False),
]


def shown(row: Row) -> str:
    """Return a test's name: the statuses and failures of the attempts."""
    words = {id(REFUSED): "refused", id(SLOW): "slow", id(RESET): "reset", id(SILENT): "silent"}
    return ",".join(
        f"{'' if each.code else 'page-'}{each.status}{each.trace_id}{each.retry_after}"
        if isinstance(each, Problem)
        else f"late-{words[id(each.failure)]}"
        if isinstance(each, Late)
        else words.get(id(each), "unusable")
        for each in row[0]
    )


@pytest.mark.parametrize("row", SENDS, ids=shown)
def test_what_a_send_has_come_to(row: Row) -> None:
    """After these attempts a send was refused, not sent, or may have been executed."""
    events, kind, is_retried = row
    failed = interpret(SEND, events)
    assert (type(failed.error), failed.is_retried) == (kind, is_retried)


@pytest.mark.fault("402 after a lost answer", read="`InsufficientFundsError`")
@pytest.mark.parametrize("row", READS, ids=shown)
def test_what_a_read_has_come_to(row: Row) -> None:
    """A read is answered or not; that it may have reached the server has no effect."""
    events, kind, is_retried = row
    failed = interpret(GET, events)
    assert (type(failed.error), failed.is_retried) == (kind, is_retried)


STATUSES = st.sampled_from([302, 400, 401, 402, 403, 404, 407, 408, 409, 422, 425, 429, 500, 503])
NOS = st.builds(no, STATUSES, st.none() | st.sampled_from("abc"), st.none() | st.just(1.0))
UNSENT: list[Event] = [REFUSED, SLOW, Late(SLOW)]
IN_DOUBT: list[Event] = [RESET, SILENT, UNUSABLE, page(302), page(408), page(502), no(500)]
EVENTS = st.sampled_from(UNSENT) | NOS
SETTLING = {400, 404, 405, 413, 415, 422}


@given(st.lists(EVENTS | st.sampled_from(IN_DOUBT), min_size=1))
def test_it_is_never_called_unsent_when_it_may_have_been_sent(events: list[Event]) -> None:
    """Once a send may have reached the server, only a refusal of its bytes ends the doubt."""
    failed = interpret(SEND, events)
    if any(each is doubt for each in events for doubt in IN_DOUBT):
        assert failed.error.may_have_been_sent or any(
            isinstance(each, Problem) and each.status in SETTLING for each in events
        )


@given(st.lists(EVENTS, min_size=1))
def test_what_is_retried_follows_from_the_last_attempt(events: list[Event]) -> None:
    """Refusals about the request itself are never tried again, whatever came before."""
    last, failed = events[-1], interpret(SEND, events)
    if isinstance(last, Problem):
        assert not failed.is_retried or last.status in RETRIED | {409}
        assert failed.retry_after == last.retry_after
        assert failed.is_rate_limit is (last.status == 429)
    else:
        assert failed.is_retried
        assert (failed.retry_after, failed.is_rate_limit) == (None, False)


def test_a_failed_attempt_is_counted_with_its_times() -> None:
    """The call keeps for each how long it waited and lasted, its status and the reason."""
    state = new_state(SEND)
    assert (state.trail.attempts_made, state.began) == ((), 7.0)
    state.begin(queued=7.0, started=7.5, now=FIRST)
    state.ended = 9.0
    state.interpret_failure(SendFailed("connection\n reset", reached=True), time_is_up=False)
    state.begin(queued=10.0, started=10.0, now=FIRST)
    state.ended = 10.25
    assert state.interpret_refusal(page(503)).error.attempts_made == (
        Attempt(1, 0.5, 1.5, None, "connection reset"),
        Attempt(2, 0.0, 0.25, 503, "no message"),
    )


def test_an_attempt_under_way_may_have_reached_the_server() -> None:
    """It counts as such from its begin on, so that one that is cancelled is not called unsent."""
    state = new_state(SEND)
    assert not state.is_unsettled
    state.begin(queued=7.0, started=7.0, now=FIRST)
    assert state.is_unsettled
    state.interpret_failure(REFUSED, time_is_up=False)
    assert not state.is_unsettled


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([REFUSED], "send_message (attempt 1): connection refused"),
        ([UNUSABLE], "send_message (attempt 1): 202, but the body is empty"),
        ([RESET, no(503)], "send_message (attempt 2): 503: no message"),
        ([RESET, no(503, "t-7")], "send_message (attempt 2): 503: no message (trace t-7)"),
        ([no(402, "t-7")], "send_message (attempt 1): 402 ANY_CODE: no message (trace t-7)"),
        ([Late(SLOW)], "send_message (attempt 1): connecting timed out"),
    ],
)
def test_an_error_names_call_attempt_and_trace(events: list[Event], words: str) -> None:
    """Every error names the call, the attempt and the trace id."""
    error = interpret(SEND, events).error
    assert error.describe() == words
    assert error.idempotency_key == "key-1"


LATE = "the rate limit allows no attempt within the timeout"


@pytest.mark.parametrize(
    ("cause", "kind", "message"),
    [
        (TimeoutError("of a limiter"), DeadlineExceeded, LATE),
        (LimiterUnavailable("the store is away"), LimiterUnavailable, "the store is away"),
        (ClientClosed(), NotSent, "the client was closed while the call waited"),
        (KeyError("secret"), LimiterUnavailable, "the limiter raised KeyError"),
    ],
)
def test_a_call_without_a_turn_is_where_it_was(
    cause: Exception, kind: type[CallError], message: str
) -> None:
    """Before its first attempt a call is not sent, or as unknown as its key was before it."""
    error = new_state(SEND).no_permit(cause)
    assert type(error) is kind
    assert error.describe() == f"send_message (attempt 0): {message}"
    unsettled = new_state(SEND, KeyUse(unsettled={1}, expires=UNTIL.timestamp()))
    unknown = unsettled.no_permit(cause)
    assert isinstance(unknown, OutcomeUnknown)
    assert (unknown.message, unknown.safe_to_retry_until) == (message, UNTIL)


def test_an_unknown_outcome_says_until_when_it_is_safe() -> None:
    """The server forgets the key a day after the first attempt with it."""
    for event in IN_DOUBT:
        error = interpret(SEND, [event, no(503)]).error
        assert isinstance(error, OutcomeUnknown)
        assert error.safe_to_retry_until == UNTIL


def test_an_unknown_outcome_says_what_was_answered() -> None:
    """Status, code and trace id of the last answer help to find out; without one there are none."""
    answered, cut, lost = (
        interpret(SEND, [event]).error for event in (no(503, "t-7"), UNUSABLE, RESET)
    )
    assert isinstance(answered, OutcomeUnknown)
    assert (answered.status, answered.code, answered.trace_id) == (503, "ANY_CODE", "t-7")
    assert isinstance(cut, OutcomeUnknown)
    assert (cut.status, cut.code, cut.trace_id) == (202, None, None)
    assert isinstance(lost, OutcomeUnknown)
    assert (lost.status, lost.code, lost.trace_id) == (None, None, None)


#: What a call with a key learns while the key is unsettled, or another call with it is under way.
SHARED: list[Row] = [
    ([REFUSED], OutcomeUnknown, True),
    ([Late(SLOW)], OutcomeUnknown, True),
    ([no(401)], OutcomeUnknown, False),
    ([no(402)], OutcomeUnknown, False),
    ([no(409)], OutcomeUnknown, True),
    ([no(422)], ValidationError, False),
    ([page(422)], OutcomeUnknown, False),
]


@pytest.mark.parametrize("row", SHARED, ids=shown)
def test_a_key_that_may_be_known_from_another_call(row: Row) -> None:
    """A refusal that is not about the bytes settles nothing about the other call."""
    events, kind, is_retried = row
    for use in (KeyUse(unsettled={1}, expires=FIRST), KeyUse(calls=2)):
        failed = interpret(SEND, events, use)
        assert (type(failed.error), failed.is_retried) == (kind, is_retried)


def test_an_unusable_answer_to_a_read_keeps_its_status() -> None:
    """The error has the status that the wrong content came with."""
    error = interpret(GET, [UNUSABLE]).error
    assert isinstance(error, InvalidResponse)
    assert error.status == 202
