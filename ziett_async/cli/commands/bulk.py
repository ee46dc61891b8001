"""Sends a message to each contact of a file: CSV as Excel writes it, or a workbook.

First it shows what would be sent, which rows are rejected and why, and asks. A journal beside the
file keeps what was sent: the same command again goes on where it ended, after Ctrl-C and after a
crash, and sends nothing twice. The column of numbers is found by its name or its values.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterable
from contextlib import aclosing

from ziett_async import AsyncZiett, ChannelType, SendOutcome
from ziett_async.api.messages import LONGEST
from ziett_async.cli._audience import add_audience, read_audience
from ziett_async.cli._client import make_client, remitter_of, run_with
from ziett_async.cli._consent import add_consent, is_confirmed, journal_of
from ziett_async.cli._draft import Draft, make_draft, show_draft
from ziett_async.cli._failures import DONE, INTERRUPTED, SOME_FAILED, complain
from ziett_async.cli._output import add_json
from ziett_async.cli._progress import CountingLimiter, Pace, add_rate, bulk_rate, progress
from ziett_async.cli._tally import HistoryJournal, Tally, show_tally
from ziett_async.cli.tables.template import make_template


def add_arguments(parser: ArgumentParser) -> None:
    """Take a file and a template."""
    add_audience(parser)
    add = parser.add_argument
    add("--template", required=True, metavar="TEXT", help="with columns in braces: 'Olá {nome}'")
    add("--remitter", metavar="ID", help="the Sender ID; by default ZIETT_REMITTER_ID")
    add_rate(parser)
    add_consent(parser)
    add_json(parser)


def run(options: Namespace) -> int:
    """Show what would be sent, ask, send it; return the exit code."""
    remitter = remitter_of(options)
    audience = read_audience(options)
    template = make_template(options.template, audience.table)
    draft = make_draft(audience, template, remitter, LONGEST[ChannelType.SMS])
    options.journal = journal_of(options, options.template, remitter)
    if options.dry_run or not options.json:
        show_draft(draft, options, len(draft.messages), bulk_rate(options.per_minute))
    if options.dry_run or not draft.messages:
        return SOME_FAILED if draft.rejected else DONE
    if not is_confirmed(options, f"Send {len(draft.messages)} messages?"):
        return DONE
    return _send(draft, options)


def _send(draft: Draft, options: Namespace) -> int:
    rows = {planned.message.target_e164: planned.row for planned in draft.messages}
    journal = HistoryJournal(options.journal)
    tally = Tally(rows, len(draft.rejected), journal.accepted_before)
    limiter = CountingLimiter(options.per_minute)
    client = make_client(options, limiter)
    pace = Pace(len(rows), limiter, options.per_minute)

    async def send(client: AsyncZiett, _: Namespace) -> int:
        messages = [planned.message for planned in draft.messages]
        # The name of its journal is the name of the run: that is how to send the same anew.
        outcomes = client.send_many(messages, journal=journal, run=options.journal.name)
        try:
            async with aclosing(outcomes):
                await _count(outcomes, tally, pace, as_json=options.json)
        finally:
            if not options.json:
                show_tally(tally)
        return tally.exit_code

    try:
        return run_with(client, send, options)
    except KeyboardInterrupt:
        complain("bulk", f"interrupted, {tally.describe()}; the same command goes on from there")
        return INTERRUPTED


async def _count(
    outcomes: AsyncIterable[SendOutcome], tally: Tally, pace: Pace, *, as_json: bool
) -> None:
    """Count the outcomes of a run, and show how far it is."""
    with progress(pace) as advance:
        async for outcome in outcomes:
            tally.add(outcome, as_json=as_json)
            advance()
