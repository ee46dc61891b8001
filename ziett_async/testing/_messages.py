"""The message endpoints: send, list, retrieve (API page, sections 5 to 7)."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from ziett_async._wire import Response
from ziett_async.testing._answers import Document, Refusal, answer
from ziett_async.testing._books import Books, ContactOrder, MessageOrder
from ziett_async.testing._forms import Form, json_object
from ziett_async.testing._page import Filter, Paging, envelope
from ziett_async.testing._records import MessageRecord
from ziett_async.testing._search import Search
from ziett_async.testing._visit import Action, Visit

E164 = r"\+[1-9][0-9]{1,14}"
CHANNELS = ("SMS", "WHATSAPP")
_STATUSES = ("PENDING", "SENT", "DELIVERED", "FAILED", "UNDELIVERED")
_EMAIL = r"[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+\.[^@\s.\x00-\x1f\x7f-\x9f]+"


def send_message(books: Books, visit: Visit) -> Action:
    """Answer `POST /messages`."""
    form = Form(json_object(visit.body))
    remitter_id = form.uuid("remitter_id")
    channel_type = form.choice(
        "channel_type", books.dialect.channels, "must be one of: SMS, WHATSAPP"
    )
    target_e164 = form.text("target_e164", pattern=E164, must="must be an E.164 number")
    unbounded = channel_type != "SMS" and channel_type in books.dialect.channels
    content = form.text("content", most=None if unbounded else 1600)
    contact = form.inner("save_contact")
    save_contact = None if contact is None else _contact(contact)
    form.close()
    order = MessageOrder(
        remitter_id=remitter_id,
        channel_type=channel_type,
        target_e164=target_e164,
        content=content,
        save_contact=save_contact,
        idempotency_key=visit.idempotency_key,
    )
    return partial(_accept, books, order)


def list_messages(books: Books, visit: Visit) -> Action:
    """Answer `GET /messages`."""
    return _listing(books, Search(visit.query), [])


def list_campaign_messages(books: Books, visit: Visit) -> Action:
    """Answer `GET /campaigns/{campaign_id}/messages`."""
    campaign_id = visit.uuid("campaign_id")
    if books.campaigns.get(campaign_id) is None:
        raise no_such(books, "Campaign")
    return _listing(books, Search(visit.query), [lambda row: row.campaign_id == campaign_id])


def get_message(books: Books, visit: Visit) -> Action:
    """Answer `GET /messages/{message_id}`."""
    record = books.messages.get(visit.uuid("message_id"))
    if record is None:
        raise no_such(books, "Message")
    return partial(answer, 200, _detail(books, record))


def no_such(books: Books, what: str) -> Refusal:
    """Return the 404 for something that is not there."""
    return Refusal(404, f"{what} not found", code=books.dialect.not_found)


def sender(remitter_id: UUID) -> Document:
    """Return the `sms_remitter` object of a Sender ID."""
    return {"id": str(remitter_id), "name": "ZIETT"}


def _contact(form: Form) -> ContactOrder:
    return ContactOrder(
        name=form.text("name"),
        email=form.optional_text("email", pattern=_EMAIL, must="must be a valid email address"),
        tags=tuple(form.texts("tags")) if "tags" in form else (),
    )


def _accept(books: Books, order: MessageOrder) -> Response:
    document = {"message_id": str(books.accept_message(order).id)}
    if books.dialect.accepted_status:
        document["status"] = "QUEUED"
    return answer(202, document)


def _listing(books: Books, search: Search, filters: list[Filter[MessageRecord]]) -> Action:
    paging = Paging.of(search, books.dialect)
    filters = [*filters, *_filters(search)]
    search.close()
    return lambda: answer(
        200, envelope(books.messages, filters, paging, partial(_list_entry, books))
    )


def _filters(search: Search) -> Sequence[Filter[MessageRecord]]:
    q, filters = search.one("q"), list[Filter[MessageRecord]]()
    if q:
        filters.append(lambda row: q in row.target_e164 or q.lower() == str(row.id))
    if statuses := search.choices("status", _STATUSES):
        filters.append(lambda row: row.status in statuses)
    if channels := search.choices("channel_type", CHANNELS):
        filters.append(lambda row: row.channel_type in channels)
    if contacts := search.uuids("contact_id"):
        filters.append(lambda row: row.contact_id in contacts)
    if campaigns := search.uuids("campaign_id"):
        filters.append(lambda row: row.campaign_id in campaigns)
    if remitters := search.uuids("sms_remitter_id"):
        filters.append(lambda row: row.remitter_id in remitters)
    return filters


def _entry(books: Books, row: MessageRecord) -> dict[str, object]:
    return {
        "id": str(row.id),
        "remitter_id": str(row.remitter_id),
        "campaign_id": _optional(row.campaign_id),
        "contact_id": _optional(row.contact_id),
        "channel_type": row.channel_type,
        "channel_destination": row.channel_destination,
        "target_e164": row.target_e164,
        "content": row.content,
        "status": row.status,
        "error_code": row.error_code,
        "created_at": books.dialect.stamp(row.created_at),
        "updated_at": books.dialect.stamp(row.updated_at),
    }


def _list_entry(books: Books, row: MessageRecord) -> Document:
    entry = _entry(books, row)
    if books.dialect.list_entry == "conventions":
        entry["to"] = entry.pop("target_e164")
        entry["body"] = entry.pop("content")
        entry["status"] = row.status.lower()
    return entry


def _detail(books: Books, row: MessageRecord) -> Document:
    wider = books.dialect.retrieve == "wider"
    detail = _entry(books, row)
    if wider:
        detail["e164_format"] = detail.pop("target_e164")
        detail["sms_remitter_id"] = detail.pop("remitter_id")
    contact = books.contacts.get(row.target_e164) if row.contact_id else None
    campaign = books.campaigns.get(row.campaign_id) if row.campaign_id else None
    return {
        **detail,
        "organization_id": str(books.organization_id),
        "billing_account_id": str(books.billing_account_id),
        "sms_remitter": sender(row.remitter_id),
        "external_id": None if row.status == "PENDING" else f"ext-{row.id.hex[-12:]}",
        ("provider_id" if wider else "provider_name"): f"{row.channel_destination.lower()}-smpp",
        "trigger_source": "API",
        "cost": f"{row.cost:.6f}",
        "is_refunded": row.is_refunded,
        "contact": {"id": str(contact.id), "name": contact.name} if contact else None,
        "campaign": {"id": str(campaign.id), "name": campaign.name} if campaign else None,
    }


def _optional(value: UUID | None) -> str | None:
    return None if value is None else str(value)
