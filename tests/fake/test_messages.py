"""Sending, listing and retrieving messages through the fake."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import attrs
import pytest

from ziett_async._clock import ManualClock
from ziett_async._wire import Response
from ziett_async.testing import Delivery, Dialect, FakeZiett

Ask = Callable[..., Response]
Body = Callable[..., dict[str, object]]

#: Documented messages of `fields`, verbatim.
INVALID_NUMBER = "Must be a valid E.164 formatted phone number (e.g., +244990090990)."
INVALID_CHANNEL = "Accepted values are: SMS, WHATSAPP."
REQUIRED = "This field is required and cannot be empty."

START = datetime.fromisoformat("2025-07-14T10:30:00+00:00")


def fields(response: Response) -> dict[str, str]:
    """Return the invalid fields of a 422."""
    document = json.loads(response.body)
    assert (response.status, document["code"]) == (422, "VALIDATION_ERROR")
    return dict(document["fields"])


def test_a_send_is_accepted_with_an_id(ask: Ask, message: Body) -> None:
    """202 with an id of version 7 for the current time, and the message is stored."""
    fake = FakeZiett()
    response = ask(fake, "POST", "/messages", message(), key="order-1")
    (record,) = fake.messages
    assert response.status == 202
    assert json.loads(response.body) == {"message_id": str(record.id)}
    assert (record.id.version, record.id.variant) == (7, "specified in RFC 4122")
    assert record.id.int >> 80 == int(START.timestamp() * 1000)
    assert (record.target_e164, record.status, record.created_at) == (
        "+244923456789",
        "PENDING",
        START,
    )
    assert (record.idempotency_key, record.channel_destination) == ("order-1", "UNITEL")


def test_all_invalid_fields_are_reported_at_once(ask: Ask, message: Body) -> None:
    """A 422 maps the path of each invalid field to its message."""
    body = message(
        remitter_id="x",
        channel_type="WHATSAPP",
        target_e164="923456789",
        content="x" * 1601,
        save_contact={"email": "ana", "tags": ["ok", 3, ""]},
    )
    assert fields(ask(FakeZiett(), "POST", "/messages", body)) == {
        "remitter_id": "must be a UUID",
        "channel_type": INVALID_CHANNEL,
        "target_e164": INVALID_NUMBER,
        "content": "must have at most 1600 characters",
        "save_contact.name": REQUIRED,
        "save_contact.email": "must be a valid email address",
        "save_contact.tags.1": "must be a string",
        "save_contact.tags.2": "must not be empty",
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"content": ""}, REQUIRED),
        ({"content": None}, "must not be null"),
        ({"content": 7}, "must be a string"),
        ({"content": "\ud800"}, "must be valid Unicode"),
        ({"remitter_id": None}, "must not be null"),
        ({"remitter_id": 7}, "must be a UUID"),
        ({"channel_type": None}, "must not be null"),
        ({"channel_type": ["SMS"]}, INVALID_CHANNEL),
        ({"target_e164": "+0244"}, INVALID_NUMBER),
        ({"target_e164": ""}, REQUIRED),
        ({"save_contact": None}, "must be an object"),
        ({"save_contact": "Ana"}, "must be an object"),
    ],
)
def test_an_invalid_field_has_its_message(
    ask: Ask, message: Body, change: dict[str, object], problem: str
) -> None:
    """Wrong types, nulls and empty strings are refused, never coerced."""
    (name,) = change
    assert fields(ask(FakeZiett(), "POST", "/messages", message(**change))) == {name: problem}


def test_required_fields_are_required(ask: Ask) -> None:
    """An empty object is refused for all four."""
    assert fields(ask(FakeZiett(), "POST", "/messages", {})) == dict.fromkeys(
        ("remitter_id", "channel_type", "target_e164", "content"), REQUIRED
    )


@pytest.mark.parametrize("tags", [None, "Premium", {}])
def test_tags_are_an_array(ask: Ask, message: Body, tags: object) -> None:
    """A null, a single string or an object is refused."""
    body = message(save_contact={"name": "Ana", "tags": tags})
    assert "save_contact.tags" in fields(ask(FakeZiett(), "POST", "/messages", body))


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", REQUIRED),
        (b"{", "must be valid JSON"),
        (b'{"content": NaN}', "must be valid JSON"),
        (b"\xff\xfe\xff", "must be valid JSON"),
        ("{}".encode("utf-16"), "must be valid JSON"),
        (b"\xef\xbb\xbf{}", "must be valid JSON"),
        (b"[" * 100_000, "must be valid JSON"),
        (b"[]", "must be a JSON object"),
    ],
)
def test_a_body_that_is_not_an_object_is_a_422(ask: Ask, raw: bytes, problem: str) -> None:
    """Whatever its bytes are, the response is an error object."""
    assert fields(ask(FakeZiett(), "POST", "/messages", raw=raw)) == {"body": problem}


def test_an_oversized_body_is_a_413(ask: Ask) -> None:
    """One byte more than a megabyte is refused."""
    response = ask(FakeZiett(), "POST", "/messages", raw=b" " * (2**20 + 1))
    assert (response.status, json.loads(response.body)["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_is_declared_as_json(ask: Ask, message: Body) -> None:
    """Any other media type, or none, is a 415; parameters are ignored."""
    fake = FakeZiett()
    assert ask(fake, "POST", "/messages", message(), headers=()).status == 415
    typed = (("content-type", "application/json; charset=utf-8"),)
    assert ask(fake, "POST", "/messages", message(), headers=typed).status == 202


def test_a_dialect_can_accept_whatsapp_and_return_a_status(ask: Ask, message: Body) -> None:
    """Only an SMS is limited to 1600 characters."""
    fake = FakeZiett(dialect=Dialect(channels=("SMS", "WHATSAPP"), accepted_status=True))
    body = message(channel_type="WHATSAPP", content="x" * 2000)
    response = ask(fake, "POST", "/messages", body)
    assert json.loads(response.body)["status"] == "QUEUED"
    assert fake.messages[0].channel_type == "WHATSAPP"


def test_each_message_is_charged_until_the_balance_is_too_low(ask: Ask, message: Body) -> None:
    """The 402 is from billing and costs nothing; after a top-up messages are accepted again."""
    fake = FakeZiett(balance=40, price=15)
    assert [ask(fake, "POST", "/messages", message()).status for _ in range(3)] == [202, 202, 402]
    refused = json.loads(ask(fake, "POST", "/messages", message()).body)
    assert (refused["code"], refused["service"]) == ("BILLING_INSUFFICIENT_FUNDS", "billing")
    fake.top_up(Decimal(5))
    assert ask(fake, "POST", "/messages", message()).status == 202
    assert fake.balance == 0


def test_save_contact_creates_a_contact_and_then_updates_it(ask: Ask, message: Body) -> None:
    """The name is replaced, an omitted email address is kept, and tags are added."""
    fake = FakeZiett()
    first = {"name": "Ana", "email": "ana@example.ao", "tags": ["a", "b"]}
    ask(fake, "POST", "/messages", message(save_contact=first))
    made = fake.contacts["+244923456789"]
    assert made.created_at == made.updated_at == fake.messages[0].created_at
    ask(fake, "POST", "/messages", message(save_contact={"name": "Ana B", "tags": ["b", "c"]}))
    assert fake.contacts == {
        "+244923456789": attrs.evolve(
            made, name="Ana B", tags=("a", "b", "c"), updated_at=fake.messages[1].created_at
        )
    }
    ask(fake, "POST", "/messages", message())
    assert [record.contact_id for record in fake.messages] == [made.id] * 3


def test_a_message_changes_status_with_the_clock(ask: Ask, message: Body) -> None:
    """PENDING, SENT a second later, DELIVERED after its operator's delay."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    ask(fake, "POST", "/messages", message(target_e164="+244952000000"))
    seen: list[str] = []
    for _ in range(8):
        seen.append(fake.messages[0].status)
        clock.advance(1)
    assert seen == ["PENDING"] + ["SENT"] * 5 + ["DELIVERED"] * 2
    assert fake.messages[0].channel_destination == "AFRICELL_AO"
    assert fake.messages[0].updated_at == START + timedelta(seconds=6)


