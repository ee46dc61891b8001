"""The paging rule against a list that changes between any two requests."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import count, pairwise, product
from math import lcm
from random import Random
from uuid import UUID

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.samples import attempts
from ziett_async._paging import (
    MORE_OVERLAP,
    MOST_EMPTY_WINDOWS,
    BrokenOrder,
    ExactWalk,
    OffsetWalk,
    Window,
    window_after,
)
from ziett_async.models._call import CallInfo
from ziett_async.models._enums import Order
from ziett_async.models._page import LARGEST, Page

START = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
CALL = CallInfo(attempts(1, 200), 0.0)


Precision = Callable[[datetime], datetime]


def exactly(time: datetime) -> datetime:
    """Keep microseconds."""
    return time


def cut(time: datetime) -> datetime:
    """Cut to whole milliseconds."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def rounded(time: datetime) -> datetime:
    """Round to the nearest millisecond that the calendar has."""
    left = LAST.replace(tzinfo=time.tzinfo) - time
    return cut(time + min(timedelta(microseconds=500), left))


@attrs.frozen
class Precisions:
    """How precise each use is that a server makes of times."""

    #: Of the times in an answer.
    shows: Precision = exactly
    #: Of the times that are compared with the bounds.
    compares: Precision = exactly
    #: Of the bounds, as the server reads them.
    reads: Precision = exactly
    #: Whether rows are sorted by the times that are compared; else by those that are kept.
    sorts_what_it_compares: bool = False

    def __str__(self) -> str:
        uses = (self.shows, self.compares, self.reads)
        return "-".join([*(use.__name__ for use in uses), str(self.sorts_what_it_compares)])


@attrs.define(eq=False)
class Record:
    """A row of the server."""

    id: UUID
    created_at: datetime
    #: Whether the filter of the loop lets it through.
    matches: bool = True
    #: Whether it stays as it is for the whole loop.
    lasts: bool = True


@attrs.frozen
class Entry:
    """A row as an answer shows it."""

    id: UUID
    created_at: datetime


@attrs.define
class Server:
    """A list of `created_at`, then id; with every request it changes, then answers."""

    precisions: Precisions = attrs.field(factory=Precisions)
    order: Order = Order.DESC
    change: Callable[["Server"], None] = lambda _: None
    #: Whether the list also changes after the rows are counted and before they are read.
    torn: bool = False
    #: Draws the order of rows with one time anew for every answer; by default their ids are it.
    shuffle: Random | None = None
    records: list[Record] = attrs.field(factory=list[Record])
    asked: list[Window] = attrs.field(factory=list[Window])
    #: Every row there ever was.
    times: dict[UUID, datetime] = attrs.field(factory=dict[UUID, datetime], init=False)
    _ids: "count[int]" = attrs.field(factory=lambda: count(1), init=False)

    def add(self, at: datetime, *, matches: bool = True, lasts: bool = True) -> None:
        """Add a row; rows of one timestamp lie in no order of arrival."""
        number = next(self._ids) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128
        self.records.append(Record(UUID(int=number), at, matches, lasts))
        self.times[UUID(int=number)] = at

    def matching(self, window: Window) -> list[Record]:
        """Return the rows within the bounds, in order."""
        return sorted(
            (each for each in self.records if each.matches and self.holds(window, each.id)),
            key=lambda each: (self._sorts(each.created_at), self._tie(each.id)),
            reverse=self.order is Order.DESC,
        )

    def holds(self, window: Window, row_id: UUID) -> bool:
        """Tell whether a row is within the bounds, as the server reads and compares them."""
        ge, le = window.created_at__ge, window.created_at__le
        time, reads = self.precisions.compares(self.times[row_id]), self.precisions.reads
        return (ge is None or time >= reads(ge)) and (le is None or time <= reads(le))

    def _sorts(self, time: datetime) -> datetime:
        return self.precisions.compares(time) if self.precisions.sorts_what_it_compares else time

    def _tie(self, row_id: UUID) -> float:
        return self.shuffle.random() if self.shuffle else row_id.int

    def answer(self, window: Window) -> Page[Entry]:
        """Answer one request; the rows are one snapshot. Fail when there is no end of them."""
        assert len(self.asked) < 1000
        self.asked.append(window)
        self.change(self)
        found = self.matching(window)
        total = len(found)
        if self.torn:
            self.change(self)
            found = self.matching(window)
        first = (window.page - 1) * window.size
        return page_of(
            [
                Entry(each.id, self.precisions.shows(each.created_at))
                for each in found[first : first + window.size]
            ],
            window=window,
            total=total,
        )


