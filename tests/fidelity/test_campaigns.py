"""The contract's section 8 over the wire: one text to many, and what became of it."""

from decimal import Decimal

import attrs
import pytest

from tests.fidelity.conftest import WireTo
from tests.fidelity.test_messages import WRONG_QUERIES, ids
from tests.support.description import SCHEMAS, fields_of
from tests.support.http import UNKNOWN_ID, Json, Wire, batch, read
from tests.support.samples import REMITTER

#: A body's fields that are wrong, and the field that the answer blames.
WRONG: list[tuple[dict[str, object], str]] = [
    ({"remitter_id": None}, "remitter_id"),
    ({"remitter_id": "me"}, "remitter_id"),
    ({"content": None}, "content"),
    ({"content": ""}, "content"),
    ({"content": "x" * 10_001}, "content"),
    ({"channel_type": None}, "channel_type"),
    ({"channel_type": "WHATSAPP"}, "channel_type"),
    ({"recipients": None}, "recipients"),
    ({"recipients": "923456789,923456780"}, "recipients"),
    ({"recipients": ["923456789"]}, "recipients"),
    ({"recipients": ["923456789"] * 1001}, "recipients"),
    ({"recipients": ["923456789", "92345"]}, "recipients.1"),
    ({"recipients": ["923456789", "0000000"]}, "recipients.1"),
    ({"recipients": ["923456789", "+244 12"]}, "recipients.1"),
    ({"recipients": ["923456789", "9" * 31]}, "recipients.1"),
    ({"recipients": ["923456789", "++923456789"]}, "recipients.1"),
    ({"recipients": ["923456789", "923456789\x00"]}, "recipients.1"),
    ({"recipients": [923456789, "923456789"]}, "recipients.0"),
    ({"name": ""}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"country_alpha2": "ao"}, "country_alpha2"),
    ({"country_alpha2": "AGO"}, "country_alpha2"),
]


def send(wire: Wire, **changes: object) -> str:
    """Send a campaign; return its id."""
    answer = wire.ask("send_batch_campaign", batch(**changes))
    assert answer.status == 202
    return str(answer.json["campaign_id"])


def found(wire: Wire, *query: tuple[str, object]) -> list[str]:
    """Return the ids of the campaigns that are listed."""
    return ids(wire.ask("list_campaigns", query=query).json)


def messages(wire: Wire, of: str, *query: tuple[str, object]) -> Json:
    """Return a page of a campaign's messages."""
    return wire.ask("list_campaign_messages", of=of, query=query).json


def test_a_campaign_is_accepted(wire: Wire) -> None:
    """The answer is a 202 with the id and some words."""
    answer = wire.ask("send_batch_campaign")
    assert (answer.status, set(answer.json)) == (202, {"message", "campaign_id"})


@pytest.mark.parametrize(
    "changes",
    [
        {"content": "x" * 10_000},
        {"recipients": ["923456789"] * 1000},
        {"recipients": ["+244 923-456.789", "+683 4002"]},
        {"recipients": ["991 12 34", "9234567"], "country_alpha2": "CV"},
        {"name": "x" * 200, "country_alpha2": "PT"},
    ],
)
def test_limits_are_inclusive(wire: Wire, changes: dict[str, object]) -> None:
    """The most and the least that are documented are accepted."""
    send(wire, **changes)


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_wrong_field_is_named(wire: Wire, changes: dict[str, object], field: str) -> None:
    """A 422 names it, or its place in the array, and nothing is sent."""
    answer = wire.ask("send_batch_campaign", batch(**changes))
    assert (answer.status, list(answer.json["fields"])) == (422, [field])
    assert not [*wire.fake.campaigns, *wire.fake.messages]


def test_a_campaign_is_paid_in_all(wire_to: WireTo) -> None:
    """A balance that pays for some of it sends none of it."""
    wire = wire_to(balance=29, price=15)
    assert wire.ask("send_batch_campaign").status == 402
    assert wire.fake.messages == []
    assert wire.fake.balance == Decimal(29)


def test_recipients_are_of_the_country(wire: Wire) -> None:
    """Numbers without a prefix are of the country that is named; others stay as they are."""
    of = send(wire, recipients=["912 345 678", "+244923456789"], country_alpha2="PT")
    numbers = [entry["target_e164"] for entry in messages(wire, of, ("order", "asc"))["entries"]]
    assert numbers == ["+351912345678", "+244923456789"]


def test_a_campaign_is_as_documented(wire: Wire) -> None:
    """Field by field, and no other field."""
    of = send(wire, name="Sunday")
    campaign = wire.ask("get_campaign", of=of).json
    assert set(campaign) == fields_of("Campaign")
    nothing = {"file_metadata_id", "scheduled_at", "error_code", "status_note"}
    assert {campaign[name] for name in nothing} == {None}
    assert (campaign["id"], campaign["name"], campaign["content"]) == (
        of,
        "Sunday",
        "Open on Sunday",
    )
    assert (campaign["total_estimated_recipients"], campaign["sms_remitter_id"]) == (2, REMITTER)


def test_a_campaign_moves_on(wire: Wire) -> None:
    """`PROCESSING`, `SENDING`, `COMPLETED`, and it says since when."""
    of = send(wire)
    seen = list[tuple[str, bool, bool]]()
    for seconds in (1, 5, 60):
        now = wire.ask("get_campaign", of=of).json
        seen.append((now["status"], bool(now["processed_at"]), bool(now["completed_at"])))
        wire.clock.advance(seconds)
    assert seen == [
        ("PROCESSING", False, False),
        ("SENDING", True, False),
        ("COMPLETED", True, True),
    ]


