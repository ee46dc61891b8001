"""The arithmetic of one bucket, by table and against drawn traffic. Time is whole ticks."""

from bisect import bisect_right
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf, nan
from typing import NamedTuple

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from ziett_async._operation import Priority
from ziett_async.limits import Rate
from ziett_async.limits._bucket import BATCH, Tokens

LIMIT, PER = 3, 16.0
#: Rates that hold together: the second is the narrower one for bursts, the first in the long run.
SEVERAL = (Rate(5, per=16.0), Rate(2, per=3.0), Rate(4, per=11.0))
URGENT, BULK = Priority.URGENT, Priority.BULK
#: How often an attempt looks for a token, at most: each time something has ended.
MOST_LOOKS = 100


class Demand(NamedTuple):
    """An attempt to be made, in ticks."""

    #: After the demand before it.
    later: int
    #: From the start until it arrives at the server.
    there: int
    #: From then until it ends.
    back: int
    priority: Priority = URGENT


def tokens_of(limit: int, per: float) -> Tokens:
    """Return a bucket of one rate."""
    return Tokens([Rate(limit, per)])


class Refilled:
    """The naive rival: the usual bucket, refilled `limit / per` tokens a second."""

    def __init__(self, limit: int, per: float) -> None:
        self.limit, self.level, self.last = limit, limit * per, 0.0
        self.per, self.paused_until = per, -inf

    def take(self, now: float, _: Priority = URGENT) -> bool:
        """Take one, which is `per` units, as `limit` of them come back each second."""
        if now < max(self.paused_until, self.earliest(now, 0)):
            return False
        self.level = min(self.limit * self.per, self.level + (now - self.last) * self.limit)
        self.level, self.last = self.level - self.per, now
        return True

    def give_back(self, now: float) -> None:
        """Do nothing: it does not care when attempts end."""

    give_back_bulk = give_back

    def pause(self, until: float) -> None:
        """Start no attempt before a moment."""
        self.paused_until = max(self.paused_until, until)

    def earliest(self, now: float, ahead: int, _: Priority = URGENT, bulk_ahead: int = 0) -> float:
        """Return when it has been refilled."""
        ahead = max(ahead, bulk_ahead)
        missing = (ahead + 1) * self.per - self.level
        return max(now, self.last + missing / self.limit, self.paused_until)


Bucket = Tokens | Refilled


def end_due(bucket: Bucket, ends: list[tuple[float, Priority]], now: float) -> None:
    """End the attempts whose end has come."""
    while ends and ends[0][0] <= now:
        at, priority = heappop(ends)
        (bucket.give_back_bulk if priority == BULK else bucket.give_back)(at)


def serve(bucket: Bucket, demands: list[Demand], pauses: dict[int, int]) -> list[float]:
    """Serve the demands in order, each as soon as the bucket lets it; return the arrivals."""
    now, wanted, arrivals, ends = 0.0, 0, list[float](), list[tuple[float, Priority]]()
    bounds = [earliest(bucket, now, demands[: each + 1]) for each in range(len(demands))]
    for number, demand in enumerate(demands):
        wanted += demand.later
        now = max(now, wanted)
        bucket.pause(now + pauses.get(number, -inf))
        end_due(bucket, ends, now)
        for _ in range(MOST_LOOKS):
            if bucket.take(now, demand.priority):
                break
            now = bucket.earliest(now, 0, demand.priority)
            end_due(bucket, ends, now)
        else:
            pytest.fail("an attempt may not start at the moment that the bucket gave for it")
        assert now >= bounds[number], "the bound was not a lower one"
        arrivals.append(now + demand.there)
        heappush(ends, (now + demand.there + demand.back, demand.priority))
        for later in range(number + 1, len(demands)):
            bounds[later] = earliest(bucket, now, demands[number + 1 : later + 1])
    return sorted(arrivals)


def earliest(bucket: Bucket, now: float, demands: list[Demand]) -> float:
    """Return the bucket's bound for the last of some demands."""
    *ahead, last = demands
    bulk_ahead = sum(each.priority == BULK for each in ahead)
    return bucket.earliest(now, len(ahead), last.priority, bulk_ahead)


