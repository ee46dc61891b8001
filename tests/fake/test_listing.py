"""Filters, order and pages of the lists."""

from datetime import timedelta
from uuid import UUID

import attrs
import pytest

from tests.fake.conftest import ServeApi
from tests.support.samples import OTHER_ID, REMITTER
from tests.support.service_client import ServiceClient, ids
from tests.support.services import START
from ziett_async.testing import Dialect, FakeZiett, MessageRecord

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
OTHER = UUID(OTHER_ID)


def add(fake: FakeZiett, count: int) -> list[MessageRecord]:
    """Add `count` messages, a second apart."""
    return [fake.add_message(created_at=START + timedelta(seconds=n)) for n in range(count)]


def test_pages_are_slices_of_the_newest_first(api: ServiceClient) -> None:
    """With the requested page and size, matching totals, and no entries past the end."""
    newest = [str(row.id) for row in reversed(add(api.fake, 5))]
    pages = [api.messages(size=2, page=page) for page in (1, 2, 3, 4)]
    assert [ids(page) for page in pages] == [newest[:2], newest[2:4], newest[4:], []]
    assert {(page["total"], page["size"], page["pages"]) for page in pages} == {(5, 2, 3)}
    assert [page["page"] for page in pages] == [1, 2, 3, 4]
    assert ids(api.messages()) == ids(api.messages(order="desc", order_by="created_at")) == newest
    assert ids(api.messages(order="asc")) == newest[::-1]


def test_an_empty_list_has_no_pages(api: ServiceClient) -> None:
    """`pages` is 0, and `page` is the requested one."""
    assert api.messages() == {"entries": [], "total": 0, "page": 1, "size": 30, "pages": 0}
    assert api.messages(page=7)["page"] == 7


def test_pages_are_offsets_into_live_data(api: ServiceClient) -> None:
    """A row that arrives between two pages shifts the second: one entry comes twice."""
    newest = [str(row.id) for row in reversed(add(api.fake, 4))]
    first = api.messages(size=2, page=1)
    api.fake.add_message(created_at=START + timedelta(minutes=1))
    assert ids(first) == newest[:2]
    assert ids(api.messages(size=2, page=2)) == newest[1:3]


def test_a_page_has_at_most_200_entries(api: ServiceClient) -> None:
    """And a list of more goes on."""
    add(api.fake, 201)
    assert len(ids(api.messages(size=200))) == 200
    assert len(ids(api.messages(size=200, page=2))) == 1


def test_rows_can_be_ordered_by_their_last_change(api: ServiceClient) -> None:
    """A row that changes moves to the front of `order_by=updated_at`."""
    first, second = (str(row.id) for row in add(api.fake, 2))
    api.clock.advance(60)
    api.fake.deliver(first, "FAILED")
    assert ids(api.messages(order_by="updated_at")) == [first, second]
    assert ids(api.messages(order_by="updated_at", order="asc")) == [second, first]
    assert ids(api.messages()) == [second, first]