def page_of(entries: Sequence[Entry], *, window: Window, total: int) -> Page[Entry]:
    """Return the envelope of a window."""
    pages = -(-total // window.size)
    return Page(tuple(entries), total, window.page, window.size, pages, CALL)


@attrs.define
class Churn:
    """Changes up to some number of rows that do not last, in all the ways there are."""

    random: Random
    #: Table that may still be changed: a list that never rests can never be read.
    budget: int
    #: The most rows that change between two requests.
    most: int

    def __call__(self, server: Server) -> None:
        """Change some rows, near each other as often as not."""
        amount = self.random.randint(0, min(self.most, self.budget))
        self.budget -= amount
        loose = sorted(
            (each for each in server.records if not each.lasts),
            key=lambda each: (each.created_at, each.id),
        )
        at = self.random.randint(0, len(loose))
        what = self.random.choice([self._add, self._delete, self._toggle, self._leave])
        what(server, loose[at : at + amount], amount)

    def _add(self, server: Server, _: list[Record], amount: int) -> None:
        times = [each.created_at for each in server.records] or [START]
        now = max(times) + timedelta(microseconds=self.random.choice([0, 1, 400, 1000]))
        for _each in range(amount):
            server.add(self.random.choice([now, self.random.choice(times)]), lasts=False)

    def _delete(self, server: Server, some: list[Record], _: int) -> None:
        for each in some:
            server.records.remove(each)

    def _toggle(self, _: Server, some: list[Record], __: int) -> None:
        for each in some:
            each.matches = not each.matches

    def _leave(self, _: Server, some: list[Record], __: int) -> None:
        for each in some:
            each.matches = False


@attrs.frozen
class LastTimeShown:
    """The naive bound: each window begins at the time that the last row shows."""

    size: int
    le: datetime | None = None
    seen: frozenset[UUID] = frozenset()

    @property
    def window(self) -> Window:
        """What to ask for next."""
        return Window(1, self.size, None, self.le)

    def after(self, page: Page[Entry]) -> "tuple[tuple[Entry, ...], LastTimeShown | None]":
        """Return the rows to yield, and the walk from here on; None at the end."""
        fresh = tuple(row for row in page.entries if row.id not in self.seen)
        if len(page.entries) < self.size:
            return fresh, None
        seen = self.seen | {row.id for row in fresh}
        return fresh, LastTimeShown(self.size, page.entries[-1].created_at, seen)


Walk = ExactWalk | OffsetWalk | LastTimeShown


def read(server: Server, walk: Walk) -> list[UUID]:
    """Walk to the end; fail when the memory holds more than its zone."""
    step: Walk | None = walk
    ids: list[UUID] = []
    while step is not None:
        if isinstance(step, ExactWalk):
            check_memory(server, step)
        fresh, step = step.after(server.answer(step.window))
        ids += [row.id for row in fresh]
    return ids


def check_memory(server: Server, walk: ExactWalk) -> None:
    """Fail when ids are held of rows that are three milliseconds from the bound."""
    bound = walk.le if server.order is Order.DESC else walk.ge
    if bound is not None:
        times = [max(FIRST, min(server.times.get(each, bound), LAST)) for each in walk.seen]
        assert all(abs(time - bound) < timedelta(milliseconds=3) for time in times)


def start_of(server: Server, size: int, **bounds: datetime | None) -> ExactWalk:
    """Return the exact walk of the server's list."""
    return ExactWalk(size, server.order, bounds.get("ge"), bounds.get("le"))


def lasting(server: Server, walk: Walk) -> set[UUID]:
    """Return the rows that match from now on to the end."""
    return {each.id for each in server.matching(walk.window) if each.lasts}


def is_exact(server: Server, walk: Walk) -> bool:
    """Read the list and say whether the guarantee held."""
    expected = lasting(server, walk)
    ids = read(server, walk)
    within = all(server.holds(walk.window, each) for each in ids)
    return within and len(ids) == len(set(ids)) and expected <= set(ids)


def fill(server: Server, random: Random, groups: Sequence[tuple[int, int]]) -> None:
    """Add groups of so many rows with one timestamp, so many microseconds apart."""
    now = START
    for many, gap in groups:
        now += timedelta(microseconds=gap)
        for _ in range(many):
            server.add(now, matches=random.random() < 0.9, lasts=random.random() < 0.5)


EACH_PRECISION = [exactly, cut, rounded]
EVERY_SERVER = [
    Precisions(*uses, sorts)
    for uses in product(EACH_PRECISION, EACH_PRECISION, EACH_PRECISION)
    for sorts in (False, True)
]
SERVERS = st.sampled_from(EVERY_SERVER)
GAPS = st.sampled_from([1, 3, 250, 499, 500, 999, 1000, 1001, 5000, 1_000_000])
SIZES = st.integers(1, 6) | st.integers(1, LARGEST)
RANDOMS = st.integers(0, 2**32).map(Random)


@pytest.mark.promise(
    "A list that changes between requests is read exactly once, in memory for one page"
)
@given(
    SERVERS,
    st.sampled_from(Order),
    SIZES,
    RANDOMS,
    st.lists(st.tuples(st.integers(1, 12), GAPS), max_size=12),
    st.integers(0, 12),
    st.tuples(st.none() | st.integers(-5, 9000), st.none() | st.integers(-5, 9000)),
    st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_exactly_once(  # noqa: PLR0913, PLR0917 - each is drawn
    precisions: Precisions,
    order: Order,
    size: int,
    random: Random,
    groups: list[tuple[int, int]],
    most: int,
    bounds: tuple[int | None, int | None],
    torn: bool,  # noqa: FBT001 - drawn like the others
) -> None:
    """What lasts is yielded once, nothing twice, however the rest of the list changes."""
    server = Server(precisions, order, Churn(random, 80, most), torn)
    fill(server, random, groups)
    ge, le = (None if each is None else START + timedelta(microseconds=each) for each in bounds)
    assert is_exact(server, start_of(server, size, ge=ge, le=le))


@pytest.mark.promise(
    "A list that changes between requests is read exactly once, in memory for one page"
)
@given(
    SERVERS,
    st.sampled_from(Order),
    st.sampled_from([20, 30, 100, 199, 200]),
    RANDOMS,
    st.tuples(st.integers(0, 250), st.integers(200, 700), st.integers(0, 250)),
    st.sampled_from([0, 1, 5, 90, 150, 300]),
)
@settings(deadline=None, max_examples=40)
def test_more_rows_of_one_timestamp_than_fit_a_page(
    precisions: Precisions,
    order: Order,
    size: int,
    random: Random,
    many: tuple[int, int, int],
    most: int,
) -> None:
    """The guarantee holds inside groups that are larger than the largest page."""
    server = Server(precisions, order, Churn(random, 3 * most, most))
    fill(server, random, [(many[0], 1), (many[1], 400), (many[2], 400)])
    assert is_exact(server, start_of(server, size))


def test_rows_that_go_from_a_read_group_hide_none() -> None:
    """Where 150 read rows of a timestamp go at once, the rows that move up are still read."""
    gone: list[Record] = []

    def forget(server: Server) -> None:
        if len(server.asked) == 4:
            first = server.matching(Window(1, 1))[:350]
            gone.extend(first)
            server.records = [each for each in server.records if each not in first]

    server = Server(change=forget)
    for _ in range(900):
        server.add(START)
    everything = {each.id for each in server.records}
    ids = read(server, start_of(server, 200))
    assert gone
    assert len(ids) == 900
    assert set(ids) == everything


def dense(precisions: Precisions, order: Order = Order.DESC) -> Server:
    """Return a list with two rows in a millisecond, some of them at its very edges."""
    server, random, now = Server(precisions, order), Random(7), START  # noqa: S311
    for _ in range(80):
        now += timedelta(microseconds=random.choice([0, 1, 250, 499, 500, 501, 999]))
        server.add(now)
    return server


@pytest.mark.promise(
    "Rows closer than a millisecond are read exactly once, whatever a server rounds or cuts"
)
@pytest.mark.parametrize("precisions", EVERY_SERVER, ids=str)
@pytest.mark.parametrize("order", Order)
def test_rows_closer_than_a_millisecond(precisions: Precisions, order: Order) -> None:
    """However precise a server is in each of its uses of times, its rows come once, in order."""
    server = dense(precisions, order)
    everything = [each.id for each in server.matching(Window(1, 1))]
    assert read(server, start_of(server, 10)) == everything


@pytest.mark.promise("A loop holds to the dates asked for, as the server understands them")
@pytest.mark.parametrize("precisions", EVERY_SERVER, ids=str)
@pytest.mark.parametrize("order", Order)
def test_the_users_bounds_mean_what_they_mean_to_the_server(
    precisions: Precisions, order: Order
) -> None:
    """A loop gives what one large page within the same bounds would hold, and nothing else."""
    for edge in (0, 499, 500):
        server = dense(precisions, order)
        ge = START + timedelta(milliseconds=5, microseconds=edge)
        le = START + timedelta(milliseconds=25, microseconds=edge)
        within = [each.id for each in server.matching(Window(1, 1, ge, le))]
        assert read(server, start_of(server, 7, ge=ge, le=le)) == within
        assert server.asked[0] == Window(1, 7, ge, le)


@pytest.mark.naive(
    "A page that begins at the last time shown", "rows lost where milliseconds are shown"
)
def test_a_bound_that_is_not_rounded_outwards_misses_rows() -> None:
    """Where milliseconds are shown, the naive walk loses rows of a list that rests."""
    for reads in (exactly, cut):
        assert not is_exact(dense(Precisions(cut, reads=reads)), LastTimeShown(7))
    assert is_exact(dense(Precisions()), LastTimeShown(7))


#: Times at the ends of the calendar; an offset from UTC takes two of them beyond.
ENDS = [
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    FIRST,
    FIRST + timedelta(microseconds=1),
    FIRST + timedelta(milliseconds=1),
    FIRST + timedelta(days=1),
    LAST - timedelta(days=1),
    LAST - timedelta(microseconds=999),
    LAST - timedelta(microseconds=1),
    LAST,
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-2))),
]


