"""Sends one text to all contacts of a file, as campaigns of up to 1000 recipients each.

A campaign is one request, so that it takes minutes where `ziett bulk` takes hours; what becomes of
it, `ziett list --campaign ID` tells. It is shown, confirmed and resumed like `ziett bulk`.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterable
from contextlib import aclosing
from math import ceil

import attrs

from ziett_async import AsyncZiett, CampaignOutcome, OutcomeUnknown
from ziett_async.cli._audience import add_audience, read_audience
from ziett_async.cli._client import make_client, remitter_of, run_with
from ziett_async.cli._consent import add_consent, is_confirmed, journal_of
from ziett_async.cli._draft import Draft, make_draft, show_draft
from ziett_async.cli._failures import DONE, INTERRUPTED, SOME_FAILED, UNKNOWN, complain
from ziett_async.cli._output import Column, add_json, lines
from ziett_async.cli._progress import bulk_rate
from ziett_async.cli.tables.template import make_constant

#: What the API allows: characters of a text, recipients of a campaign, campaigns in a minute.
_LONGEST, _LARGEST, _LIMIT = 10_000, 1000, 10


@attrs.frozen
class _Batch:
    """What became of one campaign."""

    recipients: int
    campaign_id: str
    error: str = ""


_COLUMNS = (
    Column[_Batch]("Recipients", lambda batch: str(batch.recipients)),
    Column[_Batch]("Campaign", lambda batch: batch.campaign_id),
    Column[_Batch]("Error", lambda batch: batch.error),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Take a file and a text."""
    add_audience(parser)
    add = parser.add_argument
    add("--content", required=True, metavar="TEXT", help="the same for all; 1 to 10,000 characters")
    add("--name", help="what the campaign is called in the dashboard; another name sends it anew")
    add("--remitter", metavar="ID", help="the Sender ID; by default ZIETT_REMITTER_ID")
    add_consent(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Show what would be sent, ask, send it; return the exit code."""
    remitter = remitter_of(options)
    template = make_constant(options.content)
    draft = make_draft(read_audience(options), template, remitter, _LONGEST)
    options.remitter = remitter
    options.journal = journal_of(options, options.content, remitter, options.name or "")
    if options.dry_run or not options.json:
        requests = ceil(len(draft.messages) / _LARGEST)
        show_draft(draft, options, requests, bulk_rate(_LIMIT))
    if options.dry_run or not draft.messages:
        return SOME_FAILED if draft.rejected else DONE
    if not is_confirmed(options, f"Send this to {len(draft.messages)} recipients?"):
        return DONE
    return _send(draft, options)


def _send(draft: Draft, options: Namespace) -> int:
    client = make_client(options)

    async def send(client: AsyncZiett, _: Namespace) -> int:
        outcomes = client.send_campaign(
            [planned.message.target_e164 for planned in draft.messages],
            content=options.content,
            name=options.name,
            remitter_id=options.remitter,
            journal=options.journal,
        )
        async with aclosing(outcomes):
            worst = await _show(outcomes, as_json=options.json)
        return max(worst, SOME_FAILED if draft.rejected else DONE)

    try:
        return run_with(client, send, options)
    except KeyboardInterrupt:
        complain("campaign", "interrupted; the same command goes on from there")
        return INTERRUPTED


async def _show(outcomes: AsyncIterable[CampaignOutcome], *, as_json: bool) -> int:
    """Show what becomes of each campaign; return the exit code that they make together."""
    worst = DONE
    with lines(_COLUMNS, as_json=as_json) as show:
        async for outcome in outcomes:
            show(_batch(outcome))
            worst = max(worst, _exit_code(outcome))
    return worst


def _batch(outcome: CampaignOutcome) -> _Batch:
    campaign = str(outcome.accepted.campaign_id) if outcome.accepted else ""
    return _Batch(len(outcome.recipients), campaign, str(outcome.error or ""))


def _exit_code(outcome: CampaignOutcome) -> int:
    if outcome.error is None:
        return DONE
    return UNKNOWN if isinstance(outcome.error, OutcomeUnknown) else SOME_FAILED
