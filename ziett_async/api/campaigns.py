"""Campaigns: one text to many recipients, and what became of it (API pages, Campaigns)."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Unpack, cast
from uuid import UUID

from ziett_async import _validation as check
from ziett_async._operation import Bucket, Operation
from ziett_async._validation import Fields
from ziett_async.api._lists import (
    CAMPAIGN_RULES,
    MESSAGE_RULES,
    CampaignFilters,
    CampaignMessageFilters,
    to_query,
    walk,
)
from ziett_async.api._resource import Resource
from ziett_async.models import AcceptedCampaign, Campaign, ChannelType, Message, Page

if TYPE_CHECKING:
    from ziett_async._pages import Pages

SEND_BATCH_CAMPAIGN = Operation(
    "send_batch_campaign", "POST", "/campaigns/batch", AcceptedCampaign, Bucket.BATCH
)
GET_CAMPAIGN = Operation("get_campaign", "GET", "/campaigns/{campaign_id}", Campaign, Bucket.READ)
LIST_CAMPAIGNS = Operation("list_campaigns", "GET", "/campaigns", Page[Campaign], Bucket.LIST)
LIST_CAMPAIGN_MESSAGES = Operation(
    "list_campaign_messages",
    "GET",
    "/campaigns/{campaign_id}/messages",
    Page[Message],
    Bucket.LIST,
)

#: The most characters of a campaign's text.
LONGEST_CONTENT = 10_000
#: The most characters of a campaign's name.
LONGEST_NAME = 200


class Campaigns(Resource):
    """The calls for campaigns."""

    async def send_batch_campaign(
        self,
        recipients: Collection[str],
        *,
        content: str,
        remitter_id: UUID | str | None = None,
        name: str | None = None,
        country_alpha2: str | None = None,
        channel_type: ChannelType | str = ChannelType.SMS,
        idempotency_key: UUID | str | None = None,
        timeout: float | None = None,
    ) -> AcceptedCampaign:
        """Send one text to 2 to 1000 recipients (API page, Send a Batch Campaign).

        One call is one campaign, however many attempts it takes, as with `send_message`.

        Args:
            recipients: numbers with country code, or local numbers of `country_alpha2`.
            content: 1 to 10,000 characters.
            remitter_id: the Sender ID; None takes the client's.
            name: 1 to 200 characters.
            country_alpha2: two letters; None takes the client's `default_country`.
            channel_type: how the messages travel.
            idempotency_key: as in `send_message`.
            timeout: as in `send_message`.

        Raises:
            InvalidRequest: refused before anything was sent; `fields` has the reasons.
            RecipientNotAllowed: the client's `allowed_recipients` does not contain them all.
            NotSent, OutcomeUnknown, DeadlineExceeded, ApiError: as `send_message`.

        """
        fields = Fields(SEND_BATCH_CAMPAIGN.name)
        to = fields.check("recipients", check.recipients, recipients) or []
        country = None
        if country_alpha2 is not None:
            country = fields.check("country_alpha2", check.country, country_alpha2)
        body = self._campaign_body(fields, content, remitter_id, name, country, channel_type)
        fields.raise_if_invalid()
        return await self._session.call(
            SEND_BATCH_CAMPAIGN,
            body=self._with_recipients(body, to),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )

    def _campaign_body(
        self,
        fields: Fields,
        content: object,
        remitter_id: UUID | str | None,
        name: object,
        country: str | None,
        channel_type: object = ChannelType.SMS,
    ) -> dict[str, object]:
        """Return the body of a campaign, but for its recipients."""
        body: dict[str, object] = {
            "remitter_id": self._remitter(fields, remitter_id),
            "channel_type": fields.check(
                "channel_type", check.open_enum, channel_type, ChannelType
            ),
            "content": fields.check("content", check.text, content, LONGEST_CONTENT),
        }
        if name is not None:
            body["name"] = fields.check("name", check.text, name, LONGEST_NAME)
        if country is None:
            country = self._session.defaults.country
        if country is not None:
            body["country_alpha2"] = country
        return body

    def _with_recipients(
        self, body: Mapping[str, object], recipients: Sequence[str]
    ) -> Mapping[str, object]:
        """Return the whole body.

        Raises:
            RecipientNotAllowed: a recipient is not one that this client may send to.

        """
        country = cast("str | None", body.get("country_alpha2"))
        if self._session.defaults.allowed_recipients is not None:
            # Many patterns, which a client without a list does not need.
            from ziett_async._telephony.reading import to_e164  # noqa: PLC0415

            # What is checked is what is sent, however the service would read the text.
            numbers = [to_e164(each, country) for each in recipients]
            self._allow(SEND_BATCH_CAMPAIGN, numbers)
            return {**body, "recipients": numbers}
        return {**body, "recipients": recipients}

    async def get_campaign(
        self, campaign_id: UUID | str, *, timeout: float | None = None
    ) -> Campaign:
        """Return one campaign (API page, Get Campaign).

        Args:
            campaign_id: the id that `send_batch_campaign` returned.
            timeout: seconds for the whole call; None takes the client's.

        Raises:
            InvalidRequest: `campaign_id` is not a UUID.
            NotFoundError: there is no such campaign, or it is another organisation's.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: the read failed.

        """
        path = self._path(GET_CAMPAIGN, campaign_id=campaign_id)
        return await self._session.call(GET_CAMPAIGN, path=path, timeout=timeout)

    async def list_campaigns(
        self, *, page: int = 1, timeout: float | None = None, **filters: Unpack[CampaignFilters]
    ) -> Page[Campaign]:
        """Return one page of the campaigns, the newest first (API page, List Campaigns).

        Args:
            page: 1 for the first; `iter_campaigns` is exact over several pages.
            timeout: seconds for the whole call; None takes the client's.
            filters: those of `CampaignFilters`; None is no filter. `size` is 30 by default.

        Raises:
            InvalidRequest: a filter the server would refuse.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: the read failed.

        """
        query = to_query(LIST_CAMPAIGNS.name, CAMPAIGN_RULES, {"page": page, **filters})
        return await self._session.call(LIST_CAMPAIGNS, query=query, timeout=timeout)

    def iter_campaigns(
        self, *, timeout: float | None = None, **filters: Unpack[CampaignFilters]
    ) -> "Pages[Campaign]":
        """Return all campaigns that match, each exactly once, like `iter_messages`.

        Args:
            timeout: seconds for each page; None takes the client's.
            filters: those of `CampaignFilters`; None is no filter.

        Raises:
            InvalidRequest: a filter the server would refuse; raised at once.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: a page could not be
                read; raised from the loop, whose next step requests it again.

        """
        return walk(self._session, LIST_CAMPAIGNS, CAMPAIGN_RULES, filters, None, timeout)

    async def list_campaign_messages(
        self,
        campaign_id: UUID | str,
        *,
        page: int = 1,
        timeout: float | None = None,
        **filters: Unpack[CampaignMessageFilters],
    ) -> Page[Message]:
        """Return one page of a campaign's messages, the newest first, like `list_messages`.

        Args:
            campaign_id: the id that `send_batch_campaign` returned.
            page: 1 for the first; `iter_campaign_messages` is exact over several pages.
            timeout: seconds for the whole call; None takes the client's.
            filters: those of `CampaignMessageFilters`; None is no filter.

        Raises:
            InvalidRequest: `campaign_id` is not a UUID, or a filter the server would refuse.
            NotFoundError: there is no such campaign, or it is another organisation's.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: the read failed.

        """
        path = self._path(LIST_CAMPAIGN_MESSAGES, campaign_id=campaign_id)
        query = to_query(LIST_CAMPAIGN_MESSAGES.name, MESSAGE_RULES, {"page": page, **filters})
        return await self._session.call(
            LIST_CAMPAIGN_MESSAGES, path=path, query=query, timeout=timeout
        )

    def iter_campaign_messages(
        self,
        campaign_id: UUID | str,
        *,
        timeout: float | None = None,
        **filters: Unpack[CampaignMessageFilters],
    ) -> "Pages[Message]":
        """Return a campaign's messages that match, each exactly once, like `iter_messages`.

        Args:
            campaign_id: the id that `send_batch_campaign` returned.
            timeout: seconds for each page; None takes the client's.
            filters: those of `CampaignMessageFilters`; None is no filter.

        Raises:
            InvalidRequest: `campaign_id` is not a UUID, or a filter the server would refuse;
                raised at once.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: a page could not be
                read; raised from the loop, whose next step requests it again.

        """
        path = self._path(LIST_CAMPAIGN_MESSAGES, campaign_id=campaign_id)
        return walk(self._session, LIST_CAMPAIGN_MESSAGES, MESSAGE_RULES, filters, path, timeout)
