"""Iterators over what the asynchronous client iterates over: each step waits for one there."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

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
        #: How a step failed, or that there are no more; it waits here, too.
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        while not self._given:
            self._advance()
        return self._given.popleft()

    def _advance(self) -> None:
        portal = self._caller.portal()
        if self._portal not in {None, portal}:
            raise ConfigurationError(_FORKED)
        self._portal = portal
        if self._error is None:
            portal.call(self._step, self._inbox, self._source)
        error, self._error = self._error, None
        if isinstance(error, StopAsyncIteration):
            raise StopIteration
        try:
            if error is not None:
                raise error
        finally:
            del error  # Its traceback refers to this frame.

    async def _step(self) -> None:
        """Take what comes next; in the event loop, where no signal interrupts it half way."""
        try:
            self._take(await anext(self._iterator[0]))
        except Exception as error:  # noqa: BLE001 - it is for the thread
            self._error = error

    def _take(self, given: Any) -> None:  # noqa: ANN401 - what this iterator gives
        self._given.append(given)

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
        pages: AsyncIterator[Any] = self._pages.pages()
        return _Entries[R](self._caller, pages)

    def pages(self) -> Iterator[Page[R]]:
        """Iterate page by page: each page holds only the entries that are new."""
        return Steps(self._caller, self._pages.pages())


class _Entries(Steps[R]):
    """The entries of pages: a step gives all those of a page."""

    def _take(self, given: Page[R]) -> None:
        self._given.extend(given.entries)


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
