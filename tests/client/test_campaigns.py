"""Campaigns through a client: sent, read back, listed, iterated, over memory and socket."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

from tests.support.samples import CONTENT, NUMBER, OTHER_ID, REMITTER
from tests.support.services import START, Service
from ziett_async import (
    AsyncZiett,
    Campaign,
    CampaignStatus,
    ChannelType,
    InsufficientFundsError,
    InvalidRequest,
    NotFoundError,
    RecipientNotAllowed,
    Sender,
    TriggerSource,
)
from ziett_async.testing import CampaignRecord, Dialect

pytestmark = pytest.mark.anyio

Serve = Callable[..., Service]

OTHER_REMITTER = UUID(OTHER_ID)
RECIPIENTS = ["+244923456789", "+244923456790"]


async def test_a_campaign_is_accepted(service: Service, client: AsyncZiett) -> None:
    """What is given arrives, and the answer names the campaign and its key."""
    accepted = await client.send_batch_campaign(
        RECIPIENTS, content=CONTENT, name="July", remitter_id=OTHER_REMITTER
    )
    (row,) = service.fake.campaigns
    assert (accepted.campaign_id, accepted.idempotency_key) == (row.id, row.idempotency_key)
    words = "Campaign validation successful. Processing 2 messages in the background."
    assert accepted.message == words
    assert (row.name, row.content, row.recipients) == ("July", CONTENT, 2)
    assert row.remitter_id == OTHER_REMITTER
    assert [message.target_e164 for message in service.fake.messages] == RECIPIENTS


@pytest.mark.parametrize("many", [2, 1000])
async def test_a_campaign_has_2_to_1000_recipients(
    service: Service, client: AsyncZiett, many: int
) -> None:
    """Any collection of them, in its order."""
    numbers = tuple(f"+24492300{number:04}" for number in range(many))
    await client.send_batch_campaign(numbers, content=CONTENT)
    assert [message.target_e164 for message in service.fake.messages] == list(numbers)


@pytest.mark.parametrize(
    ("country", "given", "arrives"),
    [
        (None, "PT", "+351912345678"),
        ("PT", None, "+351912345678"),
        ("AO", "PT", "+351912345678"),
        ("AO", None, "+244912345678"),
    ],
)
async def test_local_recipients_are_of_a_country(
    service: Service, country: str | None, given: str | None, arrives: str
) -> None:
    """The call's `country_alpha2`, or the client's default."""
    settings: dict[str, Any] = {} if country is None else {"default_country": country}
    async with service.client(**settings) as client:
        await client.send_batch_campaign(
            ["912 345 678", NUMBER], content=CONTENT, country_alpha2=given
        )
    assert [message.target_e164 for message in service.fake.messages] == [arrives, NUMBER]


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"recipients": []}, ["recipients"]),
        ({"recipients": RECIPIENTS[:1]}, ["recipients"]),
        ({"recipients": [NUMBER] * 1001}, ["recipients"]),
        ({"recipients": NUMBER}, ["recipients"]),
        ({"recipients": [NUMBER, "12"]}, ["recipients"]),
        ({"recipients": [NUMBER, 923456789]}, ["recipients"]),
        ({"recipients": [NUMBER, "+244 923 456 789 ext"]}, ["recipients"]),
        ({"content": ""}, ["content"]),
        ({"content": "x" * 10_001}, ["content"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"country_alpha2": "ao"}, ["country_alpha2"]),
        ({"country_alpha2": "AGO"}, ["country_alpha2"]),
        ({"channel_type": "PIGEON"}, ["channel_type"]),
        ({"remitter_id": "x"}, ["remitter_id"]),
        ({"timeout": -1}, ["timeout"]),
        ({"idempotency_key": " "}, ["idempotency_key"]),
        ({"recipients": [], "content": "", "name": ""}, ["content", "name", "recipients"]),
    ],
)
async def test_what_the_server_would_refuse_is_refused_here(
    service: Service, client: AsyncZiett, given: dict[str, Any], refused: list[str]
) -> None:
    """Every bad argument is named at once, and nothing is sent."""
    arguments: dict[str, Any] = {"recipients": RECIPIENTS, "content": CONTENT, **given}
    with pytest.raises(InvalidRequest) as caught:
        await client.send_batch_campaign(**arguments)
    assert sorted(caught.value.fields) == refused
    assert NUMBER not in str(caught.value)
    assert service.fake.requests == []


async def test_the_longest_campaign_is_sent(service: Service, client: AsyncZiett) -> None:
    """10,000 characters of text, 200 of name."""
    await client.send_batch_campaign(RECIPIENTS, content="ã" * 10_000, name="ã" * 200)
    (row,) = service.fake.campaigns
    assert (len(row.content), len(row.name or "")) == (10_000, 200)


@pytest.mark.parametrize(
    ("recipients", "refused"),
    [
        (["923 456 789", "+244 923 456 790"], 0),
        (["923 456 789", "912 345 678"], 1),
        (["+244911000000", "912 345 678"], 2),
    ],
)
async def test_an_allow_list_is_for_all_recipients(
    service: Service, recipients: list[str], refused: int
) -> None:
    """One recipient that is not on the list, and no message is sent."""
    async with service.client(allowed_recipients=RECIPIENTS, default_country="AO") as client:
        if not refused:
            await client.send_batch_campaign(recipients, content=CONTENT)
            assert len(service.fake.messages) == 2
            return
        with pytest.raises(RecipientNotAllowed) as caught:
            await client.send_batch_campaign(recipients, content=CONTENT)
    assert (caught.value.operation, caught.value.refused) == ("send_batch_campaign", refused)
    assert service.fake.requests == []


async def test_what_an_allow_list_lets_through_is_what_is_sent(service: Service) -> None:
    """The service would read the same text as another number, 11345678900."""
    allowed = ["+551134567890", "+551134567891"]
    async with service.client(allowed_recipients=allowed, default_country="BR") as client:
        await client.send_batch_campaign(["1134567890.0", "11 3456-7891"], content=CONTENT)
    assert [row.target_e164 for row in service.fake.messages] == allowed


async def test_an_allow_list_reads_numbers_without_a_country(service: Service) -> None:
    """A spaced number with its country code is the one on the list; a local one is not."""
    async with service.client(allowed_recipients=RECIPIENTS) as client:
        with pytest.raises(RecipientNotAllowed):
            await client.send_batch_campaign(["923 456 789", NUMBER], content=CONTENT)
        await client.send_batch_campaign(RECIPIENTS, content=CONTENT)
    assert len(service.fake.campaigns) == 1


async def test_a_key_that_comes_again_sends_nothing_again(
    service: Service, client: AsyncZiett
) -> None:
    """The same key is answered for the same campaign."""
    key = uuid4()
    first = await client.send_batch_campaign(RECIPIENTS, content=CONTENT, idempotency_key=key)
    again = await client.send_batch_campaign(RECIPIENTS, content=CONTENT, idempotency_key=key)
    assert first.campaign_id == again.campaign_id
    assert first.idempotency_key == again.idempotency_key == str(key)
    assert len(service.fake.campaigns) == 1


async def test_a_campaign_costs_what_its_messages_cost(serve: Serve) -> None:
    """An account that is good for one of them sends none."""
    service = serve(balance=29, price=15)
    async with service.client() as client:
        with pytest.raises(InsufficientFundsError):
            await client.send_batch_campaign(RECIPIENTS, content=CONTENT)
    assert (service.fake.messages, service.fake.campaigns) == ([], [])


async def test_a_campaign_is_read_back(service: Service, client: AsyncZiett) -> None:
    """With every documented field, as it is when all its messages are on their way."""
    accepted = await client.send_batch_campaign(RECIPIENTS, content=CONTENT, name="July")
    service.clock.advance(60)
    campaign = await client.get_campaign(accepted.campaign_id)
    fields = attrs.asdict(campaign, recurse=False)
    assert fields.pop("extra") == {}
    assert isinstance(fields.pop("organization_id"), UUID)
    assert isinstance(fields.pop("billing_account_id"), UUID)
    assert fields == {
        "id": accepted.campaign_id,
        "status": CampaignStatus.COMPLETED,
        "created_at": START,
        "updated_at": START + timedelta(seconds=6),
        "name": "July",
        "trigger_source": TriggerSource.API,
        "file_metadata_id": None,
        "channel_type": ChannelType.SMS,
        "sms_remitter_id": UUID(REMITTER),
        "sms_remitter": Sender(UUID(REMITTER), "ZIETT"),
        "content": CONTENT,
        "total_estimated_recipients": 2,
        "scheduled_at": None,
        "processed_at": START + timedelta(seconds=1),
        "completed_at": START + timedelta(seconds=6),
        "error_code": None,
        "status_note": None,
        "data": {},
    }


async def test_a_campaign_moves_on(service: Service, client: AsyncZiett) -> None:
    """It is processing, sending, completed; only that is final."""
    accepted = await client.send_batch_campaign(RECIPIENTS, content=CONTENT)
    seen: list[tuple[str, bool]] = []
    for _ in range(3):
        campaign = await client.get_campaign(str(accepted.campaign_id))
        seen.append((campaign.status, campaign.is_final))
        service.clock.advance(3)
    assert seen == [("PROCESSING", False), ("SENDING", False), ("COMPLETED", True)]


@pytest.mark.parametrize("method", ["get_campaign", "list_campaign_messages"])
async def test_an_unknown_campaign_is_not_found(client: AsyncZiett, method: str) -> None:
    """Neither it nor its messages."""
    with pytest.raises(NotFoundError) as caught:
        await getattr(client, method)(uuid4())
    assert caught.value.operation == method


@pytest.mark.parametrize(
    "method", ["get_campaign", "list_campaign_messages", "iter_campaign_messages"]
)
async def test_a_malformed_id_never_enters_a_path(
    service: Service, client: AsyncZiett, method: str
) -> None:
    """It is refused before anything is sent."""
    call: Callable[[str], Any] = getattr(client, method)
    with pytest.raises(InvalidRequest) as caught:
        await call("../messages")
    assert list(caught.value.fields) == ["campaign_id"]
    assert service.fake.requests == []


def stock(service: Service, many: int) -> list[CampaignRecord]:
    """Add campaigns a minute apart, the newest last."""
    rows = [
        CampaignRecord(
            id=UUID(int=number + 1),
            remitter_id=UUID(REMITTER),
            content=CONTENT,
            name=f"Campaign {number}",
            status="COMPLETED",
            created_at=START + timedelta(minutes=number),
            updated_at=START + timedelta(minutes=number),
        )
        for number in range(many)
    ]
    for row in rows:
        service.fake.put(row)
    return rows


async def test_a_page_says_how_much_there_is(service: Service, client: AsyncZiett) -> None:
    """The newest come first, `size` to a page, each with all its fields."""
    rows = stock(service, 5)
    page = await client.list_campaigns(page=2, size=2)
    assert [campaign.id for campaign in page.entries] == [rows[2].id, rows[1].id]
    assert (page.total, page.page, page.size, page.pages) == (5, 2, 2, 3)
    assert all(isinstance(campaign, Campaign) for campaign in page.entries)
    assert [campaign.name for campaign in page.entries] == ["Campaign 2", "Campaign 1"]


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({"q": "black"}, "q=black"),
        ({"status": "FAILED"}, "status=FAILED"),
        ({"status": ["FAILED", CampaignStatus.PAUSED]}, "status=FAILED&status=PAUSED"),
        ({"channel_type": ChannelType.WHATSAPP}, "channel_type=WHATSAPP"),
        ({"sms_remitter_id": OTHER_REMITTER}, f"sms_remitter_id={OTHER_REMITTER}"),
        ({"error_code": "NO_ROUTE"}, "error_code=NO_ROUTE"),
        ({"error_code": ["NO_ROUTE", "X"]}, "error_code=NO_ROUTE&error_code=X"),
        ({"trigger_source": TriggerSource.CUSTOMER_PORTAL}, "trigger_source=CUSTOMER_PORTAL"),
        (
            {"created_at__ge": START + timedelta(days=1)},
            "created_at__ge=2025-07-15T10%3A30%3A00.000000%2B00%3A00",
        ),
    ],
)
async def test_each_filter_narrows_the_list(
    service: Service, client: AsyncZiett, filters: dict[str, Any], query: str
) -> None:
    """One value or several, which repeat the parameter."""
    rows = stock(service, 3)
    wanted = attrs.evolve(
        rows[0],
        id=uuid4(),
        name="Black Friday",
        status="FAILED",
        channel_type="WHATSAPP",
        remitter_id=OTHER_REMITTER,
        error_code="NO_ROUTE",
        trigger_source="CUSTOMER_PORTAL",
        created_at=START + timedelta(days=1),
    )
    service.fake.put(wanted)
    page = await client.list_campaigns(**filters)
    assert [campaign.id for campaign in page.entries] == [wanted.id]
    assert service.fake.requests[-1].query == f"page=1&{query}"


async def test_campaigns_can_be_asked_for_by_tag(service: Service, client: AsyncZiett) -> None:
    """The parameter repeats; here no campaign has a tag."""
    stock(service, 2)
    tags: list[UUID | str] = [UUID(int=7), str(UUID(int=8))]
    page = await client.list_campaigns(tag_id=tags)
    assert page.total == 0
    assert service.fake.requests[-1].query == f"page=1&tag_id={tags[0]}&tag_id={tags[1]}"


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"status": "SENT"}, "status"),
        ({"trigger_source": "CRON"}, "trigger_source"),
        ({"tag_id": "x"}, "tag_id"),
        ({"error_code": ""}, "error_code"),
        ({"size": 201}, "size"),
    ],
)
async def test_a_filter_the_server_would_refuse_is_refused_here(
    service: Service, client: AsyncZiett, given: dict[str, Any], refused: str
) -> None:
    """A message's status is not a campaign's."""
    with pytest.raises(InvalidRequest) as caught:
        await client.list_campaigns(**given)
    assert list(caught.value.fields) == [refused]
    with pytest.raises(InvalidRequest):
        client.iter_campaigns(**given)
    assert service.fake.requests == []


async def test_a_loop_gives_every_campaign_once(service: Service, client: AsyncZiett) -> None:
    """While new ones arrive; leaving a loop and beginning another starts anew."""
    rows = stock(service, 11)
    loop = client.iter_campaigns(size=3, status=["COMPLETED"])
    async for campaign in loop:
        assert campaign.id == rows[-1].id
        break
    seen: list[UUID] = []
    async for campaign in loop:
        seen.append(campaign.id)
        late = START + timedelta(days=1, minutes=len(seen))
        service.fake.put(attrs.evolve(rows[0], id=uuid4(), created_at=late))
    assert seen == [row.id for row in reversed(rows)]


@pytest.mark.parametrize("shape", ["site", "reference", "conventions"])
async def test_a_campaign_has_messages(serve: Serve, shape: Any) -> None:  # noqa: ANN401
    """Listed by page or in a loop, with the filters of messages, and only that campaign's."""
    service = serve(Dialect(list_entry=shape))
    async with service.client() as client:
        accepted = await client.send_batch_campaign(RECIPIENTS, content=CONTENT)
        await client.send_message("+244923000000", content=CONTENT)
        mine = [row for row in service.fake.messages if row.campaign_id]
        page = await client.list_campaign_messages(accepted.campaign_id, size=1)
        assert (page.total, page.pages) == (2, 2)
        assert page.entries[0].target_e164 == RECIPIENTS[1]
        assert page.entries[0].campaign_id == accepted.campaign_id
        loop = client.iter_campaign_messages(str(accepted.campaign_id), size=2)
        assert [message.id async for message in loop] == [row.id for row in reversed(mine)]
        service.fake.deliver(mine[0].id, "FAILED")
        failed = client.iter_campaign_messages(accepted.campaign_id, status=["FAILED"])
        assert [message.id async for message in failed] == [mine[0].id]
    path = f"/campaigns/{accepted.campaign_id}/messages"
    assert {arrival.path for arrival in service.fake.requests[2:]} == {path}


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({"q": "456790"}, "q=456790"),
        ({"channel_type": "SMS", "q": "456790"}, "channel_type=SMS&q=456790"),
        ({"sms_remitter_id": REMITTER, "size": 1}, f"sms_remitter_id={REMITTER}&size=1"),
        (
            {"order": "desc", "order_by": "created_at", "size": 1},
            "order=desc&order_by=created_at&size=1",
        ),
    ],
)
async def test_filters_narrow_a_campaigns_messages(
    service: Service, client: AsyncZiett, filters: dict[str, Any], query: str
) -> None:
    """As they do the list of all."""
    accepted = await client.send_batch_campaign(RECIPIENTS, content=CONTENT)
    page = await client.list_campaign_messages(accepted.campaign_id, **filters)
    assert [message.target_e164 for message in page.entries] == ["+244923456790"]
    assert service.fake.requests[-1].query == f"page=1&{query}"


async def test_a_campaign_shows_no_text(service: Service, client: AsyncZiett) -> None:
    """It can be printed anywhere."""
    stock(service, 1)
    page = await client.list_campaigns()
    assert CONTENT not in repr(page)
    assert str(page.entries[0].id) in repr(page)