@pytest.mark.parametrize("status", SCHEMAS["CampaignStatus"]["enum"])
def test_a_campaign_may_have_every_status(wire: Wire, status: str) -> None:
    """And is listed by it."""
    of, other = send(wire), send(wire)
    for record in wire.fake.campaigns:
        is_it = str(record.id) == of
        wire.fake.put(attrs.evolve(record, status=status if is_it else "HELD"))
    assert wire.ask("get_campaign", of=of).json["status"] == status
    assert found(wire, ("status", status)) == [of]
    assert other not in found(wire, ("status", status), ("status", "DRAFT"))


def test_campaigns_are_listed(wire: Wire) -> None:
    """In the envelope of all lists, the newest first."""
    sent = [send(wire, name=name) for name in ("Sunday", "Monday", "Tuesday")]
    page = wire.ask("list_campaigns", query=[("size", 2)]).json
    assert {name: page[name] for name in ("total", "page", "size", "pages")} == {
        "total": 3,
        "page": 1,
        "size": 2,
        "pages": 2,
    }
    assert ids(page) == sent[:0:-1]
    assert found(wire, ("size", 2), ("page", 2)) == sent[:1]
    assert found(wire, ("order", "asc"), ("order_by", "updated_at")) == sent


def test_campaigns_are_filtered(wire: Wire) -> None:
    """By name, channel, tag, sender, error, source and moment."""
    first = send(wire, name="Sunday sale")
    wire.clock.advance(60)
    second = send(wire)
    failed = next(each for each in wire.fake.campaigns if str(each.id) == second)
    wire.fake.put(attrs.evolve(failed, error_code="NO_ROUTE", trigger_source="CUSTOMER_PORTAL"))
    assert found(wire, ("q", "sunday")) == [first]
    assert found(wire, ("channel_type", "SMS")) == [second, first]
    assert found(wire, ("channel_type", "WHATSAPP")) == found(wire, ("tag_id", UNKNOWN_ID)) == []
    assert found(wire, ("sms_remitter_id", REMITTER)) == [second, first]
    assert found(wire, ("error_code", "NO_ROUTE"), ("error_code", "X")) == [second]
    assert found(wire, ("trigger_source", "CUSTOMER_PORTAL")) == [second]
    moment = wire.fake.campaigns[0].created_at.isoformat()
    assert found(wire, ("created_at__le", moment), ("created_at__ge", moment)) == [first]


@pytest.mark.parametrize(("name", "value"), [*WRONG_QUERIES, ("status", "SENT"), ("tag_id", "x")])
def test_a_wrong_parameter_is_named(wire: Wire, name: str, value: str) -> None:
    """A 422 names it."""
    answer = wire.ask("list_campaigns", query=[(name, value)])
    assert (answer.status, list(answer.json["fields"])) == (422, [name])


@pytest.mark.parametrize(("name", "value"), [*WRONG_QUERIES, ("status", "DRAFT")])
def test_a_wrong_parameter_of_its_messages_is_named(wire: Wire, name: str, value: str) -> None:
    """As it is in the list of all messages."""
    answer = wire.ask("list_campaign_messages", of=send(wire), query=[(name, value)])
    assert (answer.status, list(answer.json["fields"])) == (422, [name])


@pytest.mark.parametrize("list_entry", ["site", "reference", "conventions"])
def test_a_campaign_has_its_messages(wire_to: WireTo, list_entry: str) -> None:
    """Its own and no others, in the envelope and the shape of the message list."""
    wire = wire_to(dialect=read(list_entry=list_entry))
    of, _, _ = send(wire), send(wire), wire.ask("send_message")
    page = messages(wire, of)
    assert (page["total"], {entry["campaign_id"] for entry in page["entries"]}) == (2, {of})
    assert page == wire.list(campaign_id=of)
    assert messages(wire, of, ("size", 1), ("page", 2))["pages"] == 2
    name = {"site": "target_e164", "reference": "e164_format", "conventions": "to"}[list_entry]
    number = page["entries"][0][name]
    assert ids(messages(wire, of, ("q", number))) == ids(page)[:1]


def test_a_message_refers_to_its_campaign(wire_to: WireTo) -> None:
    """By its id, and in the older reference by an object."""
    wire = wire_to(dialect=read(name="reference"))
    of = send(wire, name="Sunday")
    detail = wire.ask("get_message", of=ids(messages(wire, of))[0]).json
    assert (detail["campaign_id"], detail["campaign"]["id"]) == (of, of)
    assert detail["campaign"]["name"] == "Sunday"


@pytest.mark.parametrize("name", ["site", "reference", "conventions"])
def test_a_campaign_is_as_its_pages_print_it(wire_to: WireTo, name: str) -> None:
    """The older reference begins with the moments, and names the sender without its id."""
    wire = wire_to(dialect=read(name=name))
    campaign = wire.ask("get_campaign", of=send(wire)).json
    first, last = ["id", "name", "status"], ["data", "created_at", "updated_at"]
    sender: dict[str, str] = {"id": REMITTER, "name": "ZIETT"}
    if name == "reference":
        first, last = ["id", "updated_at", "created_at", "name", "status"], ["data"]
        del sender["id"]
    assert list(campaign)[: len(first)] == first
    assert list(campaign)[-len(last) :] == last
    assert campaign["sms_remitter"] == sender
    assert campaign["trigger_source"] == ("API_CLIENT" if name == "reference" else "API")
    assert [campaign] == wire.ask("list_campaigns").json["entries"]


@pytest.mark.parametrize("name", ["get_campaign", "list_campaign_messages"])
def test_an_unknown_id_is_a_404(wire: Wire, name: str) -> None:
    """A malformed one is a 422."""
    assert wire.ask(name).status == 404
    assert list(wire.ask(name, of="x").json["fields"]) == ["campaign_id"]
