"""The message endpoints: send, list, retrieve (API page, sections 5 to 7)."""

import re
from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.listing import Filter, Paging, envelope
from ziett_async._fake.parsing.body import JsonBody, json_object
from ziett_async._fake.parsing.query import QueryString
from ziett_async._fake.parsing.submissions import ContactDetails, MessageSubmission
from ziett_async._fake.request import Action, MatchedRequest
from ziett_async._fake.responses import INVALID_NUMBER, Refusal, accepted_values, json_response
from ziett_async._fake.shapes import list_entry, message
from ziett_async._fake.state.records import LISTED_STATUSES, MessageRecord
from ziett_async._fake.state.store import Store
from ziett_async._telephony.phone import is_assignable
from ziett_async._wire import Response

CHANNELS = ("SMS", "WHATSAPP")
_EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+\.[^@\s.\x00-\x1f\x7f-\x9f]+"
)


def send_message(store: Store, matched: MatchedRequest) -> Action:
    """Validate `POST /messages`."""
    body = JsonBody(json_object(matched.incoming.body))
    remitter_id = body.uuid("remitter_id", store.dialect)
    # The documented text names both channels, whichever of them are accepted.
    channel_type = body.choice("channel_type", store.dialect.channels, accepted_values(CHANNELS))
    target_e164 = body.text("target_e164", accepts=is_assignable, message=INVALID_NUMBER)
    unbounded = channel_type != "SMS" and channel_type in store.dialect.channels
    content = body.text("content", most=None if unbounded else 1600)
    contact = body.inner("save_contact")
    save_contact = None if contact is None else _contact_details(contact)
    body.raise_if_invalid()
    submission = MessageSubmission(
        remitter_id=remitter_id,
        channel_type=channel_type,
        target_e164=target_e164,
        content=content,
        save_contact=save_contact,
        idempotency_key=matched.incoming.idempotency_key,
    )
    return partial(_accept, store, submission)


def list_messages(store: Store, matched: MatchedRequest) -> Action:
    """Validate `GET /messages`."""
    return _listing(store, matched, [])


def list_campaign_messages(store: Store, matched: MatchedRequest) -> Action:
    """Validate `GET /campaigns/{campaign_id}/messages`."""
    campaign_id = matched.uuid("campaign_id", store.dialect)
    if store.campaigns.get(campaign_id) is None:
        raise not_found(store, "Campaign")
    return _listing(store, matched, [lambda row: row.campaign_id == campaign_id])


def get_message(store: Store, matched: MatchedRequest) -> Action:
    """Validate `GET /messages/{message_id}`."""
    record = store.messages.get(matched.uuid("message_id", store.dialect))
    if record is None:
        raise not_found(store, "Message")
    return partial(json_response, 200, message(store, record))


def not_found(store: Store, resource: str) -> Refusal:
    """Return the 404 for a resource that does not exist."""
    return Refusal(404, f"{resource} not found", code=store.dialect.not_found)


def _contact_details(body: JsonBody) -> ContactDetails:
    return ContactDetails(
        name=body.text("name"),
        email=body.optional_text(
            "email", accepts=_EMAIL.fullmatch, message="must be a valid email address"
        ),
        tags=tuple(body.texts("tags")) if "tags" in body else (),
    )


def _accept(store: Store, submission: MessageSubmission) -> Response:
    document = {"message_id": str(store.accept_message(submission).id)}
    if store.dialect.accepted_status:
        document["status"] = "QUEUED"
    return json_response(202, document)


def _listing(store: Store, matched: MatchedRequest, filters: list[Filter[MessageRecord]]) -> Action:
    query = QueryString(matched.incoming.query)
    paging = Paging.of(query, store.dialect)
    filters = [*filters, *_filters(query, store.dialect)]
    query.raise_if_invalid()
    return lambda: json_response(
        200, envelope(store.messages, filters, paging, partial(list_entry, store))
    )


def _filters(query: QueryString, dialect: Dialect) -> Sequence[Filter[MessageRecord]]:
    q, filters = query.one("q"), list[Filter[MessageRecord]]()
    if q:
        filters.append(lambda row: q in row.target_e164 or q.lower() == str(row.id))
    if statuses := query.choices("status", LISTED_STATUSES, lower_case=True):
        filters.append(lambda row: row.status in statuses)
    if channels := query.choices("channel_type", CHANNELS):
        filters.append(lambda row: row.channel_type in channels)
    if sources := query.texts("trigger_source"):
        filters.append(lambda row: row.trigger_source in sources)
    if operators := query.texts("channel_destination"):
        filters.append(lambda row: row.channel_destination in operators)
    if contacts := query.uuids("contact_id", dialect):
        filters.append(lambda row: row.contact_id in contacts)
    if campaigns := query.uuids("campaign_id", dialect):
        filters.append(lambda row: row.campaign_id in campaigns)
    for name in ("sms_remitter_id", "remitter_id"):
        if remitters := query.uuids(name, dialect):
            filters.append(partial(_is_from, remitters))
    return filters


def _is_from(remitters: Collection[UUID], row: MessageRecord) -> bool:
    return row.remitter_id in remitters
