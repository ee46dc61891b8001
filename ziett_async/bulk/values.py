"""What is sent in bulk, and what became of it: values without numbers and texts in their repr."""

from collections.abc import Mapping
from uuid import UUID

import attrs

from ziett_async._repr import Value
from ziett_async.errors import ZiettError
from ziett_async.models import (
    AcceptedCampaign,
    AcceptedMessage,
    ChannelType,
    SaveContact,
)


@attrs.frozen(repr=False)
class NewMessage(Value):
    """A message to be sent by `send_many`, which checks it as `send_message` does."""

    #: `+244990090990`, or a local form where the client has a `default_country`.
    target_e164: str = attrs.field(repr=False)
    #: 1 to 1600 characters for SMS.
    content: str = attrs.field(repr=False)
    #: The Sender ID; None takes the client's.
    remitter_id: UUID | str | None = attrs.field(default=None, kw_only=True)
    channel_type: ChannelType | str = attrs.field(default=ChannelType.SMS, kw_only=True)
    #: Upserts the recipient into the contacts.
    save_contact: SaveContact | Mapping[str, object] | None = attrs.field(
        default=None, kw_only=True, repr=False, hash=False
    )
    #: What the message is about, in your own terms: `order-7`. With the recipient and the
    #: text it makes the key; None takes the message's place in the list instead.
    reference: str | int | UUID | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(repr=False)
class SendOutcome(Value):
    """What became of one message of `send_many`: `accepted`, or else `error`."""

    message: NewMessage = attrs.field(repr=False)
    #: The message's own.
    reference: str | int | UUID | None
    accepted: AcceptedMessage | None = None
    #: Why it was not accepted; `may_have_been_sent` and `is_retryable` say what to do.
    error: ZiettError | None = None


@attrs.frozen(repr=False)
class CampaignOutcome(Value):
    """What became of one batch of `send_campaign`: `accepted`, or else `error`."""

    #: The numbers of the batch, as they were given.
    recipients: tuple[str, ...] = attrs.field(repr=False)
    accepted: AcceptedCampaign | None = None
    error: ZiettError | None = None
