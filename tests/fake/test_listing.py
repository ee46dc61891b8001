"""Filters, order and pages of the fake's lists."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import attrs
import pytest

from ziett_async._clock import ManualClock
from ziett_async._wire import Response
from ziett_async.testing import Dialect, FakeZiett, MessageRecord

Ask = Callable[..., Response]
Body = Callable[..., dict[str, object]]

START = datetime.fromisoformat("2025-07-14T10:30:00+00:00")
FILTERS = (
    "q",
    "status",
    "channel_type",
    "trigger_source",
    "channel_destination",
    "contact_id",
    "campaign_id",
    "remitter_id",
    "sms_remitter_id",
    "created_at__ge",
    "created_at__le",
)
OTHER = UUID("019b4b56-e704-7c30-83a0-000000000001")


def ids(response: Response) -> list[str]:
    """Return the ids of the entries of a page."""
    assert response.status == 200
    return [str(entry["id"]) for entry in json.loads(response.body)["entries"]]


def some(fake: FakeZiett, count: int) -> list[MessageRecord]:
    """Add `count` messages, a second apart."""
    return [fake.add_message(created_at=START + timedelta(seconds=n)) for n in range(count)]


def test_pages_are_slices_of_the_newest_first(ask: Ask) -> None:
    """With the requested page and size, matching totals, and no entries past the end."""
    fake = FakeZiett()
    names = [str(row.id) for row in reversed(some(fake, 5))]
    assert ids(ask(fake, "GET", "/messages?size=2")) == names[:2]
    last = ask(fake, "GET", "/messages?page=3&size=2")
    assert ids(last) == names[4:]
    numbers = json.loads(last.body)
    del numbers["entries"]
    assert numbers == {"total": 5, "page": 3, "size": 2, "pages": 3}
    assert ids(ask(fake, "GET", "/messages?page=9")) == []
    assert ids(ask(fake, "GET", "/messages?order=asc")) == names[::-1]


def test_an_empty_list_has_no_pages(ask: Ask) -> None:
    """`pages` is 0, and `page` is the requested one."""
    assert json.loads(ask(FakeZiett(), "GET", "/messages").body) == {
        "entries": [],
        "total": 0,
        "page": 1,
        "size": 30,
        "pages": 0,
    }


def test_rows_can_be_ordered_by_their_last_change(ask: Ask) -> None:
    """A row that changes moves to the front of `order_by=updated_at`."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    first, second = some(fake, 2)
    clock.advance(60)
    fake.deliver(first.id, "FAILED")
    assert ids(ask(fake, "GET", "/messages?order_by=updated_at")) == [
        str(first.id),
        str(second.id),
    ]


