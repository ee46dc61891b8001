"""The contents of valid POST requests."""

from collections.abc import Sequence
from uuid import UUID

import attrs


@attrs.frozen(repr=False, kw_only=True)
class ContactDetails:
    """A valid `save_contact`."""

    name: str
    email: str | None
    tags: tuple[str, ...]


@attrs.frozen(repr=False, kw_only=True)
class MessageSubmission:
    """A valid `POST /messages`."""

    remitter_id: UUID
    channel_type: str
    target_e164: str
    content: str
    save_contact: ContactDetails | None
    idempotency_key: str | None


@attrs.frozen(repr=False, kw_only=True)
class CampaignSubmission:
    """A valid `POST /campaigns/batch`; the recipients are in E.164."""

    remitter_id: UUID
    content: str
    recipients: Sequence[str]
    name: str | None
    idempotency_key: str | None
