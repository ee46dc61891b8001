"""Campaigns through the fake."""

import json
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import attrs
import pytest

from ziett_async._clock import ManualClock
from ziett_async._wire import Response
from ziett_async.testing import FakeZiett

Ask = Callable[..., Response]
Body = Callable[..., dict[str, object]]


def test_a_batch_is_accepted_and_creates_its_messages(ask: Ask, batch: Body) -> None:
    """202 with an id; one message per recipient, in E.164, each charged."""
    fake = FakeZiett(balance=45, price=15)
    response = ask(fake, "POST", "/campaigns/batch", batch(name="July"), key="k")
    (campaign,) = fake.campaigns
    assert response.status == 202
    assert json.loads(response.body) == {
        "message": "Campaign validation successful. Processing 3 messages in the background.",
        "campaign_id": str(campaign.id),
    }
    assert [record.target_e164 for record in fake.messages] == [
        "+244923456789",
        "+351912345678",
        "+244911000000",
    ]
    assert {record.campaign_id for record in fake.messages} == {campaign.id}
    assert (campaign.recipients, campaign.idempotency_key, fake.balance) == (3, "k", Decimal(0))
    assert ask(fake, "POST", "/campaigns/batch", batch()).status == 402


def test_the_count_of_a_campaign_has_a_thousands_separator(ask: Ask, batch: Body) -> None:
    """A count of a thousand is shown as 1,000."""
    response = ask(FakeZiett(), "POST", "/campaigns/batch", batch(recipients=["923456789"] * 1000))
    words = "Campaign validation successful. Processing 1,000 messages in the background."
    assert json.loads(response.body)["message"] == words


@pytest.mark.parametrize(
    ("recipients", "country", "numbers"),
    [
        (["923 456 789", "0923456780"], None, ["+244923456789", "+244923456780"]),
        (["955 123 456", "+351912345678"], "GW", ["+245955123456", "+351912345678"]),
        (["00351912345678", "351912345670"], "PT", ["+351912345678", "+351912345670"]),
    ],
)
def test_local_recipients_belong_to_the_country_or_to_angola(
    ask: Ask, batch: Body, recipients: list[str], country: str | None, numbers: list[str]
) -> None:
    """A recipient without a prefix gets the calling code of the batch's country."""
    fake, named = FakeZiett(), {"country_alpha2": country} if country else {}
    assert (
        ask(fake, "POST", "/campaigns/batch", batch(recipients=recipients, **named)).status == 202
    )
    assert [row.target_e164 for row in fake.messages] == numbers


@pytest.mark.parametrize(
    ("recipient", "country"),
    [("0000000", None), ("+24412", None), ("912345678", "KE"), (". . . . ", None)],
)
def test_an_unassignable_recipient_is_reported(
    ask: Ask, batch: Body, recipient: str, country: str | None
) -> None:
    """With its index and the documented message; nothing is sent to the others."""
    fake, named = FakeZiett(), {"country_alpha2": country} if country else {}
    body = batch(recipients=["+244923456789", recipient], **named)
    response = ask(fake, "POST", "/campaigns/batch", body)
    assert json.loads(response.body)["fields"] == {
        "recipients.1": "Must be a valid E.164 formatted phone number (e.g., +244990090990)."
    }
    assert not fake.messages


def test_all_invalid_fields_of_a_batch_are_reported_at_once(ask: Ask, batch: Body) -> None:
    """An invalid recipient is reported by its index."""
    body = batch(
        channel_type="WHATSAPP",
        content="x" * 10_001,
        recipients=["923456789", "ana", 7],
        name="",
        country_alpha2="ao",
    )
    response = ask(FakeZiett(), "POST", "/campaigns/batch", body)
    assert response.status == 422
    assert json.loads(response.body)["fields"] == {
        "channel_type": "Accepted values are: SMS.",
        "content": "must have at most 10000 characters",
        "recipients.1": "Must be a valid E.164 formatted phone number (e.g., +244990090990).",
        "recipients.2": "must be a string",
        "name": "must not be empty",
        "country_alpha2": "must be two capital letters",
    }


@pytest.mark.parametrize("count", [0, 1, 1001])
def test_a_batch_has_2_to_1000_recipients(ask: Ask, batch: Body, count: int) -> None:
    """One more or one less is a 422."""
    body = batch(recipients=["923456789"] * count)
    response = ask(FakeZiett(), "POST", "/campaigns/batch", body)
    assert json.loads(response.body)["fields"] == {"recipients": "must have 2 to 1000 items"}
    most = batch(recipients=["923456789"] * 1000)
    assert ask(FakeZiett(), "POST", "/campaigns/batch", most).status == 202


