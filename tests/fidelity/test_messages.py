"""The contract's sections 5 to 7 over the wire: send, list, retrieve."""

from datetime import timedelta
from decimal import Decimal

import attrs
import pytest

from tests.fidelity.conftest import WireTo
from tests.support.description import SCHEMAS, fields_of
from tests.support.http import UNKNOWN_ID, Json, Wire, message, read
from tests.support.samples import REMITTER
from ziett_async.testing import Delivery

ANA = {"name": "Ana", "email": "ana@example.ao", "tags": ["Premium"]}
#: A body's fields that are wrong, and the field that the answer blames.
WRONG: list[tuple[dict[str, object], str]] = [
    ({"remitter_id": None}, "remitter_id"),
    ({"remitter_id": "019b4b56"}, "remitter_id"),
    ({"remitter_id": 7}, "remitter_id"),
    ({"channel_type": None}, "channel_type"),
    ({"channel_type": "sms"}, "channel_type"),
    ({"channel_type": "EMAIL"}, "channel_type"),
    ({"channel_type": "WHATSAPP"}, "channel_type"),
    ({"target_e164": None}, "target_e164"),
    ({"target_e164": "244990090990"}, "target_e164"),
    ({"target_e164": "+0990090990"}, "target_e164"),
    ({"target_e164": "+2449900909901234"}, "target_e164"),
    ({"target_e164": "+12"}, "target_e164"),
    ({"target_e164": "+24412"}, "target_e164"),
    ({"target_e164": "+244 990 090 990"}, "target_e164"),
    ({"target_e164": "+244990090990\n"}, "target_e164"),
    ({"content": None}, "content"),
    ({"content": ""}, "content"),
    ({"content": "x" * 1601}, "content"),
    ({"content": 482910}, "content"),
    ({"save_contact": "Ana"}, "save_contact"),
    ({"save_contact": {}}, "save_contact.name"),
    ({"save_contact": {"name": 1}}, "save_contact.name"),
    ({"save_contact": {"name": "Ana", "email": "ana"}}, "save_contact.email"),
    ({"save_contact": {"name": "Ana", "email": "ana@\x07b.ao"}}, "save_contact.email"),
    ({"save_contact": {"name": "Ana", "tags": "Premium"}}, "save_contact.tags"),
    ({"save_contact": {"name": "Ana", "tags": [1]}}, "save_contact.tags.0"),
]
#: Queries that are wrong, of every list.
WRONG_QUERIES = [
    ("page", "0"),
    ("page", "-1"),
    ("page", "one"),
    ("page", ""),
    ("size", "0"),
    ("size", "201"),
    ("size", "1.5"),
    ("order", "DESC"),
    ("order_by", "id"),
    ("channel_type", "EMAIL"),
    ("sms_remitter_id", "x"),
    ("created_at__ge", "yesterday"),
    ("created_at__le", "1720952400"),
]


def ids(page: Json) -> list[str]:
    """Return the ids on a page."""
    return [entry["id"] for entry in page["entries"]]


def stock(wire: Wire, count: int = 5) -> list[str]:
    """Send so many messages, a minute apart; return their ids, the newest first."""
    sent = list[str]()
    for number in range(count):
        body = message(target_e164=f"+24499009099{number}", content=f"No. {number}")
        sent.insert(0, wire.ask("send_message", body).json["message_id"])
        wire.clock.advance(60)
    return sent


def test_a_message_is_accepted(wire: Wire) -> None:
    """The answer is a 202 with the id and nothing else; the balance pays for it."""
    answer = wire.ask("send_message")
    assert (answer.status, list(answer.json)) == (202, ["message_id"])
    [row] = wire.fake.messages
    assert (str(row.id), row.content) == (answer.json["message_id"], "Your code is 482910.")


def test_a_status_may_stand_beside_the_id(wire_to: WireTo) -> None:
    """`QUEUED` has been seen there."""
    wire = wire_to(dialect=read(accepted_status=True))
    assert wire.ask("send_message").json["status"] == "QUEUED"


def test_whatsapp_may_be_accepted(wire_to: WireTo) -> None:
    """The server's own words name it; its texts may be longer than an SMS."""
    wire = wire_to(dialect=read(channels=("SMS", "WHATSAPP")))
    body = message(channel_type="WHATSAPP", content="x" * 1601)
    assert wire.ask("send_message", body).status == 202
    assert wire.list(channel_type="WHATSAPP")["total"] == 1
    assert wire.list(channel_type="SMS")["total"] == 0


