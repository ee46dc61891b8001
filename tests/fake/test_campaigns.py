"""Sending and retrieving campaigns, and the lists of them and of their messages."""

from decimal import Decimal

import attrs
import pytest

from tests.fake.conftest import ServeApi
from tests.support.description import SCHEMAS
from tests.support.samples import OTHER_ID, REMITTER
from tests.support.service_client import ServiceClient, ids
from ziett_async.testing import Dialect


def test_a_batch_is_accepted_and_creates_its_messages(serve_api: ServeApi) -> None:
    """202 with an id; one message per recipient, in E.164, each charged."""
    api = serve_api(balance=45, price=15)
    response = api.call("send_batch_campaign", key="k")
    [campaign] = api.fake.campaigns
    assert response.status == 202
    assert response.json == {
        "message": "Campaign validation successful. Processing 3 messages in the background.",
        "campaign_id": str(campaign.id),
    }
    numbers = ["+244923456789", "+351912345678", "+244911000000"]
    assert [record.target_e164 for record in api.fake.messages] == numbers
    assert {record.campaign_id for record in api.fake.messages} == {campaign.id}
    assert {(each.content, str(each.remitter_id)) for each in api.fake.messages} == {
        ("Hello", REMITTER)
    }
    assert (campaign.recipients, campaign.idempotency_key) == (3, "k")
    assert api.fake.balance == Decimal(0)


def test_a_campaign_is_paid_in_all(serve_api: ServeApi) -> None:
    """A balance that pays for some of it sends none of it."""
    api = serve_api(balance=44, price=15)
    assert api.call("send_batch_campaign").status == 402
    assert not [*api.fake.campaigns, *api.fake.messages]
    assert api.fake.balance == Decimal(44)


def test_the_count_of_a_campaign_has_a_thousands_separator(api: ServiceClient) -> None:
    """A count of a thousand is shown as 1,000."""
    body = {
        "remitter_id": REMITTER,
        "channel_type": "SMS",
        "content": "Hello",
        "recipients": ["923456789"] * 1000,
    }
    words = "Campaign validation successful. Processing 1,000 messages in the background."
    assert api.call("send_batch_campaign", body).json["message"] == words


@pytest.mark.parametrize(
    "changes",
    [
        {"content": "x" * 10_000},
        {"recipients": ["923456789", "923456780"]},
        {"name": "x" * 200},
    ],
)
def test_limits_are_inclusive(api: ServiceClient, changes: dict[str, object]) -> None:
    """The most and the least that are documented are accepted."""
    api.send_batch(**changes)


@pytest.mark.parametrize(
    ("recipients", "country", "numbers"),
    [
        (["923 456 789", "0923456780"], None, ["+244923456789", "+244923456780"]),
        (["+244 923-456.789", "+683 4002"], None, ["+244923456789", "+6834002"]),
        (["991 12 34", "9234567"], "CV", ["+2389911234", "+2389234567"]),
        (["955 123 456", "+351912345678"], "GW", ["+245955123456", "+351912345678"]),
        (["00351912345678", "351912345670"], "PT", ["+351912345678", "+351912345670"]),
    ],
)
def test_local_recipients_belong_to_the_country_or_to_angola(
    api: ServiceClient, recipients: list[str], country: str | None, numbers: list[str]
) -> None:
    """A recipient without a prefix gets the calling code of the batch's country."""
    api.send_batch(recipients=recipients, **({"country_alpha2": country} if country else {}))
    assert [row.target_e164 for row in api.fake.messages] == numbers


@pytest.mark.parametrize("status", SCHEMAS["CampaignStatus"]["enum"])
def test_a_campaign_may_have_every_status(api: ServiceClient, status: str) -> None:
    """And is listed by it."""
    campaign_id, other = api.send_batch(), api.send_batch()
    for record in api.fake.campaigns:
        own = str(record.id) == campaign_id
        api.fake.put(attrs.evolve(record, status=status if own else "HELD"))
    assert api.get("get_campaign", campaign_id)["status"] == status
    assert ids(api.get("list_campaigns", status=status)) == [campaign_id]
    assert other not in ids(api.get("list_campaigns", status=(status, "DRAFT")))


