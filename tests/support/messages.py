"""Ids and messages for tests of the pure rules about them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from ziett_async import CallInfo, Message, MessageStatus, Page
from ziett_async.models import Attempt

START = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def v7(number: int, moment: datetime = START) -> UUID:
    """Return the id of version 7 of a message with this number, created at a moment."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | number)


def new_message(
    message_id: UUID,
    status: str = "DELIVERED",
    created_at: datetime | None = START,
    updated_at: datetime | None = START,
) -> Message:
    """Return a message as a server shows it."""
    return Message(
        id=message_id,
        remitter_id=None,
        channel_type=None,
        target_e164="+244923456789",
        content="Olá",
        status=MessageStatus(status),
        created_at=created_at,
        updated_at=updated_at,
    )


def new_page(
    *rows: Message, page: int = 1, total: int | None = None, size: int = 200
) -> Page[Message]:
    """Return a page of a list; by default the only one."""
    count = len(rows) if total is None else total
    info = CallInfo((Attempt(1, 0.0, 0.0, 200),), 0.0)
    return Page(rows, count, page, size, -(-count // size), info)
