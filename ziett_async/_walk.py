"""The paging rule: which window of a list to ask for next, and which of its rows are new.

Rows are placed by `created_at`, in microseconds *along the walk*: what comes later in the
answer has the larger place, so that `asc` and `desc` are one algorithm. The server's order
is total (`created_at`, then something of its own) and no row changes its place in it.

Invariant, between any two requests: there is a last row read, and every lasting row (one
that matches from the first request to the last) up to it has been yielded; `seen` holds
every yielded id that the server can still return for a window that begins at `bound`.

1. A window is one snapshot of neighbours in the order. It is *evidence* if it begins at the
   bound, which is not beyond the last row read, or if it holds a row that was yielded, which
   is not beyond it either. No lasting row can then lie between the last row read and the
   window, so its last row is the new last row read. A window without evidence (rows before
   it have gone, and the rest moved up) is dropped whole, and the next one begins further back.
2. Displayed times may be cut or rounded to milliseconds while the server compares
   microseconds, so a place `p` that is a whole millisecond stands for `p - 999` to `p + 999`.
   The bound becomes the *least* place the last row read may have: nothing hides before it.
3. An id is forgotten when the *greatest* place its row may have is before the bound. Bounds
   only grow, so that row cannot come again. Every other id is kept, from however many windows
   back: nothing is yielded twice. That is the memory: the rows of one timestamp.
4. A bound may stand still, on a timestamp with more rows than a window holds. Windows then
   begin at an offset, short of the `covered` rows taken to be read: their overlap is the
   evidence. `covered` is a guess that is only ever paid for in requests.

The walk ends with a window that is evidence, is not full and is the last of its pages: the
count alone is no proof, as it is not taken in the same instant as the rows.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

import attrs

from ziett_async._value import Value
from ziett_async.models._enums import Order
from ziett_async.models._page import Page

#: The most rows the server puts into a window (API page, List Messages).
LARGEST = 200
#: Rows of overlap after a window that brought nothing: so many may go between two requests.
CAREFUL = LARGEST // 4
#: Windows in a row that may bring nothing, besides those it takes to read `seen` again.
PATIENCE = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Row(Protocol):
    """What a list must tell of its rows to be walked."""

    @property
    def id(self) -> UUID:
        """Names the row for good."""
        ...

    @property
    def created_at(self) -> datetime | None:
        """Aware, and never changes; without it a row has no place in an exact walk."""
        ...


R = TypeVar("R", bound=Row)


class BrokenOrder(Exception):
    """The server's answers cannot be walked: the list is not what was asked for."""


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
class Offsets:
    """Plain offset paging: rows that move while it reads are missed, or come twice."""

    size: int
    ge: datetime | None = None
    le: datetime | None = None
    page: int = 1

    @property
    def window(self) -> Window:
        """What to ask for next."""
        return Window(self.page, self.size, self.ge, self.le)

    def after(self, page: Page[R]) -> tuple[tuple[R, ...], "Offsets | None"]:
        """Return the rows to yield, and the walk from here on; None at the end."""
        ends = self.page >= page.pages
        return page.entries, None if ends else attrs.evolve(self, page=self.page + 1)


@attrs.frozen(eq=False, repr=False)
class Bounds:
    """The exact walk, between two requests."""

    size: int
    order: Order
    ge: datetime | None = None
    le: datetime | None = None
    #: Yielded, and not out of reach: id to place.
    seen: Mapping[UUID, int] = attrs.field(factory=dict[UUID, int])
    #: How many of the first rows from the bound on are taken to be in `seen`.
    covered: int = 0
    #: Windows since the last that brought anything new.
    fruitless: int = 0
    #: Whether there was a fruitless one since the bound last grew.
    careful: bool = False

    @property
    def window(self) -> Window:
        """What to ask for next."""
        size, overlap = (LARGEST, CAREFUL) if self.careful else (self.size, 1)
        return Window(*window_after(self.covered, size, overlap), self.ge, self.le)

    def after(self, page: Page[R]) -> "tuple[tuple[R, ...], Bounds | None]":
        """Return the rows to yield, and the walk from here on; None at the end.

        Raises:
            BrokenOrder: the rows are not in order, begin before the bound, have no
                `created_at`, or bring nothing new however often they are asked for.

        """
        asked, rows = self.window, page.entries
        self._check([self._place(row.created_at) for row in rows])
        if asked.page > 1 and not any(row.id in self.seen for row in rows):
            return (), self._nothing_new(max(self.covered - LARGEST * 2**self.fruitless, 1))
        fresh = {row.id: row for row in rows if row.id not in self.seen}
        if not rows or (len(rows) < asked.size and page.page >= page.pages):
            return tuple(fresh.values()), None
        new = {each: self._place(row.created_at) for each, row in fresh.items()}
        covered = (asked.page - 1) * asked.size + len(rows)
        return tuple(fresh.values()), self._on(new, self._place(rows[-1].created_at), covered)

    def _on(self, new: Mapping[UUID, int], last: int, covered: int) -> "Bounds":
        """Go on from a window that was evidence."""
        bound = last - _blur(last)
        if self._bound is None or bound > self._bound:
            return self._from(bound, {**self.seen, **new})
        if not new:
            return self._nothing_new(covered)
        return attrs.evolve(self, seen={**self.seen, **new}, covered=covered, fruitless=0)

    def _from(self, bound: int, seen: Mapping[UUID, int]) -> "Bounds":
        """Begin at a new bound, and forget what is out of its reach."""
        kept = {each: place for each, place in seen.items() if place + _blur(place) >= bound}
        covered = sum(place - _blur(place) >= bound for place in kept.values())
        start = _EPOCH + bound * self._step
        ge, le = (start, self.le) if self.order is Order.ASC else (self.ge, start)
        return Bounds(self.size, self.order, ge, le, kept, covered)

    def _nothing_new(self, covered: int) -> "Bounds":
        """Read more, and with more overlap, unless that has been tried for long enough."""
        fruitless = self.fruitless + 1
        if fruitless > PATIENCE + 4 * len(self.seen) // CAREFUL:
            message = "the list brings the same rows again and again"
            raise BrokenOrder(message)
        return attrs.evolve(self, covered=covered, fruitless=fruitless, careful=True)

    def _check(self, places: Sequence[int]) -> None:
        least = self._bound
        for place in places:
            if least is not None and place + _blur(place) < least:
                message = "the rows are not in the order, or not within the bounds, asked for"
                raise BrokenOrder(message)
            least = place - _blur(place)

    @property
    def _step(self) -> timedelta:
        return _MICROSECOND if self.order is Order.ASC else -_MICROSECOND

    @property
    def _bound(self) -> int | None:
        start = self.ge if self.order is Order.ASC else self.le
        return None if start is None else self._place(start)

    def _place(self, time: datetime | None) -> int:
        if time is None:
            message = "a row has no created_at, without which its place in the list is not known"
            raise BrokenOrder(message)
        return (time - _EPOCH) // self._step


def _blur(place: int) -> int:
    """Return how far the real place may be from the displayed one, in microseconds."""
    return 0 if place % 1000 else 999
