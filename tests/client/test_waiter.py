"""What one caller knows of its messages, and what it is told at the end."""

import pickle
from math import inf

import pytest

from tests.support.messages import START, new_message, v7
from ziett_async import DeadlineExceeded, NotFoundError, NotSent
from ziett_async.delivery._waiter import Waiter
from ziett_async.errors import Trail
from ziett_async.models._problem import Problem

FIRST, SECOND, OTHER = v7(1), v7(2), v7(3)


def new_waiter(*, every_status: bool = True) -> Waiter:
    """Return one that waits for two messages."""
    return Waiter("wait_until_final", (FIRST, SECOND), inf, every_status)


def not_found() -> NotFoundError:
    """Return the error of a read."""
    problem = Problem(
        status=404,
        code=None,
        message="No such message.",
        trace_id=None,
        timestamp=None,
        service=None,
        fields={},
        retry_after=None,
    )
    return NotFoundError(Trail("get_message"), problem)


def test_each_status_is_a_change_once() -> None:
    """The first that is seen, too; a message of another caller is none."""
    waiter = new_waiter()
    for message_id, status in [
        (FIRST, "PENDING"),
        (FIRST, "PENDING"),
        (OTHER, "SENT"),
        (FIRST, "SENT"),
        (FIRST, "DELIVERED"),
        (FIRST, "FAILED"),
        (SECOND, "A_NEW_STATUS"),
    ]:
        waiter.record(new_message(message_id, status))
    assert [(each.id, each.status) for each in waiter.changes] == [
        (FIRST, "PENDING"),
        (FIRST, "SENT"),
        (FIRST, "DELIVERED"),
        (SECOND, "A_NEW_STATUS"),
    ]
    assert waiter.open == {SECOND}


def test_only_final_messages_serve_a_caller_who_waits_for_them() -> None:
    """Others are known, and no change."""
    waiter = new_waiter(every_status=False)
    waiter.record(new_message(FIRST, "SENT"))
    waiter.record(new_message(SECOND))
    assert not waiter.has_result
    waiter.record(new_message(FIRST))
    assert waiter.has_result
    assert list(waiter.messages()) == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("known", "read", "is_taken"),
    [(1, 0, False), (1, 1, True), (0, 1, True), (None, 0, True), (1, None, True)],
)
def test_a_copy_that_lags_takes_nothing_back(
    known: int | None, read: int | None, *, is_taken: bool
) -> None:
    """A status is older by its `updated_at`; where one has none, the last read counts."""
    waiter = new_waiter()
    for status, second in [("SENT", known), ("PENDING", read)]:
        updated = None if second is None else START.replace(second=second)
        waiter.record(new_message(FIRST, status, updated_at=updated))
    assert (waiter.messages()[FIRST].status == "PENDING") is is_taken


def test_a_final_message_is_believed() -> None:
    """Also when a copy that lags shows it."""
    waiter = new_waiter()
    waiter.record(new_message(FIRST, "SENT", updated_at=START.replace(second=9)))
    waiter.record(new_message(FIRST))
    assert waiter.open == {SECOND}


def test_what_another_caller_knows_is_known() -> None:
    """Of the messages that both wait for."""
    waiter, other = new_waiter(), Waiter("x", (SECOND, OTHER), inf, every_status=False)
    other.record(new_message(SECOND, "SENT"))
    other.record(new_message(OTHER))
    waiter.record_all(other.known)
    waiter.record_all({OTHER: new_message(OTHER)})
    assert list(waiter.messages()) == [SECOND]
    assert [each.status for each in waiter.changes] == ["SENT"]


def test_an_error_is_raised_once() -> None:
    """The next step of a loop goes on."""
    waiter = new_waiter()
    waiter.raise_error()
    waiter.error = NotSent(Trail("get_message"), "refused")
    assert waiter.has_result
    with pytest.raises(NotSent):
        waiter.raise_error()
    waiter.raise_error()


def test_missing_messages_are_an_error_when_the_rest_is_final() -> None:
    """It names one of them, counts the others, and has those that are known."""
    waiter = Waiter("wait_until_final", (FIRST, SECOND, OTHER), inf, every_status=False)
    waiter.give_up(v7(9), not_found())
    waiter.give_up(FIRST, not_found())
    waiter.record(new_message(SECOND))
    waiter.raise_error()
    waiter.give_up(OTHER, not_found())
    with pytest.raises(NotFoundError) as caught:
        waiter.raise_error()
    assert str(caught.value) == (
        "wait_until_final (attempt 0): 404 no error code: "
        f"No such message. (message {FIRST} and 1 more)"
    )
    assert list(caught.value.messages) == [SECOND]


def test_one_missing_message_is_named() -> None:
    """Alone."""
    waiter = Waiter("wait_until_final", (FIRST,), inf, every_status=False)
    waiter.give_up(FIRST, not_found())
    with pytest.raises(NotFoundError, match=rf"\(message {FIRST}\)"):
        waiter.raise_error()


def test_time_that_is_up_has_what_is_known() -> None:
    """It pickles with it, and shows neither a number nor a text."""
    waiter = new_waiter(every_status=False)
    waiter.record(new_message(SECOND))
    error = waiter.time_is_up(NotSent(Trail("get_message"), "refused"))
    assert isinstance(error, DeadlineExceeded)
    assert list(error.messages) == [SECOND]
    assert str(error) == (
        "wait_until_final (attempt 0): 1 of 2 messages are not known to be final; "
        "the last request failed: get_message (attempt 0): refused"
    )
    assert "923456789" not in repr(error) + str(error) + repr(error.messages)
    assert "Olá" not in repr(error) + str(error) + repr(error.messages)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - it is ours
    assert again.messages == error.messages
    assert "the last request" not in str(waiter.time_is_up(None))


def test_other_errors_of_these_classes_have_no_messages() -> None:
    """An empty mapping, which cannot be changed."""
    for error in (DeadlineExceeded(Trail("send_message"), "late"), not_found()):
        assert dict(error.messages) == {}
        with pytest.raises(TypeError):
            error.messages[FIRST] = new_message(FIRST)  # type: ignore[index]
