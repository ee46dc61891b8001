"""Who may start an attempt, and when: one bucket per rate limit of the API."""

from ziett_async.limits._base import Limiter
from ziett_async.limits._bucket import Rate
from ziett_async.limits._local import TokenBucketLimiter, Unlimited, shared_limiter

__all__ = ["Limiter", "Rate", "TokenBucketLimiter", "Unlimited", "shared_limiter"]