def test_the_seed_decides_the_final_statuses(ask: Ask, message: Body) -> None:
    """Equal seeds give equal ids and statuses, with about the configured shares."""

    def run(seed: int) -> list[tuple[UUID, str, str | None]]:
        clock = ManualClock()
        delivery = Delivery(failed=0.25, undelivered=0.25)
        fake = FakeZiett(clock=clock, seed=seed, limits={}, delivery=delivery)
        for _ in range(200):
            ask(fake, "POST", "/messages", message())
        clock.advance(60)
        return [(row.id, row.status, row.error_code) for row in fake.messages]

    ends = [(status, error) for _, status, error in run(1)]
    assert run(1) == run(1) != run(2)
    assert 35 < ends.count(("FAILED", "PROVIDER_REJECTED")) < 65
    assert 35 < ends.count(("UNDELIVERED", "HANDSET_UNREACHABLE")) < 65
    assert ends.count(("DELIVERED", None)) > 80


def test_an_operator_can_have_its_own_delay(ask: Ask, message: Body) -> None:
    """An operator without one has the delay of `OTHER`."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, delivery=Delivery(sent_after=0.0, final_after={"UNITEL": 1.0}))
    ask(fake, "POST", "/messages", message())
    ask(fake, "POST", "/messages", message(target_e164="+351912345678"))
    clock.advance(2)
    assert [row.status for row in fake.messages] == ["DELIVERED", "SENT"]
    clock.advance(8)
    assert fake.messages[1].status == "DELIVERED"


def test_without_delivery_no_status_changes_by_itself(ask: Ask, message: Body, batch: Body) -> None:
    """A test then sets it with `deliver`."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, delivery=None)
    ask(fake, "POST", "/messages", message())
    ask(fake, "POST", "/campaigns/batch", batch())
    clock.advance(3600)
    assert {record.status for record in fake.messages} == {"PENDING"}
    assert fake.campaigns[0].status == "PROCESSING"


