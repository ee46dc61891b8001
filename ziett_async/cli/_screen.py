"""What the demonstration shows: plain text that fits 80 columns, in colour where there is any."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ziett_async import AcceptedMessage, ErrorCode, InvalidRequest, Message, MessageStatus
from ziett_async.testing import FakeZiett

_COLOURS = {"DELIVERED": "green", "FAILED": "red", "UNDELIVERED": "yellow"}


def greet(console: Console, base_url: str, per: float) -> None:
    """Say what is about to happen, and what is not as it would be out there."""
    console.print(
        "[bold]300 messages to a Ziett on this machine[/bold]\n"
        "No account, no key, no SMS: an ordinary AsyncZiett talks HTTP to a FakeZiett at\n"
        f"{base_url}.\n\n"
        f"[bold]Scaled:[/bold] rate limits count per {per:g} s here, at the client and at the "
        "service, not\nper 60 s: 120 sends, 60 pages. Delivery takes seconds, too.\n"
        "[bold]Scripted:[/bold] two answers get lost, one is cut off, one request gets a 503 "
        "and one\na connection reset. Each may be tried again: it is still one message.\n"
    )


def progress(console: Console) -> Progress:
    """Return bars for what takes time; in a file, one line for each at the end."""
    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=36),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def show_refused(
    console: Console, refused: Sequence[tuple[Mapping[str, str], InvalidRequest]]
) -> None:
    """Show which recipients were refused before anything was sent, and why."""
    table = _table(f"Refused before sending: {len(refused)}", "Name", "Number", "Why")
    for recipient, error in refused[:4]:
        [why] = error.fields.values()
        table.add_row(recipient["name"], repr(recipient["number"]), escape(why))
    table.add_row(f"and {len(refused) - 4} more", "", "", style="dim")
    console.print(table)


def show_statuses(
    console: Console, history: Sequence[Message], reasons: Sequence[ErrorCode | None]
) -> None:
    """Show how many messages have which status, by operator."""
    operators = sorted({str(message.channel_destination) for message in history})
    counts = Counter((message.status, str(message.channel_destination)) for message in history)
    title = f"Read back: {len(history)}"
    table = _table(title, "Status", *operators, "All", numbers=len(operators) + 1)
    for status in sorted({message.status for message in history}):
        row = [counts[status, operator] for operator in operators]
        table.add_row(_coloured(status), *map(str, row), str(sum(row)))
    console.print(table)
    told = ", ".join(f"{reason} {count}" for reason, count in Counter(reasons).most_common())
    console.print(f"  of those not delivered: {told}\n", style="dim")


def show_limiter(
    console: Console, service: FakeZiett, accepted: Sequence[AcceptedMessage], per: float
) -> None:
    """Show what the limiter and the retries did, as the client and as the service saw it."""
    calls = [message.call for message in accepted]
    waits = [call.waited for call in calls if call.waited > per / 100]
    arrivals = [arrival for arrival in service.requests if arrival.bucket == "send"]
    table = _table("The limiter and the retries", "", "", numbers=1)
    rows = {
        "messages that waited for their turn": len(waits),
        "the longest wait": f"{max(waits):.1f} s",
        f"most sends in any {per:g} s (the limit is 120)": _busiest(service, per),
        "answers of 429": sum(arrival.status == 429 for arrival in service.requests),
        "attempts in all": sum(call.attempts for call in calls),
        "messages that took more than one": sum(call.attempts > 1 for call in calls),
        "repeats the service recognised by their key": sum(a.replayed for a in arrivals),
    }
    for name, value in rows.items():
        table.add_row(name, str(value))
    console.print(table)


def show_count(
    console: Console,
    service: FakeZiett,
    accepted: Sequence[AcceptedMessage],
    history: Sequence[Message],
) -> None:
    """Compare what was accepted, what the service has and what was read back."""
    sent = {message.message_id for message in accepted}
    read = Counter(message.id for message in history)
    lost, twice = len(sent - set(read)), sum(count > 1 for count in read.values())
    console.print(
        f"[bold]{len(sent)}[/bold] accepted, [bold]{len(service.messages)}[/bold] at the service, "
        f"[bold]{len(history)}[/bold] read back: {lost} lost, {twice} twice."
    )


def _busiest(service: FakeZiett, per: float) -> int:
    arrivals = service.arrivals("send")
    return max(sum(end - per < start <= end for start in arrivals) for end in arrivals)


def _table(title: str, *columns: str, numbers: int = 0) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        is_number = index >= len(columns) - numbers
        table.add_column(column, justify="right" if is_number else "left")
    return table


def _coloured(status: MessageStatus) -> str:
    return f"[{_COLOURS.get(status, 'default')}]{status}[/]"
