"""The campaign endpoints: batch, retrieve, list (API page, section 8)."""

import re
from collections.abc import Sequence
from functools import partial

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.endpoints.messages import CHANNELS, not_found
from ziett_async._fake.listing import Filter, Paging, envelope
from ziett_async._fake.numbering import to_e164
from ziett_async._fake.parsing.body import JsonBody, json_object
from ziett_async._fake.parsing.query import QueryString
from ziett_async._fake.parsing.submissions import CampaignSubmission
from ziett_async._fake.request import Action, MatchedRequest
from ziett_async._fake.responses import INVALID_NUMBER, accepted_values, json_response
from ziett_async._fake.shapes import campaign
from ziett_async._fake.state.records import CAMPAIGN_STATUSES, CampaignRecord
from ziett_async._fake.state.store import Store
from ziett_async._wire import Response

_COUNTRY = re.compile("[A-Z]{2}")
_CHANNELS = ("SMS",)
#: The country of numbers without a prefix, if the batch names no country.
_DEFAULT_COUNTRY = "AO"


def send_batch_campaign(store: Store, matched: MatchedRequest) -> Action:
    """Validate `POST /campaigns/batch`."""
    body = JsonBody(json_object(matched.incoming.body))
    remitter_id = body.uuid("remitter_id", store.dialect)
    content = body.text("content", most=10_000)
    body.choice("channel_type", _CHANNELS, accepted_values(_CHANNELS))
    name = body.optional_text("name", most=200)
    country = body.optional_text(
        "country_alpha2", accepts=_COUNTRY.fullmatch, message="must be two capital letters"
    )
    # Recipients are not invalid only because the country is.
    known = None if "country_alpha2" in body.errors else country
    in_e164 = partial(to_e164, country=known or _DEFAULT_COUNTRY)
    recipients = body.texts(
        "recipients", least=2, most=1000, accepts=in_e164, message=INVALID_NUMBER
    )
    body.raise_if_invalid()
    submission = CampaignSubmission(
        remitter_id=remitter_id,
        content=content,
        recipients=[number for number in map(in_e164, recipients) if number],
        name=name,
        idempotency_key=matched.incoming.idempotency_key,
    )
    return partial(_accept, store, submission)


def get_campaign(store: Store, matched: MatchedRequest) -> Action:
    """Validate `GET /campaigns/{campaign_id}`."""
    record = store.campaigns.get(matched.uuid("campaign_id", store.dialect))
    if record is None:
        raise not_found(store, "Campaign")
    return partial(json_response, 200, campaign(store, record))


def list_campaigns(store: Store, matched: MatchedRequest) -> Action:
    """Validate `GET /campaigns`."""
    query = QueryString(matched.incoming.query)
    paging = Paging.of(query, store.dialect)
    filters = _filters(query, store.dialect)
    query.raise_if_invalid()
    return lambda: json_response(
        200, envelope(store.campaigns, filters, paging, partial(campaign, store))
    )


def _accept(store: Store, submission: CampaignSubmission) -> Response:
    campaign_id = str(store.accept_campaign(submission).id)
    count = f"Processing {len(submission.recipients):,} messages in the background."
    message = f"Campaign validation successful. {count}"
    return json_response(202, {"message": message, "campaign_id": campaign_id})


def _filters(query: QueryString, dialect: Dialect) -> Sequence[Filter[CampaignRecord]]:
    q, filters = query.one("q"), list[Filter[CampaignRecord]]()
    if q:
        filters.append(lambda row: q.lower() in (row.name or "").lower())
    if statuses := query.choices("status", CAMPAIGN_STATUSES):
        filters.append(lambda row: row.status in statuses)
    if channels := query.choices("channel_type", CHANNELS):
        filters.append(lambda row: row.channel_type in channels)
    if query.uuids("tag_id", dialect):
        # No documented endpoint gives a campaign a tag, so no campaign has one.
        filters.append(lambda _: False)
    if remitters := query.uuids("sms_remitter_id", dialect):
        filters.append(lambda row: row.remitter_id in remitters)
    if errors := query.texts("error_code"):
        filters.append(lambda row: row.error_code in errors)
    if sources := query.texts("trigger_source"):
        filters.append(lambda row: row.trigger_source in sources)
    return filters
