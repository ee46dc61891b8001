"""What a failed attempt means, with all that is known of those before it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async._operation import Bucket, Operation
from ziett_async._retry import RETRIED
from ziett_async._verdict import Attempts, OpenKeys, Verdict
from ziett_async._wire import SendFailed
from ziett_async.errors import (
    ApiError,
    AuthenticationError,
    CallError,
    ConflictError,
    DeadlineExceeded,
    InsufficientFundsError,
    InvalidResponse,
    NotFoundError,
    NotSent,
    OutcomeUnknown,
    PermissionDeniedError,
    Problem,
    RateLimitError,
    ServerError,
    TransportError,
    ValidationError,
)
from ziett_async.models import AcceptedMessage, ErrorCode, Message

UNTIL = datetime(2025, 7, 15, 10, 30, tzinfo=UTC)
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
    """Return the server's no."""
    code = ErrorCode("ANY_CODE")
    return Problem(status, code, trace_id=trace_id, retry_after=retry_after)


def page(status: int) -> Problem:
    """Return the no of somebody in front of the server."""
    return Problem(status)


def judged(operation: Operation[object], events: Sequence[Event]) -> Verdict:
    """Return the verdict on the last of these attempts."""
    attempts = Attempts(operation(path={"message_id": "x"}), "key-1", 0.0, None)
    verdicts = [judge(attempts, event) for event in events]
    return verdicts[-1]


def judge(attempts: Attempts[object], event: Event) -> Verdict:
    """Return the verdict on one more attempt."""
    attempts.begin(waited=0.5)
    if isinstance(event, Problem):
        return attempts.refused(event, UNTIL)
    if isinstance(event, Unusable):
        return attempts.unusable(202, "the body is empty", UNTIL)
    if isinstance(event, Late):
        return attempts.broken(event.failure, UNTIL, time_is_up=True)
    return attempts.broken(event, UNTIL, time_is_up=False)


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
    # The server's no to a first attempt.
    ([no(400)], ApiError, False),
    ([no(401)], AuthenticationError, False),
    ([no(402)], InsufficientFundsError, False),
    ([no(403)], PermissionDeniedError, False),
    ([no(404)], NotFoundError, False),
    ([no(407)], ApiError, False),
    ([no(409)], ConflictError, False),
    ([no(422)], ValidationError, False),
    ([no(302)], ApiError, False),
    ([no(501)], ServerError, False),
    ([no(408)], ApiError, True),
    ([no(425)], ApiError, True),
    ([no(429)], RateLimitError, True),
    ([no(500)], ServerError, True),
    ([no(502)], ServerError, True),
    ([no(503)], ServerError, True),
    ([no(504)], ServerError, True),
    ([no(429), no(503), no(422)], ValidationError, False),
    ([no(503), REFUSED], NotSent, True),
    # An answer about these very bytes settles what was unknown.
    ([RESET, no(400)], ApiError, False),
    ([RESET, no(402)], InsufficientFundsError, False),
    ([RESET, no(404)], NotFoundError, False),
    ([RESET, no(422)], ValidationError, False),
    ([UNUSABLE, no(422)], ValidationError, False),
    # Any other does not.
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
    # A 409 is the first one still running if there may be one, or if it says when to come.
    ([RESET, no(409)], OutcomeUnknown, True),
    ([REFUSED, no(409)], ConflictError, False),
    ([no(503), no(409)], ConflictError, False),
    ([no(409, retry_after=1.0)], ConflictError, True),
    ([no(409, retry_after=0.0)], ConflictError, True),
    ([RESET, no(409, retry_after=1.0)], OutcomeUnknown, True),
    ([RESET, no(409), no(409)], OutcomeUnknown, True),
    ([RESET, no(409), no(422)], ValidationError, False),
    # The trace id of an earlier 5xx: that answer was stored for the key.
    ([no(500, "a")], ServerError, True),
    ([no(500, "a"), no(500, "b")], ServerError, True),
    ([no(500, "a"), no(500, "a")], OutcomeUnknown, False),
    ([no(500, "a"), no(503, "b"), no(500, "a")], OutcomeUnknown, False),
    ([no(500, "a"), REFUSED, no(500, "a")], OutcomeUnknown, False),
    ([RESET, no(500, "a"), no(500, "a")], OutcomeUnknown, False),
    ([no(500, "a"), no(500, "a"), no(503)], OutcomeUnknown, True),
    ([no(500), no(500)], ServerError, True),
    ([no(500, ""), no(500, "")], ServerError, True),
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
        f"{each.status}{each.trace_id}{each.retry_after}"
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
    verdict = judged(SEND, events)
    assert (type(verdict.error), verdict.is_retried) == (kind, is_retried)


@pytest.mark.parametrize("row", READS, ids=shown)
def test_what_a_read_has_come_to(row: Row) -> None:
    """A read is answered or not; that it may have reached the server costs nobody anything."""
    events, kind, is_retried = row
    verdict = judged(GET, events)
    assert (type(verdict.error), verdict.is_retried) == (kind, is_retried)


