"""Entry: one message that is waited for, and when it is asked for next."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import attrs

from ziett_async.models import Message

#: Seconds between two requests for a message, at least, and the age before which there is none.
PAUSE = 2.0
#: Seconds between two requests for a message, at most.
LONGEST = 600.0
#: The part of the time that a message was waited for, after which it is asked for again: by a
#: read, and by a list, which costs more.
GROWTH, GROWTH_OF_LISTS = 0.5, 1.0
#: A message is asked for together with others when so much of its interval is left.
EARLY = 0.25

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Milliseconds until the end of year 9998.
_LAST_MILLISECOND = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def created_at(message_id: UUID) -> datetime | None:
    """Return the time in an id of version 7, to the millisecond; None for any other id."""
    milliseconds = message_id.int >> 80
    if message_id.version != 7 or milliseconds > _LAST_MILLISECOND:
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)


@attrs.define(eq=False)
class Entry:
    """A message that is waited for. Times are seconds on the clock, but for `created`, `mark`."""

    id: UUID
    #: When waiting for it began.
    began: float
    #: When it is asked for next; infinity while a round asks for it.
    due: float
    #: Whether statuses that are not final matter, too.
    every_status: bool
    #: The time in its id; the calendar's beginning without one.
    created: datetime
    #: Whether lists cannot hold it, as it has no time, or are too long.
    is_read_by_id: bool
    #: As it was last seen.
    seen: Message | None = None
    #: Seconds from the last request to the next.
    interval: float = PAUSE
    #: No list has to be read for it beyond this `updated_at`; None is to the end.
    mark: datetime | None = None
    #: Lists that did not show it, since it was last read.
    lists: int = 0
    #: Reads in a row that did not find it.
    absences: int = 0

    @classmethod
    def new(cls, message_id: UUID, now: float, calendar: float, *, every_status: bool) -> "Entry":
        """Return a message to wait for from now on; `calendar` is the time in seconds since 1970.

        One that is younger than `PAUSE` is given time; by the calendar of the client, which may
        be wrong, so that only an age that makes sense counts.
        """
        created = created_at(message_id)
        if created is None:
            return cls(message_id, now, now, every_status, _EPOCH, is_read_by_id=True)
        age = calendar - created.timestamp()
        wait = PAUSE - max(age, 0.0) if -PAUSE < age < PAUSE else 0.0
        return cls(message_id, now, now + wait, every_status, created, is_read_by_id=False)

    def postpone(self, now: float, growth: float = GROWTH) -> None:
        """Set the time of the next request."""
        self.interval = min(max(PAUSE, (now - self.began) * growth), LONGEST)
        self.due = now + self.interval

    def is_due(self, now: float) -> bool:
        """Return whether it is asked for in a round that begins now."""
        return self.due <= now + self.interval * EARLY
