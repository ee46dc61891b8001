"""Errors: their tree, what they say in one line, and that they hold facts only."""

import copy
import pickle
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

import attrs
import pytest

from tests.support.samples import attempts
from ziett_async._operation import Bucket, Operation
from ziett_async._outcome import CallState, FailedAttempt
from ziett_async._wire import SendFailed
from ziett_async.errors import (
    ApiError,
    AuthenticationError,
    CallError,
    ConfigurationError,
    ConflictError,
    DeadlineExceeded,
    InsufficientFundsError,
    InvalidRequest,
    InvalidResponse,
    LimiterUnavailable,
    NotFoundError,
    NotSent,
    OutcomeUnknown,
    PermissionDeniedError,
    RateLimitError,
    RecipientNotAllowed,
    ServerError,
    Trail,
    TransportError,
    ValidationError,
    ZiettError,
)
from ziett_async.models import AcceptedMessage, ErrorCode
from ziett_async.models._problem import Problem

#: Design, section 3. `CallError` is what those that were begun have in common.
TREE = {
    ZiettError: {Exception},
    ConfigurationError: {ZiettError},
    InvalidRequest: {ZiettError, ValueError},
    RecipientNotAllowed: {ZiettError},
    CallError: {ZiettError},
    TransportError: {CallError},
    NotSent: {TransportError},
    LimiterUnavailable: {NotSent},
    OutcomeUnknown: {TransportError},
    DeadlineExceeded: {CallError, TimeoutError},
    InvalidResponse: {CallError},
    ApiError: {CallError},
    AuthenticationError: {ApiError},
    InsufficientFundsError: {ApiError},
    PermissionDeniedError: {ApiError},
    NotFoundError: {ApiError},
    ConflictError: {ApiError},
    ValidationError: {ApiError},
    RateLimitError: {ApiError},
    ServerError: {ApiError},
}
BY_STATUS = {
    401: AuthenticationError,
    402: InsufficientFundsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: ValidationError,
    429: RateLimitError,
    500: ServerError,
    503: ServerError,
    599: ServerError,
    302: ApiError,
    400: ApiError,
    408: ApiError,
    418: ApiError,
    499: ApiError,
}
KEY = "order-1042"
TRAIL = Trail("send_message", attempts(2), KEY)
UNTIL = datetime(2025, 7, 15, 10, 30, 0, 500, tzinfo=UTC)
PROBLEM = Problem(
    422,
    ErrorCode.VALIDATION_ERROR,
    "Invalid input",
    "trace-7",
    UNTIL,
    "core",
    {"content": "too long", "tags": "empty"},
    1.5,
)
ONE_OF_EACH: dict[ZiettError, str] = {
    ConfigurationError("api_key: missing"): "api_key: missing",
    InvalidRequest("send_message", {"content": "is required", "size": "too large"}): (
        "send_message: content: is required; size: too large"
    ),
    RecipientNotAllowed("send_message", 3): (
        "send_message: 3 recipient(s) not in allowed_recipients; "
        "add them there, or build the client without the list"
    ),
    TransportError(TRAIL, "broken"): "send_message (attempt 2): broken",
    NotSent(TRAIL, "refused"): "send_message (attempt 2): refused",
    LimiterUnavailable("the store is away", TRAIL): "send_message (attempt 2): the store is away",
    OutcomeUnknown(TRAIL, "reset", UNTIL): (
        "send_message (attempt 2): reset; it may have been carried out: call again with "
        "idempotency_key='order-1042' before 2025-07-15T10:30:00+00:00"
    ),
    DeadlineExceeded(TRAIL, "no turn"): "send_message (attempt 2): no turn",
    InvalidResponse(TRAIL, "200, but the body is empty", 200): (
        "send_message (attempt 2): 200, but the body is empty"
    ),
    **{
        ApiError.of(TRAIL, attrs.evolve(PROBLEM, status=status)): (
            f"send_message (attempt 2): {status} VALIDATION_ERROR: Invalid input; "
            "content: too long; tags: empty (trace trace-7)"
        )
        for status in BY_STATUS
    },
    ApiError.of(TRAIL, Problem(502)): "send_message (attempt 2): 502 no error code: no message",
    **{
        ApiError.of(TRAIL, Problem(status, ErrorCode("HELD_BY_CARRIER"))): (
            f"send_message (attempt 2): {status} HELD_BY_CARRIER: no message"
        )
        for status in BY_STATUS
    },
}


def children(kind: type[BaseException]) -> Iterable[type[BaseException]]:
    """Return all subclasses that the package itself defines."""
    for child in kind.__subclasses__():
        if child.__module__.startswith("ziett_async"):
            yield child
            yield from children(child)


def test_the_tree_is_the_promised_one() -> None:
    """Every class has its place in the design, and there is no other."""
    assert {kind: set(kind.__bases__) for kind in TREE} == TREE
    assert {ZiettError, *children(ZiettError)} == set(TREE)


@pytest.mark.parametrize(("status", "kind"), BY_STATUS.items())
def test_a_status_has_its_class(status: int, kind: type[ApiError]) -> None:
    """A refusal is the class of its status, and carries every fact of the response."""
    error = ApiError.of(TRAIL, attrs.evolve(PROBLEM, status=status))
    assert type(error) is kind
    assert error.status == status
    assert error.code is ErrorCode.VALIDATION_ERROR
    assert error.message == "Invalid input"
    assert error.trace_id == "trace-7"
    assert error.timestamp == UNTIL
    assert error.service == "core"
    assert error.fields == {"content": "too long", "tags": "empty"}
    assert error.retry_after == 1.5


