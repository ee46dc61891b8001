"""What a run makes of the end of a call, and of a record: tables of a pure rule."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attrs
import pytest

from tests.support.samples import REMITTER, attempts
from ziett_async import (
    AcceptedCampaign,
    AcceptedMessage,
    ApiError,
    CallInfo,
    DeadlineExceeded,
    ErrorCode,
    LimiterUnavailable,
    NotSent,
    OutcomeUnknown,
    ZiettError,
)
from ziett_async.bulk.journal import Header, Record, require_same_run
from ziett_async.bulk.settling import (
    KEY_IS_SAFE,
    TOO_OLD,
    id_of,
    is_safe,
    record_after,
    recorded_answer,
    unresolved_error,
)
from ziett_async.errors import ConfigurationError, Trail
from ziett_async.models._problem import Problem

HOUR = 3600.0
NOW = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
BEGUN = Record(3, "key", NOW.timestamp())
CALL = CallInfo(attempts(2, 202), 1.5, trace_id="4bf92f35")
TRAIL = Trail("send_message", attempts(2), "key")


def refusal(status: int, retry_after: float | None = None) -> ApiError:
    """Return the error of a status."""
    return ApiError.of(TRAIL, Problem(status, retry_after=retry_after))


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (OutcomeUnknown(TRAIL, "reset", NOW), "as it was"),
        (OutcomeUnknown(TRAIL, "402", NOW, Problem(402)), "as it was"),
        (NotSent(TRAIL, "refused"), "not begun"),
        (LimiterUnavailable("redis: timed out"), "not begun"),
        (DeadlineExceeded(TRAIL, "late"), "not begun"),
        (ConfigurationError("closed"), "not begun"),
        (refusal(401), "not begun"),
        (refusal(402), "not begun"),
        (refusal(403), "not begun"),
        (refusal(409, retry_after=1.0), "not begun"),
        (refusal(429), "not begun"),
        (refusal(400), "settled"),
        (refusal(404), "settled"),
        (refusal(409), "settled"),
        (refusal(413), "settled"),
        (refusal(422), "settled"),
    ],
    ids=lambda value: getattr(value, "describe", lambda: str(value))(),
)
def test_what_an_error_leaves(error: ZiettError, becomes: str) -> None:
    """Unknown stays begun, not sent was never begun, and a final refusal is settled."""
    record = record_after(BEGUN, error, None)
    expected = {
        "as it was": BEGUN,
        "not begun": attrs.evolve(BEGUN, begun_at=None),
        "settled": attrs.evolve(BEGUN, facts=record.facts),
    }
    assert record == expected[becomes]
    assert (record.facts is not None) is (becomes == "settled")


@pytest.mark.parametrize("error", [ConfigurationError("closed"), NotSent(TRAIL, "refused")])
def test_a_call_that_sent_nothing_says_nothing_of_an_earlier_one(error: ZiettError) -> None:
    """What an earlier run began stays begun, with its time."""
    assert record_after(BEGUN, error, BEGUN.begun_at) == BEGUN


@pytest.mark.parametrize(
    "accepted",
    [AcceptedMessage(UUID(REMITTER), "key", CALL), AcceptedCampaign(UUID(REMITTER), "key", CALL)],
    ids=lambda value: type(value).__name__,
)
def test_what_was_accepted_is_recalled(accepted: AcceptedMessage | AcceptedCampaign) -> None:
    """As it was, but for keys of the answer that this version does not know."""
    record = record_after(BEGUN, accepted, None)
    assert id_of(accepted) == record.accepted_id == REMITTER
    kind: Any = type(accepted)
    assert recorded_answer(record, "send_message", kind) == accepted


@pytest.mark.parametrize("code", [None, ErrorCode.VALIDATION_ERROR, ErrorCode("A_NEW_CODE")])
def test_a_refusal_is_recalled(code: ErrorCode | None) -> None:
    """With every fact of it."""
    problem = Problem(
        status=422,
        code=code,
        message="One or more fields failed validation.",
        trace_id=code and "4bf92f35",
        timestamp=NOW if code else None,
        service=code and "core",
        fields={"content": "is required"} if code else {},
        retry_after=7.0 if code else None,
    )
    error = ApiError.of(TRAIL, problem)
    again = recorded_answer(record_after(BEGUN, error, None), "send_message", AcceptedMessage)
    assert isinstance(again, ApiError)
    assert type(again) is type(error)
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_what_is_not_settled_is_not_recalled() -> None:
    """It has to be made again."""
    assert recorded_answer(BEGUN, "send_message", AcceptedMessage) is None


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0.0, True),
        (KEY_IS_SAFE - 1, True),
        (KEY_IS_SAFE, False),
        (48 * HOUR, False),
        (-HOUR, True),
        (-HOUR - 1, False),
    ],
)
def test_how_long_a_key_is_safe(age: float, *, expected: bool) -> None:
    """23 hours; a time that lies far ahead says nothing."""
    now = NOW.timestamp()
    assert is_safe(now - age, now) is expected
    assert is_safe(None, now)


def test_what_cannot_be_resolved_says_what_to_do() -> None:
    """With the key, and the time until which it was safe."""
    error = unresolved_error("send_message", "key", NOW.timestamp(), TOO_OLD)
    assert error.safe_to_retry_until == datetime(2025, 7, 15, 10, 30, tzinfo=UTC)
    assert (error.operation, error.idempotency_key) == ("send_message", "key")
    assert "the list does not prove" in str(error)


HEADER = Header("send_many", "July", "0f")


@pytest.mark.parametrize(
    ("change", "run", "wrong"),
    [
        ({}, None, None),
        ({}, "July", None),
        ({"run": "other"}, None, None),
        ({"digest": None}, None, None),
        ({"operation": "send_campaign"}, None, "belongs to send_many"),
        ({"run": "August"}, "August", "a run of another name"),
        ({"digest": "f0"}, None, "another list of messages"),
    ],
    ids=str,
)
def test_which_journal_is_the_runs_own(
    change: dict[str, str], run: str | None, wrong: str | None
) -> None:
    """One of the same kind, of the same list where both have one, and of the name asked for."""
    wanted = attrs.evolve(HEADER, **change)
    if wrong is None:
        require_same_run(HEADER, wanted, run)
        return
    with pytest.raises(ConfigurationError, match=wrong):
        require_same_run(HEADER, wanted, run)
