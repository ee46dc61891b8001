"""The rate limits of the API: when an attempt may start, one bucket per limit."""

from ziett_async.limits._base import Limiter, Permit
from ziett_async.limits._bucket import Rate
from ziett_async.limits._guard import pause, release
from ziett_async.limits._local import TokenBucketLimiter, Unlimited
from ziett_async.limits._shared import limiter_for_account, shared_limiter

__all__ = [
    "Limiter",
    "Permit",
    "Rate",
    "TokenBucketLimiter",
    "Unlimited",
    "limiter_for_account",
    "pause",
    "release",
    "shared_limiter",
]
