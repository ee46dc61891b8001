"""The paging rule: which window of a list to request next, and which of its rows are new.

Rows are placed by `created_at`, in microseconds *along the walk*: what comes later in the
answer has the larger place, so that `asc` and `desc` are one algorithm. The server's order
is total (`created_at`, then anything that does not change) and no row changes its place in it.

Invariant, between any two requests: there is a last row read, and every lasting row (one
that matches from the first request to the last) up to it has been yielded; `seen` holds
every yielded id that the server can still return for a window that begins at `bound`.

1. A window is one snapshot of neighbours in the order. It is *evidence* if it begins at the
   bound, which is not beyond the last row read, or if it holds a row that was yielded, which
   is not beyond it either. No lasting row can then lie between the last row read and the
   window, so its last row is the new last row read. A window without evidence (rows before
   it have gone, and the rest moved up) is dropped whole, and the next one begins further back.
2. A server keeps microseconds or milliseconds, and may cut or round to milliseconds the times
   that it shows, those that it sorts and filters by, and the bounds that it is sent. A shown
   place `p` of no whole millisecond is exact, and at most brought to a neighbouring one before
   it is compared. One of a whole millisecond was cut (by up to 999) or rounded (by up to 500),
   and is compared at most 1000 away. So the server compares the row within `_earliest(p)` to
   `_latest(p)`: the last whole millisecond before `p`, and the first after it.
3. The bound is the `_earliest` place of the last row read. No row after that one is compared
   earlier, also where a millisecond's rows lie in another order than their microseconds; and
   as the bound is a whole millisecond, the server reads what was sent. The bound that the
   user gave is sent as it is until the walk has passed it. Whatever the server makes of it is
   not beyond the next whole millisecond, so a later window holds no row that it would exclude.
4. An id is forgotten when the `_latest` place of its row is before the bound. Bounds only
   grow, so that row cannot come again. Every other id is kept, from however many windows
   back: nothing is yielded twice. That is the memory: rows less than three milliseconds away.
5. A bound may stand still, on a millisecond with more rows than a window holds, or at the first
   moment of year 1 or the last of year 9999, beyond which no bound can be written. Windows then
   begin at an offset, short of the `covered` rows taken to be read: their overlap is the
   evidence. `covered` is a guess that is only ever paid for in requests.

The walk ends with a window that is evidence, is not full and is the last of its pages: the
count alone is no proof, as it is not taken in the same instant as the rows.

Without a total order, 2 to 4 still hold: nothing is yielded twice. Rows of a few milliseconds
that fill no more than half a window are read from the bound, where their order is of no
account; of more, those that change places between two windows can be missed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import attrs

from ziett_async._repr import Value
from ziett_async.models._enums import Order
from ziett_async.models._page import LARGEST, Page, Row

#: Rows of overlap after a window without new rows: as many may disappear between two requests.
MORE_OVERLAP = LARGEST // 4
#: Windows in a row without a new row, besides those it takes to read `seen` again.
MOST_EMPTY_WINDOWS = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


R = TypeVar("R", bound=Row)


class BrokenOrder(Exception):
    """The server's answers are not the list that was asked for, so it cannot be walked."""


@attrs.frozen(repr=False)
class Window(Value):
    """What to ask the server for: `size` rows from `(page - 1) * size` on, within the bounds."""

    page: int
    size: int
    created_at__ge: datetime | None = None
    created_at__le: datetime | None = None


def window_after(covered: int, size: int, overlap: int) -> tuple[int, int]:
    """Return the page and size that read furthest past the first `covered` rows.

    At least `overlap` of them, or all, are read again. The size is 2 to `size` if any of these
    will do, and else the next larger one, or the overlap is less: there is always an answer,
    as no number of rows is a multiple of every size up to 200.
    """
    again = min(overlap, covered)
    sizes = [each for each in range(2, size + 1) if covered % each >= again]
    if not sizes:
        return window_after(covered, min(size + 1, LARGEST), max(overlap - 1, 1))
    best = max(sizes, key=lambda each: (each - covered % each, each))
    return covered // best + 1, best


@attrs.frozen(eq=False, repr=False)
class OffsetWalk:
    """Plain offset paging: rows that move while it reads are missed, or come twice."""

    size: int
    ge: datetime | None = None
    le: datetime | None = None
    page: int = 1

    @property
    def window(self) -> Window:
        """What to ask for next."""
        return Window(self.page, self.size, self.ge, self.le)

    def after(self, page: Page[R]) -> tuple[tuple[R, ...], "OffsetWalk | None"]:
        """Return the rows to yield, and the walk from here on; None at the end."""
        ends = self.page >= page.pages
        return page.entries, None if ends else attrs.evolve(self, page=self.page + 1)


