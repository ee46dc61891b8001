"""Iterators over what the asynchronous client iterates over: each step waits for one there."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from ziett_async._pages import Pages as AsyncPages
from ziett_async.blocking._caller import Caller, require_no_event_loop
from ziett_async.blocking._portal import Portal, process
from ziett_async.blocking._source import NOTHING, Inbox, read_lazily
from ziett_async.errors import ConfigurationError
from ziett_async.models._page import Page, Row

if TYPE_CHECKING:
    from ziett_async.bulk.outcomes import Outcomes as AsyncOutcomes

T = TypeVar("T")
R = TypeVar("R", bound=Row)

_FORKED = "the loop was begun before a fork, in the parent process; begin another one here"


class Steps(Generic[T]):
    """An asynchronous iterator, step by step."""

    #: Where it was begun.
    _portal: Portal | None = None
    _inbox: Inbox | None = None
    _source = NOTHING

    def __init__(self, caller: Caller, iterator: AsyncIterator[T]) -> None:
        self._caller = caller
        #: In a list, for the event loop to drop: what it shares there is not for other threads.
        self._iterator = [iterator]
        #: What a step gave; it waits here for the next one where the thread was interrupted.
        self._given = deque[T]()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        portal = self._caller.portal()
        if self._portal not in {None, portal}:
            raise ConfigurationError(_FORKED)
        self._portal = portal
        try:
            if not self._given:
                portal.call(self._step, self._inbox, self._source)
        except StopAsyncIteration:
            raise StopIteration from None
        return self._given.popleft()

    async def _step(self) -> None:
        self._given.append(await anext(self._iterator[0]))

    def __del__(self) -> None:
        if self._portal is not None:
            self._portal.call_soon(self._iterator.clear)


@attrs.frozen(eq=False, repr=False)
class Loop(Generic[T]):
    """An asynchronous iterable to loop over; each loop starts anew."""

    _caller: Caller
    _iterable: AsyncIterable[T]

    def __iter__(self) -> Iterator[T]:
        return Steps(self._caller, aiter(self._iterable))


@attrs.frozen(eq=False, repr=False)
class Pages(Generic[R]):
    """A list that each loop reads from the start: `for` entries, or `pages()`.

    It gives and promises what `ziett_async.Pages` does. Use an iterator in one thread at a time.
    """

    _caller: Caller
    _pages: AsyncPages[R]

    def __iter__(self) -> Iterator[R]:
        return _Entries(self.pages())

    def pages(self) -> Iterator[Page[R]]:
        """Iterate page by page: each page holds only the entries that are new."""
        return Steps(self._caller, self._pages.pages())


class _Entries(Generic[R]):
    """Waits for a page at a time; and after an error, not for nothing, as a generator would."""

    def __init__(self, pages: Iterator[Page[R]]) -> None:
        self._pages = pages
        #: Entries of the last page, the next one last.
        self._waiting: list[R] = []

    def __iter__(self) -> Iterator[R]:
        return self

    def __next__(self) -> R:
        while not self._waiting:
            self._waiting = [*reversed(next(self._pages).entries)]
        return self._waiting.pop()


class Outcomes(Steps[T]):
    """What becomes of each message, as it happens: `for outcome in ...`, once.

    It is for one thread at a time. Between two steps calls under way go on, and a generator of
    messages rests. When the loop is left early, calls under way are cancelled; `close()` waits
    for their end, too.
    """

    def __init__(
        self, caller: Caller, outcomes: "AsyncOutcomes[T]", inbox: Inbox, source: Iterable[object]
    ) -> None:
        super().__init__(caller, outcomes)
        self._aclose = outcomes.aclose
        self._inbox = inbox
        #: Read and dropped in the thread of the loop.
        self._source = read_lazily(source)

    def close(self) -> None:
        """End the run and wait for its end; a second time does nothing."""
        require_no_event_loop()
        # In a forked child there is nothing to end: the run goes on in the parent.
        if self._portal is not None and self._portal is process.portal():
            self._portal.call(self._aclose)
