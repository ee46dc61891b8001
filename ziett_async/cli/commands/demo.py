"""Sends 300 messages to a service on this machine, and shows what becomes of them.

No account, no settings, no SMS. This is also the example: all that is special about it is
the service at the other end.
"""

import argparse
import csv
from collections.abc import Mapping, Sequence
from importlib.resources import files
from uuid import UUID

import anyio
import attrs
from rich.console import Console
from rich.progress import Progress

from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    MessageStatus,
    NewMessage,
    Priority,
    Rate,
    SendOutcome,
    SystemClock,
    TokenBucketLimiter,
)
from ziett_async._settings import without_environment
from ziett_async.cli import _screen as screen
from ziett_async.cli._options import factor
from ziett_async.testing import Delivery, FakeZiett, Fault, Quota
from ziett_async.testing.emulator import Emulator

#: One line of the file: `name`, `number`, `text`.
Recipient = Mapping[str, str]


@attrs.frozen
class Outbox:
    """What became of each recipient when we sent."""

    accepted: list[AcceptedMessage] = attrs.field(factory=list[AcceptedMessage])
    refused: list[SendOutcome] = attrs.field(factory=list[SendOutcome])


async def demo(console: Console, per: float) -> int:
    """Send, wait for delivery, read back; return how many messages are lost or there twice.

    `per` is seconds of a rate limit's window.
    """
    service = make_service(per)
    async with (
        Emulator(service) as emulator,
        AsyncZiett(
            api_key="zk_test_demo",
            base_url=emulator.base_url,
            # Without this line it would keep to the documented limits, 120 sends a minute.
            limiter=TokenBucketLimiter(send=Rate(120, per=per), list=Rate(60, per=per)),
            default_remitter_id="019b4b56-e704-7c30-83a0-527df63c3e00",
            default_country="AO",
        ) as client,
    ):
        screen.greet(console, emulator.base_url, per)
        with screen.progress(console) as progress:
            outbox = await send_all(client, read_recipients(), progress)
            ids = [message.message_id for message in outbox.accepted]
            await until_delivered(client, progress, ids)

        # Every message, exactly once, even if more arrived or changed meanwhile.
        history = [message async for message in client.iter_messages()]
        # The same with a filter: one value or several.
        lost = client.iter_messages(status=[MessageStatus.FAILED, MessageStatus.UNDELIVERED])
        reasons = [message.error_code async for message in lost]

    screen.show_refused(console, outbox.refused)
    screen.show_statuses(console, history, reasons)
    screen.show_limiter(console, service, outbox.accepted, per)
    return screen.show_count(console, service, outbox.accepted, history)


async def send_all(client: AsyncZiett, recipients: list[Recipient], progress: Progress) -> Outbox:
    """Send to all at once: whose turn it is, is the limiter's business."""
    outbox, bar = Outbox(), progress.add_task("Sending", total=len(recipients))
    messages = [NewMessage(each["number"], each["text"].format(**each)) for each in recipients]
    # A run leaves part of the limit to urgent calls; here there are no others.
    async for outcome in client.send_many(
        messages, concurrency=len(messages), priority=Priority.URGENT
    ):
        if outcome.accepted is not None:
            outbox.accepted.append(outcome.accepted)
        else:  # Refused here: the service never heard of it.
            outbox.refused.append(outcome)
        progress.advance(bar)
    return outbox


async def until_delivered(client: AsyncZiett, progress: Progress, ids: Sequence[UUID]) -> None:
    """Wait until every message is delivered, or is known not to be."""
    bar = progress.add_task("Delivering", total=len(ids))
    async for message in client.watch_messages(ids):
        progress.advance(bar, message.is_final)


def read_recipients() -> list[Recipient]:
    """Read the file of recipients: names and numbers as people write them, some wrong."""
    with (files("ziett_async.cli") / "recipients.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def make_service(per: float) -> FakeZiett:
    """Return a service with short windows, quick deliveries and some bad luck."""
    service = FakeZiett(
        clock=SystemClock(),
        limits={"send": Quota(120, per=per), "list": Quota(60, per=per)},
        delivery=Delivery(
            sent_after=per / 6,
            final_after={"UNITEL": per / 3, "AFRICELL_AO": per * 2 / 3, "OTHER": per},
            failed=0.04,
            undelivered=0.06,
        ),
    )
    service.faults.add(
        Fault.lose_answer(operation="send_message"),
        Fault.status(503, operation="send_message"),
        Fault.truncate(9, operation="send_message"),
        Fault.lose_answer(operation="send_message"),
        Fault.reset(operation="send_message"),
    )
    return service


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take one, for the curious: with 60 it all happens at its real pace."""
    parser.add_argument(
        "--per", type=factor, default=3.0, metavar="S", help="seconds of a rate limit's window"
    )


def run(options: argparse.Namespace, console: Console | None = None) -> int:
    """Run it; return the exit code."""
    console = console or Console(highlight=False)
    try:
        # An allow-list that is meant for real messages would refuse those of the demonstration.
        with without_environment():
            return min(1, anyio.run(demo, console, options.per))
    except KeyboardInterrupt:
        console.print("Stopped. Nothing is left running.")
        return 130