@attrs.frozen(eq=False, repr=False)
class ExactWalk:
    """The exact walk, between two requests."""

    size: int
    order: Order
    ge: datetime | None = None
    le: datetime | None = None
    #: Yielded, and not out of reach: id to place.
    seen: Mapping[UUID, int] = attrs.field(factory=dict[UUID, int])
    #: How many of the first rows from the bound on are taken to be in `seen`.
    covered: int = 0
    #: Windows since the last with a new row.
    empty_windows: int = 0
    #: Whether there was one without a new row since the bound last grew.
    overlaps_more: bool = False

    @property
    def window(self) -> Window:
        """What to ask for next."""
        size, overlap = (LARGEST, MORE_OVERLAP) if self.overlaps_more else (self.size, 1)
        return Window(*window_after(self.covered, size, overlap), self.ge, self.le)

    def after(self, page: Page[R]) -> "tuple[tuple[R, ...], ExactWalk | None]":
        """Return the rows to yield, and the walk from here on; None at the end.

        Raises:
            BrokenOrder: the rows are not in order, begin before the bound, have no
                `created_at`, or bring nothing new however often they are requested.

        """
        asked, rows = self.window, page.entries
        self._check([self._place(row.created_at) for row in rows])
        if asked.page > 1 and not any(row.id in self.seen for row in rows):
            return (), self._after_empty(max(self.covered - LARGEST * 2**self.empty_windows, 1))
        fresh = {row.id: row for row in rows if row.id not in self.seen}
        if not rows or (len(rows) < asked.size and page.page >= page.pages):
            return tuple(fresh.values()), None
        new = {each: self._place(row.created_at) for each, row in fresh.items()}
        covered = (asked.page - 1) * asked.size + len(rows)
        last = self._place(rows[-1].created_at)
        return tuple(fresh.values()), self._after_evidence(new, last, covered)

    def _after_evidence(self, new: Mapping[UUID, int], last: int, covered: int) -> "ExactWalk":
        bound = _earliest(last)
        if bound > self._bound:
            return self._from(bound, {**self.seen, **new})
        if not new:
            return self._after_empty(covered)
        return attrs.evolve(self, seen={**self.seen, **new}, covered=covered, empty_windows=0)

    def _from(self, bound: int, seen: Mapping[UUID, int]) -> "ExactWalk":
        """Begin at a new bound, and forget what is out of its reach."""
        kept = {each: place for each, place in seen.items() if _latest(place) >= bound}
        covered = sum(_earliest(place) >= bound for place in kept.values())
        start = _EPOCH + bound * self._step
        ge, le = (start, self.le) if self.order is Order.ASC else (self.ge, start)
        return ExactWalk(self.size, self.order, ge, le, kept, covered)

    def _after_empty(self, covered: int) -> "ExactWalk":
        """Read more, and with more overlap, unless that has been tried for long enough."""
        empty_windows = self.empty_windows + 1
        if empty_windows > MOST_EMPTY_WINDOWS + 4 * len(self.seen) // MORE_OVERLAP:
            message = "the list brings the same rows again and again"
            raise BrokenOrder(message)
        return attrs.evolve(self, covered=covered, empty_windows=empty_windows, overlaps_more=True)

    def _check(self, places: Sequence[int]) -> None:
        # The server may have cut or rounded a bound that the user gave.
        least = self._bound // 1000 * 1000
        for place in places:
            if _latest(place) < least:
                message = "the rows are not in the order, or not within the bounds, asked for"
                raise BrokenOrder(message)
            least = _earliest(place)

    @property
    def _step(self) -> timedelta:
        return _MICROSECOND if self.order is Order.ASC else -_MICROSECOND

    @property
    def _bound(self) -> int:
        """The place at which windows begin; without a bound, the calendar's beginning."""
        start = (self.ge or _FIRST) if self.order is Order.ASC else (self.le or _LAST)
        return self._place(start)

    def _place(self, time: datetime | None) -> int:
        if time is None:
            message = "a row has no created_at, without which its place in the list is not known"
            raise BrokenOrder(message)
        # With an offset from UTC, a time can lie beyond the calendar: it counts as its end.
        return (max(_FIRST, min(time, _LAST)) - _EPOCH) // self._step


def _earliest(place: int) -> int:
    """Return the last whole millisecond before a place."""
    return (place - 1) // 1000 * 1000


def _latest(place: int) -> int:
    """Return the first whole millisecond after a place."""
    return (place // 1000 + 1) * 1000
