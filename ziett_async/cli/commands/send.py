"""Sends one message to one recipient.

The message is accepted and queued then, not delivered yet: `ziett get ID` tells. A message that
may or may not have been sent, exit code 4, is safe to send again with the idempotency key that
the error names: within 24 hours the same key never sends twice.
"""

import sys
from argparse import ArgumentParser, Namespace
from uuid import uuid4

from ziett_async import AcceptedMessage, AsyncZiett
from ziett_async.cli._client import make_client, remitter_of, run_with
from ziett_async.cli._failures import DONE, INTERRUPTED, complain
from ziett_async.cli._output import add_json, record, write


def add_arguments(parser: ArgumentParser) -> None:
    """Take a number and a text."""
    add = parser.add_argument
    add("number", metavar="NUMBER", help="with its country code, or as it is dialled in --country")
    add("text", metavar="TEXT", help="1 to 1600 characters; - reads standard input")
    add("--remitter", metavar="ID", help="the Sender ID; by default ZIETT_REMITTER_ID")
    add("--country", metavar="AO", help="of local numbers; by default ZIETT_DEFAULT_COUNTRY")
    add("--idempotency-key", metavar="KEY", help="that of an earlier send which may have failed")
    add("--timeout", type=float, metavar="S", help="give up after so many seconds in all")
    add_json(parser)


def run(options: Namespace) -> int:
    """Send it; return the exit code."""
    options.idempotency_key = options.idempotency_key or str(uuid4())
    if options.text == "-":
        options.text = sys.stdin.read().rstrip("\n")
    options.remitter = remitter_of(options)
    client = make_client(options)
    try:
        return run_with(client, _send, options)
    except KeyboardInterrupt:
        key = options.idempotency_key
        complain("send", f"interrupted; it may have been sent: repeat with --idempotency-key {key}")
        return INTERRUPTED


async def _send(client: AsyncZiett, options: Namespace) -> int:
    is_bare = not (options.json or sys.stdout.isatty())
    with record(as_json=options.json) as show:
        accepted = await client.send_message(
            options.number,
            content=options.text,
            remitter_id=options.remitter,
            idempotency_key=options.idempotency_key,
            timeout=options.timeout,
        )
        if is_bare:
            write(str(accepted.message_id))
        else:
            show(_fields_of(accepted), accepted)
    return DONE


def _fields_of(accepted: AcceptedMessage) -> dict[str, str]:
    return {
        "accepted": str(accepted.message_id),
        "idempotency key": accepted.idempotency_key,
        "delivered?": f"ziett get {accepted.message_id}",
    }
