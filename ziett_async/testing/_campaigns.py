"""The campaign endpoints: batch, retrieve, list (API page, section 8)."""

import re
from collections.abc import Sequence
from functools import partial

from ziett_async._wire import Response
from ziett_async.testing._answers import Document, answer
from ziett_async.testing._books import Books, CampaignOrder
from ziett_async.testing._forms import Form, json_object
from ziett_async.testing._messages import CHANNELS, no_such, sender
from ziett_async.testing._page import Filter, Paging, envelope
from ziett_async.testing._records import CampaignRecord
from ziett_async.testing._search import Search
from ziett_async.testing._visit import Action, Visit

_RECIPIENT = r"\+?[0-9\s\-\.]{7,30}"
_STATUSES = (
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
#: Country codes of the countries of the language; any other number is taken as Angolan.
_CALLING = {"AO": "244", "BR": "55", "CV": "238", "MZ": "258", "PT": "351", "ST": "239"}


def to_e164(recipient: str, country: str | None) -> str:
    """Return a recipient in E.164; one without a prefix is of the country, or of Angola."""
    digits = re.sub(r"\D", "", recipient)
    calling = _CALLING.get(country or "AO", _CALLING["AO"])
    if recipient.startswith("+") or digits.startswith(calling):
        return f"+{digits}"
    return f"+{calling}{digits.lstrip('0')}"


def send_batch_campaign(books: Books, visit: Visit) -> Action:
    """Answer `POST /campaigns/batch`."""
    form = Form(json_object(visit.body))
    remitter_id = form.uuid("remitter_id")
    content = form.text("content", most=10_000)
    form.choice("channel_type", ("SMS",), "must be one of: SMS")
    recipients = form.texts(
        "recipients", least=2, most=1000, pattern=_RECIPIENT, must="must be a phone number"
    )
    name = form.optional_text("name", most=200)
    country = form.optional_text(
        "country_alpha2", pattern="[A-Z]{2}", must="must be two capital letters"
    )
    form.close()
    order = CampaignOrder(
        remitter_id=remitter_id,
        content=content,
        recipients=[to_e164(recipient, country) for recipient in recipients],
        name=name,
        idempotency_key=visit.idempotency_key,
    )
    return partial(_accept, books, order)


def get_campaign(books: Books, visit: Visit) -> Action:
    """Answer `GET /campaigns/{campaign_id}`."""
    record = books.campaigns.get(visit.uuid("campaign_id"))
    if record is None:
        raise no_such(books, "Campaign")
    return partial(answer, 200, _detail(books, record))


def list_campaigns(books: Books, visit: Visit) -> Action:
    """Answer `GET /campaigns`."""
    search = Search(visit.query)
    paging = Paging.of(search, books.dialect)
    filters = _filters(search)
    search.close()
    return lambda: answer(200, envelope(books.campaigns, filters, paging, partial(_detail, books)))


def _accept(books: Books, order: CampaignOrder) -> Response:
    campaign_id = str(books.accept_campaign(order).id)
    return answer(202, {"message": "Campaign accepted", "campaign_id": campaign_id})


def _filters(search: Search) -> Sequence[Filter[CampaignRecord]]:
    q, filters = search.one("q"), list[Filter[CampaignRecord]]()
    if q:
        filters.append(lambda row: q.lower() in (row.name or "").lower())
    if statuses := search.choices("status", _STATUSES):
        filters.append(lambda row: row.status in statuses)
    if channels := search.choices("channel_type", CHANNELS):
        filters.append(lambda row: row.channel_type in channels)
    if search.uuids("tag_id"):
        # No published endpoint gives a campaign a tag, so none here has one.
        filters.append(lambda _: False)
    if remitters := search.uuids("sms_remitter_id"):
        filters.append(lambda row: row.remitter_id in remitters)
    if errors := search.texts("error_code"):
        filters.append(lambda row: row.error_code in errors)
    if sources := search.texts("trigger_source"):
        filters.append(lambda row: row.trigger_source in sources)
    return filters


def _detail(books: Books, row: CampaignRecord) -> Document:
    stamp = books.dialect.stamp
    return {
        "id": str(row.id),
        "name": row.name,
        "status": row.status,
        "organization_id": str(books.organization_id),
        "billing_account_id": str(books.billing_account_id),
        "trigger_source": row.trigger_source,
        "file_metadata_id": None,
        "channel_type": row.channel_type,
        "sms_remitter_id": str(row.remitter_id),
        "sms_remitter": sender(row.remitter_id),
        "content": row.content,
        "total_estimated_recipients": row.recipients,
        "scheduled_at": None,
        "processed_at": stamp(row.processed_at) if row.processed_at else None,
        "completed_at": stamp(row.completed_at) if row.completed_at else None,
        "error_code": row.error_code,
        "status_note": None,
        "data": {},
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
    }