def crowd(arrivals: list[float], per: float) -> int:
    """Return the most arrivals in any window of `per`, not counting its first instant."""
    return max(
        (bisect_right(arrivals, last) - bisect_right(arrivals, last - per) for last in arrivals),
        default=0,
    )


def fixed_windows(arrivals: list[float], offset: float) -> int:
    """Return how many a server refuses that starts a new count every `per`."""
    windows = [(arrival - offset) // PER for arrival in arrivals]
    return sum(max(windows.count(window) - LIMIT, 0) for window in set(windows))


def sliding_window(arrivals: list[float], _: float) -> int:
    """Return how many a server refuses that remembers those it let through."""
    let_through = list[float]()
    for arrival in arrivals:
        if sum(arrival - PER < other for other in let_through) < LIMIT:
            let_through.append(arrival)
    return len(arrivals) - len(let_through)


def token_bucket(arrivals: list[float], _: float) -> int:
    """Return how many a server refuses that has the usual bucket itself."""
    bucket = Refilled(LIMIT, PER)
    return sum(not bucket.take(arrival) for arrival in arrivals)


ticks = st.integers(0, 40)
priorities = st.sampled_from(Priority)
traffic = st.lists(st.builds(Demand, ticks, ticks, ticks), max_size=40)
mixed = st.lists(st.builds(Demand, ticks, ticks, ticks, priorities), max_size=40)
at_once = st.just(0)
bursts = st.lists(st.builds(Demand, st.integers(0, 6), at_once, at_once), max_size=40)
mixed_bursts = st.lists(
    st.builds(Demand, st.integers(0, 6), at_once, at_once, priorities), max_size=40
)
pauses = st.dictionaries(st.integers(0, 39), ticks, max_size=5)


@pytest.mark.promise("No window of the server's clock holds more than the limit")
@given(st.one_of(traffic, bursts), pauses)
def test_no_window_is_overfull(demands: list[Demand], pauses: dict[int, int]) -> None:
    """No window of `per` sees more than `limit` arrivals, and every bound is a lower one."""
    assert crowd(serve(tokens_of(LIMIT, PER), demands, pauses), PER) <= LIMIT


@pytest.mark.promise(
    "Several rates hold in every window, and bulk leaves the reserve to urgent calls"
)
@given(st.one_of(mixed, mixed_bursts), pauses, st.sampled_from([0.0, 0.2, 0.5, 0.99]))
def test_each_of_several_rates_holds(
    demands: list[Demand], pauses: dict[int, int], reserve: float
) -> None:
    """Of rates that hold together each holds in every window, whatever is urgent or bulk."""
    arrivals = serve(Tokens(SEVERAL, reserve), demands, pauses)
    for rate in SEVERAL:
        assert crowd(arrivals, rate.per) <= rate.limit


@pytest.mark.naive("One of several rates alone", "overfills the other windows")
def test_one_of_several_rates_alone_overfills_the_others() -> None:
    """A bucket that keeps to the narrowest rate in the long run fails the very same check."""

    def crowds(demands: list[Demand]) -> list[bool]:
        arrivals = serve(Tokens(SEVERAL[:1]), demands, {})
        return [crowd(arrivals, rate.per) <= rate.limit for rate in SEVERAL]

    assert crowds(find(bursts, lambda drawn: not all(crowds(drawn)))) != [True] * 3


def test_fifteen_a_second_and_120_a_minute() -> None:
    """Attempts at once are 15 in each second, until the minute has had its 120."""
    rates = (Rate(120, per=60.0), Rate(15, per=1.0))
    arrivals = serve(Tokens(rates), [Demand(0, 0, 0)] * 260, {})
    assert (crowd(arrivals, 60.0), crowd(arrivals, 1.0)) == (120, 15)
    assert arrivals[119] == 7.0
    assert arrivals[-1] == 2 * 60.0 + 1.0


@pytest.mark.promise(
    "Several rates hold in every window, and bulk leaves the reserve to urgent calls"
)
@given(st.one_of(mixed, mixed_bursts), st.sampled_from([0.2, 0.5, 0.99]))
def test_bulk_leaves_the_reserve(demands: list[Demand], reserve: float) -> None:
    """No window holds more bulk attempts than what the reserve leaves of the limit."""
    bulk = [demand for demand in demands if demand.priority == BULK]
    arrivals = serve(Tokens([Rate(10, PER)], reserve), bulk, {})
    assert crowd(arrivals, PER) <= {0.2: 8, 0.5: 5, 0.99: 1}[reserve]


class LeavesTheLast(Tokens):
    """The naive rival: bulk attempts start if more tokens are free than the reserve."""

    def take(self, now: float, priority: Priority = URGENT, count: int = 1) -> bool:
        """Leave the last two."""
        return (priority == URGENT or self.has(now, count + 2)) and super().take(
            now, priority, count
        )


def run_beside(tokens: Tokens, seconds: list[tuple[bool, int]]) -> tuple[bool, int]:
    """Start all the bulk attempts there can be, and within the reserve of two urgent ones.

    Return whether all urgent ones started at once, and the fewest tokens that bulk had.
    """
    ends, taken = list[tuple[float, Priority]](), list[tuple[float, Priority]]()
    is_urgent_served, least = True, 10
    for now, (is_urgent, length) in enumerate(seconds):
        end_due(tokens, ends, now)
        taken = [each for each in taken if now < each[0] + PER]
        while tokens.take(now, BULK):
            taken.append((now + length, BULK))
            heappush(ends, taken[-1])
        bulk = sum(priority == BULK for _, priority in taken)
        least = min(least, bulk)
        if is_urgent and len(taken) - bulk < 2:
            is_urgent_served &= tokens.take(now)
            taken.append((now + length, URGENT))
            heappush(ends, taken[-1])
    return is_urgent_served, least


seconds = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=80)


