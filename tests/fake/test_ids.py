"""Timestamps that are distinct while the clock stands still."""

from datetime import timedelta

import pytest

from tests.support.requests import message, request_of
from tests.support.services import START
from ziett_async import ManualClock
from ziett_async.testing import Dialect, FakeZiett


@pytest.mark.parametrize(
    ("dialect", "step"),
    [
        (Dialect(), timedelta(microseconds=1)),
        (Dialect(timestamps="milliseconds"), timedelta(milliseconds=1)),
    ],
)
def test_timestamps_are_distinct_by_default(dialect: Dialect, step: timedelta) -> None:
    """A microsecond apart while the clock stands still; a millisecond if that is the precision."""
    fake = FakeZiett(clock=ManualClock(START + timedelta(microseconds=7)), dialect=dialect)
    for _ in range(2):
        fake.handle(request_of("POST", "/messages", message()))
    first, second = fake.messages
    assert first.created_at == dialect.to_precision(START + timedelta(microseconds=7))
    assert second.created_at - first.created_at == step


def test_timestamps_stay_distinct_when_the_dialect_changes() -> None:
    """The message after one with microseconds gets the next whole millisecond."""
    fake = FakeZiett()
    for name in ("site", "site", "reference", "site"):
        fake.use_dialect(name)
        fake.handle(request_of("POST", "/messages", message()))
    assert [row.created_at - START for row in fake.messages] == [
        timedelta(microseconds=each) for each in (0, 1, 1000, 1001)
    ]
