"""When to try again: a pure rule, and the budget that stops a storm of retries.

The wait before attempt n + 1 is `Retry-After` (0 without one) plus full jitter: a random
part of `min(cap, base * 2 ** (n - 1))` seconds. Full jitter spreads clients that failed
together over the whole interval (Brooker, "Exponential Backoff and Jitter", 2015); adding
it to the floor, and not taking the larger, spreads those that got the same `Retry-After`.
"""

import random
from collections.abc import Callable
from sys import float_info
from typing import Any

import attrs

from ziett_async._repr import Value


def _positive(_: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    # A larger integer would be finite, but not a float.
    if type(value) not in {int, float} or not 0 <= value <= float_info.max:
        message = f"{attribute.name}: must be a number of at least 0, got {value!r}"
        raise ValueError(message)


def _function(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not callable(value):
        message = f"{attribute.name}: must be a function like random.random, got {value!r}"
        raise ValueError(message)  # noqa: TRY004 - as for every other field


def _at_least_one(_: object, attribute: "attrs.Attribute[int]", value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        message = f"{attribute.name}: must be an integer of at least 1, got {value!r}"
        raise ValueError(message)


@attrs.frozen(repr=False)
class RetryPolicy(Value):
    """How many attempts a call gets, and how long it waits between them.

    `RetryPolicy(attempts=1)` never repeats, not even after a 429.
    """

    #: Attempts per call, at least 1.
    attempts: int = attrs.field(default=3, validator=_at_least_one)
    #: The upper bound of the first backoff in seconds; it doubles with each attempt.
    base: float = attrs.field(default=0.25, validator=_positive)
    #: The longest backoff, in seconds.
    cap: float = attrs.field(default=8.0, validator=_positive)
    #: The longest `Retry-After` that is waited for, in seconds; a longer one raises at once. Also
    #: how long a call without `timeout` goes on while it gets only 429s, which use up no attempt.
    longest_retry_after: float = attrs.field(default=600.0, validator=_positive)
    #: How many retries a client may make beyond its successes. Each retry takes one and each
    #: success gives one back: while the service is down there are this many and no more.
    budget: int = attrs.field(default=100, validator=_at_least_one)
    #: A number in [0, 1) for each backoff; give `random.Random(7).random` to repeat a run.
    jitter: Callable[[], float] = attrs.field(default=random.random, validator=_function)

    def wait(self, attempt: int, retry_after: float | None = None) -> float | None:
        """Return seconds to wait after a failed attempt (from 1); None means give up."""
        return self._wait(attempt, retry_after) if attempt < self.attempts else None

    def wait_for_rate_limit(self, refusals: int, retry_after: float | None = None) -> float | None:
        """Return seconds to wait after a number of 429s (from 1); None means give up."""
        return self._wait(refusals, retry_after) if self.attempts > 1 else None

    def _wait(self, failures: int, retry_after: float | None) -> float | None:
        floor = retry_after or 0.0
        return None if floor > self.longest_retry_after else floor + self.backoff(failures)

    def backoff(self, attempt: int) -> float:
        """Return the random part of the wait after a failed attempt, in seconds."""
        # 2 ** 30 seconds exceeds any cap; larger powers would only overflow.
        bound = min(self.cap, self.base * 2.0 ** min(attempt - 1, 30))
        return self.jitter() * bound


class RetryBudget:
    """How many retries a client has left (after gRPC's retry throttling)."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size

    def spend(self) -> bool:
        """Take one retry; return whether there was one."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def earn(self) -> None:
        """Give one back, for a call that was answered."""
        if self._left < self._size:
            self._left += 1