@pytest.mark.promise("Bulk has all but the reserve, and urgent calls within it start at once")
@given(seconds)
def test_bulk_has_all_but_the_reserve_beside_urgent_calls(seconds: list[tuple[bool, int]]) -> None:
    """Eight of ten tokens at every moment, and no urgent attempt within the reserve waits."""
    assert run_beside(Tokens([Rate(10, PER)], 0.2), seconds) == (True, 8)


@pytest.mark.naive("Bulk that leaves the last free tokens", "pays for what urgent calls use")
def test_bulk_that_leaves_the_last_tokens_has_less() -> None:
    """What urgent attempts use of the reserve is kept free once more: the same test fails."""
    found = find(
        seconds, lambda drawn: run_beside(LeavesTheLast([Rate(10, PER)], 0.2), drawn) != (True, 8)
    )
    assert run_beside(Tokens([Rate(10, PER)], 0.2), found) == (True, 8)


@pytest.mark.parametrize(
    ("limit", "reserve", "bulk"),
    [
        (120, 0.2, 96),
        (15, 0.2, 12),
        (10, 0.0, 10),
        (100, 0.29, 71),  # 100 * 0.29 is 28.999999999999996
        (30, 0.1, 27),  # 30 * 0.1 is 3.0000000000000004 where it is a sum
        (3, 0.2, 2),  # rounded up
        (1, 0.2, 1),  # one always remains
        (2, 0.99, 1),
    ],
)
def test_the_reserve_is_a_share_rounded_up(limit: int, reserve: float, bulk: int) -> None:
    """Bulk attempts start at once up to the limit less the reserve, and urgent ones to the end."""
    tokens = Tokens([Rate(limit, 16.0)], reserve)
    started = [tokens.take(0, BULK) for _ in range(limit)]
    assert started.count(True) == bulk
    assert [tokens.take(0) for _ in range(limit)].count(True) == limit - bulk
    assert not tokens.take(0, BULK)


def test_a_batch_in_spare_is_taken() -> None:
    """What is in `spare` counts as in flight until it is taken back, unless it was used."""
    tokens = tokens_of(BATCH + 2, 16.0)
    assert tokens.take(0)
    tokens.stock(0)
    assert (tokens.in_flight, len(tokens.spare)) == (BATCH + 1, BATCH)
    tokens.stock(0)
    assert (tokens.take(0), tokens.take(0)) == (True, False)
    tokens.spare.pop()
    tokens.take_back()
    assert (tokens.in_flight, tokens.spare) == (3, [])


