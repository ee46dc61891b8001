"""A list as something to loop over, on both event loops."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import attrs
import pytest
from anyio import move_on_after, sleep_forever
from anyio.lowlevel import checkpoint

from tests.support.samples import attempts
from ziett_async._pages import Pages
from ziett_async._paging import Window
from ziett_async.errors import InvalidResponse, NotSent, Trail
from ziett_async.models._call import CallInfo
from ziett_async.models._enums import Order
from ziett_async.models._page import Page, Row

pytestmark = pytest.mark.anyio

START = datetime(2025, 7, 14, 10, 30, 0, 7, tzinfo=UTC)
CALL = CallInfo(attempts(2, 200), 0.0)
LOST = NotSent(Trail("list_messages", attempts(1)), "the line is down")


@attrs.frozen
class Entry:
    """A row as an answer shows it."""

    id: UUID
    created_at: datetime


@attrs.define
class Shelf:
    """A list, newest first, with a fault that a test may set."""

    entries: list[Entry]
    asked: list[Window] = attrs.field(factory=list[Window])
    #: Raised in place of the next answer.
    fault: Exception | None = None
    #: Whether the next answer never comes.
    hangs: bool = False

    async def fetch(self, window: Window) -> Page[Entry]:
        """Answer a window."""
        await checkpoint()
        self.asked.append(window)
        if self.hangs:
            await sleep_forever()
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        le = window.created_at__le
        found = [each for each in self.entries if le is None or each.created_at <= le]
        first = (window.page - 1) * window.size
        rows = tuple(found[first : first + window.size])
        pages = -(-len(found) // window.size)
        return Page(rows, len(found), window.page, window.size, pages, CALL)

    def arrive(self) -> None:
        """Add a row that is newer than all."""
        self.entries.insert(0, entry(len(self.entries) + 1))


def entry(number: int) -> Entry:
    """Return a row; those with higher numbers are newer."""
    return Entry(UUID(int=number), START + timedelta(seconds=number))


def shelf(many: int) -> Shelf:
    """Return a list of so many rows."""
    return Shelf([entry(number) for number in range(many, 0, -1)])


async def numbers(rows: AsyncIterator[Row] | Pages[Entry]) -> list[int]:
    """Read to the end."""
    return [row.id.int async for row in rows]


async def test_yields_every_entry_in_order() -> None:
    """A loop gives the entries of all pages, one by one."""
    assert await numbers(Pages(shelf(7).fetch, size=3)) == [7, 6, 5, 4, 3, 2, 1]


async def test_rows_that_arrive_shift_nothing() -> None:
    """What comes in while the loop runs neither repeats nor hides an entry."""
    server = shelf(7)
    found: list[int] = []
    async for row in Pages(server.fetch, size=3):
        found.append(row.id.int)
        server.arrive()
    assert found == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.naive("Offset paging", "rows twice, others never")
async def test_rows_that_arrive_shift_inexact_pages() -> None:
    """The naive walk repeats entries: that is what `exact` is for."""
    server = shelf(7)
    found: list[int] = []
    async for row in Pages(server.fetch, size=3, exact=False):
        found.append(row.id.int)
        if len(server.entries) < 9:
            server.arrive()
    assert len(set(found)) < len(found)


async def test_each_loop_starts_anew() -> None:
    """The object is a list, not a position in one."""
    server = shelf(4)
    rows = Pages(server.fetch, size=2)
    assert await numbers(rows) == [4, 3, 2, 1]
    server.arrive()
    assert await numbers(rows) == [5, 4, 3, 2, 1]


async def test_pages_hold_only_what_is_new() -> None:
    """Windows overlap; the pages made of them do not."""
    pages = [page async for page in Pages(shelf(6).fetch, size=3).pages()]
    assert [[row.id.int for row in page.entries] for page in pages] == [[6, 5, 4], [3, 2], [1]]
    assert [page.total for page in pages] == [6, 4, 2]


async def test_an_empty_list_is_one_empty_page() -> None:
    """The first answer is always given, with its numbers and its call."""
    pages = [page async for page in Pages(shelf(0).fetch, size=3).pages()]
    assert [(page.entries, page.total, page.call) for page in pages] == [((), 0, CALL)]
    assert await numbers(Pages(shelf(0).fetch, size=3)) == []


async def test_a_page_with_nothing_new_is_passed_over() -> None:
    """The request that only finds the end gives no page."""
    server = shelf(3)
    pages = [page async for page in Pages(server.fetch, size=3).pages()]
    assert [len(page.entries) for page in pages] == [3]
    assert len(server.asked) == 2


async def test_asks_within_the_bounds() -> None:
    """The caller's bounds are the first window's, and the far one is every window's."""
    server = shelf(9)
    since, until = START + timedelta(seconds=2), START + timedelta(seconds=8)
    rows = Pages(server.fetch, size=3, created_at__ge=since, created_at__le=until)
    assert (await numbers(rows))[:3] == [8, 7, 6]
    assert server.asked[0] == Window(1, 3, since, until)
    assert {window.created_at__ge for window in server.asked} == {since}


async def test_takes_the_order_by_its_word() -> None:
    """`asc` walks towards the newer rows; another word is refused at once."""
    assert Pages(shelf(1).fetch, size=3, order="asc").order is Order.ASC
    with pytest.raises(ValueError, match="sideways"):
        Pages(shelf(1).fetch, size=3, order="sideways")


@pytest.mark.parametrize("exact", [True, False])
async def test_goes_on_after_an_error(exact: bool) -> None:  # noqa: FBT001 - a parameter
    """A request that fails is asked again by the next step: nothing lost, nothing twice."""
    server = shelf(7)
    rows = aiter(Pages(server.fetch, size=3, exact=exact))
    found = [(await anext(rows)).id.int for _ in range(3)]
    server.fault = LOST
    with pytest.raises(NotSent):
        await anext(rows)
    assert found + await numbers(rows) == [7, 6, 5, 4, 3, 2, 1]
    assert server.asked[1] == server.asked[2]


async def test_goes_on_after_a_cancellation() -> None:
    """A step that is cancelled has not happened."""
    server = shelf(7)
    rows = aiter(Pages(server.fetch, size=3))
    found = [(await anext(rows)).id.int for _ in range(3)]
    server.hangs = True
    with move_on_after(0) as scope:
        await anext(rows)
    server.hangs = False
    assert scope.cancelled_caught
    assert found + await numbers(rows) == [7, 6, 5, 4, 3, 2, 1]


async def test_is_over_when_it_is_over() -> None:
    """An iterator that came to its end stays there, whatever arrives."""
    server = shelf(2)
    rows = aiter(Pages(server.fetch, size=3))
    assert await numbers(rows) == [2, 1]
    server.arrive()
    assert await numbers(rows) == []
    assert len(server.asked) == 1


async def test_a_loop_may_be_left() -> None:
    """Nothing is open between two steps: warnings are errors, and there is none."""
    server = shelf(9)
    async for row in Pages(server.fetch, size=3):
        if row.id.int == 5:
            break
    async for _page in Pages(server.fetch, size=3).pages():
        break
    assert len(server.asked) == 3


async def test_says_that_a_list_cannot_be_walked() -> None:
    """A list in another order than asked for is an error that names the operation."""
    rows = Pages(shelf(3).fetch, size=3, order="asc", operation="list_messages")
    with pytest.raises(InvalidResponse, match="order") as caught:
        await numbers(rows)
    assert caught.value.trail == Trail("list_messages", CALL.attempts_made)
    assert caught.value.status == 200
