"""Rate limits: three ways to count requests against a quota, and the quotas of every API key."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from math import ceil
from types import MappingProxyType
from typing import Literal, Protocol

import attrs

from ziett_async._fake.responses import Refusal
from ziett_async._wire import Headers

WindowName = Literal["fixed", "sliding", "token_bucket"]


@attrs.frozen
class Quota:
    """A number of requests per period, for one API key.

    Raises:
        ValueError: `limit` is less than 1, or `per` is not positive.

    """

    #: Requests, at least 1.
    limit: int = attrs.field(validator=attrs.validators.ge(1))
    #: The period, in seconds.
    per: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))


#: The quotas of the API page, Rate limits, by bucket.
DEFAULT_LIMITS: Mapping[str, Quota] = MappingProxyType(
    {"send": Quota(120), "list": Quota(60), "read": Quota(300), "batch": Quota(10)}
)


@attrs.frozen
class RateLimitResult:
    """What a window decides about one request."""

    #: Seconds until the next request would be admitted; 0.0 if this one is.
    wait: float
    #: Further requests that would be admitted now.
    remaining: int
    #: Seconds until the whole quota is available again.
    reset: float


class Window(Protocol):
    """A count of admitted requests; refused ones are not counted."""

    def take(self, now: float) -> RateLimitResult:
        """Admit or refuse a request at `now`, in seconds, which never decreases."""
        ...


class FixedWindow:
    """A count that starts again at every multiple of the period."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._index = -1.0
        self._count = 0

    def take(self, now: float) -> RateLimitResult:
        """Admit or refuse a request."""
        index = now // self._quota.per
        if index != self._index:
            self._index, self._count = index, 0
        reset = (index + 1) * self._quota.per - now
        if self._count >= self._quota.limit:
            return RateLimitResult(wait=reset, remaining=0, reset=reset)
        self._count += 1
        remaining = self._quota.limit - self._count
        return RateLimitResult(wait=0.0, remaining=remaining, reset=reset)


class SlidingWindow:
    """At most `limit` requests in any half-open interval of `per` seconds: the strictest."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._expiries: deque[float] = deque()

    def take(self, now: float) -> RateLimitResult:
        """Admit or refuse a request."""
        expiries = self._expiries
        while expiries and expiries[0] <= now:
            expiries.popleft()
        if len(expiries) >= self._quota.limit:
            return RateLimitResult(wait=expiries[0] - now, remaining=0, reset=expiries[-1] - now)
        expiries.append(now + self._quota.per)
        remaining = self._quota.limit - len(expiries)
        return RateLimitResult(wait=0.0, remaining=remaining, reset=self._quota.per)


class TokenBucket:
    """A bucket of `limit` tokens, refilled evenly: twice the limit fits into the first period."""

    #: Rounding may leave a refill of exactly one token short by less than this.
    _ROUNDING = 1e-9

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._tokens = float(quota.limit)
        self._last = 0.0

    def take(self, now: float) -> RateLimitResult:
        """Admit or refuse a request."""
        limit, seconds_each = self._quota.limit, self._quota.per / self._quota.limit
        self._tokens = min(limit, self._tokens + (now - self._last) / seconds_each)
        self._last = now
        wait = (1 - self._tokens) * seconds_each
        if self._tokens + self._ROUNDING >= 1:
            self._tokens, wait = max(0.0, self._tokens - 1), 0.0
        reset = (limit - self._tokens) * seconds_each
        remaining = int(self._tokens + self._ROUNDING)
        return RateLimitResult(wait=wait, remaining=remaining, reset=reset)


WINDOWS: Mapping[WindowName, Callable[[Quota], Window]] = MappingProxyType(
    {"fixed": FixedWindow, "sliding": SlidingWindow, "token_bucket": TokenBucket}
)


@attrs.frozen(kw_only=True)
class BucketLevel:
    """How many requests a bucket would admit now."""

    #: The API key that owns the bucket; empty for a bucket of the organisation or an unused one.
    owner: str = attrs.field(repr=False)
    bucket: str
    quota: Quota
    #: Requests that would be admitted now.
    free: int
    #: Seconds until the next request would be admitted; 0.0 while `free` is not 0.
    wait: float


class Quotas:
    """A window for each bucket of each owner: an API key, or the whole organisation.

    Args:
        limits: the quota of each bucket; a bucket without one has no limit.
        window: `fixed`, `sliding` or `token_bucket`.

    Raises:
        ValueError: there is no such window.

    """

    def __init__(self, limits: Mapping[str, Quota], window: WindowName) -> None:
        if window not in WINDOWS:
            message = f"window must be one of: {', '.join(WINDOWS)}; got {window!r}"
            raise ValueError(message)
        self._limits = limits
        self._new_window = WINDOWS[window]
        self._windows: dict[tuple[str, str], Window] = {}
        self._results: dict[tuple[str, str], RateLimitResult] = {}

    def take(self, owner: str, bucket: str, now: float) -> RateLimitResult | None:
        """Count a request; return None if the bucket has no limit."""
        quota = self._limits.get(bucket)
        if quota is None:
            return None
        place = (owner, bucket)
        if place not in self._windows:
            self._windows[place] = self._new_window(quota)
        self._results[place] = result = self._windows[place].take(now)
        return result

    def levels(self, now: float) -> Sequence[BucketLevel]:
        """Return the level of each bucket of each owner; of unused buckets before the first use."""
        owners = sorted({owner for owner, _ in self._windows}) or [""]
        return [self._level(owner, bucket, now) for owner in owners for bucket in self._limits]

    def headers(self, owner: str, bucket: str, time: float) -> Headers:
        """Return the `X-RateLimit-*` headers after a request; `time` is in seconds since 1970."""
        result = self._results.get((owner, bucket))
        if result is None:
            return ()
        return (
            ("x-ratelimit-limit", str(self._limits[bucket].limit)),
            ("x-ratelimit-remaining", str(result.remaining)),
            ("x-ratelimit-reset", str(ceil(time + result.reset))),
        )

    def _level(self, owner: str, bucket: str, now: float) -> BucketLevel:
        quota, window = self._limits[bucket], self._windows.get((owner, bucket))
        # `take` counts the request, so it is called on a copy.
        result = deepcopy(window or self._new_window(quota)).take(now)
        free = 0 if result.wait else result.remaining + 1
        return BucketLevel(owner=owner, bucket=bucket, quota=quota, free=free, wait=result.wait)


def too_many_requests(result: RateLimitResult, *, with_retry_after: bool) -> Refusal:
    """Return the 429; its `Retry-After`, if wanted, is in whole seconds, at least one."""
    seconds = max(1, ceil(result.wait))
    headers = (("retry-after", str(seconds)),) if with_retry_after else ()
    return Refusal(429, "Too many requests", headers=headers)
