"""The three ways in which a server may count requests against a quota, without a clock."""

from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, Protocol

import attrs

WindowName = Literal["fixed", "sliding", "token_bucket"]


@attrs.frozen
class Quota:
    """So many requests per so many seconds, for one API key."""

    #: Requests, at least 1.
    limit: int = attrs.field(validator=attrs.validators.ge(1))
    #: Seconds.
    per: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))


#: The numbers of the API page, Rate limits.
DEFAULT_LIMITS: Mapping[str, Quota] = MappingProxyType(
    {"send": Quota(120), "list": Quota(60), "read": Quota(300), "batch": Quota(10)}
)


@attrs.frozen
class RateLimitResult:
    """What a window says to one arrival."""

    #: Seconds until the next arrival would be admitted; 0.0 when this one is.
    wait: float
    #: Arrivals that would still be admitted now.
    remaining: int
    #: Seconds until the whole quota is there again.
    reset: float


class Window(Protocol):
    """A count of arrivals; what it refuses it does not count."""

    def take(self, now: float) -> RateLimitResult:
        """Judge an arrival at `now` seconds; `now` never goes back."""
        ...


class FixedWindow:
    """A count that starts again at every multiple of the period."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._index = -1.0
        self._count = 0

    def take(self, now: float) -> RateLimitResult:
        """Judge an arrival."""
        index = now // self._quota.per
        if index != self._index:
            self._index, self._count = index, 0
        reset = (index + 1) * self._quota.per - now
        if self._count >= self._quota.limit:
            return RateLimitResult(wait=reset, remaining=0, reset=reset)
        self._count += 1
        return RateLimitResult(wait=0.0, remaining=self._quota.limit - self._count, reset=reset)


class SlidingWindow:
    """At most `limit` arrivals in any half-open stretch of `per` seconds: the strictest."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._ends: deque[float] = deque()

    def take(self, now: float) -> RateLimitResult:
        """Judge an arrival."""
        ends = self._ends
        while ends and ends[0] <= now:
            ends.popleft()
        if len(ends) >= self._quota.limit:
            return RateLimitResult(wait=ends[0] - now, remaining=0, reset=ends[-1] - now)
        ends.append(now + self._quota.per)
        return RateLimitResult(
            wait=0.0, remaining=self._quota.limit - len(ends), reset=self._quota.per
        )


class TokenBucket:
    """A bucket of `limit` tokens, refilled evenly: twice the limit fits into the first period."""

    #: A refill of exactly one token may fall short of it by rounding.
    _ROUNDING = 1e-9

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._tokens = float(quota.limit)
        self._last = 0.0

    def take(self, now: float) -> RateLimitResult:
        """Judge an arrival."""
        limit, seconds_each = self._quota.limit, self._quota.per / self._quota.limit
        self._tokens = min(limit, self._tokens + (now - self._last) / seconds_each)
        self._last = now
        wait = (1 - self._tokens) * seconds_each
        if self._tokens + self._ROUNDING >= 1:
            self._tokens, wait = max(0.0, self._tokens - 1), 0.0
        reset = (limit - self._tokens) * seconds_each
        return RateLimitResult(wait=wait, remaining=int(self._tokens + self._ROUNDING), reset=reset)


WINDOWS: Mapping[WindowName, Callable[[Quota], Window]] = MappingProxyType(
    {"fixed": FixedWindow, "sliding": SlidingWindow, "token_bucket": TokenBucket}
)
