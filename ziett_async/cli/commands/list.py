"""Shows the newest messages, or those that the filters leave.

On a terminal as a table; elsewhere as lines of created, number, status, id, error and content,
separated by tabs. Spreadsheets want `ziett export`, programs `--json`.
"""

from argparse import ArgumentParser, Namespace

from ziett_async import AsyncZiett, Message
from ziett_async.cli._client import run_with_client
from ziett_async.cli._failures import DONE
from ziett_async.cli._filters import add_filters, count, filters_of
from ziett_async.cli._output import Column, add_json, table
from ziett_async.cli._values import local_time

#: The most messages of a page.
_LARGEST_PAGE = 200

_COLUMNS = (
    Column[Message]("Created", lambda message: local_time(message.created_at)),
    Column[Message]("Number", lambda message: message.target_e164),
    Column[Message]("Status", lambda message: message.status, is_coloured=True),
    Column[Message]("Id", lambda message: str(message.id)),
    Column[Message]("Error", lambda message: message.error_code or "", is_wide=True),
    Column[Message]("Content", lambda message: message.content or "", is_wide=True),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Take filters, and how many."""
    parser.add_argument("--limit", type=count, default=30, metavar="N", help="30 by default")
    add_json(parser)
    add_filters(parser)


def run(options: Namespace) -> int:
    """Show them; return the exit code."""
    return run_with_client(_list, options)


async def _list(client: AsyncZiett, options: Namespace) -> int:
    left: int = options.limit
    filters = filters_of(options)
    filters["size"] = min(left, _LARGEST_PAGE)
    with table(_COLUMNS, as_json=options.json) as show:
        async for message in client.iter_messages(**filters):
            show(message)
            left -= 1
            if not left:
                break
    return DONE
