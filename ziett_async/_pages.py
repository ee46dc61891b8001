"""Pages: a list as something to loop over, entry by entry or page by page.

Which window to ask for, and what of it is new, is the rule of `_paging`; here it is only
carried out. A walk is a value: the iterator replaces it when, and only when, an answer came.
So a request that fails or is cancelled changes nothing, and the next step asks the same again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

import attrs

from ziett_async._paging import BrokenOrder, ExactWalk, OffsetWalk, Row, Window
from ziett_async._value import Value
from ziett_async.errors import InvalidResponse, Trail
from ziett_async.models._enums import Order
from ziett_async.models._page import Page

R = TypeVar("R", bound=Row)

Fetch = Callable[[Window], Awaitable[Page[R]]]


@attrs.frozen(eq=False, repr=False)
class Pages(Value, Generic[R]):
    """A list, walked anew by every loop: `async for` gives entries, `pages()` gives pages.

    With `exact`, every row that exists when a loop begins and matches throughout is yielded
    exactly once, and no row twice, while others arrive, change, leave, enter or are deleted.
    That takes rows ordered by `created_at`. With `exact=False`, for every other order, it is
    offset paging: a row that changes its place during the loop may be missed or come twice.

    `size` is a wish, 1 to 200: an exact walk asks for at least 2 rows, since each window
    repeats a row of the last, and where one timestamp has more rows than that for up to 200.
    A walk in order `asc` ends only once it has caught up with the rows that arrive.

    An iterator is for one task at a time. A loop may be left at any point: nothing is open
    between two steps. After an error or a cancellation the next step asks the same window
    again: nothing is lost, nothing comes twice.

    Raises, from the loops: what `fetch` raises; InvalidResponse when the server's list is not
    in the order or within the bounds asked for, so that no exact walk is possible.
    """

    _fetch: Fetch[R] = attrs.field(alias="fetch", repr=False)
    #: 1 to 200.
    size: int = attrs.field(kw_only=True)
    order: Order = attrs.field(kw_only=True, default=Order.DESC, converter=Order)
    created_at__ge: datetime | None = attrs.field(kw_only=True, default=None)
    created_at__le: datetime | None = attrs.field(kw_only=True, default=None)
    exact: bool = attrs.field(kw_only=True, default=True)
    #: Whose name an InvalidResponse bears: `list_messages`.
    operation: str = attrs.field(kw_only=True, default="list")

    def __aiter__(self) -> AsyncIterator[R]:
        return _Entries(self.pages())

    def pages(self) -> AsyncIterator[Page[R]]:
        """Walk page by page: what the server answered, with only the new ones as entries.

        The numbers beside the entries are the server's, about the window asked for: in an
        exact walk the `total` of the first page counts all, later ones what is left. A page
        with nothing new is passed over, except the first: an empty list gives one empty page.
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
        #: What to do next; None at the end.
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
            trail = Trail(self._operation, page.call.attempts)
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
