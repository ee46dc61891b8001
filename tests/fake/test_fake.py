"""Records and timestamps that a test adds, and a service that starts anew."""

from decimal import Decimal

import pytest

from tests.support.requests import message, request_of
from tests.support.services import START
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