def test_1600_characters_are_accepted(wire: Wire) -> None:
    """Characters, not bytes."""
    assert wire.ask("send_message", message(content="ção" * 533 + "!")).status == 202


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_wrong_field_is_named(wire: Wire, changes: dict[str, object], field: str) -> None:
    """A 422 names it, nothing is sent and nothing charged."""
    balance = wire.fake.balance
    answer = wire.ask("send_message", message(**changes))
    assert (answer.status, list(answer.json["fields"])) == (422, [field])
    assert wire.fake.messages == []
    assert wire.fake.balance == balance


def test_optional_fields_are_not_null(wire: Wire) -> None:
    """An omitted one is left out: null is a 422."""
    body = {**message(), "save_contact": None}
    assert list(wire.ask("send_message", body).json["fields"]) == ["save_contact"]


def test_a_balance_below_the_cost_is_a_402(wire_to: WireTo) -> None:
    """What is on the account is sent, and not a message more."""
    wire = wire_to(balance=44, price=15)
    assert [wire.ask("send_message").status for _ in range(3)] == [202, 202, 402]
    assert wire.fake.balance == Decimal(14)


def test_the_recipient_is_saved(wire: Wire) -> None:
    """As a contact, made or renewed, which the message refers to; tags come to be."""
    first = wire.ask("send_message", message(save_contact=ANA)).json["message_id"]
    renewed = {"name": "Ana Maria", "tags": ["Gold"]}
    second = wire.ask("send_message", message(save_contact=renewed)).json["message_id"]
    contact = wire.ask("get_message", of=first).json["contact_id"]
    assert wire.ask("get_message", of=second).json["contact_id"] == contact
    assert ids(wire.list(contact_id=contact)) == [second, first]
    [saved] = wire.fake.contacts.values()
    assert (saved.name, saved.email, saved.tags) == (
        "Ana Maria",
        "ana@example.ao",
        ("Premium", "Gold"),
    )


def test_an_empty_list_has_no_pages(wire: Wire) -> None:
    """The envelope has five fields, and the documented defaults."""
    assert wire.list() == {"entries": [], "total": 0, "page": 1, "size": 30, "pages": 0}


def test_pages_are_counted(wire: Wire) -> None:
    """Each has `size` entries but the last, and after the last there is nothing."""
    sent = stock(wire)
    pages = [wire.list(size=2, page=page) for page in (1, 2, 3, 4)]
    assert [ids(page) for page in pages] == [sent[:2], sent[2:4], sent[4:], []]
    assert {(page["total"], page["size"], page["pages"]) for page in pages} == {(5, 2, 3)}


def test_pages_are_offsets_into_live_data(wire: Wire) -> None:
    """A row that arrives between two pages shifts the second: one entry comes twice."""
    sent = stock(wire, 4)
    first = wire.list(size=2, page=1)
    stock(wire, 1)
    assert ids(first) == sent[:2]
    assert ids(wire.list(size=2, page=2)) == sent[1:3]


def test_a_page_has_at_most_200(wire: Wire) -> None:
    """And a list of more goes on."""
    for _ in range(201):
        wire.fake.add_message()
    assert len(ids(wire.list(size=200))) == 200
    assert len(ids(wire.list(size=200, page=2))) == 1


@pytest.mark.parametrize(
    ("name", "value"), [*WRONG_QUERIES, ("status", "EXPIRED"), ("status", "Sent"), ("q", "")]
)
def test_a_wrong_parameter_is_named(wire: Wire, name: str, value: str) -> None:
    """A 422 names it; a search for nothing is none."""
    answer = wire.ask("list_messages", query=[(name, value)])
    if name == "q":
        assert answer.status == 200
    else:
        assert (answer.status, list(answer.json["fields"])) == (422, [name])


def test_a_list_is_ordered(wire: Wire) -> None:
    """By creation or by last change, the newest first unless asked otherwise."""
    sent = stock(wire)
    oldest = sent[-1]
    wire.fake.deliver(oldest, "FAILED", "EXPIRED")
    assert ids(wire.list()) == ids(wire.list(order="desc", order_by="created_at")) == sent
    assert ids(wire.list(order="asc")) == sent[::-1]
    assert ids(wire.list(order_by="updated_at"))[0] == oldest


def test_a_list_is_searched(wire: Wire) -> None:
    """By part of the number or by the whole of an id."""
    sent = stock(wire)
    assert ids(wire.list(q="0990903")) == []
    assert ids(wire.list(q="+244990090993")) == [sent[1]]
    assert ids(wire.list(q="090992")) == [sent[2]]
    assert ids(wire.list(q=sent[1])) == [sent[1]]
    assert ids(wire.list(q=sent[1][:-1])) == []


