"""Values as text."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from ziett_async import Message, MessageStatus, Sender
from ziett_async.cli._values import json_line, local_time, printable

MESSAGE = Message(
    id=UUID(int=1),
    remitter_id=None,
    channel_type=None,
    target_e164="+244923456789",
    content="Olá\x1b[0m\n\x9bm\u2028",
    status=MessageStatus("HELD"),
    created_at=datetime(2025, 7, 14, 10, 30, tzinfo=UTC),
    updated_at=None,
    sms_remitter=Sender(None, "ZIETT"),
    cost=Decimal("15.000000"),
    is_refunded=False,
    contact={"name": None, "tags": ["a", 1]},
    extra={"new": {"x": 1.5}},
)


def test_a_message_is_one_line_of_json() -> None:
    """Whatever is in it, what it lacks is left out, and what is new is there."""
    line = json_line(MESSAGE)
    assert json.loads(line) == {
        "id": str(UUID(int=1)),
        "target_e164": "+244923456789",
        "content": "Olá\x1b[0m\n\x9bm\u2028",
        "status": "HELD",
        "created_at": "2025-07-14T10:30:00+00:00",
        "sms_remitter": {"name": "ZIETT"},
        "cost": "15.000000",
        "is_refunded": False,
        "contact": {"name": None, "tags": ["a", 1]},
        "extra": {"new": {"x": 1.5}},
    }
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "a\rb", "\x9b2J", "\x7f", "\u202e", "\u2066"])
def test_a_terminal_finds_no_command_in_a_text(text: str) -> None:
    """Nor a line end, nor a change of direction."""
    assert printable(text).isprintable()


def test_a_moment_is_local_and_none_is_empty() -> None:
    """To the minute."""
    assert local_time(None) == ""
    moment = datetime(2025, 7, 14, 10, 30, 59, tzinfo=UTC)
    assert local_time(moment) == f"{moment.astimezone():%Y-%m-%d %H:%M}"