def test_rows_of_one_moment_keep_their_order_of_acceptance(ask: Ask, message: Body) -> None:
    """If distinct timestamps are switched off, rows share the time of the clock."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, distinct_timestamps=False)
    for _ in range(3):
        ask(fake, "POST", "/messages", message())
    names = [str(row.id) for row in fake.messages]
    assert {row.created_at for row in fake.messages} == {START}
    assert ids(ask(fake, "GET", "/messages?order=asc")) == names
    assert ids(ask(fake, "GET", "/messages")) == names[::-1]


def test_timestamps_are_distinct_by_default(ask: Ask, message: Body) -> None:
    """A microsecond apart while the clock stands still; a millisecond if that is the precision."""
    for dialect, step in (
        (Dialect(), timedelta(microseconds=1)),
        (Dialect(timestamps="milliseconds"), timedelta(milliseconds=1)),
    ):
        clock = ManualClock(START + timedelta(microseconds=7))
        fake = FakeZiett(clock=clock, dialect=dialect)
        for _ in range(2):
            ask(fake, "POST", "/messages", message())
        first, second = fake.messages
        assert first.created_at == dialect.to_precision(START + timedelta(microseconds=7))
        assert second.created_at - first.created_at == step


def test_bounds_can_be_truncated_like_timestamps(ask: Ask) -> None:
    """Then the `created_at` of a row, used as a bound, is before the row itself."""
    fake = FakeZiett(dialect=Dialect(timestamps="truncated"))
    row = fake.add_message(created_at=START + timedelta(microseconds=1999))
    assert row.created_at.microsecond == 1999
    bound = "2025-07-14T10:30:00.001Z"
    (entry,) = json.loads(ask(fake, "GET", f"/messages?created_at__ge={bound}").body)["entries"]
    assert entry["created_at"] == bound
    assert ids(ask(fake, "GET", f"/messages?created_at__le={bound}")) == []
    assert ids(ask(fake, "GET", "/messages?created_at__le=2025-07-14T10:30:00.001999Z")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=3456", [0]),
        ("q=", [0, 1, 2, 3]),
        ("q=unknown", []),
        ("status=FAILED", [1]),
        ("status=FAILED&status=PENDING", [1, 2]),
        ("channel_type=WHATSAPP", [3]),
        ("contact_id=019B4B56-E704-7C30-83A0-000000000001", [3]),
        (f"campaign_id={OTHER}", [2]),
        (f"sms_remitter_id={OTHER}&sms_remitter_id={UUID(int=7)}", [1]),
        (f"created_at__ge={quote('2025-07-14T10:30:02+00:00')}", [2, 3]),
        ("created_at__ge=2025-07-14T10:30:01Z&created_at__le=2025-07-14T10:30:02.000", [1, 2]),
        (f"created_at__le={quote('2025-07-14T12:30:00+02:00')}", [0]),
        ("unknown=1", [0, 1, 2, 3]),
        ("status=failed&status=PENDING", [1, 2]),
        ("trigger_source=CUSTOMER_PORTAL&trigger_source=API_CLIENT", [2]),
        ("channel_destination=AFRICELL_AO", [0]),
        (f"remitter_id={OTHER}", [1]),
        (f"remitter_id={OTHER}&sms_remitter_id={UUID(int=7)}", []),
        ("&".join(f"{name}=" for name in FILTERS), [0, 1, 2, 3]),
        ("status=&status=FAILED", [1]),
    ],
)
def test_filters_narrow_a_list(ask: Ask, query: str, expected: list[int]) -> None:
    """Values of one filter are alternatives, all filters apply, empty ones are ignored."""
    fake = FakeZiett()
    rows = some(fake, 4)
    rows[0] = attrs.evolve(rows[0], target_e164="+244934567890", channel_destination="AFRICELL_AO")
    rows[1] = attrs.evolve(rows[1], status="FAILED", remitter_id=OTHER)
    rows[2] = attrs.evolve(
        rows[2], status="PENDING", campaign_id=OTHER, trigger_source="CUSTOMER_PORTAL"
    )
    rows[3] = attrs.evolve(rows[3], channel_type="WHATSAPP", contact_id=OTHER)
    for row in rows:
        fake.put(row)
    found = ids(ask(fake, "GET", f"/messages?order=asc&{query}"))
    assert found == [str(rows[index].id) for index in expected]


def test_q_finds_a_message_by_its_whole_id(ask: Ask) -> None:
    """In upper or lower case; a part of an id finds nothing."""
    fake = FakeZiett()
    name = str(some(fake, 2)[1].id)
    assert ids(ask(fake, "GET", f"/messages?q={name.upper()}")) == [name]
    assert ids(ask(fake, "GET", f"/messages?q={name[:13]}")) == []


def test_all_invalid_parameters_are_reported_at_once(ask: Ask) -> None:
    """A 422 maps each invalid parameter to its message."""
    query = (
        "page=0&size=201&order=up&order_by=id&status=SENT&status=Sent&channel_type=FAX"
        "&contact_id=x&created_at__ge=yesterday"
    )
    response = ask(FakeZiett(), "GET", f"/messages?{query}")
    assert response.status == 422
    assert json.loads(response.body)["fields"] == {
        "page": "Ensure this value is greater than or equal to 1.",
        "size": "Ensure this value is less than or equal to 200.",
        "order": "Accepted values are: desc, asc.",
        "order_by": "Accepted values are: created_at, updated_at.",
        "status": "Accepted values are: PENDING, SENT, DELIVERED, FAILED, UNDELIVERED.",
        "channel_type": "Accepted values are: SMS, WHATSAPP.",
        "contact_id": "must be a UUID",
        "created_at__ge": "Value must conform to a valid ISO 8601 date-time format structure.",
    }
    response = ask(FakeZiett(), "GET", "/messages?page=x")
    assert json.loads(response.body)["fields"] == {"page": "must be an integer"}


def test_rows_can_be_added_changed_and_deleted_while_a_list_is_read(ask: Ask) -> None:
    """So that a test can shift the pages; a changed `created_at` moves the row."""
    fake = FakeZiett()
    first, second, third = some(fake, 3)
    fake.delete_message(str(second.id))
    fake.put(attrs.evolve(first, created_at=START + timedelta(days=1)))
    fake.put(second)
    assert ids(ask(fake, "GET", "/messages")) == [str(row.id) for row in (first, third, second)]
    with pytest.raises(KeyError):
        fake.delete_message(OTHER)


def test_a_row_added_by_hand_needs_an_aware_moment() -> None:
    """A naive one would mean a different moment on each machine."""
    with pytest.raises(ValueError, match="aware"):
        FakeZiett().add_message(created_at=START.replace(tzinfo=None))


def test_a_row_added_by_hand_is_the_newest_by_default() -> None:
    """It gets the next timestamp and costs nothing."""
    fake = FakeZiett(balance=0)
    assert fake.add_message().created_at < fake.add_message().created_at
