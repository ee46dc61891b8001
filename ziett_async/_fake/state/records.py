"""The records of the fake service: messages, campaigns, contacts and arrivals.

No `repr` shows a number, a name or a text, so that the output of a failed assertion can be
shared.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

#: The statuses of a message by which the lists filter, and all that it may have.
LISTED_STATUSES = ("PENDING", "SENT", "DELIVERED", "FAILED", "UNDELIVERED")
MESSAGE_STATUSES = (*LISTED_STATUSES, "EXPIRED", "REJECTED", "CANCELLED")
CAMPAIGN_STATUSES = (
    "DRAFT",
    "SCHEDULED",
    "PENDING",
    "PROCESSING",
    "SENDING",
    "PAUSED",
    "COMPLETED",
    "CANCELLED",
    "FAILED",
)


@attrs.frozen
class Change:
    """A status that a message got."""

    status: str
    #: When it got the status, aware, in UTC.
    at: datetime
    error_code: str | None = None


@attrs.frozen(repr=False, kw_only=True)
class MessageRecord:
    """A message as it is now; change it with `attrs.evolve` and `fake.put`."""

    id: UUID
    remitter_id: UUID
    #: E.164, `+244990090990`.
    target_e164: str
    content: str
    #: When it was accepted, aware, in UTC.
    created_at: datetime
    #: When its status last changed.
    updated_at: datetime
    status: str = "PENDING"
    error_code: str | None = None
    #: `SMS` or `WHATSAPP`.
    channel_type: str = "SMS"
    #: The operator: `UNITEL`, `AFRICELL_AO` or `OTHER`.
    channel_destination: str = "OTHER"
    campaign_id: UUID | None = None
    contact_id: UUID | None = None
    #: The idempotency key of the request that created it.
    idempotency_key: str | None = None
    #: `API`, `API_CLIENT` or `CUSTOMER_PORTAL`.
    trigger_source: str = "API"
    #: What it cost.
    cost: Decimal = Decimal("0.000000")
    is_refunded: bool = False
    #: Every status so far, the first one first; maintained by the store.
    history: tuple[Change, ...] = ()

    def __repr__(self) -> str:
        return f"<MessageRecord {self.id} {self.status}>"


@attrs.frozen(repr=False, kw_only=True)
class CampaignRecord:
    """A batch campaign as it is now."""

    id: UUID
    remitter_id: UUID
    content: str
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    status: str = "PROCESSING"
    error_code: str | None = None
    channel_type: str = "SMS"
    #: How many recipients the request had.
    recipients: int = 0
    #: When its status changed from PROCESSING to SENDING.
    processed_at: datetime | None = None
    #: When it became COMPLETED.
    completed_at: datetime | None = None
    idempotency_key: str | None = None
    trigger_source: str = "API"

    def __repr__(self) -> str:
        return f"<CampaignRecord {self.id} {self.status}>"


@attrs.frozen(repr=False, kw_only=True)
class ContactRecord:
    """A contact, created or updated by `save_contact`."""

    id: UUID
    target_e164: str
    name: str
    created_at: datetime
    #: When it was created or last updated.
    updated_at: datetime
    email: str | None = None
    #: In the order in which they were first received.
    tags: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<ContactRecord {self.id}>"


@attrs.frozen(kw_only=True)
class Arrival:
    """A request that reached the service."""

    #: Seconds on the service's clock (`monotonic`).
    at: float
    #: `send_message`, `list_messages`, ...; None for a path or method that the API lacks.
    operation: str | None
    #: `send`, `list`, `read` or `batch`; None if `operation` is None.
    bucket: str | None
    method: str
    #: After the base path: `/messages`.
    path: str
    #: Undecoded, without the question mark.
    query: str = attrs.field(repr=False)
    idempotency_key: str | None
    #: SHA-256 of the body, in hexadecimal.
    body_digest: str
    #: The status of the response, even if the response was lost; None if a fault prevented
    #: one.
    status: int | None
    #: Whether the response was replayed for a repeated idempotency key.
    replayed: bool = False
