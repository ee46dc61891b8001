"""Pages: a list to iterate over, entry by entry or page by page.

`_paging` decides which window to request next and which of its rows are new; this module makes
the requests. A walk is an immutable value, which an iterator replaces only after a response. So
a request that fails or is cancelled changes nothing, and the next step repeats it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

import attrs

from ziett_async._paging import BrokenOrder, ExactWalk, OffsetWalk, Window
from ziett_async._repr import Value
from ziett_async.errors import InvalidResponse, Trail
from ziett_async.models._enums import Order
from ziett_async.models._page import Page, Row

R = TypeVar("R", bound=Row)

Fetch = Callable[[Window], Awaitable[Page[R]]]


@attrs.frozen(eq=False, repr=False)
class Pages(Value, Generic[R]):
    """A list that each loop reads from the start: `async for` entries, or `pages()`.

    With `exact`, every row that exists when a loop begins and matches throughout is yielded
    exactly once, and no row twice, while others arrive, change, leave, enter or are deleted.
    The rows have to be ordered by `created_at`, and rows with the same `created_at` in an order
    that does not change. If that order does change, still no row comes twice, but some may be
    missed where more than half a page of rows lie within two milliseconds. With `exact=False`,
    for every other order, this is offset paging: while rows move, any row may be missed or
    come twice.

    `size` is the preferred size of a page, 1 to 200. An exact walk requests at least 2 rows,
    as each window repeats a row of the one before, and up to 200 where one millisecond has
    more rows than that. A walk in order `asc` ends only once it has caught up with new rows.

    Use an iterator from one task at a time. A loop may be left at any point: nothing is held
    open between two steps. After an error or a cancellation the next step requests the same
    window again, so no row is missed or repeated.

    Raises:
        InvalidResponse: from a loop, when the rows are not in the order or within the bounds
            that were requested, so that an exact walk is impossible. Errors of the requests
            themselves pass through a loop unchanged.

    """

    _fetch: Fetch[R] = attrs.field(alias="fetch", repr=False)
    #: 1 to 200.
    size: int = attrs.field(kw_only=True)
    order: Order = attrs.field(kw_only=True, default=Order.DESC, converter=Order)
    created_at__ge: datetime | None = attrs.field(kw_only=True, default=None)
    created_at__le: datetime | None = attrs.field(kw_only=True, default=None)
    exact: bool = attrs.field(kw_only=True, default=True)
    #: The operation that an `InvalidResponse` names: `list_messages`.
    operation: str = attrs.field(kw_only=True, default="list")

    def __aiter__(self) -> AsyncIterator[R]:
        return _Entries(self.pages())

    def pages(self) -> AsyncIterator[Page[R]]:
        """Iterate page by page: each page holds only the entries that are new.

        The numbers of a page are the server's, for the window requested: in an exact walk the
        `total` of the first page counts all rows, that of a later one what is left. A page
        without new entries is skipped, except the first: an empty list gives one empty page.
        """
        return _Pages(self._fetch, self._start, self.operation)

    @property
    def _start(self) -> ExactWalk | OffsetWalk:
        if self.exact:
            return ExactWalk(self.size, self.order, self.created_at__ge, self.created_at__le)
        return OffsetWalk(self.size, self.created_at__ge, self.created_at__le)


class _Pages(Generic[R]):
    def __init__(self, fetch: Fetch[R], start: ExactWalk | OffsetWalk, operation: str) -> None:
        self._fetch = fetch
        #: The walk from here on; None at the end.
        self._walk: ExactWalk | OffsetWalk | None = start
        self._operation = operation
        self._begun = False

    def __aiter__(self) -> AsyncIterator[Page[R]]:
        return self

    async def __anext__(self) -> Page[R]:
        while self._walk is not None:
            page = await self._fetch(self._walk.window)
            fresh = self._step(self._walk, page)
            if fresh or not self._begun:
                self._begun = True
                return attrs.evolve(page, entries=fresh)
        raise StopAsyncIteration

    def _step(self, walk: ExactWalk | OffsetWalk, page: Page[R]) -> tuple[R, ...]:
        try:
            fresh, self._walk = walk.after(page)
        except BrokenOrder as broken:
            trail = Trail(self._operation, page.call.attempts_made)
            raise InvalidResponse(trail, str(broken), page.call.status) from broken
        return fresh


class _Entries(Generic[R]):
    def __init__(self, pages: AsyncIterator[Page[R]]) -> None:
        self._pages = pages
        #: Entries of the last page, the next one last.
        self._waiting: list[R] = []

    def __aiter__(self) -> AsyncIterator[R]:
        return self

    async def __anext__(self) -> R:
        while not self._waiting:
            page = await anext(self._pages)
            self._waiting = [*reversed(page.entries)]
        return self._waiting.pop()
