"""The calls of `send_campaign`: an audience in batches, how one is sent and looked up."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import cast

import attrs

from ziett_async import _validation as check
from ziett_async._operation import Priority
from ziett_async._session import Session
from ziett_async._validation import Fields
from ziett_async.api._lists import CAMPAIGN_RULES
from ziett_async.api.campaigns import LIST_CAMPAIGNS, LONGEST_NAME, SEND_BATCH_CAMPAIGN
from ziett_async.bulk.keys import derive_key
from ziett_async.bulk.lookup import list_day
from ziett_async.bulk.plan import Many, Options, Plan, iterate
from ziett_async.bulk.values import CampaignOutcome
from ziett_async.errors import InvalidRequest, RecipientNotAllowed, ZiettError
from ziett_async.models import AcceptedCampaign, Campaign

#: Returns the body of a request from what all batches have in common and the recipients of one.
WithRecipients = Callable[[Mapping[str, object], Sequence[str]], Mapping[str, object]]

_LARGEST_BATCH = 1000
#: Calls under way at the same time; the limit is 10 a minute.
AT_ONCE = 10


@attrs.frozen(eq=False)
class Batch:
    """The recipients of one call, and what the campaign is called there."""

    recipients: tuple[object, ...]
    name: str | None


class BatchJob:
    """One batch of a campaign."""

    def __init__(
        self,
        common: Mapping[str, object],
        with_recipients: WithRecipients,
        priority: Priority,
        run: str,
        row: int,
        given: object,
    ) -> None:
        self._batch = cast("Batch", given)
        self._priority = priority
        self.refused: ZiettError | None = None
        self.key = ""
        fields = Fields(SEND_BATCH_CAMPAIGN.name)
        to = fields.check("recipients", check.recipients, self._batch.recipients) or []
        named = {} if self._batch.name is None else {"name": self._batch.name}
        try:
            fields.raise_if_invalid()
            # Before it is refused for a setting, as the key tells which batch it is.
            self.key = derive_key(run, "batch", str(row), str(common["content"]), *to)
            self._body = with_recipients({**common, **named}, to)
        except (InvalidRequest, RecipientNotAllowed) as error:
            self.refused = error

    async def send(self, session: Session, begun_at: float | None) -> AcceptedCampaign:
        """Send it."""
        return await session.call(
            SEND_BATCH_CAMPAIGN,
            body=self._body,
            idempotency_key=self.key,
            priority=self._priority,
            begun_at=begun_at,
        )

    async def find(self, session: Session, begun_at: float) -> Sequence[AcceptedCampaign]:
        """Return the campaigns of the day after `begun_at` that look like this batch."""
        page = await list_day(
            session, LIST_CAMPAIGNS, CAMPAIGN_RULES, self._batch.name, begun_at, self._priority
        )
        if page is None:
            return ()
        found = (each.id for each in page.entries if self._is(each))
        return [AcceptedCampaign(each, self.key, page.call) for each in found]

    def _is(self, campaign: Campaign) -> bool:
        count = campaign.total_estimated_recipients
        return (
            campaign.name == self._batch.name
            and campaign.content == self._body["content"]
            and count in {None, len(self._batch.recipients)}
        )

    def outcome(self, answer: AcceptedCampaign | ZiettError) -> CampaignOutcome:
        """Return what became of it."""
        recipients = cast("tuple[str, ...]", self._batch.recipients)
        if isinstance(answer, ZiettError):
            return CampaignOutcome(recipients, error=answer)
        return CampaignOutcome(recipients, accepted=answer)


def plan(
    options: Options, common: Mapping[str, object], with_recipients: WithRecipients
) -> Plan[AcceptedCampaign, CampaignOutcome]:
    """Return the plan of a `send_campaign`; `common` is what all its batches have in common."""
    return Plan(
        options,
        operation=SEND_BATCH_CAMPAIGN.name,
        accepted=AcceptedCampaign,
        gather=partial(_batches, cast("str | None", common.get("name"))),
        fingerprint=partial(_fingerprint, common),
        job=partial(BatchJob, common, with_recipients, options.priority),
    )


def batch_sizes(recipients: int) -> list[int]:
    """Return how large the batches of an audience are: as few and as equal as can be.

    >>> batch_sizes(1001)
    [501, 500]
    """
    count = -(-recipients // _LARGEST_BATCH)
    smaller, larger = divmod(recipients, count)
    return [smaller + (number < larger) for number in range(count)]


async def _batches(name: str | None, audience: Many[object]) -> Sequence[object]:
    """Read an audience; return its batches."""
    recipients = [each async for each in iterate(audience)]
    if len(recipients) < 2:
        wrong = f"must be at least 2, got {len(recipients)}; one is for send_message"
        raise InvalidRequest("send_campaign", {"recipients": wrong})
    sizes, batches, start = batch_sizes(len(recipients)), list[Batch](), 0
    for number, size in enumerate(sizes, 1):
        named = name
        if name is not None and len(sizes) > 1:
            named = _checked_name(f"{name} ({number}/{len(sizes)})")
        batches.append(Batch(tuple(recipients[start : start + size]), named))
        start += size
    return batches


def _checked_name(name: str) -> str:
    fields = Fields("send_campaign")
    fields.check("name", check.text, name, LONGEST_NAME)
    fields.raise_if_invalid()
    return name


def _fingerprint(common: Mapping[str, object], given: object) -> bytes:
    """Return a digest of a batch, the same in every process."""
    batch = cast("Batch", given)
    recipients = [
        each if isinstance(each, str) else type(each).__name__ for each in batch.recipients
    ]
    values = [dict(common), batch.name, recipients]
    return sha256(json.dumps(values).encode()).digest()
