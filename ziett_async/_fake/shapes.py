"""The JSON documents of messages and campaigns: their keys in the documented order."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from uuid import UUID

from ziett_async._fake.responses import Document
from ziett_async._fake.state.records import CampaignRecord, ContactRecord, MessageRecord
from ziett_async._fake.state.store import Store

#: Providers by operator; no page names those of other operators.
_PROVIDERS = {"UNITEL": "UNITEL_DIRECT"}
_SENDER = "ZIETT"


def list_entry(store: Store, row: MessageRecord) -> Document:
    """Return the document of a message in a list."""
    return _ENTRIES[store.dialect.list_entry](store, row)


def message(store: Store, row: MessageRecord) -> Document:
    """Return the document of Get Message."""
    wider = store.dialect.retrieve == "reference"
    return _reference_message(store, row) if wider else _site_message(store, row)


def campaign(store: Store, row: CampaignRecord) -> Document:
    """Return the document of a campaign, by itself or in a list."""
    timestamp = store.dialect.format_timestamp
    document: dict[str, object] = {
        "id": str(row.id),
        "name": row.name,
        "status": row.status,
        "organization_id": str(store.organization_id),
        "billing_account_id": str(store.billing_account_id),
        "trigger_source": row.trigger_source,
        "file_metadata_id": None,
        "channel_type": row.channel_type,
        "sms_remitter_id": str(row.remitter_id),
        "sms_remitter": sender(row.remitter_id),
        "content": row.content,
        "total_estimated_recipients": row.recipients,
        "scheduled_at": None,
        "processed_at": timestamp(row.processed_at) if row.processed_at else None,
        "completed_at": timestamp(row.completed_at) if row.completed_at else None,
        "error_code": row.error_code,
        "status_note": None,
        "data": {},
    }
    if store.dialect.retrieve == "site":
        # The current page has null for a campaign that has not changed.
        changed = row.updated_at != row.created_at
        updated_at = timestamp(row.updated_at) if changed else None
        return document | {"created_at": timestamp(row.created_at), "updated_at": updated_at}
    return _common(store, row) | document | {"sms_remitter": {"name": _SENDER}}


def sender(remitter_id: UUID) -> Document:
    """Return the `sms_remitter` object of a Sender ID."""
    return {"id": str(remitter_id), "name": _SENDER}


def _site_entry(store: Store, row: MessageRecord) -> dict[str, object]:
    return {
        "id": str(row.id),
        "remitter_id": str(row.remitter_id),
        "campaign_id": _text(row.campaign_id),
        "contact_id": _text(row.contact_id),
        "channel_type": row.channel_type,
        "channel_destination": row.channel_destination,
        "target_e164": row.target_e164,
        "content": row.content,
        "status": row.status,
        "error_code": row.error_code,
        "created_at": store.dialect.format_timestamp(row.created_at),
        "updated_at": store.dialect.format_timestamp(row.updated_at),
    }


def _conventions_entry(store: Store, row: MessageRecord) -> Document:
    entry = _site_entry(store, row)
    # The page shows only these five keys; the others are as on the page of the list.
    shown = {
        "id": entry.pop("id"),
        "to": entry.pop("target_e164"),
        "body": entry.pop("content"),
        "status": row.status.lower(),
        "created_at": entry.pop("created_at"),
    }
    del entry["status"]
    return shown | entry


def _site_message(store: Store, row: MessageRecord) -> Document:
    return {
        "id": str(row.id),
        "organization_id": str(store.organization_id),
        "billing_account_id": str(store.billing_account_id),
        "campaign_id": _text(row.campaign_id),
        "contact_id": _text(row.contact_id),
        "sms_remitter_id": str(row.remitter_id),
        "sms_remitter": sender(row.remitter_id),
        "external_id": None,
        "channel_type": row.channel_type,
        "channel_destination": row.channel_destination,
        "provider_name": _PROVIDERS.get(row.channel_destination),
        "e164_format": row.target_e164,
        "content": row.content,
        "trigger_source": row.trigger_source,
        "cost": f"{row.cost:.6f}",
        "is_refunded": row.is_refunded,
        "status": row.status,
        "error_code": row.error_code,
        "created_at": store.dialect.format_timestamp(row.created_at),
        "updated_at": store.dialect.format_timestamp(row.updated_at),
    }


def _reference_message(store: Store, row: MessageRecord) -> Document:
    contact = store.contacts.get(row.target_e164) if row.contact_id else None
    campaign = store.campaigns.get(row.campaign_id) if row.campaign_id else None
    return {
        **_common(store, row),
        "organization_id": str(store.organization_id),
        "campaign_id": _text(row.campaign_id),
        "contact_id": _text(row.contact_id),
        "sms_remitter_id": str(row.remitter_id),
        "sms_remitter": {"name": _SENDER},
        "external_id": None,
        "cost": f"{row.cost:.6f}",
        "billing_account_id": str(store.billing_account_id),
        "channel_type": row.channel_type,
        "channel_destination": row.channel_destination,
        "provider_id": _PROVIDERS.get(row.channel_destination),
        "e164_format": row.target_e164,
        "content": row.content,
        "trigger_source": row.trigger_source,
        "error_code": row.error_code,
        "is_refunded": row.is_refunded,
        "status": row.status,
        "contact": _contact(store, contact) if contact else None,
        "campaign": _common(store, campaign) | {"name": campaign.name, "status": campaign.status}
        if campaign
        else None,
    }


def _contact(store: Store, contact: ContactRecord) -> Document:
    return {
        **_common(store, contact),
        "name": contact.name,
        "email": contact.email,
        "e164_format": contact.target_e164,
        "organization_id": str(store.organization_id),
    }


def _common(store: Store, row: MessageRecord | CampaignRecord | ContactRecord) -> dict[str, object]:
    """Return the keys that come first in every object of the wider reference."""
    return {
        "id": str(row.id),
        "updated_at": store.dialect.format_timestamp(row.updated_at),
        "created_at": store.dialect.format_timestamp(row.created_at),
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


_ENTRIES: Mapping[str, Callable[[Store, MessageRecord], Document]] = MappingProxyType(
    {
        "site": _site_entry,
        "reference": _reference_message,
        "conventions": _conventions_entry,
    }
)
