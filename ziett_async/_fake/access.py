"""What every request passes before a handler sees it: the key, its scopes, its quota."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from math import ceil

import attrs

from ziett_async._fake.quotas import WINDOWS, Quota, RateLimitResult, Window, WindowName
from ziett_async._fake.responses import Refusal
from ziett_async._fake.routes import SCOPES, Route
from ziett_async._wire import Headers


class ApiKeys:
    """Which API keys there are, and what each may do."""

    def __init__(self, keys: Mapping[str, Collection[str]] | None) -> None:
        self._keys = keys

    def admit(self, api_key: str | None, scope: str) -> str:
        """Return the key; 401 for one that is not known, 403 for one that may not."""
        scopes = self._scopes(api_key or "")
        if api_key is None or scopes is None:
            raise Refusal(401)
        if scope not in scopes:
            raise Refusal(403, f"The API key lacks the scope {scope}")
        return api_key

    def _scopes(self, api_key: str) -> Collection[str] | None:
        if self._keys is not None:
            return self._keys.get(api_key)
        known = api_key.startswith("zk_test_") and api_key != "zk_test_"
        return SCOPES if known else None


@attrs.frozen(kw_only=True)
class BucketLevel:
    """How full a bucket is."""

    #: The API key whose it is; empty where it is the organisation's, or nobody's yet.
    owner: str = attrs.field(repr=False)
    bucket: str
    quota: Quota
    #: Requests that would be admitted now.
    free: int
    #: Seconds until the next request would be; 0.0 while some are free.
    wait: float


class Quotas:
    """One window for each bucket and owner: an API key, or the organisation that has them all."""

    def __init__(self, limits: Mapping[str, Quota], window: WindowName) -> None:
        if window not in WINDOWS:
            message = f"window must be one of: {', '.join(WINDOWS)}; got {window!r}"
            raise ValueError(message)
        self._limits = limits
        self._make = WINDOWS[window]
        self._windows: dict[tuple[str, str], Window] = {}
        self._results: dict[tuple[str, str], RateLimitResult] = {}

    def take(self, owner: str, route: Route, now: float) -> RateLimitResult | None:
        """Count an arrival; None where the bucket has no limit."""
        quota = self._limits.get(route.bucket)
        if quota is None:
            return None
        place = (owner, route.bucket)
        if place not in self._windows:
            self._windows[place] = self._make(quota)
        self._results[place] = result = self._windows[place].take(now)
        return result

    def levels(self, now: float) -> Sequence[BucketLevel]:
        """Return how full each bucket is; one that nobody has used yet is full."""
        owners = sorted({owner for owner, _ in self._windows}) or [""]
        return [self._level(owner, bucket, now) for owner in owners for bucket in self._limits]

    def _level(self, owner: str, bucket: str, now: float) -> BucketLevel:
        quota, window = self._limits[bucket], self._windows.get((owner, bucket))
        # Asking counts, so a copy is asked.
        result = deepcopy(window or self._make(quota)).take(now)
        free = 0 if result.wait else result.remaining + 1
        return BucketLevel(owner=owner, bucket=bucket, quota=quota, free=free, wait=result.wait)

    def headers(self, owner: str, route: Route, time: float) -> Headers:
        """Return the `X-RateLimit-*` of an answer, if any; `time` is the calendar's."""
        result = self._results.get((owner, route.bucket))
        if result is None:
            return ()
        return (
            ("x-ratelimit-limit", str(self._limits[route.bucket].limit)),
            ("x-ratelimit-remaining", str(result.remaining)),
            ("x-ratelimit-reset", str(ceil(time + result.reset))),
        )


def too_many(result: RateLimitResult, *, says_when: bool) -> Refusal:
    """Return the 429; its `Retry-After`, if any, is in whole seconds, at least one."""
    seconds = max(1, ceil(result.wait))
    headers = (("retry-after", str(seconds)),) if says_when else ()
    return Refusal(429, "Too many requests", headers=headers)
