"""Options that narrow a list of messages, and the arguments that they are for the client."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime, timedelta
from typing import Any

from ziett_async import ChannelType, MessageFilters, MessageStatus

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
#: Options by the filter that they set: name, what its value is called, help.
_REPEATABLE = {
    "campaign_id": ("--campaign", "ID", "of this campaign"),
    "contact_id": ("--contact", "ID", "to this contact"),
    "sms_remitter_id": ("--remitter", "ID", "of this sender"),
    "channel_destination": ("--operator", "NAME", "through this operator: UNITEL"),
}


def moment(text: str) -> datetime:
    """Return a date, a date with a time, or so long ago; local time unless it has an offset.

    >>> moment("2025-07-14T11:30+01:00") == datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
    True
    """
    count, unit = text[:-1], text[-1:]
    if unit in _UNITS and count.isascii() and count.isdecimal() and len(count) < 6:
        return datetime.now(UTC) - int(count) * _UNITS[unit]
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        message = f"must look like 2025-07-14, 2025-07-14T10:30, 90m, 24h or 7d, got {text!r}"
        raise ArgumentTypeError(message) from None


def count(text: str) -> int:
    """Return a number of messages, 1 or more."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        message = f"must be a number, 1 or more, got {text!r}"
        raise ArgumentTypeError(message)
    return int(text)


def add_filters(parser: ArgumentParser) -> None:
    """Take what messages can be narrowed by; of an option that is repeated, any value may match."""
    add = parser.add_argument_group("filters; those that are repeated match any").add_argument
    add(
        "--search", dest="q", metavar="TEXT", help="part of a recipient's number, or a message's id"
    )
    add(
        "--status",
        action="append",
        type=str.upper,
        choices=[each.value for each in MessageStatus],
        metavar="STATUS",
        help=", ".join(MessageStatus),
    )
    add("--since", dest="created_at__ge", type=moment, metavar="WHEN", help="2025-07-14, 24h, 7d")
    add("--until", dest="created_at__le", type=moment, metavar="WHEN", help="the same")
    add("--channel", dest="channel_type", action="append", choices=[*ChannelType])
    for name, (option, metavar, purpose) in _REPEATABLE.items():
        add(option, dest=name, action="append", metavar=metavar, help=purpose)
    add("--order", choices=["asc", "desc"], default="desc", help="desc, the newest first")


def filters_of(options: Namespace) -> MessageFilters:
    """Return the filters that the options set."""
    names = MessageFilters.__annotations__
    given: Any = {name: vars(options)[name] for name in names if vars(options).get(name)}
    filters: MessageFilters = given
    return filters
