"""What the demonstration shows: text that fits 80 columns, in colour where there is any."""

import logging
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ziett_async import AcceptedMessage, ErrorCode, Message, SendOutcome
from ziett_async.testing import FakeZiett

_COLOURS = {"DELIVERED": "green", "FAILED": "red", "UNDELIVERED": "yellow"}
#: How many of those refused are shown.
_EXAMPLES = 4


def greet(console: Console, base_url: str, per: float) -> None:
    """Say what is about to happen, and what is not as it would be out there."""
    console.print(
        "[bold]300 messages to a Ziett on this machine[/]\n"
        "No account, no key, no SMS: an ordinary AsyncZiett talks HTTP to a FakeZiett at\n"
        f"{base_url}.\n\n"
        f"[bold]Scaled:[/] the rate limits count per {per:g} s here, at the client and at the "
        "service,\nand not per 60 s: 120 sends, 60 pages. Deliveries take seconds, too.\n"
        "[bold]Scripted:[/] two answers get lost, one is cut off, one request gets a 503 and "
        "one a\nreset. Each is tried again, and must not become a second message.\n"
    )


@contextmanager
def progress(console: Console) -> Generator[Progress]:
    """Show bars for what takes time, and what the client logs above them."""
    bars = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=36),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    logger, handler = logging.getLogger("ziett_async"), _Log(console)
    logger.addHandler(handler)
    try:
        with bars:
            yield bars
    finally:
        logger.removeHandler(handler)
    console.print()


def show_refused(console: Console, refused: Sequence[SendOutcome]) -> None:
    """Show which recipients were refused before anything was sent, and why."""
    table = _list()
    for outcome in refused[:_EXAMPLES]:
        reason = str(outcome.error).removeprefix("send_message: target_e164: ")
        table.add_row(repr(outcome.message.target_e164), reason)
    table.add_row(f"and {len(refused) - _EXAMPLES} more", "", style="dim")
    _show(console, f"Refused before sending: {len(refused)}", table)


def show_statuses(
    console: Console, history: Sequence[Message], reasons: Sequence[ErrorCode | None]
) -> None:
    """Show how many messages have which status, by operator."""
    counts = Counter((message.status, str(message.channel_destination)) for message in history)
    statuses, operators = (sorted(set(names)) for names in zip(*counts, strict=True))
    table = Table("Status", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in (*operators, "All"):
        table.add_column(name, justify="right")
    for status in statuses:
        row = [counts[status, operator] for operator in operators]
        table.add_row(Text(status, _COLOURS.get(status, "")), *map(str, row), str(sum(row)))
    _show(console, f"Read back with iter_messages(): {len(history)}", table)
    told = ", ".join(f"{reason} {count}" for reason, count in Counter(reasons).most_common())
    console.print(f"  iter_messages(status=[...]): {told}\n", style="dim")


def show_limiter(
    console: Console, service: FakeZiett, accepted: Sequence[AcceptedMessage], per: float
) -> None:
    """Show what the limiter and the retries did, as the client and as the service saw it."""
    calls = [message.call for message in accepted]
    waits = [call.waited for call in calls if call.waited > per / 100]
    table = _list()
    for name, value in {
        "messages that waited for their turn": len(waits),
        "the longest wait": f"{max(waits, default=0.0):.1f} s",
        f"most sends in any {per:g} s, where 120 are allowed": _most(service, per),
        "answers of 429": sum(arrival.status == 429 for arrival in service.requests),
        "attempts in all": sum(call.attempts for call in calls),
        "messages that took more than one": sum(call.attempts > 1 for call in calls),
        "repeats the service knew by their key": sum(each.replayed for each in service.requests),
    }.items():
        table.add_row(name, Text(str(value), "bold", justify="right"))
    _show(console, "What the limiter and the retries did", table)


def show_count(
    console: Console,
    service: FakeZiett,
    accepted: Sequence[AcceptedMessage],
    history: Sequence[Message],
) -> int:
    """Compare what was accepted, what the service has and what was read back.

    Returns how many messages are lost or there twice.
    """
    sent = {message.message_id for message in accepted}
    read = Counter(message.id for message in history)
    lost, twice = len(sent - set(read)), sum(count > 1 for count in read.values())
    console.print(
        f"[bold]{len(sent)} accepted, {len(service.messages)} at the service, "
        f"{len(history)} read back: {lost} lost, {twice} twice.[/]\n\n"
        "How: ziett_async/cli/commands/demo.py. For your own program: ziett emulator"
    )
    return lost + twice


def _most(service: FakeZiett, per: float) -> int:
    arrivals = service.arrivals("send")
    return max(sum(end - per < arrival <= end for arrival in arrivals) for end in arrivals)


def _list() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))


def _show(console: Console, title: str, table: Table) -> None:
    console.print(title, style="bold")
    console.print(Padding(table, (0, 0, 1, 2), expand=False))


class _Log(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Padding(Text(record.getMessage(), "dim"), (0, 0, 0, 2)))
