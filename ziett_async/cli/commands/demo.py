"""Sends 300 messages to a service on this machine, and shows what becomes of them.

No account, no settings, no SMS. This is also the example: all that is special about it is
the service at the other end.
"""

import argparse
import csv
from collections.abc import Mapping
from importlib.resources import files

import anyio
import attrs
from rich.console import Console
from rich.progress import Progress

from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    InvalidRequest,
    MessageStatus,
    Rate,
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
    refused: list[tuple[Recipient, InvalidRequest]] = attrs.field(
        factory=list[tuple[Recipient, InvalidRequest]]
    )


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
            await until_delivered(client, progress, len(outbox.accepted))

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

    async def send(recipient: Recipient) -> None:
        text = recipient["text"].format(name=recipient["name"])
        try:
            outbox.accepted.append(await client.send_message(recipient["number"], content=text))
        except InvalidRequest as error:  # Refused here: the service never heard of it.
            outbox.refused.append((recipient, error))
        progress.advance(bar)

    async with anyio.create_task_group() as tasks:
        for recipient in recipients:
            tasks.start_soon(send, recipient)
    return outbox


async def until_delivered(client: AsyncZiett, progress: Progress, total: int) -> None:
    """Ask now and then, never in a tight loop, how many messages are still on their way."""
    bar, under_way = progress.add_task("Delivering", total=total), total
    while under_way:
        await anyio.sleep(0.25)
        page = await client.list_messages(status=["PENDING", "SENT"], size=1)
        under_way = page.total
        progress.update(bar, completed=total - under_way)


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
