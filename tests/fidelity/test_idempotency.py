"""The contract's section 3 over the wire: one key, one operation, for 24 hours."""

from decimal import Decimal

import pytest

from tests.fidelity.conftest import WireTo
from tests.support.http import Wire, batch, message
from ziett_async.testing import Fault, Idempotency, Quota

DAY = 86_400


@pytest.mark.parametrize("name", ["send_message", "send_batch_campaign"])
def test_the_same_key_gets_the_same_answer(wire: Wire, name: str) -> None:
    """The original answer comes again, byte for byte, and nothing is executed or charged."""
    first = wire.ask(name, key="order-7")
    rows, balance = list(wire.fake.messages), wire.fake.balance
    wire.clock.advance(DAY - 1)
    assert wire.ask(name, key="order-7").body == first.body
    assert (len(wire.fake.messages), wire.fake.balance) == (len(rows), balance)


@pytest.mark.parametrize("name", ["send_message", "send_batch_campaign"])
def test_a_key_is_forgotten_after_a_day(wire: Wire, name: str) -> None:
    """Then it names another operation."""
    first = wire.ask(name, key="order-7")
    wire.clock.advance(DAY)
    assert wire.ask(name, key="order-7").body != first.body


def test_a_key_is_optional(wire: Wire) -> None:
    """Without one, every request is an operation."""
    assert wire.ask("send_message").body != wire.ask("send_message").body
    assert len(wire.fake.messages) == 2


def test_a_key_may_be_any_string(wire: Wire) -> None:
    """A UUID, an internal id with a time, and what else a header can carry."""
    for key in ("4f3c1f6e-8a43-4f0e-9c56-0b4f3a0a2d11", "order 7 @ 10:30", "a" * 255, "~"):
        first = wire.ask("send_message", key=key)
        assert wire.ask("send_message", key=key).body == first.body
    assert len(wire.fake.messages) == 4


def test_a_key_means_nothing_to_a_read(wire: Wire) -> None:
    """A GET with the key of a POST is a GET."""
    wire.ask("send_message", key="k")
    assert wire.ask("list_messages", key="k").json["total"] == 1
    wire.ask("send_message")
    assert wire.ask("list_messages", key="k").json["total"] == 2


@pytest.mark.parametrize("reused", [409, 422])
def test_a_key_with_another_body_may_be_refused(wire_to: WireTo, reused: int) -> None:
    """With either status, and nothing is executed, whether body or path is another."""
    wire = wire_to(idempotency=Idempotency(reused=reused))
    wire.ask("send_message", key="k")
    assert wire.ask("send_message", message(content="Else"), key="k").status == reused
    assert wire.ask("send_batch_campaign", key="k").status == reused
    assert len(wire.fake.messages) == 1


def test_a_key_with_another_body_may_be_answered(wire_to: WireTo) -> None:
    """Literally, the same key gets the original response, whatever the request is."""
    wire = wire_to(idempotency=Idempotency(reused=202))
    first = wire.ask("send_message", key="k")
    assert wire.ask("send_message", message(content="Else"), key="k").body == first.body
    assert len(wire.fake.messages) == 1


@pytest.mark.parametrize(("counts", "status"), [(True, 429), (False, 202)])
def test_a_replay_may_count(wire_to: WireTo, *, counts: bool, status: int) -> None:
    """Against the limit, or not."""
    rules = Idempotency(replays_count=counts)
    wire = wire_to(idempotency=rules, limits={"send": Quota(1)})
    wire.ask("send_message", key="k")
    assert wire.ask("send_message", key="k").status == status


@pytest.mark.parametrize(("first", "status"), [(True, 422), (False, 202)])
def test_a_replay_may_be_validated(wire_to: WireTo, *, first: bool, status: int) -> None:
    """Before the key is looked up, or not at all."""
    rules = Idempotency(validates_first=first, reused=202)
    wire = wire_to(idempotency=rules)
    wire.ask("send_message", key="k")
    assert wire.ask("send_message", message(content=""), key="k").status == status


@pytest.mark.parametrize(("stores", "status"), [(True, 402), (False, 202)])
def test_a_refusal_may_be_stored(wire_to: WireTo, *, stores: bool, status: int) -> None:
    """A 402 is the key's answer from then on, or leaves it free."""
    wire = wire_to(balance=0, idempotency=Idempotency(stores_refusals=stores))
    assert wire.ask("send_message", key="k").status == 402
    wire.fake.top_up(Decimal(15))
    assert wire.ask("send_message", key="k").status == status


@pytest.mark.parametrize(("stores", "status"), [(True, 500), (False, 202)])
def test_a_failure_may_be_stored(wire_to: WireTo, *, stores: bool, status: int) -> None:
    """A 500 is the key's answer from then on, or leaves it free; a proxy's 503 never is."""
    wire = wire_to(idempotency=Idempotency(stores_server_errors=stores))
    with wire.fake.script(Fault.status(500), Fault.status(503)):
        wire.ask("send_message", key="a")
        wire.ask("send_message", key="b")
    assert wire.ask("send_message", key="a").status == status
    assert wire.ask("send_message", key="b").status == 202


def test_a_key_may_still_be_running(wire: Wire) -> None:
    """Until the first request is done its key is a 409, and then it has its answer."""
    with wire.fake.script(Fault.running(5.0)), pytest.raises(ConnectionError):
        wire.ask("send_batch_campaign", batch(), key="k")
    assert wire.ask("send_batch_campaign", batch(), key="k").status == 409
    wire.clock.advance(5.0)
    assert wire.ask("send_batch_campaign", batch(), key="k").status == 202
    assert len(wire.fake.campaigns) == 1