@pytest.mark.promise("Dates reach from the first moment of year 1 to the last of 9999")
@pytest.mark.parametrize("precisions", EVERY_SERVER, ids=str)
@pytest.mark.parametrize("order", Order)
def test_the_ends_of_the_calendar(precisions: Precisions, order: Order) -> None:
    """Table and bounds from the first moment of year 1 to the last of 9999 are like others."""
    for ge, le in ((None, None), (FIRST, LAST), (FIRST, FIRST), (LAST, LAST)):
        server = Server(precisions, order)
        for time in 4 * ENDS:
            server.add(time)
        within = [each.id for each in server.matching(Window(1, 1, ge, le))]
        assert read(server, start_of(server, 3, ge=ge, le=le)) == within


@pytest.mark.promise(
    "Without a total order, rows come at most once; the limit of what is found is known"
)
@given(SERVERS, st.sampled_from(Order), RANDOMS, st.sampled_from([10, 31, 200]))
@settings(deadline=None, max_examples=60)
def test_without_a_total_order_half_a_page_may_share_a_time(
    precisions: Precisions, order: Order, random: Random, size: int
) -> None:
    """Table that change places are read all the same where two milliseconds hold half a page."""
    server = Server(precisions, order, shuffle=random)
    fill(server, random, [(random.randint(1, size // 2), 3000) for _ in range(20)])
    assert is_exact(server, start_of(server, size))


@pytest.mark.promise(
    "Without a total order, rows come at most once; the limit of what is found is known"
)
@pytest.mark.parametrize("order", Order)
def test_without_a_total_order_rows_of_a_larger_group_are_missed(order: Order) -> None:
    """Where one time fills pages with rows that change places: some are missed, none twice."""
    server = Server(order=order, shuffle=Random(3))  # noqa: S311
    for _ in range(900):
        server.add(START)
    ids = read(server, start_of(server, 200))
    assert len(ids) == len(set(ids)) < 900


@pytest.mark.parametrize("shows", EACH_PRECISION)
@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("size", [1, 2, 7, 30, 200])
@pytest.mark.parametrize("many", [0, 1, 2, 29, 30, 31, 200, 400])
def test_costs_as_many_requests_as_offset_paging(
    shows: Precision, order: Order, size: int, many: int
) -> None:
    """A list that rests takes one request for each `size - 1` rows, and one at the end."""
    server = Server(Precisions(shows), order)
    for each in range(many):
        server.add(START + timedelta(milliseconds=3 * each, microseconds=7))
    assert len(read(server, start_of(server, size))) == many
    assert len(server.asked) <= many // (max(size, 2) - 1) + 1
    assert {each.size for each in server.asked} == {max(size, 2)}


@pytest.mark.parametrize("size", [10, 30, 200])
@pytest.mark.parametrize("many", [5, 20, 50, 199, 200, 201, 1200])
def test_costs_twice_as_much_at_most_where_rows_share_a_time(size: int, many: int) -> None:
    """The overlap that is evidence in groups of one timestamp is paid for in requests."""
    server = Server()
    for each in range(1200):
        server.add(START + timedelta(milliseconds=each // many, microseconds=7))
    assert len(read(server, start_of(server, size))) == 1200
    assert len(server.asked) <= 2 * 1200 / size
    assert max(each.size for each in server.asked) <= size + 1


def test_keeps_to_the_wished_size_where_milliseconds_hold_a_page() -> None:
    """Table that share a displayed millisecond are read with the size that was asked for."""
    server = Server(Precisions(cut))
    for each in range(300):
        server.add(START + timedelta(microseconds=100 * each + 7))
    assert len(read(server, start_of(server, 10))) == 300
    assert max(each.size for each in server.asked) == 10


@pytest.mark.naive("Offset paging", "rows twice, others never")
@pytest.mark.parametrize("change", ["a row arrives", "a read row goes"])
def test_offset_paging_is_not_exact(change: str) -> None:
    """The naive walk fails the same check: rows come twice, or not at all."""

    def arrive(server: Server) -> None:
        server.add(START + timedelta(hours=1), lasts=False)

    def go(server: Server) -> None:
        server.records.remove(server.matching(Window(1, 1))[0])

    def server() -> Server:
        made = Server(change=arrive if change == "a row arrives" else go)
        for each in range(20):
            made.add(START + timedelta(seconds=each), lasts=each < 10)
        return made

    assert not is_exact(server(), OffsetWalk(5))
    assert is_exact(server(), ExactWalk(5, Order.DESC))


def test_offset_paging_reads_a_list_that_rests() -> None:
    """Nothing moves, so nothing is missed: the check itself is fair."""
    server = Server()
    for each in range(20):
        server.add(START + timedelta(seconds=each))
    assert is_exact(server, OffsetWalk(5, START, START + timedelta(days=1)))
    assert [each.page for each in server.asked] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("covered", "size", "overlap", "expected"),
    [
        (0, 30, 1, (1, 30)),
        (0, 2, 1, (1, 2)),
        (1, 2, 1, (1, 2)),
        (1, 30, 1, (1, 30)),
        (2, 2, 1, (1, 3)),
        (3, 2, 1, (2, 2)),
        (5, 3, 1, (2, 3)),
        (6, 3, 1, (2, 4)),
        (30, 30, 1, (2, 29)),
        (29, 30, 1, (2, 28)),
        (200, 200, 1, (2, 199)),
        (399, 200, 1, (3, 199)),
        (40, 200, 50, (1, 200)),
        (200, 200, 50, (2, 150)),
    ],
)
def test_a_window_overlaps(
    covered: int, size: int, overlap: int, expected: tuple[int, int]
) -> None:
    """The page and size that reach furthest and still read something again."""
    assert window_after(covered, size, overlap) == expected


@given(st.integers(1, 10**6), st.integers(2, LARGEST), st.sampled_from([1, 50]))
@example(720720, 16, 1)
@example(6983776800, 200, 50)
@example(lcm(*range(1, 201)) + 5, 200, 50)
def test_every_window_overlaps_and_goes_further(covered: int, size: int, overlap: int) -> None:
    """Whatever was read, there is a window that repeats a row of it and brings another."""
    page, asked = window_after(covered, size, overlap)
    assert page >= 1
    assert 2 <= asked <= LARGEST
    assert (page - 1) * asked < covered < page * asked


def test_a_window_repeats_one_row_if_nothing_went() -> None:
    """More overlap would cost requests, and is for rows that go."""
    assert ExactWalk(30, Order.DESC, covered=29).window == Window(2, 28)
    assert ExactWalk(30, Order.DESC, covered=200, overlaps_more=True).window == Window(2, 150)


def entries(*milliseconds: int) -> list[Entry]:
    """Return rows at these times."""
    return [
        Entry(UUID(int=each), START + timedelta(milliseconds=each, microseconds=7))
        for each in milliseconds
    ]


def test_a_row_twice_in_one_window_is_yielded_once() -> None:
    """A server that joins carelessly repeats rows: the walk does not."""
    walk = ExactWalk(30, Order.ASC)
    page = page_of(entries(1, 2, 2, 3), window=walk.window, total=4)
    assert [row.id.int for row in walk.after(page)[0]] == [1, 2, 3]


def test_a_full_window_is_not_the_end_whatever_the_count_says() -> None:
    """A row that enters after the count pushes another one to a page that was not counted."""

    def enter(server: Server) -> None:
        entering = next(changes) == 2
        if entering:
            server.add(START + timedelta(hours=1), lasts=False)

    changes = count(1)
    server = Server(change=enter, torn=True)
    for each in range(5):
        server.add(START + timedelta(seconds=each))
    assert is_exact(server, start_of(server, 5))


def test_ends_when_all_rows_go_after_the_count() -> None:
    """An empty window at the bound is the end, though the server counted a page."""
    walk = ExactWalk(30, Order.DESC)
    assert walk.after(page_of([], window=walk.window, total=31)) == ((), None)


def test_a_window_without_evidence_is_dropped_and_the_next_overlaps_more() -> None:
    """Where the read rows went, those after them are asked for again, from further back."""
    seen = {UUID(int=each): 0 for each in range(900, 1300)}
    walk = ExactWalk(30, Order.ASC, entries(0)[0].created_at, None, seen, 400)
    assert (walk.window.page - 1) * walk.window.size < 400
    fresh, step = walk.after(page_of(entries(1, 2, 3), window=walk.window, total=900))
    assert fresh == ()
    assert step is not None
    assert step.seen == seen
    assert step.window == attrs.evolve(walk.window, page=2, size=150)


def test_goes_back_twice_as_far_after_each_window_without_evidence() -> None:
    """Where 20,000 read rows of a time went at once, a few requests find those that moved up."""
    server = Server(order=Order.ASC)
    for _ in range(300):
        server.add(START)
    first, *others = (each.id for each in server.matching(Window(1, 1)))
    gone = {UUID(int=each): 0 for each in range(20_000)}
    walk = ExactWalk(200, Order.ASC, START, None, {first: 0, **gone}, 1 + len(gone))
    assert read(server, walk) == others
    # From the end, back by 200, 400, ... 6,400 rows, then to the first; two for the others.
    assert len(server.asked) <= 1 + 6 + 1 + 2


@pytest.mark.parametrize("order", Order)
def test_refuses_rows_out_of_order(order: Order) -> None:
    """Table in disorder cannot be walked, and that is said."""
    walk = ExactWalk(30, order)
    words = "the rows are not in the order, or not within the bounds, asked for"
    with pytest.raises(BrokenOrder, match=f"^{words}$"):
        walk.after(page_of(entries(1, 9, 2), window=walk.window, total=3))


def test_patience_begins_anew_with_every_new_row() -> None:
    """A group that is read slowly, because rows leave it, is not given up."""
    old, *new = entries(5, 5, 5)
    new = [attrs.evolve(each, id=UUID(int=at)) for at, each in enumerate(new)]
    walk = ExactWalk(
        3, Order.ASC, old.created_at, None, {old.id: 5}, 1, MOST_EMPTY_WINDOWS, overlaps_more=True
    )
    fresh, step = walk.after(page_of([old, *new], window=attrs.evolve(walk.window), total=900))
    assert list(fresh) == new
    assert step is not None
    assert step.empty_windows == 0


@pytest.mark.parametrize(
    ("shown", "bound"),
    [(7, 0), (999, 0), (1001, 1000), (0, -1000), (-1, -1000), (5000, 4000)],
)
def test_the_bound_is_the_whole_millisecond_before_the_last_row(shown: int, bound: int) -> None:
    """A whole one may itself have been rounded; nothing else is read once more."""
    last = Entry(UUID(int=1), START + timedelta(microseconds=shown))
    walk = ExactWalk(2, Order.ASC)
    page = page_of(
        [Entry(UUID(int=2), START - timedelta(days=1)), last], window=walk.window, total=9
    )
    _, step = walk.after(page)
    assert step is not None
    assert step.window.created_at__ge == START + timedelta(microseconds=bound)


def test_refuses_rows_out_of_bounds() -> None:
    """A server that ignores the bound would otherwise repeat its first page for ever."""
    walk = ExactWalk(30, Order.DESC)
    page = page_of(entries(9, 8, 7), window=walk.window, total=99)
    _, step = walk.after(page)
    assert step is not None
    with pytest.raises(BrokenOrder, match="bounds"):
        step.after(page)


def test_gives_up_on_a_list_that_brings_nothing_new() -> None:
    """A server that ignores the page ends the walk with an error, not never."""
    server = Server()
    for _ in range(500):
        server.add(START)

    def read_first_pages() -> None:
        step: ExactWalk | None = ExactWalk(200, Order.DESC)
        while step is not None:
            _, step = step.after(server.answer(attrs.evolve(step.window, page=1)))

    with pytest.raises(BrokenOrder, match=r"^the list brings the same rows again and again$"):
        read_first_pages()
    # The one that brought something, those it takes to read its rows again, and one too many.
    assert len(server.asked) == 1 + MOST_EMPTY_WINDOWS + 4 * 200 // MORE_OVERLAP + 1


def test_bounds_only_grow() -> None:
    """A row behind the bound is out of reach for good."""
    server = Server(Precisions(cut), Order.ASC)
    for each in range(300):
        server.add(START + timedelta(microseconds=313 * each))
    read(server, start_of(server, 5))
    starts = [each.created_at__ge for each in server.asked[1:]]
    assert all(one is not None and two is not None and one <= two for one, two in pairwise(starts))
