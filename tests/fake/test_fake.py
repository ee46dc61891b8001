"""Records and timestamps that a test adds, and a service that starts anew."""

import json
from decimal import Decimal

import attrs
import pytest

from tests.support.requests import batch, message, request_of
from tests.support.services import START
from ziett_async import ManualClock
from ziett_async.testing import FakeZiett, Fault


def test_a_row_added_by_hand_needs_an_aware_moment() -> None:
    """A naive one would mean a different moment on each machine."""
    with pytest.raises(ValueError, match="aware"):
        FakeZiett().add_message(created_at=START.replace(tzinfo=None))


def test_a_row_added_by_hand_is_the_newest_by_default() -> None:
    """It gets the next timestamp and costs nothing."""
    fake = FakeZiett(balance=0)
    assert fake.add_message().created_at < fake.add_message().created_at
    assert fake.balance == 0


def test_clear_starts_with_a_new_service() -> None:
    """Messages, contacts, balance, requests, quotas, keys and faults are reset, not the clock."""
    fake = FakeZiett(balance=100)
    send = request_of("POST", "/messages", message(save_contact={"name": "Ana"}), key="a")
    first = fake.handle(send)
    fake.faults.add(Fault.refuse())
    fake.clear()
    assert (fake.messages, fake.contacts, fake.requests) == ([], {}, [])
    assert (fake.balance, fake.faults.pending) == (Decimal(100), ())
    assert fake.handle(send) == first
    assert not fake.requests[0].replayed


def test_two_fakes_with_the_same_seed_respond_alike() -> None:
    """So that a second run of a test equals the first."""
    first, second = FakeZiett(), FakeZiett()
    send, read = request_of("POST", "/messages", message()), request_of("GET", "/messages")
    for request in (send, send, send, read):
        assert first.handle(request) == second.handle(request)


def test_a_change_by_hand_is_in_the_history() -> None:
    """Once for each status and error code; `deliver` without a status delivers."""
    fake = FakeZiett()
    row = fake.add_message(status="SENT")
    for status, error_code in (("SENT", None), ("FAILED", "A"), ("FAILED", "A"), ("FAILED", "B")):
        fake.deliver(row.id, status, error_code)
    record = fake.deliver(row.id)
    assert [(each.status, each.error_code) for each in record.history] == [
        ("PENDING", None),
        ("SENT", None),
        ("FAILED", "A"),
        ("FAILED", "B"),
        ("DELIVERED", None),
    ]
    assert [each.at for each in record.history] == [row.created_at, *[row.updated_at] * 4]


def test_a_record_without_a_history_gets_one() -> None:
    """With its status, its time and its error code."""
    fake = FakeZiett()
    row = attrs.evolve(fake.add_message(), history=(), status="FAILED", error_code="A")
    fake.put(row)
    [record] = fake.messages
    assert [(each.status, each.at, each.error_code) for each in record.history] == [
        ("FAILED", row.updated_at, "A")
    ]


def test_a_message_can_be_added_to_a_campaign() -> None:
    """It is in the list of the campaign's messages."""
    fake = FakeZiett()
    fake.handle(request_of("POST", "/campaigns/batch", batch()))
    [campaign] = fake.campaigns
    assert fake.add_message(campaign_id=campaign.id).campaign_id == campaign.id
    assert fake.add_message().campaign_id is None


def test_a_cleared_service_still_has_trace_ids() -> None:
    """Its errors are complete."""
    fake = FakeZiett()
    fake.clear()
    error = json.loads(fake.handle(request_of("GET", "/nowhere")).body)
    assert len(error["trace_id"]) == 32


def test_a_deleted_message_does_not_come_back() -> None:
    """Steps of its delivery that are due later are left out."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    fake.handle(request_of("POST", "/messages", message()))
    fake.delete_message(fake.messages[0].id)
    clock.advance(60)
    assert fake.messages == []