def test_campaigns_are_listed(api: ServiceClient) -> None:
    """In the envelope of all lists, the newest first."""
    sent = [api.send_batch(name=name) for name in ("Sunday", "Monday", "Tuesday")]
    page = api.get("list_campaigns", size=2)
    numbers = {"total": 3, "page": 1, "size": 2, "pages": 2}
    assert {name: page[name] for name in numbers} == numbers
    assert ids(page) == sent[:0:-1]
    assert ids(api.get("list_campaigns", size=2, page=2)) == sent[:1]
    assert ids(api.get("list_campaigns", order="asc", order_by="updated_at")) == sent


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1]),
        ({"q": "JULY"}, [0]),
        ({"q": "news"}, [0]),
        ({"q": "august"}, []),
        ({"status": "PAUSED"}, [1]),
        ({"channel_type": "SMS"}, [0, 1]),
        ({"channel_type": "WHATSAPP"}, []),
        ({"tag_id": OTHER_ID}, []),
        ({"tag_id": ""}, [0, 1]),
        ({"sms_remitter_id": REMITTER}, [0, 1]),
        ({"sms_remitter_id": OTHER_ID}, []),
        ({"error_code": "HELD"}, [1]),
        ({"error_code": ("HELD", "X")}, [1]),
        ({"trigger_source": "CUSTOMER_PORTAL"}, [1]),
        ({"created_at__le": "2025-07-14T10:30:00Z"}, [0]),
        ({"created_at__ge": "2025-07-14T10:30:01Z"}, [1]),
    ],
)
def test_filters_narrow_the_list_of_campaigns(
    api: ServiceClient, query: dict[str, object], expected: list[int]
) -> None:
    """Each filter of the API page."""
    api.send_batch(name="July news")
    api.clock.advance(60)
    api.send_batch()
    first, second = api.fake.campaigns
    paused = attrs.evolve(
        second, status="PAUSED", error_code="HELD", trigger_source="CUSTOMER_PORTAL"
    )
    api.fake.put(paused)
    found = ids(api.get("list_campaigns", order="asc", **query))
    assert found == [str((first, second)[index].id) for index in expected]


@pytest.mark.parametrize("list_entry", ["site", "reference", "conventions"])
def test_a_campaigns_messages_are_a_list_of_their_own(serve_api: ServeApi, list_entry: str) -> None:
    """Its own and no others, in the envelope, the shape and the filters of the message list."""
    api = serve_api(dialect=Dialect(list_entry=list_entry))  # type: ignore[arg-type]
    campaign_id, _, _ = api.send_batch(), api.send_batch(), api.send()
    page = api.get("list_campaign_messages", campaign_id)
    assert (page["total"], {row["campaign_id"] for row in page["entries"]}) == (3, {campaign_id})
    assert page == api.messages(campaign_id=campaign_id)
    last = api.get("list_campaign_messages", campaign_id, size=2, page=2)
    assert (last["pages"], ids(last)) == (2, ids(page)[2:])
    assert ids(api.get("list_campaign_messages", campaign_id, q="351")) == ids(page)[1:2]
    assert not ids(api.get("list_campaign_messages", campaign_id, status="FAILED"))


@pytest.mark.parametrize("operation", ["get_campaign", "list_campaign_messages"])
def test_an_unknown_campaign_is_a_404(api: ServiceClient, operation: str) -> None:
    """A malformed id is a 422."""
    assert api.call(operation).status == 404
    for malformed in ("x", "batch"):
        fields = api.call(operation, path_id=malformed).fields
        assert fields == {"campaign_id": "must be a UUID"}
