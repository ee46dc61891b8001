"""When to try again, and the budget for it."""

import random
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async._retry import RetryBudget, RetryPolicy
from ziett_async.errors._api import RETRIED

SECONDS = st.floats(0, 1e300)
JUST_BELOW_ONE = 1 - 2**-53


def policy(jitter: float = JUST_BELOW_ONE, **settings: Any) -> RetryPolicy:  # noqa: ANN401 - as given
    """Return a policy whose jitter is known."""
    return RetryPolicy(jitter=lambda: jitter, **settings)


@pytest.mark.parametrize(
    ("attempt", "retry_after", "wait"),
    [
        (1, None, 0.125),
        (2, None, 0.25),
        (1, 0.0, 0.125),
        (1, 7.0, 7.125),
        (2, 599.75, 600.0),
        (1, 600.0, 600.125),
        (1, 600.001, None),
        (1, 1e9, None),
        (3, None, None),
        (3, 1.0, None),
        (4, None, None),
    ],
)
def test_how_long_by_default(attempt: int, retry_after: float | None, wait: float | None) -> None:
    """Half of the jitter after `Retry-After`, three attempts, and ten minutes at the most."""
    assert policy(jitter=0.5).wait(attempt, retry_after) == wait


@pytest.mark.parametrize(
    ("attempt", "bound"), [(1, 0.25), (2, 0.5), (3, 1), (4, 2), (5, 4), (6, 8), (7, 8), (1000, 8)]
)
def test_the_bound_doubles_up_to_the_cap(attempt: int, bound: float) -> None:
    """Each attempt may wait twice as long as the one before it, until `cap`."""
    assert policy().backoff(attempt) == pytest.approx(bound)
    assert policy(jitter=0.0).backoff(attempt) == 0


def test_one_attempt_never_repeats() -> None:
    """`attempts=1` turns retries off, whatever the server asks."""
    assert RetryPolicy(attempts=1).wait(1) is None
    assert RetryPolicy(attempts=1).wait(1, 0.0) is None


@given(
    st.integers(1, 10**9),
    SECONDS,
    SECONDS,
    SECONDS,
    st.none() | SECONDS,
    st.floats(0, 1, exclude_max=True),
)
def test_a_wait_stays_within_its_bounds(
    attempt: int, base: float, cap: float, longest: float, asked: float | None, jitter: float
) -> None:
    """It is never shorter than asked, never longer by more than the bound, and never overflows."""
    rule = policy(jitter, attempts=attempt + 1, base=base, cap=cap, longest_retry_after=longest)
    wait, floor = rule.wait(attempt, asked), asked or 0.0
    if floor > longest:
        assert wait is None
    else:
        assert wait is not None
        assert floor <= wait <= floor + min(cap, base * 2.0 ** min(attempt - 1, 30)) < inf


@pytest.mark.parametrize(
    ("refusals", "retry_after", "wait"),
    [
        (1, None, 0.125),
        (3, None, 0.5),
        (50, None, 4.0),
        (50, 7.0, 11.0),
        (1, 600.0, 600.125),
        (1, 600.001, None),
    ],
)
def test_a_429_uses_up_no_attempt(
    refusals: int, retry_after: float | None, wait: float | None
) -> None:
    """However many there were, the wait grows to its cap and there is another attempt."""
    assert policy(jitter=0.5).wait_for_rate_limit(refusals, retry_after) == wait


def test_a_policy_of_one_attempt_never_repeats() -> None:
    """Not even after a 429."""
    assert policy(attempts=1).wait_for_rate_limit(1, 1.0) is None


def test_jitter_is_spread_over_the_whole_interval() -> None:
    """Clients that failed together come back at different times, from at once to the bound."""
    rule = RetryPolicy(jitter=random.Random(7).random, base=8.0)  # noqa: S311 - it is jitter
    waits = [rule.backoff(1) for _ in range(1000)]
    assert len(set(waits)) == 1000
    assert min(waits) < 0.1
    assert max(waits) > 7.9
    again = RetryPolicy(jitter=random.Random(7).random, base=8.0)  # noqa: S311 - it is jitter
    assert [again.backoff(1) for _ in range(1000)] == waits


@pytest.mark.parametrize("name", ["base", "cap", "longest_retry_after"])
@pytest.mark.parametrize("value", [-1, -0.001, nan, inf, -inf, "1", None])
def test_seconds_are_finite_and_not_negative(name: str, value: Any) -> None:  # noqa: ANN401 - as given
    """A policy that could not be computed with is refused when it is made."""
    with pytest.raises(ValueError, match=rf"^{name}: must be a number of at least 0, got "):
        policy(**{name: value})


@pytest.mark.parametrize("name", ["attempts", "budget"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "3", None])
def test_counts_are_at_least_one(name: str, value: Any) -> None:  # noqa: ANN401 - as given
    """No attempt at all, or no retry ever, is not what these are for."""
    with pytest.raises(ValueError, match=rf"^{name}: must be an integer of at least 1, got "):
        policy(**{name: value})


def test_zero_seconds_are_allowed() -> None:
    """Nothing is waited for, and a server that asks for any wait is not asked again."""
    rule = policy(base=0, cap=0, longest_retry_after=0)
    assert (rule.wait(1), rule.wait(1, 0.001)) == (0, None)


def test_what_is_retried() -> None:
    """The statuses that promise nothing was decided yet, as the design lists them."""
    assert {408, 425, 429, 500, 502, 503, 504} == RETRIED


def test_a_budget_is_spent_and_earned() -> None:
    """Each retry takes one, each answered call gives one back, and never more than its size."""
    budget = RetryBudget(2)
    budget.earn()
    assert [budget.spend() for _ in range(4)] == [True, True, False, False]
    budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]


@given(st.integers(1, 20), st.lists(st.booleans()))
def test_retries_never_run_further_ahead_than_the_budget(size: int, calls: list[bool]) -> None:
    """However successes and failures mix, a refusal means the whole budget is out."""
    budget, left = RetryBudget(size), size
    for answered in calls:
        if answered:
            budget.earn()
            left = min(size, left + 1)
        else:
            assert budget.spend() is (left > 0)
            left = max(0, left - 1)
