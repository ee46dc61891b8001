"""What a call gives, as type checkers see it; only they read this file."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_type
from uuid import UUID

from ziett_async import (
    AcceptedCampaign,
    AcceptedMessage,
    ApiError,
    AsyncZiett,
    Bucket,
    CallInfo,
    Campaign,
    CampaignStatus,
    ChannelType,
    DeadlineExceeded,
    ErrorCode,
    Limiter,
    LimiterUnavailable,
    ManualClock,
    Message,
    MessageStatus,
    NotFoundError,
    Operation,
    OutcomeUnknown,
    Page,
    Pages,
    Permit,
    Priority,
    Rate,
    SaveContact,
    Sender,
    TokenBucketLimiter,
    Transport,
    TriggerSource,
    Unlimited,
)
from ziett_async.testing import Arrival, FakeTransport, FakeZiett, MessageRecord
from ziett_async.transports import HttpxTransport


async def messages(client: AsyncZiett, message_id: UUID) -> None:
    """Send, read and list messages."""
    accepted = await client.send_message("+244923456789", content="Olá")
    assert_type(accepted, AcceptedMessage)
    assert_type(accepted.message_id, UUID)
    assert_type(accepted.idempotency_key, str)
    assert_type(accepted.call, CallInfo)
    assert_type(accepted.call.waited, float)
    message = await client.get_message(message_id)
    assert_type(message, Message)
    assert_type(message.status, MessageStatus)
    assert_type(message.is_final, bool)
    assert_type(message.target_e164, str)
    assert_type(message.remitter_id, UUID | None)
    assert_type(message.channel_type, ChannelType | None)
    assert_type(message.content, str | None)
    assert_type(message.created_at, datetime | None)
    assert_type(message.updated_at, datetime | None)
    assert_type(message.campaign_id, UUID | None)
    assert_type(message.error_code, ErrorCode | None)
    assert_type(message.cost, Decimal | None)
    assert_type(message.sms_remitter, Sender | None)
    assert_type(message.trigger_source, TriggerSource | None)
    assert_type(message.contact, Mapping[str, object] | None)
    assert_type(message.extra, Mapping[str, object])
    if message.sms_remitter is not None:
        assert_type(message.sms_remitter.id, UUID | None)
        assert_type(message.sms_remitter.name, str)
    page = await client.list_messages()
    assert_type(page, Page[Message])
    assert_type(page.entries, tuple[Message, ...])
    assert_type(page.total, int)


async def loops(client: AsyncZiett, campaign_id: str) -> None:
    """Loop over entries, or over pages."""
    loop = client.iter_messages()
    assert_type(loop, Pages[Message])
    async for message in loop:
        assert_type(message, Message)
    assert_type(loop.pages(), AsyncIterator[Page[Message]])
    async for page in loop.pages():
        assert_type(page, Page[Message])
    async for campaign in client.iter_campaigns():
        assert_type(campaign, Campaign)
    async for message in client.iter_campaign_messages(campaign_id):
        assert_type(message, Message)


async def campaigns(client: AsyncZiett) -> None:
    """Send, read and list campaigns."""
    accepted = await client.send_batch_campaign(["+244923456789", "912 345 678"], content="Olá")
    assert_type(accepted, AcceptedCampaign)
    assert_type(accepted.message, str | None)
    campaign = await client.get_campaign(accepted.campaign_id)
    assert_type(campaign, Campaign)
    assert_type(campaign.status, CampaignStatus)
    assert_type(campaign.created_at, datetime)
    assert_type(campaign.updated_at, datetime | None)
    assert_type(campaign.data, Mapping[str, object] | None)
    assert_type(await client.list_campaigns(), Page[Campaign])
    assert_type(await client.list_campaign_messages("x"), Page[Message])


async def undocumented(client: AsyncZiett) -> None:
    """Call an operation of one's own, which gives what it says."""
    operation = Operation("get_account", "GET", "/accounts/{id}", Sender, Bucket.READ)
    assert_type(operation, Operation[Sender])
    assert_type(await client.call(operation, path={"id": "1"}), Sender)
    remove = Operation("remove_account", "DELETE", "/accounts/{id}", type(None), Bucket.READ)
    assert_type(remove, Operation[None])
    await client.call(remove, path={"id": "1"})


async def delivery(client: AsyncZiett, late: DeadlineExceeded, missing: NotFoundError) -> None:
    """Wait for messages."""
    assert_type(await client.wait_until_final(["x"], timeout=1.0), dict[UUID, Message])
    async for message in client.watch_messages(UUID(int=1)):
        assert_type(message, Message)
    assert_type(late.messages, Mapping[UUID, Message])
    assert_type(missing.messages, Mapping[UUID, Message])


def errors(error: ApiError, unknown: OutcomeUnknown) -> None:
    """Ask an error what it knows."""
    assert_type(error.status, int)
    assert_type(error.code, ErrorCode | None)
    assert_type(error.fields, Mapping[str, str])
    assert_type(error.retry_after, float | None)
    assert_type(error.timestamp, datetime | None)
    assert_type(unknown.idempotency_key, str | None)
    assert_type(unknown.safe_to_retry_until, datetime)


def ports() -> tuple[list[Transport], list[Limiter]]:
    """Return what fits into a client's ports."""
    fake = FakeZiett(clock=ManualClock())
    assert_type(fake.messages[0], MessageRecord)
    assert_type(fake.requests[0], Arrival)
    assert_type(SaveContact("Ana").email, str | None)
    several = TokenBucketLimiter(send=(Rate(120, per=60.0), Rate(15, per=1.0)), reserve=0.5)
    return [HttpxTransport(), FakeTransport(fake)], [TokenBucketLimiter(), Unlimited(), several]


async def permits(limiter: Limiter) -> None:
    """Use a limiter without a client."""
    permit = await limiter.acquire(Bucket.SEND, priority=Priority.BULK, timeout=1.0)
    assert_type(permit, Permit)
    assert_type(await permit.release(), None)
    assert_type(await limiter.pause(Bucket.SEND, 1.0), None)
    assert_type(LimiterUnavailable("the store timed out").message, str)
