"""Shows each change of messages until all of them are final: delivered, or not.

`ziett bulk ... --json | jq -r .message_id | ziett watch -` waits for a whole run. However many
there are, it costs few requests. The exit code is 0 if all are delivered, and else 1.
"""

import sys
from argparse import ArgumentParser, Namespace
from uuid import UUID

from ziett_async import AsyncZiett, Message, MessageStatus
from ziett_async.cli._client import run_with_client
from ziett_async.cli._failures import DONE, SOME_FAILED
from ziett_async.cli._output import Column, add_json, lines


def _time_of_day(message: Message) -> str:
    return f"{message.updated_at.astimezone():%H:%M:%S}" if message.updated_at else ""


_COLUMNS = (
    Column[Message]("Updated", _time_of_day),
    Column[Message]("Id", lambda message: str(message.id)),
    Column[Message]("Number", lambda message: message.target_e164),
    Column[Message]("Status", lambda message: message.status, is_coloured=True),
    Column[Message]("Error", lambda message: message.error_code or ""),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Take ids."""
    add = parser.add_argument
    add("ids", metavar="ID", nargs="+", help="as `ziett send` prints it; - reads standard input")
    add("--timeout", type=float, metavar="S", help="give up after so many seconds")
    add_json(parser)


def run(options: Namespace) -> int:
    """Show the changes; return the exit code."""
    if options.ids == ["-"]:
        options.ids = sys.stdin.read().split()
    return run_with_client(_watch, options)


async def _watch(client: AsyncZiett, options: Namespace) -> int:
    statuses = dict[UUID, MessageStatus]()
    with lines(_COLUMNS, as_json=options.json) as show:
        async for message in client.watch_messages(options.ids, timeout=options.timeout):
            statuses[message.id] = message.status
            show(message)
    are_delivered = all(status == MessageStatus.DELIVERED for status in statuses.values())
    return DONE if are_delivered else SOME_FAILED
