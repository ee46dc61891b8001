"""How far a list is read, and when it is not worth it."""

from datetime import timedelta

import pytest

from tests.support.messages import START, new_message, new_page, v7
from ziett_async import Message, Page
from ziett_async.delivery._entry import Entry
from ziett_async.delivery._scan import ReadPage, Scan


def entries(count: int, *, mark: int | None = None, every_status: bool = False) -> list[Entry]:
    """Return messages whose lists need not be read beyond `mark` seconds after the start."""
    found = [
        Entry.new(v7(i, START + timedelta(seconds=i)), 0.0, 0.0, every_status=every_status)
        for i in range(count)
    ]
    for each in found:
        each.mark = None if mark is None else START + timedelta(seconds=mark)
    return found


def page_of(*seconds: int | None, pages: int = 9) -> Page[Message]:
    """Return a page of rows that were changed so many seconds after the start."""
    times = [None if each is None else START + timedelta(seconds=each) for each in seconds]
    rows = [new_message(v7(i), updated_at=each) for i, each in enumerate(times)]
    return new_page(*rows, total=200 * pages)


def test_a_list_is_of_the_range_of_its_messages() -> None:
    """With a second on both sides, and of all statuses where one message needs them."""
    scan = Scan([*entries(1, every_status=True), *entries(60)])
    bounds = START - timedelta(seconds=1), START + timedelta(seconds=60)
    assert scan.ask == ReadPage(1, *bounds, only_final=False)
    scan.after(page_of(1))
    assert scan.ask.page == 2
    assert Scan(entries(6)).ask.only_final


@pytest.mark.parametrize(
    ("mark", "page", "has_news", "is_read"),
    [
        (None, page_of(9, 8), False, False),
        (None, page_of(9, 8, pages=1), True, True),
        (None, page_of(), True, True),
        (5, page_of(9, 6), False, False),
        (5, page_of(9, 4), True, True),
        (5, page_of(9, 5), True, False),
        (5, page_of(9, 5), False, True),
        (5, page_of(9, None, 4), True, True),
        (5, page_of(None, None), True, False),
    ],
)
def test_a_list_is_read_to_its_mark(
    mark: int | None, page: Page[Message], *, has_news: bool, is_read: bool
) -> None:
    """Or its end; and beyond the mark's own moment as long as rows of it bring news."""
    assert Scan(entries(10, mark=mark)).is_read(page, has_news=has_news) is is_read


def test_a_list_is_read_to_the_earliest_mark() -> None:
    """Of the messages that it is read for."""
    scan = Scan([*entries(9, mark=5), *entries(9, mark=8)])
    assert not scan.is_read(page_of(9, 6), has_news=False)
    assert scan.is_read(page_of(9, 4), has_news=False)


def test_one_message_without_a_mark_needs_the_whole_list() -> None:
    """As it was not looked for yet."""
    assert not Scan([*entries(9, mark=5), *entries(1)]).is_read(page_of(1), has_news=False)


@pytest.mark.parametrize(
    ("count", "mark", "pages", "page", "is_too_long"),
    [
        (6, None, 1, 1, False),
        (6, None, 2, 1, True),
        (10, None, 2, 1, False),
        (10, None, 3, 1, True),
        (10, 5, 99, 1, False),
        (10, 5, 99, 2, True),
    ],
)
def test_a_list_is_worth_a_page_for_five_messages(
    count: int, mark: int | None, pages: int, page: int, *, is_too_long: bool
) -> None:
    """Its first page tells how many there are; up to a mark that is not known before."""
    scan = Scan(entries(count, mark=mark))
    for _ in range(page - 1):
        scan.after(page_of(9))
    assert scan.is_too_long(page_of(9, pages=pages)) is is_too_long


def test_the_newest_row_of_the_first_page_is_the_next_mark() -> None:
    """Rows of later pages may be newer, as rows before them moved; a page may have no times."""
    scan = Scan(entries(10))
    scan.after(page_of(7, None, 9))
    scan.after(page_of(20))
    assert scan.newest == START + timedelta(seconds=9)
    scan = Scan(entries(10))
    scan.after(page_of(None))
    assert scan.newest is None
