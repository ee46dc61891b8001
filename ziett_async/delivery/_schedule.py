"""Which request to make next, and when, to learn what becomes of messages.

The server sends no events, so it has to be asked. Three facts make that cheap:

1. An id of version 7 holds the time of its message, so the ids of messages that were sent
   together give the time range of a list that holds them, without reading any of them.
2. A list in the order of `updated_at`, the newest first, begins with what has changed. It is
   read down to what the last list began with, its *mark*; a row is returned once for each of
   its changes. Where only final statuses matter, only these are asked for: then every message
   comes once, and a list of which nothing is final yet is one request.
3. A list costs a sixtieth of a minute's limit and a read of one message a 300th. So a list is
   worth as many pages as there are fives of messages to find in it; the first page tells how
   many there are. Where other traffic makes it longer than that, messages are read by id.

Rows that change while a list is read move to its beginning, so that pages repeat rows and skip
none; only where rows are deleted can one be skipped. That, a row whose `created_at` is not the
time of its id, a final status that lists cannot be asked for (EXPIRED) and a server that orders
otherwise all look like a message that does not change. Therefore messages that several lists
did not show are read by id as well, a few at a time, and more when that finds any to be final.

A round asks for all messages that are due. Rounds begin at least `PAUSE` seconds apart; what is
left of one goes on beside the next, pages and reads in turn. The interval of a message grows with
the time for which it was waited for: from `PAUSE` to `LONGEST`, half of that time where it is read
by id, and all of it where a list is. That time is not its age, as the calendars of server and
client may differ.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import UUID

import attrs

from ziett_async._repr import Value
from ziett_async.models import Message, Page

#: Seconds between rounds, at least, and the age before which a message is not asked for.
PAUSE = 2.0
#: Seconds between two requests for a message, at most.
LONGEST = 600.0
#: Seconds after a failed request, at most; before that, twice as many each time.
LONGEST_BACKOFF = 60.0
#: The part of the time that a message was waited for, after which it is asked for again: by a
#: read, and by a list, which costs more.
GROWTH, GROWTH_OF_LISTS = 0.5, 1.0
#: A message is asked for together with others when so much of its interval is left.
EARLY = 0.25
#: Reads that cost as much of their limit (300 a minute) as a page of a list (60 a minute).
READS_PER_PAGE = 5
#: Lists that do not show a message, after which it is read by id.
MOST_LISTS = 5
#: Reads of such messages in one round, as long as they find none to be final.
FEWEST_CHECKS = 20
#: Reads that do not find a message, after which there is none.
MOST_ABSENCES = 3

#: Messages further apart are not looked for in one list.
_LARGEST_GAP = timedelta(hours=1)
#: How far the `created_at` of a message may be from the time in its id.
_ID_TOLERANCE = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Milliseconds until the end of year 9998.
_LAST_MILLISECOND = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


@attrs.frozen(repr=False)
class ReadMessage(Value):
    """Read one message."""

    id: UUID


@attrs.frozen(repr=False)
class ReadPage(Value):
    """Read a page of a list, ordered by `updated_at`, the newest first."""

    page: int
    #: Inclusive bounds, in whole milliseconds.
    created_at__ge: datetime
    created_at__le: datetime
    #: Whether only messages with a final status are asked for.
    only_final: bool


Ask = ReadMessage | ReadPage


def created_at(message_id: UUID) -> datetime | None:
    """Return the time in an id of version 7, to the millisecond; None for any other id."""
    milliseconds = message_id.int >> 80
    if message_id.version != 7 or milliseconds > _LAST_MILLISECOND:
        return None
    return _EPOCH + timedelta(milliseconds=milliseconds)


@attrs.define(eq=False)
class _Entry:
    """A message that is waited for. Times are seconds on the clock, but for `created`, `mark`."""

    id: UUID
    #: When waiting for it began.
    began: float
    #: When it is asked for next; infinity while a round asks for it.
    due: float
    created: datetime | None
    #: Whether statuses that are not final matter, too.
    every_status: bool
    #: Seconds from the last request to the next.
    interval: float = PAUSE
    #: No list has to be read for it beyond this `updated_at`; None is to the end.
    mark: datetime | None = None
    #: Whether lists are too long for it.
    is_read_by_id: bool = False
    #: Lists that did not show it, since it was last read.
    lists: int = 0
    #: Reads in a row that did not find it.
    absences: int = 0

    def postpone(self, now: float, growth: float = GROWTH) -> None:
        """Set the time of the next request."""
        self.interval = min(max(PAUSE, (now - self.began) * growth), LONGEST)
        self.due = now + self.interval

    def is_due(self, now: float) -> bool:
        return self.due <= now + self.interval * EARLY


class _Scan:
    """A list that is being read, for messages whose ids have a time."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self.entries = entries
        times = [_created(entry) for entry in entries]
        self._bounds = min(times) - _ID_TOLERANCE, max(times) + _ID_TOLERANCE
        self.only_final = not any(entry.every_status for entry in entries)
        marks = [entry.mark for entry in entries if entry.mark is not None]
        self._stop = min(marks) if len(marks) == len(entries) else None
        self._most_pages = max(1, len(entries) // READS_PER_PAGE)
        self._page = 1
        self.newest: datetime | None = None

    @property
    def ask(self) -> ReadPage:
        return ReadPage(self._page, *self._bounds, self.only_final)

    def is_read(self, page: Page[Message], *, has_news: bool) -> bool:
        """Return whether a page is the last that is needed."""
        times = [row.updated_at for row in page.entries if row.updated_at is not None]
        if self._page == 1 and times:
            self.newest = max(times)
        if not page.entries or self._page >= page.pages:
            return True
        if self._stop is None or not times:
            return False
        # Many rows may have the same time, and new ones lie anywhere among them.
        return min(times) < self._stop or (min(times) == self._stop and not has_news)

    def is_too_long(self, page: Page[Message]) -> bool:
        """Return whether to read the messages by id is cheaper than to go on after a page."""
        self._page += 1
        pages = page.pages if self._stop is None else self._page
        return pages > self._most_pages


class Schedule:
    def __init__(self) -> None:
        self._entries: dict[UUID, _Entry] = {}
        #: What is left of the rounds so far; the first of each is asked for next.
        self._scans = deque[_Scan]()
        self._reads = deque[_Entry]()
        self._is_turn_of_read = True
        self._next_round = -inf
        #: No request is made before this moment, after a failure.
        self._not_before = -inf
        self._failures = 0
        self._checks = FEWEST_CHECKS
        self._has_lists = True

    def add(
        self, ids: Iterable[UUID], now: float, calendar: float, *, every_status: bool = False
    ) -> None:
        """Wait for more messages; `calendar` is the time in seconds since 1970."""
        for each in ids:
            entry = self._entries.get(each)
            if entry is None:
                created = created_at(each)
                age = PAUSE if created is None else calendar - created.timestamp()
                wait = PAUSE - max(age, 0.0) if -PAUSE < age < PAUSE else 0.0
                self._entries[each] = _Entry(each, now, now + wait, created, every_status)
            elif every_status and not entry.every_status:
                entry.every_status, entry.mark = True, None

    def keep(self, ids: Collection[UUID]) -> None:
        """Wait for no others than these."""
        for each in [each for each in self._entries if each not in ids]:
            del self._entries[each]
        self._drop_settled()

    @property
    def when(self) -> float:
        """When the next request may be made; infinity when there is none."""
        if self._scans or self._reads:
            return self._not_before
        due = min((entry.due for entry in self._entries.values()), default=inf)
        return max(self._not_before, self._next_round, due)

    def ask(self, now: float) -> Ask | None:
        """Return the request to make now; the same one again until its answer is known."""
        if now >= self._next_round:
            self._begin_round(now)
        if self._reads and (self._is_turn_of_read or not self._scans):
            return ReadMessage(self._reads[0].id)
        return self._scans[0].ask if self._scans else None

    def after_page(self, page: Page[Message], now: float) -> list[Message]:
        """Return what a page shows of the messages that are waited for."""
        scan = self._scans.popleft()
        shown = [row for row in page.entries if row.id in self._entries]
        for row in shown:
            self._take(row)
        left = [entry for entry in scan.entries if self._is_open(entry)]
        if scan.is_read(page, has_news=bool(shown)):
            self._after_scan(scan, left, now)
        elif scan.is_too_long(page):
            for entry in left:
                entry.is_read_by_id, entry.due = True, now
        else:
            self._scans.append(scan)
        self._after_answer(is_turn_of_read=True)
        return shown

    def after_message(self, message: Message, now: float) -> None:
        """Record what a message was read as."""
        entry = self._reads.popleft()
        if message.is_final and entry.lists >= MOST_LISTS:
            self._checks *= 2
        self._take(message)
        if entry.due == inf:
            entry.postpone(now)
        self._after_answer(is_turn_of_read=False)

    def after_absence(self, now: float) -> bool:
        """Return whether a message that was not found is given up."""
        entry = self._reads.popleft()
        entry.absences += 1
        entry.postpone(now)
        is_given_up = entry.absences == MOST_ABSENCES
        if is_given_up:
            del self._entries[entry.id]
        self._after_answer(is_turn_of_read=False)
        return is_given_up

    def after_failure(self, now: float) -> float:
        """Return seconds to wait before the same request is made again."""
        self._failures += 1
        wait = min(PAUSE * 2.0 ** min(self._failures, 30), LONGEST_BACKOFF)
        self._not_before = now + wait
        return wait

    def without_lists(self, now: float) -> None:
        """Read every message by id from now on: the server refuses the lists."""
        self._has_lists = False
        for entry in [entry for scan in self._scans for entry in scan.entries]:
            entry.due = now
        self._scans.clear()

    def _is_open(self, entry: _Entry) -> bool:
        return self._entries.get(entry.id) is entry

    def _take(self, message: Message) -> None:
        entry = self._entries[message.id]
        entry.lists = entry.absences = 0
        if message.is_final:
            del self._entries[message.id]

    def _after_scan(self, scan: _Scan, left: Sequence[_Entry], now: float) -> None:
        for entry in left:
            entry.lists += 1
            entry.postpone(now, GROWTH_OF_LISTS)
            if scan.newest is not None and not (scan.only_final and entry.every_status):
                entry.mark = scan.newest
        unseen = [entry for entry in left if entry.lists >= MOST_LISTS]
        unseen.sort(key=lambda entry: -entry.lists)
        self._reads.extend(unseen[: self._checks])

    def _after_answer(self, *, is_turn_of_read: bool) -> None:
        self._is_turn_of_read = is_turn_of_read
        self._failures = 0
        self._drop_settled()

    def _drop_settled(self) -> None:
        """Drop the requests next in turn that nothing depends on any more."""
        while self._scans and not any(map(self._is_open, self._scans[0].entries)):
            self._scans.popleft()
        while self._reads and not self._is_open(self._reads[0]):
            self._reads.popleft()

    def _begin_round(self, now: float) -> None:
        due = [entry for entry in self._entries.values() if entry.is_due(now)]
        if not due:
            return
        self._next_round = now + PAUSE
        reads = [entry for entry in due if not self._is_listed(entry)]
        for is_fresh in (True, False):
            listed = [each for each in due if self._is_listed(each)]
            for group in _split(each for each in listed if (each.mark is None) is is_fresh):
                if len(group) <= READS_PER_PAGE:
                    reads += group
                else:
                    self._scans.append(_Scan(group))
        self._reads.extend(reads)
        for entry in due:
            entry.due = inf

    def _is_listed(self, entry: _Entry) -> bool:
        return self._has_lists and entry.created is not None and not entry.is_read_by_id


def _split(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    """Split messages where none was sent for long."""
    group = list[_Entry]()
    for entry in sorted(entries, key=_created):
        if group and _created(entry) - _created(group[-1]) > _LARGEST_GAP:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


def _created(entry: _Entry) -> datetime:
    return entry.created or _EPOCH
