"""Shows one message with all that is known of it."""

from argparse import ArgumentParser, Namespace

from ziett_async import AsyncZiett, Message
from ziett_async.cli._client import run_with_client
from ziett_async.cli._failures import DONE
from ziett_async.cli._output import add_json, show_record
from ziett_async.cli._values import local_time


def add_arguments(parser: ArgumentParser) -> None:
    """Take an id."""
    parser.add_argument("id", metavar="ID", help="as `ziett send` and `ziett list` print it")
    add_json(parser)


def run(options: Namespace) -> int:
    """Show it; return the exit code."""
    return run_with_client(_get, options)


async def _get(client: AsyncZiett, options: Namespace) -> int:
    message = await client.get_message(options.id)
    show_record(_fields_of(message), message, as_json=options.json)
    return DONE


def _fields_of(message: Message) -> dict[str, str]:
    """Return what is shown of a message, by name; what it lacks is empty."""
    sender = message.sms_remitter.name if message.sms_remitter else message.remitter_id
    held = {
        "id": message.id,
        "status": message.status,
        "error": message.error_code,
        "number": message.target_e164,
        "operator": message.channel_destination,
        "sender": sender,
        "content": message.content,
        "created": local_time(message.created_at),
        "updated": local_time(message.updated_at),
        "cost": message.cost,
        "refunded": "yes" if message.is_refunded else None,
        "campaign": message.campaign_id,
        "contact": message.contact_id,
        "external id": message.external_id,
        "source": message.trigger_source,
    }
    return {name: "" if value is None else str(value) for name, value in held.items()}
