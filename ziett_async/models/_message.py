"""Messages: what is sent, what the server answers, what it stores."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from ziett_async._repr import Value
from ziett_async.models._answer import Answer
from ziett_async.models._call import CallInfo
from ziett_async.models._enums import ChannelType, ErrorCode, MessageStatus, TriggerSource


@attrs.frozen(repr=False)
class SaveContact(Value):
    """The recipient, to be saved in the organisation's contacts (API page, Send a Message)."""

    #: Required, not empty: `Ana Domingos`.
    name: str = attrs.field(repr=False)
    #: A valid address: `ana@example.ao`.
    email: str | None = attrs.field(default=None, repr=False)
    #: Created when missing: `["Premium"]`.
    tags: Sequence[str] | None = None


@attrs.frozen(repr=False)
class AcceptedMessage(Answer):
    """The 202 of a send: accepted and queued, not delivered yet."""

    message_id: UUID
    #: The key the message was sent with; sending with it again returns this message again.
    idempotency_key: str
    call: CallInfo


@attrs.frozen(repr=False)
class Sender(Answer):
    """A Sender ID of the organisation, the API's `sms_remitter`."""

    #: None where a page shows the name alone.
    id: UUID | None
    #: `ZIETT`: what the recipient sees.
    name: str


@attrs.frozen(repr=False)
class Message(Answer):
    """A message as stored by the server, from a list or by id.

    The documentation has three generations of names; these are the newest, whichever the
    server used. Every published answer has an id, a number and a status. Every other field is
    left out, or null, on some page, and then None: the page of the list has them down to
    `error_code`, that of `get_message` has the rest, and the conventions page abridges both.
    """

    id: UUID
    #: The Sender ID; also called `sms_remitter_id`.
    remitter_id: UUID | None
    channel_type: ChannelType | None
    #: Also called `e164_format` or `to`.
    target_e164: str = attrs.field(repr=False)
    #: Also called `body`.
    content: str | None = attrs.field(repr=False)
    status: MessageStatus
    created_at: datetime | None
    updated_at: datetime | None
    #: The operator: `UNITEL`, `AFRICELL_AO`.
    channel_destination: str | None = None
    campaign_id: UUID | None = None
    contact_id: UUID | None = None
    error_code: ErrorCode | None = None
    organization_id: UUID | None = None
    billing_account_id: UUID | None = None
    sms_remitter: Sender | None = None
    external_id: str | None = None
    provider_name: str | None = None
    provider_id: str | None = None
    trigger_source: TriggerSource | None = None
    #: In the account's currency: `Decimal("15.000000")`.
    cost: Decimal | None = None
    is_refunded: bool | None = None
    contact: Mapping[str, object] | None = attrs.field(default=None, repr=False, hash=False)
    campaign: Mapping[str, object] | None = attrs.field(default=None, repr=False, hash=False)

    @property
    def is_final(self) -> bool:
        """Whether the status will never change again."""
        return self.status.is_final
