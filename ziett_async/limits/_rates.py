"""The rates of the API, and how a limiter's arguments for them are checked."""

from collections.abc import Mapping, Sequence
from typing import cast

from ziett_async._operation import Bucket
from ziett_async.limits._bucket import Rate

# API page, Rate limits.
SEND = Rate(120, per=60.0)
LIST = Rate(60, per=60.0)
READ = Rate(300, per=60.0)
BATCH = Rate(10, per=60.0)


def rates_of_buckets(
    send: object, listing: object, read: object, batch: object
) -> Mapping[Bucket, Sequence[Rate]]:
    """Return the rates of each bucket; raises `ValueError`, which names the bucket."""
    given = {Bucket.SEND: send, Bucket.LIST: listing, Bucket.READ: read, Bucket.BATCH: batch}
    return {bucket: _as_rates(bucket, rates) for bucket, rates in given.items()}


def checked_reserve(reserve: float) -> float:
    """Return a share of the limit; raises `ValueError`."""
    if type(reserve) not in {int, float} or not 0 <= reserve < 1:
        message = f"reserve: must be a share of at least 0 and below 1, got {reserve!r}"
        raise ValueError(message)
    return reserve


def _as_rates(bucket: Bucket, given: object) -> tuple[Rate, ...]:
    several: tuple[object, ...] = (given,)
    if isinstance(given, Sequence):
        several = tuple(cast("Sequence[object]", given))
    rates = tuple(rate for rate in several if isinstance(rate, Rate))
    if not rates or len(rates) < len(several):
        message = f"{bucket}: must be a Rate, or several in a sequence, got {given!r}"
        raise ValueError(message)
    return rates
