"""Messages through a client: sent, read back, listed, iterated, over memory and socket."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

from tests.support.samples import CONTENT, NUMBER, OTHER_ID, REMITTER
from tests.support.services import START, Service
from ziett_async import (
    AsyncZiett,
    ChannelType,
    ConflictError,
    InsufficientFundsError,
    InvalidRequest,
    InvalidResponse,
    Message,
    MessageStatus,
    NotFoundError,
    Order,
    OrderBy,
    RecipientNotAllowed,
    SaveContact,
    Sender,
    TriggerSource,
    ValidationError,
)
from ziett_async.testing import Dialect, FakeZiett, Fault, Idempotency, MessageRecord

pytestmark = pytest.mark.anyio

Serve = Callable[..., Service]

OTHER_REMITTER = OTHER_ID


async def test_a_message_is_accepted(service: Service, client: AsyncZiett) -> None:
    """What is given arrives, and the answer names the message and its key."""
    accepted = await client.send_message(
        remitter_id=OTHER_REMITTER, target_e164=NUMBER, content=CONTENT
    )
    (row,) = service.fake.messages
    assert accepted.message_id == row.id
    assert accepted.idempotency_key == row.idempotency_key
    assert (row.remitter_id, row.target_e164) == (UUID(OTHER_REMITTER), NUMBER)
    assert (row.content, row.channel_type) == (CONTENT, "SMS")


async def test_a_content_arrives_as_it_is(service: Service, client: AsyncZiett) -> None:
    """Accents, emoji, quotes and line ends are the same characters on the other side."""
    content = 'Olá "Ana"\r\n\tàéîõü \\ €uro 👋🏾 \u2028 </script>'
    await client.send_message(NUMBER, content=content)
    assert service.fake.messages[0].content == content


async def test_the_longest_sms_has_1600_characters(service: Service, client: AsyncZiett) -> None:
    """Characters, not bytes; one more is refused before anything is sent."""
    await client.send_message(NUMBER, content="ã" * 1600)
    with pytest.raises(InvalidRequest) as caught:
        await client.send_message(NUMBER, content="ã" * 1601)
    assert caught.value.fields == {"content": "must have at most 1600 characters, got 1601"}
    assert len(service.fake.requests) == 1


@pytest.mark.parametrize(
    "contact",
    [
        SaveContact(name="Ana", email="ana@example.ao", tags=["Premium", "Luanda"]),
        {"name": "Ana", "email": "ana@example.ao", "tags": ("Premium", "Luanda")},
    ],
)
async def test_a_contact_is_saved(
    service: Service, client: AsyncZiett, contact: SaveContact | Mapping[str, object]
) -> None:
    """As an object or as a mapping, with name, address and tags."""
    await client.send_message(NUMBER, content=CONTENT, save_contact=contact)
    saved = service.fake.contacts[NUMBER]
    assert (saved.name, saved.email) == ("Ana", "ana@example.ao")
    assert saved.tags == ("Premium", "Luanda")


@pytest.mark.parametrize(
    "contact", [SaveContact("Ana"), {"name": "Ana"}, {"name": "Ana", "email": None, "tags": None}]
)
async def test_what_a_contact_lacks_is_left_out(
    service: Service, client: AsyncZiett, contact: SaveContact | Mapping[str, object]
) -> None:
    """A null is refused by the server, so it is accepted only if nothing is sent instead."""
    await client.send_message(NUMBER, content=CONTENT, save_contact=contact)
    assert service.fake.contacts[NUMBER].email is None


@pytest.mark.parametrize("remitter", [OTHER_REMITTER, UUID(OTHER_REMITTER), OTHER_REMITTER.upper()])
async def test_the_sender_of_a_call_wins(
    service: Service, client: AsyncZiett, remitter: UUID | str
) -> None:
    """The client's own is for calls that say nothing; ids are a UUID or its string."""
    await client.send_message(NUMBER, content=CONTENT, remitter_id=remitter)
    await client.send_message(NUMBER, content=CONTENT)
    found = [row.remitter_id for row in service.fake.messages]
    assert found == [UUID(OTHER_REMITTER), UUID(REMITTER)]