def test_a_list_is_filtered(wire: Wire) -> None:
    """By status, several of which repeat the parameter, by sender, campaign and contact."""
    sent = stock(wire)
    wire.fake.deliver(sent[0], "FAILED", "HANDSET_OFF")
    wire.fake.deliver(sent[1], "SENT")
    assert ids(wire.list(status="FAILED")) == sent[:1]
    assert ids(wire.list(status=("SENT", "FAILED"))) == sent[:2]
    assert ids(wire.list(status="DELIVERED", channel_type=("SMS", "WHATSAPP"))) == sent[2:]
    assert ids(wire.list(sms_remitter_id=(UNKNOWN_ID, REMITTER))) == sent
    for name in ("contact_id", "campaign_id", "sms_remitter_id", "remitter_id"):
        assert ids(wire.list(**{name: UNKNOWN_ID})) == []


def test_a_list_is_filtered_as_the_wider_reference_has_it(wire: Wire) -> None:
    """By source, operator and sender; statuses in lower case; an empty filter is none."""
    sent = stock(wire)
    wire.fake.deliver(sent[0], "FAILED", "HANDSET_OFF")
    assert ids(wire.list(status=("failed", "sent"))) == sent[:1]
    assert ids(wire.list(trigger_source="API")) == ids(wire.list(remitter_id=REMITTER)) == sent
    assert ids(wire.list(trigger_source="CUSTOMER_PORTAL")) == []
    assert ids(wire.list(channel_destination="UNITEL")) == sent[-1:]
    names = "q status channel_type trigger_source channel_destination contact_id campaign_id"
    bounds = "sms_remitter_id remitter_id created_at__ge created_at__le"
    assert ids(wire.list(**dict.fromkeys(f"{names} {bounds}".split(), ""))) == sent


def test_bounds_are_inclusive(wire: Wire) -> None:
    """Both ends belong to it, to the microsecond, whatever the offset they are written in."""
    sent = stock(wire)
    moments = [row.created_at for row in reversed(wire.fake.messages)]
    assert ids(wire.list(created_at__ge=moments[2].isoformat())) == sent[:3]
    assert ids(wire.list(created_at__le=moments[2].isoformat())) == sent[2:]
    later = moments[2] + timedelta(microseconds=1)
    assert ids(wire.list(created_at__ge=later.isoformat())) == sent[:2]
    assert ids(wire.list(created_at__ge="2025-07-14T11:32:00+01:00")) == sent[:3]
    assert ids(wire.list(created_at__ge="2025-07-14T10:32:00Z")) == sent[:3]


def test_an_entry_is_as_documented(wire: Wire) -> None:
    """Field by field, and no other field."""
    [of] = stock(wire, 1)
    [entry] = wire.list()["entries"]
    assert set(entry) == fields_of("ListedMessage")
    assert entry == {
        "id": of,
        "remitter_id": REMITTER,
        "campaign_id": None,
        "contact_id": None,
        "channel_type": "SMS",
        "channel_destination": "UNITEL",
        "target_e164": "+244990090990",
        "content": "No. 0",
        "status": "DELIVERED",
        "error_code": None,
        "created_at": "2025-07-14T10:30:00.000000+00:00",
        "updated_at": "2025-07-14T10:30:04.000000+00:00",
    }


def test_an_entry_may_be_as_the_conventions_page_has_it(wire_to: WireTo) -> None:
    """`to` for the number, `body` for the content, the status in lower case."""
    wire = wire_to(dialect=read(list_entry="conventions"))
    stock(wire, 1)
    [entry] = wire.list()["entries"]
    assert set(entry) == fields_of("ConventionsMessage")
    assert (entry["to"], entry["body"], entry["status"]) == ("+244990090990", "No. 0", "delivered")


def test_operators_are_named(wire: Wire) -> None:
    """`UNITEL` and `AFRICELL_AO` are where their numbers are."""
    for number in ("+244923456789", "+244950000000"):
        wire.ask("send_message", message(target_e164=number))
    found = [entry["channel_destination"] for entry in wire.list()["entries"]]
    assert found == ["AFRICELL_AO", "UNITEL"]


def test_a_message_is_as_documented(wire: Wire) -> None:
    """It is the entry with more, number and sender under other names."""
    [of] = stock(wire, 1)
    [entry], found = wire.list()["entries"], wire.ask("get_message", of=of).json
    assert set(found) == fields_of("Message") - {"provider_id", "contact", "campaign"}
    assert found["e164_format"] == entry.pop("target_e164") == "+244990090990"
    assert found["sms_remitter_id"] == entry.pop("remitter_id") == REMITTER
    assert entry.items() <= found.items()
    assert (found["cost"], found["is_refunded"]) == ("15.000000", False)
    assert (found["trigger_source"], found["sms_remitter"]["id"]) == ("API", REMITTER)
    assert (found["provider_name"], found["external_id"]) == ("UNITEL_DIRECT", None)


