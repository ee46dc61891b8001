"""What a call takes and what it refuses, as type checkers see it.

Only type checkers read this file. A line that is marked has to be an error:
where it is none, both checkers complain of the mark.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from datetime import UTC, datetime
from uuid import UUID

from ziett_async import (
    AsyncZiett,
    CampaignStatus,
    ChannelType,
    MessageStatus,
    Order,
    OrderBy,
    SaveContact,
    TriggerSource,
)

ID = UUID("019b4b56-e704-7c30-83a0-527df63c3e00")
NOW = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)


async def one_or_several(client: AsyncZiett) -> None:
    """Give a filter one value or several, the enum or its string, a UUID or its string."""
    await client.list_messages(status="FAILED", channel_type=ChannelType.SMS, campaign_id=ID)
    await client.list_messages(status=["FAILED", MessageStatus.SENT], contact_id={ID})
    await client.list_messages(status=(each for each in MessageStatus), sms_remitter_id=(str(ID),))
    client.iter_messages(status=[MessageStatus.SENT], campaign_id=[ID, str(ID)], q="923")
    client.iter_messages(created_at__ge=NOW, created_at__le=NOW, order=Order.ASC, size=50)
    client.iter_messages(trigger_source=TriggerSource.API, channel_destination=["UNITEL"])
    client.iter_campaign_messages(ID, remitter_id=[ID, str(ID)], trigger_source="API_CLIENT")
    client.iter_campaigns(status=CampaignStatus.FAILED, tag_id=[ID], trigger_source="API")
    client.iter_campaign_messages(ID, status="SENT", order_by=OrderBy.UPDATED_AT, timeout=5)


async def every_argument(client: AsyncZiett) -> None:
    """Give a contact as object or mapping, and a key as UUID or string."""
    await client.send_message(
        target_e164="+244923456789",
        content="Olá",
        remitter_id=str(ID),
        channel_type="SMS",
        save_contact=SaveContact("Ana", email="ana@example.ao", tags=["Premium"]),
        idempotency_key=ID,
        timeout=5,
    )
    await client.send_message("+244923456789", content="Olá", save_contact={"name": "Ana"})
    await client.send_batch_campaign({"923456789", "912345678"}, content="Olá", name=None)


async def wrong_names(client: AsyncZiett) -> None:
    """Use a name that a call does not have: an error before the program runs."""
    await client.list_messages(statuses=["SENT"])  # type: ignore[call-arg]
    client.iter_messages(page=2)  # type: ignore[call-arg]
    client.iter_campaigns(contact_id=ID)  # type: ignore[call-arg]
    client.iter_campaign_messages(ID, campaign_id=ID)  # type: ignore[misc]
    await client.send_message("+244923456789", text="Olá")  # type: ignore[call-arg]
    await client.get_message(ID, idempotency_key="x")  # type: ignore[call-arg]


async def wrong_values(client: AsyncZiett) -> None:
    """Give a value of another type, or a second argument by place."""
    await client.list_messages(status=7)  # type: ignore[arg-type]
    await client.list_messages(created_at__ge="2025-07-14")  # type: ignore[arg-type]
    await client.list_messages(size="30")  # type: ignore[arg-type]
    await client.get_message(7)  # type: ignore[arg-type]
    await client.send_message(244923456789, content="Olá")  # type: ignore[arg-type]
    await client.send_message("+244923456789", "Olá")  # type: ignore[call-arg]
    AsyncZiett("zk_test_x", "https://api.ziett.co")  # type: ignore[call-arg]
    AsyncZiett(transport=object())  # type: ignore[arg-type]