STATUSES = st.sampled_from([302, 400, 401, 402, 403, 404, 407, 408, 409, 422, 425, 429, 500, 503])
NOS = st.builds(no, STATUSES, st.none() | st.sampled_from("abc"), st.none() | st.just(1.0))
UNSENT: list[Event] = [REFUSED, SLOW, Late(SLOW)]
IN_DOUBT: list[Event] = [RESET, SILENT, UNUSABLE]
EVENTS = st.sampled_from(UNSENT) | NOS


@given(st.lists(EVENTS | st.sampled_from(IN_DOUBT), min_size=1))
def test_nobody_is_told_not_sent_when_it_may_have_been(events: list[Event]) -> None:
    """Once a send may have reached the server, only a refusal of its bytes ends the doubt."""
    verdict = judged(SEND, events)
    if any(each is doubt for each in events for doubt in IN_DOUBT):
        assert isinstance(verdict.error, OutcomeUnknown | ApiError)
        if not isinstance(verdict.error, OutcomeUnknown):
            assert verdict.error.status in {400, 402, 404, 422}


@given(st.lists(EVENTS, min_size=1))
def test_what_is_retried_follows_from_the_last_attempt(events: list[Event]) -> None:
    """Refusals about the request itself are never tried again, whatever came before."""
    last, verdict = events[-1], judged(SEND, events)
    if isinstance(last, Problem):
        assert not verdict.is_retried or last.status in RETRIED | {409}
        assert verdict.retry_after == last.retry_after
        assert verdict.is_rate_limit is (last.status == 429)
    else:
        assert verdict.is_retried
        assert (verdict.retry_after, verdict.is_rate_limit) == (None, False)


def test_an_attempt_is_counted_when_it_begins() -> None:
    """Attempts and the seconds waited for their turns add up over the call."""
    attempts = Attempts(SEND(), "key-1", 7.0, None)
    assert (attempts.count, attempts.waited, attempts.began) == (0, 0.0, 7.0)
    assert attempts.trail.attempts == 0
    for _ in range(3):
        attempts.begin(waited=0.5)
    assert (attempts.count, attempts.waited) == (3, 1.5)
    assert attempts.trail.attempts == 3


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([REFUSED], "send_message (attempt 1): connection refused"),
        ([UNUSABLE], "send_message (attempt 1): 202, but the body is empty"),
        ([RESET, no(503)], "send_message (attempt 2): 503: no message"),
        ([RESET, no(503, "t-7")], "send_message (attempt 2): 503: no message (trace t-7)"),
        ([no(503, "t-7")], "send_message (attempt 1): 503 ANY_CODE: no message (trace t-7)"),
        ([Late(SLOW)], "send_message (attempt 1): connecting timed out"),
    ],
)
def test_an_error_names_call_attempt_and_trace(events: list[Event], words: str) -> None:
    """Whatever the error is, it says which call, which attempt and which trace id it was."""
    error = judged(SEND, events).error
    assert error.describe() == words
    assert error.idempotency_key == "key-1"


@pytest.mark.parametrize(
    ("open_until", "kind"), [(None, DeadlineExceeded), (UNTIL, OutcomeUnknown)]
)
def test_a_call_without_a_turn_is_where_it_was(
    open_until: datetime | None, kind: type[CallError]
) -> None:
    """Its time was up before an attempt: not sent, or as unknown as its key was before it."""
    error = Attempts(SEND(), "key-1", 7.0, open_until).late()
    assert type(error) is kind
    assert error.describe() == (
        "send_message (attempt 0): the rate limit has no turn for it within its timeout"
    )
    assert error.idempotency_key == "key-1"
    assert getattr(error, "safe_to_retry_until", None) == open_until


def test_an_unknown_outcome_says_until_when_it_is_safe() -> None:
    """The time at which the server forgets the key is the one that was given."""
    for event in IN_DOUBT:
        error = judged(SEND, [event, no(503)]).error
        assert isinstance(error, OutcomeUnknown)
        assert error.safe_to_retry_until == UNTIL


def test_an_unusable_answer_to_a_read_keeps_its_status() -> None:
    """The error says with which success the wrong content came."""
    error = judged(GET, [UNUSABLE]).error
    assert isinstance(error, InvalidResponse)
    assert error.status == 202


def test_so_many_open_keys_are_remembered() -> None:
    """Memory is bounded: of very many keys the oldest is forgotten first."""
    keys = OpenKeys()
    for number in range(10_000):
        keys.add(f"key-{number}", b"body", UNTIL)
    assert keys.until("key-0", b"body") == UNTIL
    keys.add("key-10000", b"body", UNTIL)
    assert keys.until("key-0", b"body") is None
    assert keys.until("key-1", b"body") == UNTIL
    assert keys.until("key-10000", b"body") == UNTIL
    assert keys.until("key-10000", b"other bytes") is None
    keys.settle("key-10000")
    assert keys.until("key-10000", b"body") is None
