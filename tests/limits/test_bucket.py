"""The arithmetic of one bucket, by table and against drawn traffic. Time is whole ticks."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from math import inf, nan
from typing import NamedTuple

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from ziett_async.limits import Rate
from ziett_async.limits._bucket import Tokens

LIMIT, PER = 3, 16.0


class Demand(NamedTuple):
    """An attempt that somebody wants to make, in ticks."""

    #: After the demand before it.
    later: int
    #: From the start until it arrives at the server.
    there: int
    #: From then until it ends.
    back: int


class Refilled:
    """The naive rival: the usual bucket, refilled `limit / per` tokens a second."""

    def __init__(self, limit: int, per: float) -> None:
        self.limit, self.level, self.last = limit, limit * per, 0.0
        self.per, self.paused_until = per, -inf

    def take(self, now: float) -> bool:
        """Take one, which is `per` units, as `limit` of them come back each second."""
        if now < max(self.paused_until, self.earliest(now, 0)):
            return False
        self.level = min(self.limit * self.per, self.level + (now - self.last) * self.limit)
        self.level, self.last = self.level - self.per, now
        return True

    def give_back(self, now: float) -> None:
        """Do nothing: it does not care when attempts end."""

    def pause(self, until: float) -> None:
        """Let nobody start before a moment."""
        self.paused_until = max(self.paused_until, until)

    def earliest(self, now: float, ahead: int) -> float:
        """Return when it has been refilled."""
        missing = (ahead + 1) * self.per - self.level
        return max(now, self.last + missing / self.limit, self.paused_until)


Bucket = Tokens | Refilled


def end_due(bucket: Bucket, ends: list[float], now: float) -> None:
    """End the attempts whose end has come."""
    while ends and ends[0] <= now:
        bucket.give_back(heappop(ends))


def serve(bucket: Bucket, demands: list[Demand], pauses: dict[int, int]) -> list[float]:
    """Serve the demands in order, each as soon as the bucket lets it; return the arrivals."""
    now, wanted, arrivals, ends = 0.0, 0, list[float](), list[float]()
    bounds = [bucket.earliest(now, ahead) for ahead in range(len(demands))]
    for number, demand in enumerate(demands):
        wanted += demand.later
        now = max(now, wanted)
        bucket.pause(now + pauses.get(number, -inf))
        end_due(bucket, ends, now)
        while not bucket.take(now):
            now = bucket.earliest(now, 0)
            end_due(bucket, ends, now)
        assert now >= bounds[number], "the bound was not a lower one"
        arrivals.append(now + demand.there)
        heappush(ends, now + demand.there + demand.back)
        for ahead in range(len(demands) - number - 1):
            bounds[number + 1 + ahead] = bucket.earliest(now, ahead)
    return sorted(arrivals)


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
traffic = st.lists(st.builds(Demand, ticks, ticks, ticks), max_size=40)
bursts = st.lists(st.builds(Demand, st.integers(0, 6), st.just(0), st.just(0)), max_size=40)
pauses = st.dictionaries(st.integers(0, 39), ticks, max_size=5)


@given(st.one_of(traffic, bursts), pauses)
def test_no_window_is_overfull(demands: list[Demand], pauses: dict[int, int]) -> None:
    """No window of `per` sees more than `limit` arrivals, and every bound is a lower one."""
    assert crowd(serve(Tokens(LIMIT, PER), demands, pauses), PER) <= LIMIT


def test_a_refilled_bucket_overfills_a_window() -> None:
    """The bucket that is refilled all the time fails the very same check."""
    naive = Refilled
    overfull = find(bursts, lambda drawn: crowd(serve(naive(LIMIT, PER), drawn, {}), PER) > LIMIT)
    with pytest.raises(AssertionError):
        assert crowd(serve(naive(LIMIT, PER), overfull, {}), PER) <= LIMIT
    assert crowd(serve(Tokens(LIMIT, PER), overfull, {}), PER) <= LIMIT


def test_a_refilled_bucket_lets_239_through_in_the_first_minute() -> None:
    """At 2 a second with bursts of 120 a minute sees 239 arrivals; at our rule it sees 120."""
    demands = [Demand(0, 0, 0)] * 400
    assert crowd(serve(Refilled(120, 60.0), demands, {}), 60.0) == 239
    assert crowd(serve(Tokens(120, 60.0), demands, {}), 60.0) == 120


@pytest.mark.parametrize("refused", [fixed_windows, sliding_window, token_bucket])
def test_no_server_answers_429(refused: Callable[[list[float], float], int]) -> None:
    """Whichever of the usual algorithms the server has, it refuses none of our attempts."""

    @given(st.one_of(traffic, bursts), pauses, st.integers(0, 15))
    def check(demands: list[Demand], pauses: dict[int, int], offset: int) -> None:
        assert refused(serve(Tokens(LIMIT, PER), demands, pauses), offset) == 0

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
    """A rate is per minute unless it says otherwise, and equals its equal."""
    assert Rate(120) == Rate(120, per=60) == Rate(limit=120, per=60.0)


def test_a_token_comes_back_per_seconds_after_the_end() -> None:
    """A token is free again when `per` seconds have passed since the end, and not before."""
    tokens = Tokens(2, 16.0)
    assert [tokens.take(0), tokens.take(1), tokens.take(2)] == [True, True, False]
    tokens.give_back(5)
    assert [tokens.take(20.9), tokens.take(21), tokens.take(21)] == [False, True, False]


def test_a_pause_holds_free_tokens_back() -> None:
    """Nobody starts during a pause, and a shorter one does not end it sooner."""
    tokens = Tokens(2, 16.0)
    tokens.pause(10)
    tokens.pause(5)
    assert [tokens.take(9.9), tokens.take(10)] == [False, True]


def test_what_was_not_taken_cannot_be_given_back() -> None:
    """A release without its acquire is a mistake that says so, and adds no token."""
    with pytest.raises(RuntimeError, match=r"^release\(\) without an acquire\(\) that returned$"):
        Tokens(2, 16.0).give_back(0)


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
        (1, [104, 108], 106, 3, 122),  # who starts late is back late
    ],
)
def test_the_earliest_start(
    in_flight: int, returns: list[float], paused_until: float, ahead: int, earliest: float
) -> None:
    """At 100, with three tokens per 16 seconds, the earliest start is what the table says."""
    tokens = Tokens(3, 16.0, in_flight, deque(returns), paused_until)
    assert tokens.earliest(100.0, ahead) == earliest


@pytest.mark.parametrize(
    ("deadline", "patience"),
    [
        (inf, inf),  # never in doubt
        (104, 4),  # the deadline itself
        (116, 0.001),  # in doubt now, decided in an instant
        (120, 4.001),  # in doubt once nothing in flight can be back in time
        (140, 8.001),
    ],
)
def test_patience(deadline: float, patience: float) -> None:
    """At 100, time alone decides nothing about a deadline before what the table says."""
    assert Tokens(3, 16.0).patience(100.0, deadline) == patience