def test_a_message_delivered_by_hand_stays_as_it_is(ask: Ask, message: Body) -> None:
    """`deliver` sets status, error code and time, and cancels the steps to come."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    ask(fake, "POST", "/messages", message())
    clock.advance(0.5)
    record = fake.deliver(str(fake.messages[0].id), "FAILED", "NO_ROUTE")
    clock.advance(60)
    assert list(fake.messages) == [record]
    assert (record.status, record.error_code) == ("FAILED", "NO_ROUTE")
    assert record.updated_at == START + timedelta(seconds=0.5)


def test_a_list_entry_has_the_documented_fields(ask: Ask, message: Body) -> None:
    """It has twelve, as on the page."""
    fake = FakeZiett()
    ask(fake, "POST", "/messages", message())
    record = fake.messages[0]
    assert json.loads(ask(fake, "GET", "/messages").body) == {
        "entries": [
            {
                "id": str(record.id),
                "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
                "campaign_id": None,
                "contact_id": None,
                "channel_type": "SMS",
                "channel_destination": "UNITEL",
                "target_e164": "+244923456789",
                "content": "Your code is 482910.",
                "status": "PENDING",
                "error_code": None,
                "created_at": "2025-07-14T10:30:00.000000+00:00",
                "updated_at": "2025-07-14T10:30:00.000000+00:00",
            }
        ],
        "total": 1,
        "page": 1,
        "size": 30,
        "pages": 1,
    }


def test_an_entry_can_have_the_shape_of_the_conventions_page(ask: Ask) -> None:
    """With `to`, `body`, a lower-case status, and timestamps that end in `Z`."""
    fake = FakeZiett(dialect=Dialect(list_entry="conventions", timestamps="z"))
    fake.add_message(created_at=START)
    (entry,) = json.loads(ask(fake, "GET", "/messages").body)["entries"]
    assert (entry["to"], entry["body"], entry["status"]) == ("+244923000000", "Hello", "delivered")
    assert entry["created_at"] == "2025-07-14T10:30:00.000000Z"
    assert not {"target_e164", "content"} & set(entry)


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
    ask: Ask, message: Body, batch: Body, content: str, channel: str, cost: int
) -> None:
    """Each part of an SMS is charged, in a campaign for each recipient."""
    dialect = Dialect(channels=("SMS", "WHATSAPP"))
    fake = FakeZiett(price=3, price_per_part=True, balance=100, dialect=dialect)
    ask(fake, "POST", "/messages", message(content=content, channel_type=channel))
    assert (fake.messages[0].cost, fake.balance) == (Decimal(cost), Decimal(100 - cost))
    if channel == "SMS":
        assert ask(fake, "POST", "/campaigns/batch", batch(content=content)).status == 202
        assert {row.cost for row in fake.messages} == {Decimal(cost)}
        assert fake.balance == 100 - 4 * cost
        fake.top_up(4 * cost - 100 + cost - 1)
        assert ask(fake, "POST", "/messages", message(content=content)).status == 402
    flat = FakeZiett(price=3)
    ask(flat, "POST", "/messages", message(content="ã" * 200))
    assert flat.messages[0].cost == 3


def test_the_documentations_own_number_is_at_unitel(ask: Ask, message: Body) -> None:
    """Numbers next to it are not."""
    fake = FakeZiett()
    for number in ("+244990090990", "+244990090991"):
        ask(fake, "POST", "/messages", message(target_e164=number))
    assert [row.channel_destination for row in fake.messages] == ["UNITEL", "OTHER"]


def test_an_unknown_message_is_a_404_and_a_malformed_id_a_422(ask: Ask) -> None:
    """The code of the 404 can be set independently of the other switches."""
    fake = FakeZiett(dialect=Dialect(not_found="RESOURCE_NOT_FOUND"))
    missing = ask(fake, "GET", f"/messages/{UUID(int=1)}")
    assert (missing.status, json.loads(missing.body)["code"]) == (404, "RESOURCE_NOT_FOUND")
    assert fields(ask(fake, "GET", "/messages/%7Bx%7D")) == {"message_id": "must be a UUID"}
