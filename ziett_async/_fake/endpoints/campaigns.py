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
from ziett_async._fake.responses import INVALID_NUMBER, accepted_values, answer
from ziett_async._fake.shapes import campaign
from ziett_async._fake.state.records import CampaignRecord
from ziett_async._fake.state.store import Store
from ziett_async._wire import Response

_COUNTRY = re.compile("[A-Z]{2}")
_CHANNELS = ("SMS",)
#: The country of numbers without a prefix where a batch names none.
_HOME = "AO"
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


def send_batch_campaign(store: Store, matched: MatchedRequest) -> Action:
    """Answer `POST /campaigns/batch`."""
    form = JsonBody(json_object(matched.incoming.body))
    remitter_id = form.uuid("remitter_id", store.dialect)
    content = form.text("content", most=10_000)
    form.choice("channel_type", _CHANNELS, accepted_values(_CHANNELS))
    name = form.optional_text("name", most=200)
    country = form.optional_text(
        "country_alpha2", accepts=_COUNTRY.fullmatch, must="must be two capital letters"
    )
    # Recipients are not to blame for a country that is none.
    named = None if "country_alpha2" in form.errors else country
    in_e164 = partial(to_e164, country=named or _HOME)
    recipients = form.texts("recipients", least=2, most=1000, accepts=in_e164, must=INVALID_NUMBER)
    form.close()
    submission = CampaignSubmission(
        remitter_id=remitter_id,
        content=content,
        recipients=[number for number in map(in_e164, recipients) if number],
        name=name,
        idempotency_key=matched.incoming.idempotency_key,
    )
    return partial(_accept, store, submission)


def get_campaign(store: Store, matched: MatchedRequest) -> Action:
    """Answer `GET /campaigns/{campaign_id}`."""
    record = store.campaigns.get(matched.uuid("campaign_id", store.dialect))
    if record is None:
        raise not_found(store, "Campaign")
    return partial(answer, 200, campaign(store, record))


def list_campaigns(store: Store, matched: MatchedRequest) -> Action:
    """Answer `GET /campaigns`."""
    search = QueryString(matched.incoming.query)
    paging = Paging.of(search, store.dialect)
    filters = _filters(search, store.dialect)
    search.close()
    return lambda: answer(200, envelope(store.campaigns, filters, paging, partial(campaign, store)))


def _accept(store: Store, submission: CampaignSubmission) -> Response:
    campaign_id = str(store.accept_campaign(submission).id)
    count = f"Processing {len(submission.recipients):,} messages in the background."
    message = f"Campaign validation successful. {count}"
    return answer(202, {"message": message, "campaign_id": campaign_id})


def _filters(search: QueryString, dialect: Dialect) -> Sequence[Filter[CampaignRecord]]:
    q, filters = search.one("q"), list[Filter[CampaignRecord]]()
    if q:
        filters.append(lambda row: q.lower() in (row.name or "").lower())
    if statuses := search.choices("status", _STATUSES):
        filters.append(lambda row: row.status in statuses)
    if channels := search.choices("channel_type", CHANNELS):
        filters.append(lambda row: row.channel_type in channels)
    if search.uuids("tag_id", dialect):
        # No published endpoint gives a campaign a tag, so none here has one.
        filters.append(lambda _: False)
    if remitters := search.uuids("sms_remitter_id", dialect):
        filters.append(lambda row: row.remitter_id in remitters)
    if errors := search.texts("error_code"):
        filters.append(lambda row: row.error_code in errors)
    if sources := search.texts("trigger_source"):
        filters.append(lambda row: row.trigger_source in sources)
    return filters