def test_every_class_is_tested_here() -> None:
    """No class is left out of the tables below, but those that are never raised themselves."""
    assert set(TREE) - {type(error) for error in ONE_OF_EACH} == {ZiettError, CallError}


@pytest.mark.parametrize(("error", "line"), ONE_OF_EACH.items())
def test_it_says_what_happened_in_one_line(error: ZiettError, line: str) -> None:
    """The text names the operation, the attempt and the trace id, as far as there is one."""
    assert str(error) == line


@pytest.mark.parametrize(
    ("error", "properties"),
    [
        (ConfigurationError("api_key: missing"), {"affects_all_calls"}),
        (InvalidRequest("send_message", {}), set[str]()),
        (RecipientNotAllowed("send_message"), set[str]()),
        (TransportError(TRAIL, "broken"), {"is_retryable"}),
        (NotSent(TRAIL, "refused"), {"is_retryable"}),
        (LimiterUnavailable("the store is away"), {"is_retryable"}),
        (OutcomeUnknown(TRAIL, "reset", UNTIL), {"is_retryable", "may_have_been_sent"}),
        (DeadlineExceeded(TRAIL, "no turn"), {"is_retryable"}),
        (InvalidResponse(TRAIL, "cut", 200), {"is_retryable"}),
        *((ApiError.of(TRAIL, Problem(n)), {"affects_all_calls"}) for n in (401, 402, 403)),
        *((ApiError.of(TRAIL, Problem(n)), {"is_retryable"}) for n in (408, 425, 429, 500, 503)),
        *((ApiError.of(TRAIL, Problem(n)), set[str]()) for n in (302, 400, 404, 409, 422, 501)),
        (ApiError.of(TRAIL, Problem(409, retry_after=0.0)), {"is_retryable"}),
    ],
    ids=lambda value: f"{type(value).__name__}{getattr(value, 'problem', '')}",
)
def test_it_says_what_a_loop_needs_to_know(error: ZiettError, properties: set[str]) -> None:
    """Whether to try again, whether it may have gone out, and whether to go on at all."""
    names = ("is_retryable", "may_have_been_sent", "affects_all_calls")
    assert {name for name in names if getattr(error, name)} == properties


@pytest.mark.parametrize("error", ONE_OF_EACH)
def test_it_survives_pickle_and_copy(error: ZiettError) -> None:
    """Another process gets the same: class, text, notes and every attribute."""
    error.add_note("while welcoming a customer")
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    pickled = [pickle.loads(pickle.dumps(error, each)) for each in protocols]  # noqa: S301 - ours
    for twin in (*pickled, copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert (twin.args, str(twin), vars(twin)) == (error.args, str(error), vars(error))


@pytest.mark.parametrize("error", [each for each in ONE_OF_EACH if isinstance(each, CallError)])
def test_a_call_that_was_begun_says_which_and_how_far(error: CallError) -> None:
    """Operation, attempts and key are on every error of a call."""
    assert error.trail is TRAIL
    assert (error.operation, error.attempts, error.idempotency_key) == ("send_message", 2, KEY)
    assert error.describe().startswith("send_message (attempt 2): ")


@pytest.mark.parametrize("mark", ["\n", "\r\n", "\u2028", "\x0b", "\x85", "\n\n\t "])
def test_no_text_from_outside_begins_a_new_line(mark: str) -> None:
    """A log line cannot be forged by a server, a proxy or a transport."""
    words = f"first{mark}second"
    problem = Problem(422, ErrorCode(words), words, words, fields={words: words})
    for error in (
        NotSent(TRAIL, words),
        OutcomeUnknown(TRAIL, words, UNTIL),
        ApiError.of(TRAIL, problem),
    ):
        assert len(str(error).splitlines()) == 1
        assert len(error.describe().splitlines()) == 1
        assert "first second" in str(error)
        # The facts stay as they came.
        assert error.message == words


def test_the_fields_of_a_refusal_are_its_own() -> None:
    """What the caller does with the mapping afterwards does not change the error."""
    fields = {"content": "is required"}
    error = InvalidRequest("send_message", fields)
    fields.clear()
    assert error.fields == {"content": "is required"}
    assert error.operation == "send_message"


def test_one_recipient_is_what_is_refused_by_default() -> None:
    """How many were not allowed is a number, and who they were is not kept."""
    assert RecipientNotAllowed("send_message").refused == 1


def test_an_unknown_outcome_says_until_when_its_key_lives() -> None:
    """Key and time are what a safe second call needs."""
    error = OutcomeUnknown(TRAIL, "reset", UNTIL)
    assert (error.idempotency_key, error.safe_to_retry_until) == (KEY, UNTIL)
    assert InvalidResponse(TRAIL, "no", 200).status == 200


def test_a_failed_call_leaves_nothing_private_in_its_errors() -> None:
    """Neither number nor text of the request is in what is raised, or in its pickle."""
    private = {"target_e164": "+244990090990", "content": "Your code is 482910."}
    send = Operation("send_message", "POST", "/messages", AcceptedMessage, Bucket.SEND)
    state = CallState(send(body=private), str(UUID(int=7)), 0.0, None)
    state.begin(queued=0.0, started=0.0, now=0.0)

    def failures() -> Iterable[FailedAttempt]:
        yield state.interpret_failure(SendFailed("refused", reached=False), time_is_up=False)
        yield state.interpret_refusal(Problem(422))
        yield state.interpret_failure(SendFailed("reset", reached=True), time_is_up=False)
        yield state.interpret_unusable(202, "the body is empty")

    for failed in failures():
        shown = f"{failed!r} {failed.error} {vars(failed.error)}".encode()
        for kept in (shown, pickle.dumps(failed.error)):
            assert not any(each.encode() in kept for each in private.values())