async def test_the_sender_may_come_from_the_environment(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ZIETT_REMITTER_ID` is the sender of a client that was given none."""
    monkeypatch.setenv("ZIETT_REMITTER_ID", OTHER_REMITTER)
    async with service.client(default_remitter_id=None) as client:
        await client.send_message(NUMBER, content=CONTENT)
    assert service.fake.messages[0].remitter_id == UUID(OTHER_REMITTER)


async def test_a_send_without_any_sender_is_refused(service: Service) -> None:
    """Before anything is sent, and saying where one may be given."""
    async with service.client(default_remitter_id=None) as client:
        with pytest.raises(InvalidRequest, match="ZIETT_REMITTER_ID") as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert list(caught.value.fields) == ["remitter_id"]
    assert service.fake.requests == []


@pytest.mark.parametrize(
    "written",
    ["923 456 789", "0923456789", "244923456789", "00244 923-456-789", "+244 (923) 456.789"],
)
async def test_local_numbers_need_a_country(service: Service, written: str) -> None:
    """With a default country every usual way of writing a number arrives as E.164."""
    async with service.client(default_country="AO") as client:
        await client.send_message(written, content=CONTENT)
    assert [row.target_e164 for row in service.fake.messages] == [NUMBER]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("07911 123456", "+447911123456"),
        ("+44 (0)7911 123456", "+447911123456"),
        ("00244 923 456 789", NUMBER),
    ],
)
async def test_any_country_may_be_the_default(service: Service, written: str, number: str) -> None:
    """With the extra `[phone]`; its local numbers are read as the library reads them."""
    async with service.client(default_country="GB", allowed_recipients=[written]) as client:
        await client.send_message(written, content=CONTENT)
    assert [row.target_e164 for row in service.fake.messages] == [number]


@pytest.mark.parametrize("written", ["923 456 789", "244923456789", "+0923456789", "+244 x"])
async def test_without_a_country_only_e164_is_a_number(
    service: Service, client: AsyncZiett, written: str
) -> None:
    """Nothing is guessed, and the refusal does not repeat the number."""
    with pytest.raises(InvalidRequest) as caught:
        await client.send_message(written, content=CONTENT)
    assert list(caught.value.fields) == ["target_e164"]
    assert written not in str(caught.value)
    assert service.fake.requests == []


async def test_an_allow_list_lets_its_numbers_through(service: Service) -> None:
    """However they are written, in the list or in the call."""
    allowed = {"923 456 789"}
    async with service.client(default_country="AO", allowed_recipients=allowed) as client:
        await client.send_message("+244923456789", content=CONTENT)
        await client.send_message("0923456789", content=CONTENT)
    assert len(service.fake.inbox(NUMBER)) == 2


@pytest.mark.parametrize("allowed", [[], ["+244911000000"]])
async def test_an_allow_list_lets_no_other_number_through(
    service: Service, allowed: list[str]
) -> None:
    """A staging system cannot text customers; the refusal counts them and names none."""
    async with service.client(allowed_recipients=allowed) as client:
        with pytest.raises(RecipientNotAllowed) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert (caught.value.operation, caught.value.refused) == ("send_message", 1)
    assert NUMBER not in str(caught.value)
    assert service.fake.requests == []


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"content": ""}, ["content"]),
        ({"content": 7}, ["content"]),
        ({"content": None}, ["content"]),
        ({"content": "\ud83d"}, ["content"]),
        ({"target_e164": ""}, ["target_e164"]),
        ({"target_e164": 244923456789}, ["target_e164"]),
        ({"target_e164": "+244923456789\n"}, ["target_e164"]),
        ({"target_e164": "+٢٤٤٩٢٣٤٥٦٧٨٩"}, ["target_e164"]),
        ({"remitter_id": "ZIETT"}, ["remitter_id"]),
        ({"remitter_id": 7}, ["remitter_id"]),
        ({"channel_type": "PIGEON"}, ["channel_type"]),
        ({"channel_type": 7}, ["channel_type"]),
        ({"save_contact": {}}, ["save_contact.name"]),
        ({"save_contact": SaveContact("")}, ["save_contact.name"]),
        ({"save_contact": SaveContact("Ana", email="ana")}, ["save_contact.email"]),
        ({"save_contact": SaveContact("Ana", email="a@b")}, ["save_contact.email"]),
        ({"save_contact": {"name": "Ana", "tags": ["ok", ""]}}, ["save_contact.tags"]),
        ({"idempotency_key": ""}, ["idempotency_key"]),
        ({"idempotency_key": "a b"}, ["idempotency_key"]),
        ({"idempotency_key": "a\r\nX-API-KEY: b"}, ["idempotency_key"]),
        ({"idempotency_key": "chave-única"}, ["idempotency_key"]),
        ({"idempotency_key": "x" * 256}, ["idempotency_key"]),
        ({"timeout": 0}, ["timeout"]),
        ({"timeout": float("nan")}, ["timeout"]),
        ({"timeout": "5"}, ["timeout"]),
        (
            {"target_e164": "923", "content": "", "remitter_id": "x", "channel_type": "X"},
            ["channel_type", "content", "remitter_id", "target_e164"],
        ),
    ],
)
async def test_what_the_server_would_refuse_is_refused_here(
    service: Service, client: AsyncZiett, given: dict[str, Any], refused: list[str]
) -> None:
    """Every bad argument is named at once, as a ValueError, and nothing is sent."""
    arguments: dict[str, Any] = {"target_e164": NUMBER, "content": CONTENT, **given}
    with pytest.raises(InvalidRequest) as caught:
        await client.send_message(**arguments)
    assert isinstance(caught.value, ValueError)
    assert sorted(caught.value.fields) == refused
    assert service.fake.requests == []


async def test_whatsapp_is_a_question_for_the_server(service: Service, client: AsyncZiett) -> None:
    """The API documents the channel; the server's 422 shows whether it is open yet."""
    with pytest.raises(ValidationError) as caught:
        await client.send_message(NUMBER, content=CONTENT, channel_type=ChannelType.WHATSAPP)
    assert list(caught.value.fields) == ["channel_type"]
    assert len(service.fake.requests) == 1


@pytest.mark.parametrize(
    "key", ["order-7/2025-07-14", UUID("019b4b56-e704-7c30-83a0-527df63c3e07")]
)
async def test_a_key_that_comes_again_sends_nothing_again(
    service: Service, client: AsyncZiett, key: UUID | str
) -> None:
    """The same key is answered for the same message, from another client too."""
    first = await client.send_message(NUMBER, content=CONTENT, idempotency_key=key)
    async with service.client() as other:
        again = await other.send_message(NUMBER, content=CONTENT, idempotency_key=key)
    assert first.message_id == again.message_id
    assert first.idempotency_key == again.idempotency_key == str(key)
    assert len(service.fake.messages) == 1


async def test_calls_without_a_key_are_two_messages(service: Service, client: AsyncZiett) -> None:
    """Each call is one logical send, with a key of its own."""
    first = await client.send_message(NUMBER, content=CONTENT)
    second = await client.send_message(NUMBER, content=CONTENT)
    assert first.message_id != second.message_id
    assert first.idempotency_key != second.idempotency_key
    assert len(service.fake.messages) == 2


@pytest.mark.parametrize(("reused", "kind"), [(409, ConflictError), (422, ValidationError)])
async def test_a_key_is_for_one_payload(serve: Serve, reused: int, kind: type[Exception]) -> None:
    """With another text it is refused, at once, and the text is not sent."""
    service = serve(idempotency=Idempotency(reused=reused))
    async with service.client() as client:
        await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
        with pytest.raises(kind):
            await client.send_message(NUMBER, content="Another", idempotency_key="order-7")
    assert len(service.fake.messages) == 1
    assert len(service.fake.requests) == 2


async def test_a_day_later_a_key_is_new(service: Service, client: AsyncZiett) -> None:
    """The server remembers it for 24 hours."""
    first = await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
    service.clock.advance(24 * 3600)
    later = await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
    assert first.message_id != later.message_id


async def test_an_empty_account_sends_nothing(serve: Serve) -> None:
    """A 402 is an error of its own, from the billing service, and is not repeated."""
    service = serve(balance=14)
    async with service.client() as client:
        with pytest.raises(InsufficientFundsError) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert (caught.value.code, caught.value.service) == ("BILLING_INSUFFICIENT_FUNDS", "billing")
    assert (len(service.fake.requests), service.fake.messages) == (1, [])


async def sent(service: Service, client: AsyncZiett) -> MessageRecord:
    """Send a message with a contact and let it be delivered."""
    await client.send_message(NUMBER, content=CONTENT, save_contact=SaveContact("Ana"))
    service.clock.advance(60)
    return service.fake.messages[0]


@pytest.mark.parametrize("name", ["site", "reference", "conventions"])
async def test_a_message_is_read_back(serve: Serve, name: Any) -> None:  # noqa: ANN401
    """With every documented field under one name, whichever page the server follows."""
    service, is_older = serve(Dialect(name=name)), name == "reference"
    async with service.client() as client:
        row = await sent(service, client)
        message = await client.get_message(row.id)
    fields = attrs.asdict(message, recurse=False)
    organization_id = fields.pop("organization_id")
    assert isinstance(organization_id, UUID)
    assert isinstance(fields.pop("billing_account_id"), UUID)
    provider = [fields.pop("provider_name"), fields.pop("provider_id")]
    assert provider == ([None, "UNITEL_DIRECT"] if is_older else ["UNITEL_DIRECT", None])
    assert fields.pop("extra") == {}
    moment = service.fake.dialect.format_timestamp(START)
    contact = {
        "id": str(row.contact_id),
        "updated_at": moment,
        "created_at": moment,
        "name": "Ana",
        "email": None,
        "e164_format": NUMBER,
        "organization_id": str(organization_id),
    }
    assert fields == {
        "id": row.id,
        "remitter_id": UUID(REMITTER),
        "channel_type": ChannelType.SMS,
        "target_e164": NUMBER,
        "content": CONTENT,
        "status": MessageStatus.DELIVERED,
        "created_at": START,
        "updated_at": START + timedelta(seconds=4),
        "channel_destination": "UNITEL",
        "campaign_id": None,
        "contact_id": row.contact_id,
        "error_code": None,
        "external_id": None,
        "sms_remitter": Sender(None if is_older else UUID(REMITTER), "ZIETT"),
        "trigger_source": TriggerSource.API_CLIENT if is_older else TriggerSource.API,
        "cost": Decimal("15.000000"),
        "is_refunded": False,
        "contact": contact if is_older else None,
        "campaign": None,
    }


async def test_a_message_moves_on(service: Service, client: AsyncZiett) -> None:
    """Read again while it is not final, it is pending, sent and delivered."""
    accepted = await client.send_message(NUMBER, content=CONTENT)
    seen: list[tuple[str, bool]] = []
    for _ in range(3):
        message = await client.get_message(str(accepted.message_id))
        seen.append((message.status, message.is_final))
        service.clock.advance(2)
    assert seen == [("PENDING", False), ("SENT", False), ("DELIVERED", True)]


async def test_a_failed_message_says_why(service: Service, client: AsyncZiett) -> None:
    """The error code may be undocumented."""
    accepted = await client.send_message(NUMBER, content=CONTENT)
    service.fake.deliver(accepted.message_id, "UNDELIVERED", "HANDSET_UNREACHABLE")
    message = await client.get_message(accepted.message_id)
    assert message.is_final
    assert message.error_code == "HANDSET_UNREACHABLE"
    assert message.error_code is not None
    assert message.error_code.is_unknown


@pytest.mark.parametrize("status", ["EXPIRED", "REJECTED", "CANCELLED", "HELD_BY_CARRIER"])
async def test_an_undocumented_status_is_not_final(
    service: Service, client: AsyncZiett, status: str
) -> None:
    """What the wider pages name is final; what no page names may still change."""
    accepted = await client.send_message(NUMBER, content=CONTENT)
    service.fake.deliver(accepted.message_id, status)
    message = await client.get_message(accepted.message_id)
    assert message.status == status
    assert message.status.is_unknown is (status == "HELD_BY_CARRIER")
    assert message.is_final is not message.status.is_unknown


async def test_an_unknown_id_is_not_found(service: Service, client: AsyncZiett) -> None:
    """One request, no repeat."""
    with pytest.raises(NotFoundError) as caught:
        await client.get_message(uuid4())
    assert (caught.value.status, caught.value.operation) == (404, "get_message")
    assert len(service.fake.requests) == 1


@pytest.mark.parametrize("malformed", ["", "..", "42", "../campaigns", "x" * 36, None, 7])
async def test_a_malformed_id_never_enters_a_path(
    service: Service,
    client: AsyncZiett,
    malformed: Any,  # noqa: ANN401 - wrong types are the point
) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(InvalidRequest) as caught:
        await client.get_message(malformed)
    assert list(caught.value.fields) == ["message_id"]
    assert service.fake.requests == []


def stock(fake: FakeZiett, many: int) -> list[MessageRecord]:
    """Add rows a minute apart, the newest last."""
    return [
        fake.add_message(
            target_e164=f"+2449230000{number:02}", created_at=START + timedelta(minutes=number)
        )
        for number in range(many)
    ]


async def test_a_page_says_how_much_there_is(service: Service, client: AsyncZiett) -> None:
    """The newest come first, `size` to a page, with the totals beside them."""
    rows = stock(service.fake, 5)
    page = await client.list_messages(page=2, size=2)
    assert [message.id for message in page.entries] == [rows[2].id, rows[1].id]
    assert (page.total, page.page, page.size, page.pages) == (5, 2, 2, 3)


async def test_an_empty_list_is_a_page_too(client: AsyncZiett) -> None:
    """With no entries and no pages."""
    page = await client.list_messages()
    assert (page.entries, page.total, page.page, page.size, page.pages) == ((), 0, 1, 30, 0)


@pytest.mark.parametrize("shape", ["site", "conventions"])
@pytest.mark.parametrize("timestamps", ["offset", "z", "milliseconds", "truncated"])
async def test_both_shapes_of_an_entry_are_one_message(
    serve: Serve,
    shape: Any,  # noqa: ANN401 - a Literal
    timestamps: Any,  # noqa: ANN401 - a Literal
) -> None:
    """Whatever the page calls them, and however it writes a date."""
    service = serve(Dialect(list_entry=shape, timestamps=timestamps))
    created_at = START + timedelta(milliseconds=123)
    row = service.fake.add_message(
        target_e164=NUMBER, content=CONTENT, status="SENT", created_at=created_at
    )
    async with service.client() as client:
        (message,) = (await client.list_messages()).entries
    assert message == Message(
        id=row.id,
        remitter_id=UUID(REMITTER),
        channel_type=ChannelType.SMS,
        target_e164=NUMBER,
        content=CONTENT,
        status=MessageStatus.SENT,
        created_at=created_at,
        updated_at=created_at,
        channel_destination="UNITEL",
    )


CONTACT = UUID("019b4b56-e704-7c30-83a0-000000000001")
CAMPAIGN = UUID("019b4b56-e704-7c30-83a0-000000000002")
WANTED = UUID("019b4b56-e704-7c30-83a0-000000000003")


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({"q": "244955"}, [("q", "244955")]),
        ({"q": str(WANTED)}, [("q", str(WANTED))]),
        ({"status": "FAILED"}, [("status", "FAILED")]),
        ({"status": "failed"}, [("status", "FAILED")]),
        ({"status": MessageStatus.FAILED}, [("status", "FAILED")]),
        (
            {"status": ["FAILED", MessageStatus.UNDELIVERED]},
            [("status", "FAILED"), ("status", "UNDELIVERED")],
        ),
        ({"channel_type": "WHATSAPP"}, [("channel_type", "WHATSAPP")]),
        ({"channel_type": {ChannelType.WHATSAPP}}, [("channel_type", "WHATSAPP")]),
        ({"contact_id": CONTACT}, [("contact_id", str(CONTACT))]),
        (
            {"contact_id": (str(CONTACT), WANTED)},
            [("contact_id", str(CONTACT)), ("contact_id", str(WANTED))],
        ),
        ({"campaign_id": [CAMPAIGN]}, [("campaign_id", str(CAMPAIGN))]),
        ({"sms_remitter_id": OTHER_REMITTER}, [("sms_remitter_id", OTHER_REMITTER)]),
        ({"remitter_id": UUID(OTHER_REMITTER)}, [("remitter_id", OTHER_REMITTER)]),
        ({"trigger_source": "CUSTOMER_PORTAL"}, [("trigger_source", "CUSTOMER_PORTAL")]),
        (
            {"channel_destination": ["AFRICELL_AO", "MOVICEL"]},
            [("channel_destination", "AFRICELL_AO"), ("channel_destination", "MOVICEL")],
        ),
        (
            {"created_at__ge": START + timedelta(days=1)},
            [("created_at__ge", "2025-07-15T10%3A30%3A00.000000%2B00%3A00")],
        ),
    ],
)
async def test_each_filter_narrows_the_list(
    service: Service, client: AsyncZiett, filters: dict[str, Any], query: list[tuple[str, str]]
) -> None:
    """One value or several, which repeat the parameter; the enum or its string."""
    stock(service.fake, 3)
    wanted = attrs.evolve(
        service.fake.add_message(target_e164="+244955000000", status="FAILED"),
        id=WANTED,
        channel_type="WHATSAPP",
        contact_id=CONTACT,
        campaign_id=CAMPAIGN,
        remitter_id=UUID(OTHER_REMITTER),
        trigger_source="CUSTOMER_PORTAL",
        created_at=START + timedelta(days=1),
    )
    service.fake.delete_message(service.fake.messages[-1].id)
    service.fake.put(wanted)
    page = await client.list_messages(**filters)
    assert [message.id for message in page.entries] == [WANTED]
    expected = "&".join(f"{name}={value}" for name, value in [("page", "1"), *query])
    assert service.fake.requests[-1].query == expected


async def test_bounds_are_inclusive_and_know_zones(service: Service, client: AsyncZiett) -> None:
    """A moment is the same moment in Luanda's time."""
    rows = stock(service.fake, 4)
    luanda = timezone(timedelta(hours=1))
    page = await client.list_messages(
        created_at__ge=rows[1].created_at.astimezone(luanda),
        created_at__le=rows[2].created_at.astimezone(luanda),
    )
    assert [message.id for message in page.entries] == [rows[2].id, rows[1].id]


async def test_a_list_has_two_orders_and_two_directions(
    service: Service, client: AsyncZiett
) -> None:
    """By creation or by change, forwards or backwards."""
    rows = stock(service.fake, 3)
    service.clock.advance(3600)
    service.fake.deliver(rows[0].id)
    page = await client.list_messages(order=Order.ASC)
    assert [message.id for message in page.entries] == [row.id for row in rows]
    page = await client.list_messages(order_by=OrderBy.UPDATED_AT, order="desc", size=1)
    assert [message.id for message in page.entries] == [rows[0].id]


async def test_no_value_is_not_all(service: Service, client: AsyncZiett) -> None:
    """A filter of an empty list is refused: without it everything would match."""
    with pytest.raises(InvalidRequest) as caught:
        await client.list_messages(status=[])
    with pytest.raises(InvalidRequest):
        client.iter_messages(campaign_id=())
    assert caught.value.fields == {"status": "must hold at least one value; leave it out for all"}
    assert service.fake.requests == []


async def test_none_is_no_filter(service: Service, client: AsyncZiett) -> None:
    """So that a program may pass on what it was not given."""
    options: dict[str, Any] = {"status": None, "q": None, "created_at__ge": None}
    await client.list_messages(**options)
    assert service.fake.requests[-1].query == "page=1"


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"page": 0}, "page"),
        ({"page": "1"}, "page"),
        ({"page": True}, "page"),
        ({"size": 0}, "size"),
        ({"size": 201}, "size"),
        ({"size": 30.0}, "size"),
        ({"order": "up"}, "order"),
        ({"order_by": "id"}, "order_by"),
        ({"status": "LOST"}, "status"),
        ({"status": ["SENT", "LOST"]}, "status"),
        ({"channel_type": "PIGEON"}, "channel_type"),
        ({"contact_id": "x"}, "contact_id"),
        ({"campaign_id": ["x"]}, "campaign_id"),
        ({"sms_remitter_id": 7}, "sms_remitter_id"),
        ({"remitter_id": "x"}, "remitter_id"),
        ({"trigger_source": "CRON"}, "trigger_source"),
        ({"channel_destination": ""}, "channel_destination"),
        ({"channel_destination": 7}, "channel_destination"),
        ({"q": ""}, "q"),
        ({"created_at__ge": datetime(2025, 7, 14)}, "created_at__ge"),  # noqa: DTZ001
        ({"created_at__le": "2025-07-14"}, "created_at__le"),
    ],
)
async def test_a_filter_the_server_would_refuse_is_refused_here(
    service: Service, client: AsyncZiett, given: dict[str, Any], refused: str
) -> None:
    """In a list at once, and in a loop before it begins."""
    with pytest.raises(InvalidRequest) as caught:
        await client.list_messages(**given)
    assert list(caught.value.fields) == [refused]
    assert caught.value.operation == "list_messages"
    if refused != "page":
        with pytest.raises(InvalidRequest, match=r"^list_messages: "):
            client.iter_messages(**given)
    assert service.fake.requests == []


async def test_a_naive_date_says_that_it_is_naive(client: AsyncZiett) -> None:
    """And what to write instead."""
    with pytest.raises(ValueError, match=r"naive.*datetime\.now\(UTC\)"):
        await client.list_messages(created_at__le=datetime(2025, 7, 14))  # noqa: DTZ001


async def test_a_filter_that_does_not_exist_is_a_type_error(
    service: Service, client: AsyncZiett
) -> None:
    """As any argument that a function does not have; those it has are named."""
    wrong: dict[str, Any] = {"statuses": ["SENT"]}
    has = (
        "q, channel_type, trigger_source, sms_remitter_id, status, channel_destination, "
        "contact_id, campaign_id, remitter_id"
    )
    with pytest.raises(TypeError, match=rf"'statuses'; has: page, size, order, .*, {has}$"):
        await client.list_messages(**wrong)
    with pytest.raises(TypeError, match="statuses"):
        client.iter_messages(**wrong)
    # A loop chooses its pages itself.
    with pytest.raises(TypeError, match="'page'; has: size, order, "):
        client.iter_messages(**dict[str, Any](page=2))
    assert service.fake.requests == []


async def test_a_word_newer_than_this_package_can_be_asked_for(
    service: Service, client: AsyncZiett
) -> None:
    """Given as the enum, it goes to the server, whose answer counts."""
    with pytest.raises(ValidationError):
        await client.list_messages(status=MessageStatus("HELD_BY_CARRIER"))
    assert service.fake.requests[-1].query == "page=1&status=HELD_BY_CARRIER"


async def test_a_loop_gives_every_message_once(service: Service, client: AsyncZiett) -> None:
    """Over all pages, the newest first, although messages arrive while it runs."""
    rows = stock(service.fake, 23)
    service.clock.advance(24 * 3600)
    seen: list[UUID] = []
    async for message in client.iter_messages(size=5):
        seen.append(message.id)
        service.fake.add_message()
    assert seen == [row.id for row in reversed(rows)]


@pytest.mark.promise(
    "Rows closer than a millisecond are read exactly once, whatever a server rounds or cuts"
)
async def test_a_loop_gives_messages_that_are_closer_than_times_are_shown(serve: Serve) -> None:
    """Where milliseconds are shown and bounds cut to them, as JavaScript does, none is missed."""
    service = serve(Dialect(timestamps="truncated"))
    rows = [
        service.fake.add_message(created_at=START + timedelta(microseconds=370 * number))
        for number in range(1000)
    ]
    async with service.client() as client:
        for order, expected in (("asc", rows), ("desc", rows[::-1])):
            loop = client.iter_messages(size=50, order=order)
            assert [message.id async for message in loop] == [row.id for row in expected]


@pytest.mark.promise("Dates reach from the first moment of year 1 to the last of 9999")
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_loop_reaches_the_ends_of_the_calendar(
    service: Service, client: AsyncZiett, order: str
) -> None:
    """Year 1 and the last day of 9999 are times like others, of messages and of filters."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    rows = stock(service.fake, 6)
    for row, time in zip(rows, [first, first, first, last, last, last], strict=True):
        service.fake.put(attrs.evolve(row, created_at=time))
    everything = client.iter_messages(size=2, order=order)
    within = client.iter_messages(size=2, order=order, created_at__ge=first, created_at__le=last)
    for loop in (everything, within):
        found = [message.id async for message in loop]
        assert sorted(found) == sorted(row.id for row in rows)


async def test_page_numbers_do_not(service: Service, client: AsyncZiett) -> None:
    """Counting pages, the naive way, yields messages twice while others arrive."""
    stock(service.fake, 23)
    service.clock.advance(24 * 3600)
    seen: list[UUID] = []
    for number in range(1, 6):
        page = await client.list_messages(page=number, size=5)
        seen += [message.id for message in page.entries]
        service.fake.add_message()
    assert len(set(seen)) < len(seen)


async def test_a_loop_survives_deletions_and_changes(service: Service, client: AsyncZiett) -> None:
    """What exists and matches throughout comes once, whatever happens to the others."""
    rows = stock(service.fake, 20)
    service.fake.deliver(rows[3].id, "FAILED")
    seen: list[UUID] = []
    async for message in client.iter_messages(size=4, status=["DELIVERED"]):
        seen.append(message.id)
        if len(seen) == 6:
            service.fake.delete_message(rows[19].id)
            service.fake.deliver(rows[18].id, "FAILED")
            service.fake.deliver(rows[10].id, "FAILED")
    steady = [row.id for row in reversed(rows) if row.id not in {rows[3].id, rows[10].id}]
    assert seen == steady


async def test_a_loop_may_be_left_and_begun_again(service: Service, client: AsyncZiett) -> None:
    """Leaving it leaks nothing; the next one starts anew."""
    rows = stock(service.fake, 6)
    messages = client.iter_messages(size=2)
    async for message in messages:
        assert message.id == rows[5].id
        break
    again = [message.id async for message in messages]
    assert again == [row.id for row in reversed(rows)]


async def test_a_loop_may_go_page_by_page(service: Service, client: AsyncZiett) -> None:
    """The pages hold what is new, and what the request cost."""
    rows = stock(service.fake, 5)
    pages = [page async for page in client.iter_messages(size=3, order="asc").pages()]
    found = [message.id for page in pages for message in page.entries]
    assert found == [row.id for row in rows]
    assert {page.call.attempts for page in pages} == {1}
    assert pages[0].total == 5


async def test_a_loop_asks_for_large_pages(service: Service, client: AsyncZiett) -> None:
    """200 messages a request, because a minute has 60 requests."""
    stock(service.fake, 3)
    assert len([message async for message in client.iter_messages()]) == 3
    assert [arrival.query for arrival in service.fake.requests] == ["page=1&size=200"]


async def test_a_loop_keeps_its_bounds(service: Service, client: AsyncZiett) -> None:
    """Its own walk never leaves the dates that were asked for."""
    rows = stock(service.fake, 12)
    bounds = {"created_at__ge": rows[2].created_at, "created_at__le": rows[9].created_at}
    seen = [
        message.id
        async for message in client.iter_messages(
            size=3, created_at__ge=bounds["created_at__ge"], created_at__le=bounds["created_at__le"]
        )
    ]
    assert seen == [row.id for row in reversed(rows[2:10])]


async def test_a_loop_says_whose_list_cannot_be_walked(
    service: Service, client: AsyncZiett
) -> None:
    """Table in another order than asked for end the loop with the operation's name."""
    older, newer = stock(service.fake, 2)
    rows = [
        {
            "id": str(row.id),
            "remitter_id": REMITTER,
            "channel_type": "SMS",
            "target_e164": NUMBER,
            "content": CONTENT,
            "status": "SENT",
            "created_at": row.created_at.isoformat(),
            "updated_at": row.updated_at.isoformat(),
        }
        for row in (older, newer)
    ]
    page = {"entries": rows, "total": 2, "page": 1, "size": 200, "pages": 1}
    garbled = Fault.garbage(json.dumps(page).encode())
    with service.fake.script(garbled), pytest.raises(InvalidResponse) as caught:
        [message async for message in client.iter_messages()]
    assert caught.value.operation == "list_messages"


async def test_a_loop_by_change_reads_every_page(service: Service, client: AsyncZiett) -> None:
    """Nothing moves here, so even that order gives each message once."""
    rows = stock(service.fake, 7)
    loop = client.iter_messages(size=3, order_by="updated_at")
    assert {message.id async for message in loop} == {row.id for row in rows}
    assert len(service.fake.requests) == 3


@pytest.mark.parametrize(("order", "times"), [("asc", 0), ("desc", 2)])
async def test_a_loop_by_change_is_not_exact(
    service: Service, client: AsyncZiett, order: str, times: int
) -> None:
    """A message that does not change is missed, or comes twice, because another one does."""
    rows = stock(service.fake, 6)
    service.clock.advance(24 * 3600)
    first, second, third, *_ = (
        message.id
        for message in (await client.list_messages(order=order, order_by="updated_at")).entries
    )
    moved, steady = (first, third) if order == "asc" else (rows[0].id, second)
    seen: list[UUID] = []
    async for message in client.iter_messages(size=2, order=order, order_by="updated_at"):
        seen.append(message.id)
        if len(seen) == 1:
            service.fake.deliver(moved, "FAILED")
    assert seen.count(steady) == times


async def test_what_is_read_shows_no_number_and_no_text(
    service: Service, client: AsyncZiett
) -> None:
    """A message, a contact and a page can be printed anywhere."""
    await client.send_message(NUMBER, content=CONTENT, save_contact=SaveContact("Ana Domingos"))
    page = await client.list_messages()
    message = await client.get_message(service.fake.messages[0].id)
    shown = f"{page!r} {message!r} {SaveContact('Ana Domingos', 'ana@example.ao')!r}"
    assert not [secret for secret in (NUMBER, "482910", "Ana", "ana@") if secret in shown]


async def test_dates_are_aware(service: Service, client: AsyncZiett) -> None:
    """So that they compare with `datetime.now(UTC)`."""
    stock(service.fake, 1)
    (message,) = (await client.list_messages()).entries
    assert message.created_at is not None
    assert message.created_at.utcoffset() == timedelta()
    assert message.created_at < datetime.now(UTC)
