"""Which request to make next, and when, to record what becomes of messages.

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
from datetime import timedelta
from itertools import chain
from math import inf
from uuid import UUID

import attrs

from ziett_async._repr import Value
from ziett_async.delivery._entry import GROWTH_OF_LISTS, PAUSE, Entry
from ziett_async.delivery._scan import READS_PER_PAGE, ReadPage, Scan
from ziett_async.models import Message, Page

#: Seconds after a failed request, at most; before that, twice as many each time.
LONGEST_BACKOFF = 60.0
#: Lists that do not show a message, after which it is read by id.
MOST_LISTS = 5
#: Reads of such messages after a list, as long as they find none to be final.
FEWEST_CHECKS = 20
#: The most of them after one list, however many are found to be final.
MOST_CHECKS = 1000
#: Reads that do not find a message, after which there is none.
MOST_ABSENCES = 3

#: Messages further apart are not looked for in one list.
_LARGEST_GAP = timedelta(hours=1)


@attrs.frozen(repr=False)
class ReadMessage(Value):
    """Read one message."""

    id: UUID


Ask = ReadMessage | ReadPage


class Schedule:
    """The messages that are waited for. All times are seconds on one clock."""

    def __init__(self) -> None:
        self._entries: dict[UUID, Entry] = {}
        #: What is left of the rounds so far; the first of each is asked for next.
        self._scans = deque[Scan]()
        self._reads = deque[Entry]()
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
                new = Entry.new(each, now, calendar, every_status=every_status)
                self._entries[each] = new
            elif every_status and not entry.every_status:
                entry.every_status, entry.mark = True, None

    def seen(self, message_id: UUID) -> Message | None:
        """Return what a message that is waited for was last seen as, if it was."""
        entry = self._entries.get(message_id)
        return None if entry is None else entry.seen

    def keep(self, ids: Collection[UUID]) -> None:
        """Stop waiting for all but these."""
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

    def ask(self, now: float) -> Ask:
        """Return the request to make, which `when` allows now; the same until it is answered."""
        if now >= self._next_round:
            self._begin_round(now)
        if self._reads and (self._is_turn_of_read or not self._scans):
            return ReadMessage(self._reads[0].id)
        return self._scans[0].ask

    def after_page(self, page: Page[Message], now: float) -> list[Message]:
        """Return what a page shows of the messages that are waited for."""
        scan = self._scans.popleft()
        shown = {row.id: row for row in page.entries if row.id in self._entries}
        for row in shown.values():
            self._take(row)
        left = [entry for entry in scan.entries if self._is_open(entry)]
        is_read, is_too_long = scan.is_read(page, has_news=bool(shown)), scan.is_too_long(page)
        scan.after(page)
        if is_read:
            self._after_scan(scan, left, now)
        elif is_too_long:
            for entry in left:
                entry.is_read_by_id, entry.due = True, now
        else:
            self._scans.append(scan)
        self._after_answer(is_turn_of_read=True)
        return list(shown.values())

    def after_message(self, message: Message, now: float) -> None:
        """Record what a message was read as."""
        entry = self._reads.popleft()
        if message.is_final and entry.lists >= MOST_LISTS:
            self._checks = min(2 * self._checks, MOST_CHECKS)
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

    def _is_open(self, entry: Entry) -> bool:
        return self._entries.get(entry.id) is entry

    def _take(self, message: Message) -> None:
        entry = self._entries[message.id]
        entry.lists, entry.absences, entry.seen = 0, 0, message
        if message.is_final:
            del self._entries[message.id]

    def _after_scan(self, scan: Scan, left: Sequence[Entry], now: float) -> None:
        for entry in left:
            entry.lists += 1
            entry.postpone(now, GROWTH_OF_LISTS)
            if scan.newest is not None and not (scan.only_final and entry.every_status):
                entry.mark = scan.newest
        queued = set(self._reads)
        unseen = [each for each in left if each.lists >= MOST_LISTS and each not in queued]
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
        listed = [entry for entry in due if self._is_listed(entry)]
        fresh = [entry for entry in listed if entry.mark is None]
        seen = [entry for entry in listed if entry.mark is not None]
        for group in chain(_split(fresh), _split(seen)):
            if len(group) <= READS_PER_PAGE:
                reads += group
            else:
                self._scans.append(Scan(group))
        self._reads.extend(reads)
        for entry in due:
            entry.due = inf

    def _is_listed(self, entry: Entry) -> bool:
        return self._has_lists and not entry.is_read_by_id


def _split(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Split messages where none was sent for long."""
    group = list[Entry]()
    for entry in sorted(entries, key=lambda each: each.created):
        if group and entry.created - group[-1].created > _LARGEST_GAP:
            yield group
            group = []
        group.append(entry)
    if group:
        yield group
