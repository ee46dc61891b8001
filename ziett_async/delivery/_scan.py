"""Scan: one list of messages, how far it has to be read, and when it is not worth it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from ziett_async._repr import Value
from ziett_async.delivery._entry import Entry
from ziett_async.models import Message, Page

#: Reads that cost as much of their limit (300 a minute) as a page of a list (60 a minute).
READS_PER_PAGE = 5
#: How far the `created_at` of a message may be from the time in its id.
_ID_TOLERANCE = timedelta(seconds=1)


@attrs.frozen(repr=False)
class ReadPage(Value):
    """Read a page of a list, ordered by `updated_at`, the newest first."""

    page: int
    #: Inclusive bounds, in whole milliseconds.
    created_at__ge: datetime
    created_at__le: datetime
    #: Whether only messages with a final status are asked for.
    only_final: bool


class Scan:
    """A list that is being read, for messages whose ids have a time."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        times = [entry.created for entry in entries]
        self._bounds = min(times) - _ID_TOLERANCE, max(times) + _ID_TOLERANCE
        self.only_final = not any(entry.every_status for entry in entries)
        marks = [entry.mark for entry in entries if entry.mark is not None]
        self._stop = min(marks) if len(marks) == len(entries) else None
        self._most_pages = max(1, len(entries) // READS_PER_PAGE)
        self._page = 1
        #: What its first page began with: its mark.
        self.newest: datetime | None = None

    @property
    def ask(self) -> ReadPage:
        """The page to read next."""
        return ReadPage(self._page, *self._bounds, self.only_final)

    def is_read(self, page: Page[Message], *, has_news: bool) -> bool:
        """Return whether a page is the last that is needed."""
        times = _times(page)
        if not page.entries or self._page >= page.pages:
            return True
        if self._stop is None or not times:
            return False
        # Many rows may have the same time, and new ones lie anywhere among them.
        return min(times) < self._stop or (min(times) == self._stop and not has_news)

    def is_too_long(self, page: Page[Message]) -> bool:
        """Return whether to read the messages by id is cheaper than to go on after a page."""
        pages = page.pages if self._stop is None else self._page + 1
        return pages > self._most_pages

    def after(self, page: Page[Message]) -> None:
        """Go on to the next page."""
        if self._page == 1:
            self.newest = max(_times(page), default=None)
        self._page += 1


def _times(page: Page[Message]) -> list[datetime]:
    return [row.updated_at for row in page.entries if row.updated_at is not None]
