"""When one message is asked for."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.support.messages import START, v7
from ziett_async.delivery._entry import (
    EARLY,
    GROWTH_OF_LISTS,
    LONGEST,
    PAUSE,
    Entry,
    created_at,
)


def new_entry(age: float = 3600.0, message_id: UUID = v7(0)) -> Entry:  # noqa: B008 - a constant
    """Return a message of some age that is waited for from 100 s on."""
    return Entry.new(message_id, 100.0, START.timestamp() + age, every_status=False)


@pytest.mark.parametrize(
    ("message_id", "expected"),
    [
        (v7(7), START),
        (v7(7, START + timedelta(milliseconds=1)), START + timedelta(milliseconds=1)),
        (UUID("019b4b56-e704-4c30-83a0-527df63c3e00"), None),
        (UUID(int=0), None),
        (UUID(int=(1 << 48) - 1 << 80 | 0x7 << 76 | 0b10 << 62), None),
    ],
    ids=["version 7", "a millisecond later", "version 4", "nil", "beyond the calendar"],
)
def test_an_id_of_version_7_holds_a_time(message_id: UUID, expected: object) -> None:
    """Of any other version, or beyond the calendar, it holds none."""
    assert created_at(message_id) == expected
    assert new_entry(message_id=message_id).is_read_by_id is (expected is None)


@pytest.mark.parametrize(
    ("age", "wait"),
    [(0.0, 2.0), (0.5, 1.5), (-0.5, 2.0), (2.0, 0.0), (3600.0, 0.0), (-2.0, 0.0), (-1e6, 0.0)],
)
def test_a_new_message_is_given_time(age: float, wait: float) -> None:
    """It is asked for when it is 2 s old; at once when it is older, or its age makes no sense."""
    assert new_entry(age).due == 100.0 + wait


def test_a_message_without_a_time_is_asked_for_at_once() -> None:
    """Its age is not known."""
    assert new_entry(0.0, UUID(int=1)).due == 100.0


@pytest.mark.parametrize(
    ("waited", "interval"),
    [(0.0, PAUSE), (4.0, 2.0), (5.0, 2.5), (100.0, 50.0), (1200.0, LONGEST), (1e6, LONGEST)],
)
def test_an_interval_is_half_of_the_time_that_passed(waited: float, interval: float) -> None:
    """From 2 seconds to 10 minutes; all of that time where it costs a list."""
    entry = new_entry()
    entry.postpone(100.0 + waited)
    assert (entry.interval, entry.due) == (interval, 100.0 + waited + interval)
    entry.postpone(100.0 + waited / 2, GROWTH_OF_LISTS)
    assert entry.interval == interval


def test_a_message_joins_a_round_a_little_early() -> None:
    """By a quarter of its interval: those of about the same age share their lists."""
    entry = new_entry()
    entry.postpone(200.0)
    start = entry.due - 50.0 * EARLY
    assert [entry.is_due(start - 0.01), entry.is_due(start), entry.is_due(1e6)] == [
        False,
        True,
        True,
    ]
