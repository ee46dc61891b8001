"""How messages and campaigns change as the clock moves."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.fake.conftest import ServeApi
from tests.support.requests import message, request_of
from tests.support.service_client import ServiceClient
from tests.support.services import START
from ziett_async import ManualClock
from ziett_async.testing import Delivery, FakeZiett


def test_a_message_changes_status_with_the_clock(api: ServiceClient) -> None:
    """PENDING, SENT a second later, DELIVERED after its operator's delay."""
    message_id = api.send(target_e164="+244952000000")
    seen = list[tuple[str, str]]()
    for _ in range(8):
        found = api.message(message_id)
        seen.append((found["status"], found["updated_at"][17:19]))
        api.clock.advance(1)
    assert seen == [("PENDING", "00")] + [("SENT", "01")] * 5 + [("DELIVERED", "06")] * 2


def test_messages_of_a_campaign_are_sent_when_it_is_processed(api: ServiceClient) -> None:
    """Each a second later than one that is sent alone."""
    api.send_batch()
    seen = list[set[str]]()
    for _ in range(3):
        seen.append({row.status for row in api.fake.messages})
        api.clock.advance(1)
    assert seen == [{"PENDING"}, {"PENDING"}, {"SENT"}]


def test_a_campaign_goes_through_its_statuses(api: ServiceClient) -> None:
    """PROCESSING for a second, SENDING for five, then COMPLETED, with its messages."""
    campaign_id = api.send_batch()
    seen: list[object] = []
    for _ in range(7):
        found = api.get("get_campaign", campaign_id)
        seen.append((found["status"], found["processed_at"], found["completed_at"]))
        assert found["updated_at"] == (found["completed_at"] or found["processed_at"])
        api.clock.advance(1)
    processed, completed = "2025-07-14T10:30:01.000000+00:00", "2025-07-14T10:30:06.000000+00:00"
    assert seen == [
        ("PROCESSING", None, None),
        *[("SENDING", processed, None)] * 5,
        ("COMPLETED", processed, completed),
    ]
    entries = api.get("list_campaign_messages", campaign_id, order="asc")["entries"]
    assert [entry["status"] for entry in entries] == ["DELIVERED", "SENT", "SENT"]
    api.clock.advance(5)
    assert {row.status for row in api.fake.messages} == {"DELIVERED"}


@pytest.mark.parametrize(
    ("delivery", "status", "code"),
    [
        (Delivery(failed=1.0), "FAILED", "PROVIDER_REJECTED"),
        (Delivery(undelivered=1.0), "UNDELIVERED", "HANDSET_UNREACHABLE"),
    ],
)
def test_a_message_may_not_arrive(
    serve_api: ServeApi, delivery: Delivery, status: str, code: str
) -> None:
    """Then its error code gives the reason, also in its history."""
    api = serve_api(delivery=delivery)
    message_id = api.send()
    api.clock.advance(60)
    found = api.message(message_id)
    assert (found["status"], found["error_code"]) == (status, code)
    [record] = api.fake.messages
    history = [(each.status, each.error_code, each.at - START) for each in record.history]
    assert history == [
        ("PENDING", None, timedelta(seconds=0)),
        ("SENT", None, timedelta(seconds=1)),
        (status, code, timedelta(seconds=4)),
    ]


@pytest.mark.parametrize(("failed", "undelivered"), [(0.8, 0.8), (-0.1, 0.0), (0.0, 1.1)])
def test_shares_that_are_none_are_refused(failed: float, undelivered: float) -> None:
    """Both together are at most all messages."""
    with pytest.raises(ValueError, match="failed and undelivered: must be shares"):
        Delivery(failed=failed, undelivered=undelivered)


def test_the_seed_decides_the_final_statuses() -> None:
    """Equal seeds give equal ids and statuses, with about the configured shares."""

    def run(seed: int) -> list[tuple[UUID, str, str | None]]:
        clock = ManualClock()
        delivery = Delivery(failed=0.25, undelivered=0.25)
        fake = FakeZiett(clock=clock, seed=seed, limits={}, delivery=delivery)
        for _ in range(200):
            fake.handle(request_of("POST", "/messages", message()))
        clock.advance(60)
        return [(row.id, row.status, row.error_code) for row in fake.messages]

    ends = [(status, error) for _, status, error in run(1)]
    assert run(1) == run(1) != run(2)
    assert 35 < ends.count(("FAILED", "PROVIDER_REJECTED")) < 65
    assert 35 < ends.count(("UNDELIVERED", "HANDSET_UNREACHABLE")) < 65
    assert ends.count(("DELIVERED", None)) > 80


def test_an_operator_can_have_its_own_delay(serve_api: ServeApi) -> None:
    """An operator without one has the delay of `OTHER`."""
    api = serve_api(delivery=Delivery(sent_after=0.0, final_after={"UNITEL": 1.0}))
    api.send()
    api.send(target_e164="+351912345678")
    api.clock.advance(2)
    assert [row.status for row in api.fake.messages] == ["DELIVERED", "SENT"]
    api.clock.advance(8)
    assert api.fake.messages[1].status == "DELIVERED"


def test_without_delivery_no_status_changes_by_itself(serve_api: ServeApi) -> None:
    """A test then sets it with `deliver`."""
    api = serve_api(delivery=None)
    api.send()
    api.send_batch()
    api.clock.advance(3600)
    assert {record.status for record in api.fake.messages} == {"PENDING"}
    assert api.fake.campaigns[0].status == "PROCESSING"


def test_a_message_delivered_by_hand_stays_as_it_is(api: ServiceClient) -> None:
    """`deliver` sets status, error code and time, and cancels the steps to come."""
    message_id = api.send()
    api.clock.advance(0.5)
    record = api.fake.deliver(message_id, "FAILED", "NO_ROUTE")
    api.clock.advance(60)
    assert list(api.fake.messages) == [record]
    assert (record.status, record.error_code) == ("FAILED", "NO_ROUTE")
    assert record.updated_at == START + timedelta(seconds=0.5)
