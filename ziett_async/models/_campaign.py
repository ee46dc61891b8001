"""Campaigns: one text to many recipients."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs

from ziett_async.models._answer import Answer
from ziett_async.models._call import CallInfo
from ziett_async.models._enums import CampaignStatus, ChannelType, ErrorCode, TriggerSource
from ziett_async.models._message import Sender


@attrs.frozen(repr=False)
class AcceptedCampaign(Answer):
    """The 202 of a batch campaign: accepted, its messages not sent yet."""

    campaign_id: UUID
    #: The key it was sent with; sending with it again returns this campaign again.
    idempotency_key: str
    call: CallInfo
    #: The server's message, if any: `Campaign queued`.
    message: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(repr=False)
class Campaign(Answer):
    """A campaign as stored by the server (API page, Get Campaign)."""

    id: UUID
    status: CampaignStatus
    created_at: datetime
    #: None until the campaign has changed.
    updated_at: datetime | None
    name: str | None = None
    organization_id: UUID | None = None
    billing_account_id: UUID | None = None
    trigger_source: TriggerSource | None = None
    file_metadata_id: UUID | None = None
    channel_type: ChannelType | None = None
    sms_remitter_id: UUID | None = None
    sms_remitter: Sender | None = None
    content: str | None = attrs.field(default=None, repr=False)
    total_estimated_recipients: int | None = None
    scheduled_at: datetime | None = None
    processed_at: datetime | None = None
    completed_at: datetime | None = None
    error_code: ErrorCode | None = None
    status_note: str | None = attrs.field(default=None, repr=False)
    data: Mapping[str, object] | None = attrs.field(default=None, repr=False, hash=False)

    @property
    def is_final(self) -> bool:
        """Whether the status will never change again."""
        return self.status.is_final