def test_rows_of_one_moment_keep_their_order_of_acceptance(serve_api: ServeApi) -> None:
    """If distinct timestamps are switched off, rows share the time of the clock."""
    api = serve_api(distinct_timestamps=False)
    sent = [api.send() for _ in range(3)]
    assert {row.created_at for row in api.fake.messages} == {START}
    assert ids(api.messages(order="asc")) == sent
    assert ids(api.messages()) == sent[::-1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "3456"}, [0]),
        ({"q": "+244934567890"}, [0]),
        ({"q": ""}, [0, 1, 2, 3]),
        ({"q": "unknown"}, []),
        ({"status": "FAILED"}, [1]),
        ({"status": ("FAILED", "PENDING")}, [1, 2]),
        ({"status": ("failed", "PENDING")}, [1, 2]),
        ({"status": ("", "FAILED")}, [1]),
        ({"channel_type": "WHATSAPP"}, [3]),
        ({"channel_type": ("SMS", "WHATSAPP"), "status": "DELIVERED"}, [0, 3]),
        ({"contact_id": OTHER_ID.upper()}, [3]),
        ({"campaign_id": OTHER}, [2]),
        ({"campaign_id": UUID(int=7)}, []),
        ({"sms_remitter_id": (OTHER, UUID(int=7))}, [1]),
        ({"remitter_id": OTHER}, [1]),
        ({"remitter_id": REMITTER}, [0, 2, 3]),
        ({"remitter_id": OTHER, "sms_remitter_id": UUID(int=7)}, []),
        ({"trigger_source": ("CUSTOMER_PORTAL", "API_CLIENT")}, [2]),
        ({"channel_destination": "AFRICELL_AO"}, [0]),
        ({"created_at__ge": "2025-07-14T10:30:02+00:00"}, [2, 3]),
        ({"created_at__ge": "2025-07-14T11:30:02+01:00"}, [2, 3]),
        ({"created_at__ge": "2025-07-14T10:30:02.000001Z"}, [3]),
        (
            {
                "created_at__ge": "2025-07-14T10:30:01Z",
                "created_at__le": "2025-07-14T10:30:02.000",
            },
            [1, 2],
        ),
        ({"created_at__le": "2025-07-14T12:30:00+02:00"}, [0]),
        ({"created_at__le": "2025-07-14T10:29:59.999999Z"}, []),
        (dict.fromkeys(FILTERS, ""), [0, 1, 2, 3]),
    ],
)
def test_filters_narrow_a_list(
    api: ServiceClient, query: dict[str, object], expected: list[int]
) -> None:
    """Values of a filter are alternatives, all filters apply, bounds include, empty ones do not."""
    rows = add(api.fake, 4)
    rows[0] = attrs.evolve(rows[0], target_e164="+244934567890", channel_destination="AFRICELL_AO")
    rows[1] = attrs.evolve(rows[1], status="FAILED", remitter_id=OTHER)
    rows[2] = attrs.evolve(
        rows[2], status="PENDING", campaign_id=OTHER, trigger_source="CUSTOMER_PORTAL"
    )
    rows[3] = attrs.evolve(rows[3], channel_type="WHATSAPP", contact_id=OTHER)
    for row in rows:
        api.fake.put(row)
    found = ids(api.messages(order="asc", **query))
    assert found == [str(rows[index].id) for index in expected]


def test_q_finds_a_message_by_its_whole_id(api: ServiceClient) -> None:
    """In upper or lower case; a part of an id finds nothing."""
    message_id = str(add(api.fake, 2)[1].id)
    assert (
        ids(api.messages(q=message_id)) == ids(api.messages(q=message_id.upper())) == [message_id]
    )
    assert ids(api.messages(q=message_id[:-1])) == ids(api.messages(q=message_id[:13])) == []


def test_bounds_can_be_truncated_like_timestamps(serve_api: ServeApi) -> None:
    """Then the `created_at` of a row, used as a bound, is before the row itself."""
    api = serve_api(dialect=Dialect(timestamps="truncated"))
    row = api.fake.add_message(created_at=START + timedelta(microseconds=1999))
    assert row.created_at.microsecond == 1999
    bound = "2025-07-14T10:30:00.001Z"
    [entry] = api.messages(created_at__ge=bound)["entries"]
    assert entry["created_at"] == bound
    assert ids(api.messages(created_at__le=bound)) == []
    assert ids(api.messages(created_at__le="2025-07-14T10:30:00.001999Z")) == []


def test_rows_can_be_added_changed_and_deleted_while_a_list_is_read(api: ServiceClient) -> None:
    """So that a test can shift the pages; a changed `created_at` moves the row."""
    first, second, third = add(api.fake, 3)
    api.fake.delete_message(str(second.id))
    api.fake.put(attrs.evolve(first, created_at=START + timedelta(days=1)))
    api.fake.put(second)
    assert ids(api.messages()) == [str(row.id) for row in (first, third, second)]
    with pytest.raises(KeyError):
        api.fake.delete_message(OTHER)
