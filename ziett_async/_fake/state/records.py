"""What the fake service keeps in its store: messages, campaigns, contacts, arrivals.

No `repr` shows a number, a name or a text, so that a failing assertion can be pasted
anywhere.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs


@attrs.frozen
class Change:
    """One step in the life of a message."""

    status: str
    #: When it came to be, aware, in UTC.
    at: datetime
    error_code: str | None = None


@attrs.frozen(repr=False, kw_only=True)
class MessageRecord:
    """One message as the service sees it now; `attrs.evolve` and `fake.put` change it."""

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
    #: The key that the accepting request carried.
    idempotency_key: str | None = None
    #: `API`, `API_CLIENT` or `CUSTOMER_PORTAL`.
    trigger_source: str = "API"
    #: What it took from the balance.
    cost: Decimal = Decimal("0.000000")
    is_refunded: bool = False
    #: Every status so far, the first one first; the store keep it.
    history: tuple[Change, ...] = ()

    def __repr__(self) -> str:
        return f"<MessageRecord {self.id} {self.status}>"


@attrs.frozen(repr=False, kw_only=True)
class CampaignRecord:
    """One batch campaign as the service sees it now."""

    id: UUID
    remitter_id: UUID
    content: str
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    status: str = "PROCESSING"
    error_code: str | None = None
    channel_type: str = "SMS"
    #: Recipients named in the request.
    recipients: int = 0
    #: When it went from PROCESSING to SENDING.
    processed_at: datetime | None = None
    #: When it was COMPLETED.
    completed_at: datetime | None = None
    idempotency_key: str | None = None
    trigger_source: str = "API"

    def __repr__(self) -> str:
        return f"<CampaignRecord {self.id} {self.status}>"


@attrs.frozen(repr=False, kw_only=True)
class ContactRecord:
    """One contact, made or renewed by `save_contact`."""

    id: UUID
    target_e164: str
    name: str
    created_at: datetime
    #: When it was last made or renewed.
    updated_at: datetime
    email: str | None = None
    #: In the order in which they were first seen.
    tags: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<ContactRecord {self.id}>"


@attrs.frozen(kw_only=True)
class Arrival:
    """One request that reached the service, as its ledger has it."""

    #: Seconds on the service's clock (`monotonic`).
    at: float
    #: `send_message`, `list_messages`, ...; None for a path or method the API does not have.
    operation: str | None
    #: `send`, `list`, `read` or `batch`; None where `operation` is.
    bucket: str | None
    method: str
    #: After the base path: `/messages`.
    path: str
    #: Undecoded, without the question mark.
    query: str = attrs.field(repr=False)
    idempotency_key: str | None
    #: SHA-256 of the body's bytes, in hexadecimal.
    body_digest: str
    #: The status of the answer, even of one that got lost; None where a fault let the
    #: service say nothing at all.
    status: int | None
    #: Whether the answer was an earlier one, given again for the same idempotency key.
    replayed: bool = False
