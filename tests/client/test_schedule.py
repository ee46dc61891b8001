"""What to ask next, and when: a pure rule, by tables and against a simulated server."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf
from operator import itemgetter
from random import Random
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.messages import START, new_message, new_page, v7
from ziett_async import Message, Page
from ziett_async.delivery._entry import GROWTH_OF_LISTS, LONGEST, PAUSE, created_at
from ziett_async.delivery._scan import ReadPage
from ziett_async.delivery._schedule import LONGEST_BACKOFF, Ask, ReadMessage, Schedule

#: A calendar at which every message of these tests is older than `PAUSE`.
LATER = START.timestamp() + 3600


def after(seconds: float) -> timedelta:
    """Return so many seconds."""
    return timedelta(seconds=seconds)


@attrs.define(eq=False)
class Server:
    """Messages that change by a plan, and a list of them as the API describes it.

    A message of `plans` has the status of the last step whose time has come.
    """

    plans: dict[UUID, list[tuple[float, str]]]
    #: What the lists return of the rows that match.
    shown: Callable[[Sequence[Message]], Sequence[Message]] = lambda rows: rows
    #: How much later than the time in its id a row was created, in seconds.
    shift: float = 0.0
    now: float = 0.0
    asked: list[tuple[float, Ask]] = attrs.field(factory=list[tuple[float, Ask]])
    _created: dict[UUID, datetime] = attrs.field(init=False, factory=dict[UUID, datetime])

    def step(self, message_id: UUID) -> tuple[float, str]:
        """Return the last step of a message that has come."""
        return next(step for step in reversed(self.plans[message_id]) if step[0] <= self.now)

    def created(self, message_id: UUID) -> datetime:
        """Return when a row was created."""
        if message_id not in self._created:
            moment = created_at(message_id) or START
            self._created[message_id] = moment + after(self.shift)
        return self._created[message_id]

    def message(self, message_id: UUID) -> Message:
        """Return a message as it is now."""
        time, status = self.step(message_id)
        return new_message(message_id, status, self.created(message_id), START + after(time))

    def page(self, ask: ReadPage) -> Page[Message]:
        """Return a page of the list."""
        listed = {"DELIVERED", "FAILED", "UNDELIVERED"}
        rows = [
            (time, each)
            for each, (time, status) in ((each, self.step(each)) for each in self.plans)
            if (status in listed or not ask.only_final)
            and ask.created_at__ge <= self.created(each) <= ask.created_at__le
        ]
        rows.sort(reverse=True, key=itemgetter(0))
        first = (ask.page - 1) * 200
        shown = self.shown([self.message(each) for _, each in rows[first : first + 200]])
        return new_page(*shown, page=ask.page, total=len(rows))

    def count(self, kind: type[Ask]) -> int:
        """Return how many requests of a kind were made."""
        return sum(isinstance(ask, kind) for _, ask in self.asked)


def follow(
    server: Server, ids: Sequence[UUID], *, until: float = 1e6, every: bool = False
) -> dict[UUID, float]:
    """Return when each message was seen to be final; each request takes 10 milliseconds."""
    schedule, seen = Schedule(), dict[UUID, float]()
    schedule.add(ids, 0.0, LATER, every_status=every)
    while (when := schedule.when) < until:
        server.now = max(server.now, when)
        ask = schedule.ask(server.now)
        assert schedule.ask(server.now) == ask, "until its answer it is the same request"
        server.asked.append((server.now, ask))
        server.now += 0.01
        if isinstance(ask, ReadPage):
            messages = schedule.after_page(server.page(ask), server.now)
        else:
            assert ask.id not in seen, "it is final and was asked for again"
            messages = [server.message(ask.id)]
            schedule.after_message(messages[0], server.now)
        seen.update({each.id: server.now for each in messages if each.is_final})
    return seen


def sent_together(count: int) -> list[UUID]:
    """Return the ids of messages that were sent within so many milliseconds."""
    return [v7(i, START + timedelta(milliseconds=i)) for i in range(count)]


def stuck(ids: Sequence[UUID]) -> dict[UUID, list[tuple[float, str]]]:
    """Return the plan of messages that are never delivered."""
    return {each: [(0.0, "SENT")] for each in ids}


def test_nothing_to_wait_for_is_no_request() -> None:
    """There is no time at which to make one."""
    assert Schedule().when == inf


def test_few_messages_are_read_by_id_and_more_by_a_list() -> None:
    """A page costs as much of its limit as 5 reads."""
    for count, kind in [(1, ReadMessage), (5, ReadMessage), (6, ReadPage), (200, ReadPage)]:
        schedule = Schedule()
        schedule.add(sent_together(count), 0.0, LATER)
        assert isinstance(schedule.ask(0.0), kind), count


def test_a_list_holds_the_messages_whose_ids_it_was_made_from() -> None:
    """Its bounds are whole milliseconds, a second outside the first and the last."""
    schedule = Schedule()
    schedule.add(sent_together(50), 0.0, LATER)
    last = START + timedelta(milliseconds=49)
    assert schedule.ask(0.0) == ReadPage(1, START - after(1), last + after(1), only_final=True)


def test_ids_without_a_time_are_read_by_id() -> None:
    """However many there are."""
    schedule, ids = Schedule(), [uuid4() for _ in range(20)]
    schedule.add(ids, 0.0, LATER)
    asked = set[UUID]()
    for _ in ids:
        ask = schedule.ask(0.0)
        assert isinstance(ask, ReadMessage)
        asked.add(ask.id)
        schedule.after_message(new_message(ask.id), 0.0)
    assert asked == set(ids)
    assert schedule.when == inf


def test_messages_of_two_days_are_two_lists() -> None:
    """What others sent in between is in neither; one message alone is read by its id."""
    days = [START, START + timedelta(days=1), START + timedelta(days=9)]
    ids = [*sent_together(10), *(v7(i, days[1]) for i in range(10)), v7(0, days[2])]
    schedule = Schedule()
    schedule.add(ids, 0.0, LATER)
    asks = list[Ask]()
    for _ in range(3):
        ask = schedule.ask(0.0)
        asks.append(ask)
        if isinstance(ask, ReadPage):
            schedule.after_page(new_page(), 0.0)
        else:
            schedule.after_message(new_message(ask.id), 0.0)
    assert [type(each) for each in asks] == [ReadMessage, ReadPage, ReadPage]
    assert asks[0] == ReadMessage(ids[-1])


def test_nothing_is_asked_for_in_a_tight_loop() -> None:
    """Of messages that never change: at least 2 s apart, then rarer, every 10 minutes at last."""
    for count in (1, 1000):
        server = Server(stuck(sent_together(count)))
        follow(server, list(server.plans), until=86_400.0)
        rounds = [time for time, ask in server.asked if isinstance(ask, ReadPage) or count == 1]
        pauses = [later - sooner for sooner, later in pairwise(rounds)]
        assert min(pauses) >= PAUSE
        assert pauses[-1] == pytest.approx(LONGEST, rel=0.01)
        assert len(rounds) < 86_400 / LONGEST + 20
        assert all(later >= 0.9 * sooner for sooner, later in pairwise(pauses))


def test_a_thousand_stuck_messages_cost_a_list_each_time() -> None:
    """And 20 reads, which make sure that the lists do not miss anything."""
    server = Server(stuck(sent_together(1000)))
    follow(server, list(server.plans), until=3600.0)
    lists = server.count(ReadPage)
    assert 10 < lists < 20
    assert server.count(ReadMessage) <= 20 * lists


def test_each_message_is_listed_once() -> None:
    """Ten thousand that become final one after the other cost a sixth more lists than pages."""
    random = Random(7)  # noqa: S311 - it has to be repeatable
    ids = sent_together(10_000)
    server = Server({each: [(0.0, "SENT"), (random.uniform(3, 600), "DELIVERED")] for each in ids})
    seen = follow(server, ids)
    assert len(seen) == len(ids)
    assert server.count(ReadPage) <= 1.2 * (10_000 / 200)


def test_what_is_final_already_takes_a_request_for_each_page() -> None:
    """And no other."""
    ids = sent_together(2000)
    server = Server({each: [(0.0, "DELIVERED")] for each in ids})
    assert len(follow(server, ids)) == 2000
    assert [type(ask) for _, ask in server.asked] == [ReadPage] * 10


def test_many_changes_of_one_moment_are_all_seen() -> None:
    """A list is read on while rows of the time at which the last one began bring news."""
    ids = sent_together(1000)
    plans = {
        each: [(0.0, "SENT"), (3.0 if i < 300 else 5.0, "DELIVERED")] for i, each in enumerate(ids)
    }
    server = Server(plans)
    assert len(follow(server, ids)) == 1000
    assert server.count(ReadMessage) == 0
    assert server.count(ReadPage) <= 9


def test_a_busy_account_is_read_by_id() -> None:
    """Ten messages among thousands of others are not looked for in a long list."""
    mine, others = sent_together(10), [v7(1000 + i, START) for i in range(5000)]
    plans = {each: [(0.0, "DELIVERED")] for each in others}
    server = Server({**plans, **{each: [(0.0, "SENT"), (100.0, "DELIVERED")] for each in mine}})
    assert len(follow(server, mine)) == 10
    assert server.count(ReadPage) == 1
    assert server.count(ReadMessage) < 200


def test_many_messages_on_a_busy_account_are_listed() -> None:
    """A thousand among four thousand others: 25 pages cost less than a thousand reads."""
    mine = sent_together(1000)
    others = [v7(10_000 + i, START) for i in range(4000)]
    server = Server({each: [(0.0, "DELIVERED")] for each in [*others, *mine]})
    assert len(follow(server, mine)) == 1000
    assert server.count(ReadPage) == 25
    assert server.count(ReadMessage) == 0


def test_traffic_that_begins_later_makes_reads_the_cheaper_way() -> None:
    """A list that grows beyond what its messages are worth is not read any further."""
    mine = sent_together(12)
    others = [v7(1000 + i, START) for i in range(3000)]
    plans = {each: [(0.0, "SENT"), (20.0 + i / 100, "DELIVERED")] for i, each in enumerate(others)}
    server = Server({**plans, **{each: [(0.0, "SENT"), (300.0, "DELIVERED")] for each in mine}})
    assert len(follow(server, mine)) == 12
    assert server.count(ReadPage) < 20


def test_what_lists_cannot_show_is_read_by_id() -> None:
    """EXPIRED is final, and no status that a list can be asked for."""
    ids = sent_together(40)
    server = Server({each: [(0.0, "SENT"), (5.0, "EXPIRED")] for each in ids})
    seen = follow(server, ids)
    assert len(seen) == 40
    assert max(seen.values()) < 100.0


def test_misses_make_it_check_more() -> None:
    """A thousand that the lists do not show are all read by id, without delay."""
    ids = sent_together(1000)
    server = Server({each: [(0.0, "EXPIRED")] for each in ids})
    seen = follow(server, ids)
    assert len(seen) == 1000
    assert max(seen.values()) < 120.0
    assert server.count(ReadMessage) == 1000


def test_a_final_message_leaves_the_round() -> None:
    """It was to be read, and a list of other messages showed it first."""
    alone, together = v7(0, START), [v7(i, START) for i in range(1, 20)]
    schedule = Schedule()
    schedule.add(together, 0.0, LATER)
    assert isinstance(schedule.ask(0.0), ReadPage)
    schedule.add([alone], 2.0, LATER)
    assert schedule.ask(2.0) == ReadMessage(alone)
    schedule.after_page(new_page(new_message(alone)), 2.0)
    assert schedule.when > 2.0


def test_a_new_message_does_not_wait_for_a_long_list() -> None:
    """Pages of a list and reads take turns."""
    ids, late = sent_together(5000), [v7(i, START + timedelta(days=2)) for i in range(2)]
    schedule, done = Schedule(), [new_message(each) for each in ids]
    schedule.add(ids, 0.0, LATER)
    assert isinstance(schedule.ask(0.0), ReadPage)
    schedule.add(late, 1.0, LATER)
    schedule.after_page(new_page(*done[:200], total=5000), 2.0)
    assert schedule.ask(2.0) == ReadMessage(late[0])
    schedule.after_message(new_message(late[0]), 2.0)
    ask = schedule.ask(2.0)
    assert isinstance(ask, ReadPage)
    assert ask.page == 2
    schedule.after_page(new_page(*done[200:400], total=5000), 2.0)
    assert schedule.ask(2.0) == ReadMessage(late[1])


@pytest.mark.parametrize("joins_early", [True, False])
def test_every_status_is_asked_for_where_it_matters(*, joins_early: bool) -> None:
    """A list is then of all statuses and read to its end, where one of less was read before."""
    ids = sent_together(400)
    schedule, rows = Schedule(), [new_message(each, "SENT") for each in ids]
    schedule.add(ids, 0.0, LATER)
    ask = schedule.ask(0.0)
    assert isinstance(ask, ReadPage)
    assert ask.only_final
    if joins_early:
        schedule.add(ids, 0.0, LATER, every_status=True)
    schedule.after_page(new_page(new_message(uuid4(), updated_at=START + after(9))), 0.0)
    if not joins_early:
        schedule.add(ids, 0.0, LATER, every_status=True)
    ask = schedule.ask(schedule.when)
    assert isinstance(ask, ReadPage)
    assert not ask.only_final
    assert schedule.after_page(new_page(*rows[:200], total=400), 2.0) == rows[:200]
    again = schedule.ask(2.0)
    assert isinstance(again, ReadPage)
    assert again.page == 2


def test_a_message_that_is_not_there_is_given_up() -> None:
    """After three reads, as the first may be too early; one that is found begins anew."""
    schedule = Schedule()
    schedule.add([v7(0)], 0.0, LATER)
    outcomes = list[bool]()
    for status in (None, "SENT", None, None, None):
        now = schedule.when
        assert schedule.ask(now) == ReadMessage(v7(0))
        if status is None:
            outcomes.append(schedule.after_absence(now))
        else:
            schedule.after_message(new_message(v7(0), status), now)
    assert outcomes == [False, False, False, True]
    assert schedule.when == inf


def test_a_failure_is_waited_out() -> None:
    """Twice as long each time, at most a minute; an answer begins anew."""
    schedule = Schedule()
    schedule.add([v7(0), v7(1)], 0.0, LATER)
    waits = [schedule.after_failure(0.0) for _ in range(100)]
    assert waits[:3] == [4.0, 8.0, 16.0]
    assert waits[-1] == LONGEST_BACKOFF
    assert schedule.when == LONGEST_BACKOFF
    assert schedule.ask(LONGEST_BACKOFF) == ReadMessage(v7(0))
    schedule.after_message(new_message(v7(0)), LONGEST_BACKOFF)
    assert schedule.after_failure(LONGEST_BACKOFF) == 4.0


def test_without_lists_everything_is_read_by_id() -> None:
    """What a list was asked for, at once."""
    ids = sent_together(10)
    schedule = Schedule()
    schedule.add(ids, 0.0, LATER)
    assert isinstance(schedule.ask(0.0), ReadPage)
    schedule.without_lists(0.0)
    assert schedule.when == PAUSE
    assert schedule.ask(PAUSE) == ReadMessage(ids[0])


def test_a_row_may_come_twice() -> None:
    """In one page: it is shown once."""
    ids = sent_together(10)
    schedule, rows = Schedule(), [new_message(each) for each in ids]
    schedule.add(ids, 0.0, LATER)
    schedule.ask(0.0)
    assert schedule.after_page(new_page(*rows, *rows), 0.0) == rows
    assert schedule.when == inf


def test_checks_take_turns() -> None:
    """Of all messages that lists do not show, those are read that were not for the longest."""
    server = Server(stuck(sent_together(300)))
    follow(server, list(server.plans), until=20_000.0)
    reads = [ask.id for _, ask in server.asked if isinstance(ask, ReadMessage)]
    assert len(set(reads[:300])) == 300


def test_a_check_that_waits_for_its_turn_is_queued_once() -> None:
    """Lists that come before it find the same message missing."""
    schedule, reads, now = Schedule(), list[UUID](), 0.0
    schedule.add(sent_together(40), 0.0, LATER)
    while len(reads) < 40:
        now = max(now, schedule.when)
        ask = schedule.ask(now)
        if isinstance(ask, ReadPage):
            schedule.after_page(new_page(), now)
        else:
            reads.append(ask.id)
            now += 700.0
            schedule.after_message(new_message(ask.id, "SENT"), now)
    assert len(set(reads)) == 40


def test_what_is_not_waited_for_any_more_is_not_asked_for() -> None:
    """Neither by a list nor by its id."""
    for count in (3, 30):
        schedule, ids = Schedule(), sent_together(count)
        schedule.add(ids, 0.0, LATER)
        assert schedule.ask(0.0)
        schedule.keep(set())
        assert schedule.when == inf


def test_rows_without_times_are_read_to_the_end_each_time() -> None:
    """A page of the documentation has no `updated_at`: no row tells what has changed."""
    ids = sent_together(300)
    rows = [new_message(each, updated_at=None) for each in ids]
    schedule = Schedule()
    schedule.add(ids, 0.0, LATER)
    for page in (1, 2):
        ask = schedule.ask(0.0)
        assert isinstance(ask, ReadPage)
        assert ask.page == page
        schedule.after_page(new_page(*rows[page * 200 - 200 : page * 200], total=300), 0.0)
    assert schedule.when == inf


@st.composite
def plans(draw: st.DrawFn) -> dict[UUID, list[tuple[float, str]]]:
    """Draw messages that all become final."""
    found = dict[UUID, list[tuple[float, str]]]()
    final = st.sampled_from(["DELIVERED", "FAILED", "UNDELIVERED", "EXPIRED"])
    for i in range(draw(st.integers(1, 60))):
        created = START + timedelta(seconds=draw(st.sampled_from([0, 1, 60, 5000, 90_000])))
        end = draw(st.floats(1, 5000))
        steps = [(0.0, "PENDING"), (end / 2, "SENT"), (end, draw(final))]
        found[v7(i, created)] = steps
    return found


def latest(plan: dict[UUID, list[tuple[float, str]]]) -> float:
    """Return when the last message becomes final."""
    return max(steps[-1][0] for steps in plan.values())


@given(plan=plans(), every=st.booleans())
def test_all_is_seen_soon_after_it_happens(
    plan: dict[UUID, list[tuple[float, str]]], *, every: bool
) -> None:
    """Within half of the time that it took, a few lists more where these do not show it."""
    server = Server(plan)
    seen = follow(server, list(plan), every=every)
    assert seen.keys() == plan.keys()
    for each, steps in plan.items():
        end, status = steps[-1]
        rounds = 1 if status != "EXPIRED" else 5
        late = (1 + GROWTH_OF_LISTS) ** rounds * (end + 5 * PAUSE)
        assert seen[each] <= min(late, end + rounds * LONGEST + 60)


@given(
    plan=plans(),
    seed=st.integers(0, 100),
    shift=st.sampled_from([0.0, 0.5, -0.5, 3.0, 7200.0]),
    kept=st.sampled_from([0.0, 0.5, 0.9]),
)
def test_lists_may_lie(
    plan: dict[UUID, list[tuple[float, str]]], seed: int, shift: float, kept: float
) -> None:
    """Rows in any order, rows left out, rows not where their ids are: all are seen to be final."""
    random = Random(seed)  # noqa: S311 - it has to be repeatable

    def shown(rows: Sequence[Message]) -> Sequence[Message]:
        some = [row for row in rows if random.random() < kept]
        random.shuffle(some)
        return some

    server = Server(plan, shown, shift)
    assert follow(server, list(plan)).keys() == plan.keys()
    assert len(server.asked) < 60 * len(plan) + 60
    rounds = Counter(int(time / PAUSE) for time, ask in server.asked if isinstance(ask, ReadPage))
    assert max(rounds.values(), default=0) <= 8
