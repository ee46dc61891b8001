"""Sending and retrieving messages."""

from decimal import Decimal
from uuid import UUID

import attrs
import pytest

from tests.fake.conftest import ServeApi
from tests.support.description import SCHEMAS
from tests.support.requests import message
from tests.support.samples import NUMBER, OTHER_ID, REMITTER
from tests.support.service_client import ServiceClient, ids
from tests.support.services import START
from ziett_async.testing import Dialect

BOTH = Dialect(channels=("SMS", "WHATSAPP"))


def test_a_message_is_accepted(api: ServiceClient) -> None:
    """202 with its id and nothing else; it is stored as it was sent."""
    response = api.call("send_message", key="order-1")
    [record] = api.fake.messages
    assert (response.status, response.json) == (202, {"message_id": str(record.id)})
    assert (record.target_e164, record.content) == (NUMBER, "Your code is 482910.")
    assert (record.status, record.created_at) == ("PENDING", START)
    assert (record.idempotency_key, record.channel_destination) == ("order-1", "UNITEL")
    assert (str(record.remitter_id), record.channel_type) == (REMITTER, "SMS")


def test_ids_are_of_version_7(api: ServiceClient) -> None:
    """They are UUIDs that begin with their moment."""
    api.clock.advance(3600.25)
    found = UUID(api.send())
    assert (found.version, found.variant) == (7, "specified in RFC 4122")
    assert found.int >> 80 == int(api.clock.time() * 1000)


def test_a_status_may_stand_beside_the_id(serve_api: ServeApi) -> None:
    """`QUEUED` has been seen there."""
    api = serve_api(dialect=Dialect(accepted_status=True))
    assert api.call("send_message").json["status"] == "QUEUED"


def test_whatsapp_may_be_accepted(serve_api: ServeApi) -> None:
    """The server's own words name it; only an SMS is limited to 1600 characters."""
    api = serve_api(dialect=BOTH)
    api.send(channel_type="WHATSAPP", content="x" * 1601)
    assert api.fake.messages[0].channel_type == "WHATSAPP"
    assert api.messages(channel_type="WHATSAPP")["total"] == 1
    assert api.messages(channel_type="SMS")["total"] == 0


def test_1600_characters_are_accepted(api: ServiceClient) -> None:
    """Characters, not bytes."""
    api.send(content="ção" * 533 + "!")


def test_each_message_is_charged_until_the_balance_is_too_low(serve_api: ServeApi) -> None:
    """The 402 is from billing and costs nothing; after a top-up messages are accepted again."""
    api = serve_api(balance=44, price=15)
    assert [api.call("send_message").status for _ in range(3)] == [202, 202, 402]
    refused = api.call("send_message")
    assert (refused.code, refused.json["service"]) == ("BILLING_INSUFFICIENT_FUNDS", "billing")
    assert api.fake.balance == Decimal(14)
    api.fake.top_up(Decimal(1))
    api.send()
    assert api.fake.balance == 0


@pytest.mark.parametrize(
    ("content", "channel", "cost"),
    [
        ("x" * 160, "SMS", 3),
        ("x" * 161, "SMS", 6),
        ("ã" * 71, "SMS", 6),
        ("ã" * 200, "SMS", 9),
        ("ã" * 200, "WHATSAPP", 3),
    ],
)
def test_the_price_can_be_per_part(
    serve_api: ServeApi, content: str, channel: str, cost: int
) -> None:
    """Each part of an SMS is charged, in a campaign for each recipient."""
    api = serve_api(price=3, price_per_part=True, balance=100, dialect=BOTH)
    api.send(content=content, channel_type=channel)
    assert (api.fake.messages[0].cost, api.fake.balance) == (Decimal(cost), Decimal(100 - cost))
    if channel == "SMS":
        api.send_batch(content=content)
        assert {row.cost for row in api.fake.messages} == {Decimal(cost)}
        assert api.fake.balance == 100 - 4 * cost
        api.fake.top_up(4 * cost - 100 + cost - 1)
        assert api.call("send_message", message(content=content)).status == 402


def test_the_price_is_per_message_by_default(serve_api: ServeApi) -> None:
    """However many parts its text has."""
    api = serve_api(price=3)
    api.send(content="ã" * 200)
    assert api.fake.messages[0].cost == 3


def test_save_contact_creates_a_contact_and_then_updates_it(api: ServiceClient) -> None:
    """The name is replaced, an omitted email address is kept, and tags are added."""
    first = api.send(save_contact={"name": "Ana", "email": "ana@example.ao", "tags": ["a", "b"]})
    made = api.fake.contacts[NUMBER]
    assert (made.name, made.email, made.tags) == ("Ana", "ana@example.ao", ("a", "b"))
    assert made.created_at == made.updated_at == api.fake.messages[0].created_at
    second = api.send(save_contact={"name": "Ana B", "tags": ["b", "c"]})
    renewed = api.fake.messages[1].created_at
    assert api.fake.contacts == {
        NUMBER: attrs.evolve(made, name="Ana B", tags=("a", "b", "c"), updated_at=renewed)
    }
    third = api.send()
    assert ids(api.messages(contact_id=made.id)) == [third, second, first]
    assert api.message(first)["contact_id"] == str(made.id)
    assert {entry["contact_id"] for entry in api.messages()["entries"]} == {str(made.id)}


def test_a_contact_may_have_no_tags(api: ServiceClient) -> None:
    """An empty array is as good as none."""
    api.send(save_contact={"name": "Ana", "tags": []})
    assert api.fake.contacts[NUMBER].tags == ()


def test_operators_are_those_of_the_numbers(api: ServiceClient) -> None:
    """The documentation's own number is at UNITEL; numbers next to it are not."""
    operators = {
        "+244923456789": "UNITEL",
        "+244934567890": "UNITEL",
        "+244944567890": "UNITEL",
        "+244950000000": "AFRICELL_AO",
        "+244990090990": "UNITEL",
        "+244990090991": "OTHER",
        "+351912345678": "OTHER",
    }
    for number in operators:
        api.send(target_e164=number)
    entries = api.messages(order="asc")["entries"]
    assert {each["target_e164"]: each["channel_destination"] for each in entries} == operators


@pytest.mark.parametrize(
    "message_id", ["x", REMITTER[:-1], REMITTER.replace("-", ""), "%00", "a%2Fb", "%7Bx%7D"]
)
def test_a_malformed_id_is_a_422(api: ServiceClient, message_id: str) -> None:
    """An unknown one is a 404."""
    response = api.call("get_message", path_id=message_id)
    assert response.fields == {"message_id": "must be a UUID"}
    assert api.call("get_message", path_id=OTHER_ID).status == 404


def test_an_id_has_no_case(api: ServiceClient) -> None:
    """In capitals, or percent-encoded, it is the same id."""
    message_id = api.send()
    assert api.message(message_id.upper())["id"] == message_id
    assert api.message(message_id.replace("-", "%2D"))["id"] == message_id


@pytest.mark.parametrize("status", SCHEMAS["MessageStatus"]["enum"])
def test_a_message_may_have_every_status(api: ServiceClient, status: str) -> None:
    """Retrieving one knows three more than the list does."""
    row = api.fake.add_message(status=status)
    assert api.message(row.id)["status"] == status


def test_a_message_may_be_refunded(api: ServiceClient) -> None:
    """Its cost stays what it was."""
    row = api.fake.add_message(status="FAILED")
    api.fake.put(attrs.evolve(row, is_refunded=True))
    found = api.message(row.id)
    assert (found["is_refunded"], found["cost"]) == (True, "15.000000")