def test_a_campaign_goes_through_its_statuses(ask: Ask, batch: Body) -> None:
    """PROCESSING for a second, SENDING for five, then COMPLETED, with its messages."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    ask(fake, "POST", "/campaigns/batch", batch())
    path = f"/campaigns/{fake.campaigns[0].id}"
    seen: list[object] = []
    for _ in range(7):
        detail = json.loads(ask(fake, "GET", path).body)
        seen.append((detail["status"], detail["processed_at"], detail["completed_at"]))
        assert detail["updated_at"] == (detail["completed_at"] or detail["processed_at"])
        clock.advance(1)
    processed, completed = "2025-07-14T10:30:01.000000+00:00", "2025-07-14T10:30:06.000000+00:00"
    assert seen == [
        ("PROCESSING", None, None),
        *[("SENDING", processed, None)] * 5,
        ("COMPLETED", processed, completed),
    ]
    assert [record.status for record in fake.messages] == ["DELIVERED", "SENT", "SENT"]


def test_a_retrieved_campaign_has_the_documented_fields(ask: Ask, batch: Body) -> None:
    """It has twenty, and so has an entry of the list."""
    fake = FakeZiett()
    ask(fake, "POST", "/campaigns/batch", batch())
    record = fake.campaigns[0]
    detail = json.loads(ask(fake, "GET", f"/campaigns/{record.id}").body)
    assert detail == {
        "id": str(record.id),
        "name": None,
        "status": "PROCESSING",
        "organization_id": detail["organization_id"],
        "billing_account_id": detail["billing_account_id"],
        "trigger_source": "API",
        "file_metadata_id": None,
        "channel_type": "SMS",
        "sms_remitter_id": str(record.remitter_id),
        "sms_remitter": {"id": str(record.remitter_id), "name": "ZIETT"},
        "content": "Hello",
        "total_estimated_recipients": 3,
        "scheduled_at": None,
        "processed_at": None,
        "completed_at": None,
        "error_code": None,
        "status_note": None,
        "data": {},
        "created_at": "2025-07-14T10:30:00.000000+00:00",
        "updated_at": None,
    }
    assert json.loads(ask(fake, "GET", "/campaigns").body)["entries"] == [detail]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1]),
        ("q=JULY", [0]),
        ("q=august", []),
        ("status=PAUSED", [1]),
        ("channel_type=SMS", [0, 1]),
        (f"tag_id={UUID(int=1)}", []),
        ("sms_remitter_id=019b4b56-e704-7c30-83a0-527df63c3e00", [0, 1]),
        ("error_code=HELD", [1]),
        ("trigger_source=CUSTOMER_PORTAL", [1]),
        ("created_at__le=2025-07-14T10:30:00Z", [0]),
    ],
)
def test_filters_narrow_the_list_of_campaigns(
    ask: Ask, batch: Body, query: str, expected: list[int]
) -> None:
    """Each filter of the API page."""
    fake = FakeZiett()
    ask(fake, "POST", "/campaigns/batch", batch(name="July news"))
    ask(fake, "POST", "/campaigns/batch", batch())
    paused = attrs.evolve(
        fake.campaigns[1], status="PAUSED", error_code="HELD", trigger_source="CUSTOMER_PORTAL"
    )
    fake.put(paused)
    entries = json.loads(ask(fake, "GET", f"/campaigns?order=asc&{query}").body)["entries"]
    assert [entry["id"] for entry in entries] == [str(fake.campaigns[i].id) for i in expected]


def test_a_campaigns_messages_are_a_list_of_their_own(ask: Ask, batch: Body) -> None:
    """It has the filters of the list of messages, and only messages of the campaign."""
    fake = FakeZiett()
    ask(fake, "POST", "/campaigns/batch", batch())
    fake.add_message()
    path = f"/campaigns/{fake.campaigns[0].id}/messages"
    assert json.loads(ask(fake, "GET", path).body)["total"] == 3
    assert json.loads(ask(fake, "GET", f"{path}?q=351").body)["total"] == 1


@pytest.mark.parametrize("suffix", ["", "/messages"])
def test_an_unknown_campaign_is_a_404(ask: Ask, suffix: str) -> None:
    """A malformed id is a 422."""
    fake = FakeZiett()
    assert ask(fake, "GET", f"/campaigns/{UUID(int=1)}{suffix}").status == 404
    assert ask(fake, "GET", f"/campaigns/batch{suffix}").status == 422


def test_an_invalid_list_parameter_is_a_422(ask: Ask) -> None:
    """Statuses of messages are not statuses of campaigns."""
    response = ask(FakeZiett(), "GET", "/campaigns?status=DELIVERED")
    assert list(json.loads(response.body)["fields"]) == ["status"]