@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 40))
def test_a_batch_is_as_many_single_ones(limit: int, count: int, ended: int) -> None:
    """Several attempts start together exactly when they could one after the other."""
    now = 20.0
    buckets = [tokens_of(limit, 16.0) for _ in range(2)]
    for bucket in buckets:
        bucket.in_flight = min(limit, ended // 3)
        bucket.ends.extend(float(each) for each in range(min(ended, limit - bucket.in_flight)))
    together, single = buckets
    alone = [single.take(now) for _ in range(count)]
    assert together.take(now, count=count) is all(alone)


@pytest.mark.naive("A bucket refilled 2/s", "239 in the first minute")
def test_a_refilled_bucket_overfills_a_window() -> None:
    """The bucket that is refilled all the time fails the very same check."""
    naive = Refilled
    overfull = find(bursts, lambda drawn: crowd(serve(naive(LIMIT, PER), drawn, {}), PER) > LIMIT)
    with pytest.raises(AssertionError):
        assert crowd(serve(naive(LIMIT, PER), overfull, {}), PER) <= LIMIT
    assert crowd(serve(tokens_of(LIMIT, PER), overfull, {}), PER) <= LIMIT


def test_a_refilled_bucket_lets_239_through_in_the_first_minute() -> None:
    """At 2 a second with bursts of 120 a minute sees 239 arrivals; at our rule it sees 120."""
    demands = [Demand(0, 0, 0)] * 250
    assert crowd(serve(Refilled(120, 60.0), demands, {}), 60.0) == 239
    assert crowd(serve(tokens_of(120, 60.0), demands, {}), 60.0) == 120


@pytest.mark.promise("A fixed window, a sliding window or a token bucket answers no 429")
@pytest.mark.parametrize("refused", [fixed_windows, sliding_window, token_bucket])
def test_no_server_answers_429(refused: Callable[[list[float], float], int]) -> None:
    """Whichever of the usual algorithms the server has, it refuses none of our attempts."""

    @given(st.one_of(traffic, bursts), pauses, st.integers(0, 15))
    def check(demands: list[Demand], pauses: dict[int, int], offset: int) -> None:
        assert refused(serve(tokens_of(LIMIT, PER), demands, pauses), offset) == 0

    check()


@pytest.mark.parametrize("limit", [0, -1, 1.0, True, "120", None, nan])
def test_a_limit_is_a_whole_number(limit: int) -> None:
    """A limit that is not a whole number of at least 1 is refused by its name."""
    with pytest.raises(ValueError, match=r"^limit: .* at least 1, got "):
        Rate(limit)


@pytest.mark.parametrize("per", [0, -1.0, inf, nan, True, "60", None])
def test_a_period_is_a_finite_time(per: float) -> None:
    """A period that is not a finite number of seconds above 0 is refused by its name."""
    with pytest.raises(ValueError, match=r"^per: .* seconds above 0, got "):
        Rate(120, per)


def test_a_rate_is_a_value() -> None:
    """A rate is per minute by default, and equal rates compare equal."""
    assert Rate(120) == Rate(120, per=60) == Rate(limit=120, per=60.0)


def test_a_token_comes_back_per_seconds_after_the_end() -> None:
    """A token is free again when `per` seconds have passed since the end, and not before."""
    tokens = tokens_of(2, 16.0)
    assert [tokens.take(0), tokens.take(1), tokens.take(2)] == [True, True, False]
    tokens.give_back(5)
    assert [tokens.take(20.9), tokens.take(21), tokens.take(21)] == [False, True, False]


def test_a_pause_holds_free_tokens_back() -> None:
    """No attempt starts during a pause, and a shorter one does not end it sooner."""
    tokens = tokens_of(2, 16.0)
    assert [tokens.pause(10), tokens.pause(5), tokens.pause(10), tokens.pause(nan)] == [
        True,
        False,
        False,
        False,
    ]
    assert [tokens.take(9.9), tokens.take(10)] == [False, True]


@pytest.mark.parametrize(
    ("in_flight", "returns", "paused_until", "ahead", "earliest"),
    [
        (0, [], -inf, 0, 100),  # a free token
        (2, [], -inf, 0, 100),
        (2, [], -inf, 1, 116),  # the free one is for the one ahead
        (3, [], -inf, 0, 116),  # in flight: it cannot come back sooner
        (1, [104, 108], -inf, 0, 104),  # on its way back
        (1, [104, 108], -inf, 1, 108),
        (1, [104, 108], -inf, 2, 116),
        (1, [104, 108], -inf, 3, 120),  # the second round
        (1, [104, 108], -inf, 8, 148),  # the third
        (1, [90, 108], -inf, 0, 100),  # back since a while
        (0, [104], -inf, 1, 100),  # free ones come first
        (0, [], 110, 0, 110),  # a pause
        (1, [104, 108], 106, 0, 106),
        (1, [104, 108], 106, 1, 108),
        (1, [104, 108], 106, 3, 122),  # what starts late is back late
    ],
)
def test_the_earliest_start(
    in_flight: int, returns: list[float], paused_until: float, ahead: int, earliest: float
) -> None:
    """At 100, with three tokens per 16 seconds, the earliest start is as in the table."""
    tokens = tokens_of(3, 16.0)
    tokens.in_flight, tokens.paused_until = in_flight, paused_until
    tokens.ends.extend(each - 16.0 for each in returns)
    assert tokens.earliest(100.0, ahead) == earliest


@pytest.mark.parametrize(
    ("urgent", "bulk", "ahead", "bulk_ahead", "earliest"),
    [
        ([], [], 0, 0, 100),
        ([], [None] * 8, 0, 0, 116),  # the last two are not for bulk
        ([None] * 8, [], 0, 0, 100),  # those that urgent ones have are others
        ([None] * 3, [None] * 7, 0, 0, 116),  # but there are ten in all
        ([], [None] * 7, 1, 1, 116),
        ([], [None] * 7, 1, 0, 100),  # an urgent one ahead takes one that is not for bulk
        ([], [None] * 7, 3, 0, 116),
        ([], [90] * 8, 0, 0, 106),
        ([85, 86], [*range(90, 98)], 0, 0, 106),  # the two that are back sooner are not for bulk
        ([85, 86], [*range(90, 98)], 1, 1, 107),
        ([], [90] * 8, 16, 0, 122),  # ten, then six, then this one
        ([], [90] * 8, 16, 8, 122),
        ([], [90] * 8, 16, 16, 138),
        ([None] * 9 + [90], [], 0, 0, 106),
    ],
)
def test_the_earliest_start_of_bulk(
    urgent: list[float | None],
    bulk: list[float | None],
    ahead: int,
    bulk_ahead: int,
    earliest: float,
) -> None:
    """At 100, with ten tokens per 16 seconds of which two are reserved, it is as in the table.

    Attempts of each priority have ended when it is in the list, or are in flight.
    """
    tokens = Tokens([Rate(10, per=16.0)], 0.2)
    attempts = [(end, URGENT) for end in urgent] + [(end, BULK) for end in bulk]
    assert all(tokens.take(0, priority) for _, priority in attempts)
    end_due(tokens, sorted((end, priority) for end, priority in attempts if end), 100)
    assert tokens.earliest(100.0, ahead, BULK, bulk_ahead) == earliest


@pytest.mark.parametrize(
    ("deadline", "seconds"),
    [
        (inf, inf),  # never in doubt
        (104, 4),  # the deadline itself
        (116, 0.001),  # in doubt now, decided in an instant
        (120, 4.001),  # in doubt once nothing in flight can be back in time
        (140, 24.001),
    ],
)
def test_when_to_check_a_deadline_again(deadline: float, seconds: float) -> None:
    """At 100, a deadline is worth a look once nothing in flight can be back before it."""
    assert tokens_of(3, 16.0).recheck_in(100.0, deadline) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("deadline", "seconds"), [(inf, inf), (101, 1), (105, 2.001), (115, 4.001), (130, 14.001)]
)
def test_when_to_check_it_with_several_rates(deadline: float, seconds: float) -> None:
    """There is a look for each rate, the longest first."""
    assert Tokens(SEVERAL).recheck_in(100.0, deadline) == pytest.approx(seconds)