def test_a_message_may_be_as_the_wider_reference_has_it(wire_to: WireTo) -> None:
    """With `provider_id`, `contact` and `campaign`; a list has the same entry."""
    wire = wire_to(dialect=read(name="reference"))
    [of] = stock(wire, 1)
    found = wire.ask("get_message", of=of).json
    assert set(found) == fields_of("Message") - {"provider_name"}
    assert (found["e164_format"], found["sms_remitter_id"]) == ("+244990090990", REMITTER)
    assert wire.list()["entries"] == [found]


def test_a_message_refers_to_its_contact(wire_to: WireTo) -> None:
    """By its id, and in the older reference by an object."""
    wire = wire_to(dialect=read(name="reference"))
    of = wire.ask("send_message", message(save_contact=ANA)).json["message_id"]
    found = wire.ask("get_message", of=of).json
    assert found["contact"]["id"] == found["contact_id"]
    assert (found["contact"]["name"], found["contact"]["email"]) == ("Ana", "ana@example.ao")


@pytest.mark.parametrize("of", ["x", REMITTER[:-1], REMITTER.replace("-", ""), "%00", "a%2Fb"])
def test_a_malformed_id_is_a_422(wire: Wire, of: str) -> None:
    """That names it; an unknown one is a 404."""
    assert list(wire.ask("get_message", of=of).json["fields"]) == ["message_id"]
    assert wire.ask("get_message", of=UNKNOWN_ID).status == 404


def test_an_id_has_no_case(wire: Wire) -> None:
    """In capitals it is the same id."""
    [of] = stock(wire, 1)
    assert wire.ask("get_message", of=of.upper()).json["id"] == of


def test_a_message_is_on_its_way_and_arrives(wire: Wire) -> None:
    """`PENDING`, `SENT`, `DELIVERED`, and its last change moves with them."""
    of = wire.ask("send_message", message(target_e164="+244923456789")).json["message_id"]
    seen = list[tuple[str, str]]()
    for _ in range(6):
        found = wire.ask("get_message", of=of).json
        seen.append((found["status"], found["updated_at"][17:19]))
        wire.clock.advance(1)
    sent = [("SENT", "01")] * 3
    assert seen == [("PENDING", "00"), *sent, ("DELIVERED", "04"), ("DELIVERED", "04")]


@pytest.mark.parametrize(
    ("delivery", "status", "code"),
    [
        (Delivery(failed=1.0), "FAILED", "PROVIDER_REJECTED"),
        (Delivery(undelivered=1.0), "UNDELIVERED", "HANDSET_UNREACHABLE"),
    ],
)
def test_a_message_may_not_arrive(
    wire_to: WireTo, delivery: Delivery, status: str, code: str
) -> None:
    """Then it says why."""
    wire = wire_to(delivery=delivery)
    of = wire.ask("send_message").json["message_id"]
    wire.clock.advance(60)
    found = wire.ask("get_message", of=of).json
    assert (found["status"], found["error_code"]) == (status, code)


@pytest.mark.parametrize("status", SCHEMAS["MessageStatus"]["enum"])
def test_a_message_may_have_every_status(wire: Wire, status: str) -> None:
    """Retrieving one knows three more than the list does."""
    row = wire.fake.add_message(status=status)
    assert wire.ask("get_message", of=str(row.id)).json["status"] == status


def test_a_message_may_be_refunded(wire: Wire) -> None:
    """Its cost stays what it was."""
    row = wire.fake.add_message(status="FAILED")
    wire.fake.put(attrs.evolve(row, is_refunded=True))
    found = wire.ask("get_message", of=str(row.id)).json
    assert (found["is_refunded"], found["cost"]) == (True, "15.000000")


@pytest.mark.parametrize("retrieve", ["site", "reference"])
@pytest.mark.parametrize("list_entry", ["site", "reference", "conventions"])
def test_readings_are_mixed(wire_to: WireTo, retrieve: str, list_entry: str) -> None:
    """List and retrieve may each follow another page, and still speak of one message."""
    wire = wire_to(dialect=read(retrieve=retrieve, list_entry=list_entry))
    [of] = stock(wire, 1)
    assert ids(wire.list()) == [wire.ask("get_message", of=of).json["id"]] == [of]
