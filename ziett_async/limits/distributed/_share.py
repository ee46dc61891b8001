"""What a process does by itself while the store of a shared limit does not answer."""

import logging
from collections.abc import Mapping

import attrs

from ziett_async._operation import Bucket, Priority
from ziett_async._repr import Value
from ziett_async.limits._base import Permit
from ziett_async.limits._bucket import Rate
from ziett_async.limits._local import TokenBucketLimiter
from ziett_async.limits.distributed._store import Terms

logger = logging.getLogger("ziett_async")

_BEGINS = "%s; until the store grants permits, %s attempts of this process have %d/%d of the limit"
_ENDS = "%s: it grants permits again, and %s attempts have the whole limit"
#: The most parts of a limit.
_MOST_PARTS = 1_000_000


def _check_part(_: object, __: object, number: int) -> None:
    if type(number) is not int or not 1 <= number <= _MOST_PARTS:
        message = f"Share: must be whole numbers from 1 to {_MOST_PARTS}, got {number!r}"
        raise ValueError(message)


@attrs.frozen(repr=False)
class Share(Value):
    """What part of the limits a process may use by itself: `Share(1, 5)` is a fifth of them.

    Raises:
        ValueError: a number is not from 1 to 1,000,000, or the part is larger than the whole.

    """

    #: How many of the parts: `1`.
    part: int = attrs.field(validator=_check_part)
    #: Into how many parts the limits are divided, one for each process at least: `5`.
    whole: int = attrs.field(validator=_check_part)

    def __attrs_post_init__(self) -> None:
        if self.part > self.whole:
            message = f"Share: {self.part} parts of {self.whole} are more than all"
            raise ValueError(message)

    def of(self, rate: Rate) -> Rate:
        """Return a share of a rate; one that is less than one attempt takes longer for it."""
        limit = rate.limit * self.part // self.whole
        if limit:
            return Rate(limit, per=rate.per)
        return Rate(1, per=rate.per * self.whole / (rate.limit * self.part))


class LocalShare:
    """The limiter of a share of an account's limits; the log has when it is in use."""

    def __init__(self, store: str, share: Share, terms: Mapping[Bucket, Terms]) -> None:
        rates = {bucket: [share.of(rate) for rate in each.rates] for bucket, each in terms.items()}
        self._limiter = TokenBucketLimiter(
            send=rates[Bucket.SEND],
            list=rates[Bucket.LIST],
            read=rates[Bucket.READ],
            batch=rates[Bucket.BATCH],
            reserve=terms[Bucket.SEND].reserve,
        )
        self.pause = self._limiter.pause
        self._store = store
        self._share = share
        self._in_use = set[Bucket]()

    async def acquire(
        self, bucket: Bucket, priority: Priority, timeout: float | None, reason: str
    ) -> Permit:
        """Wait for a permit of the share, because the store granted none."""
        if bucket not in self._in_use:
            self._in_use.add(bucket)
            share = self._share
            fields = self._fields(bucket) | {"ziett_share": f"{share.part}/{share.whole}"}
            logger.warning(_BEGINS, reason, bucket, share.part, share.whole, extra=fields)
        return await self._limiter.acquire(bucket, priority=priority, timeout=timeout)

    def end(self, bucket: Bucket) -> None:
        """Record that the store has granted a permit."""
        if bucket in self._in_use:
            self._in_use.discard(bucket)
            fields = self._fields(bucket) | {"ziett_share": None}
            logger.warning(_ENDS, self._store, bucket, extra=fields)

    def _fields(self, bucket: Bucket) -> dict[str, str | None]:
        return {"ziett_store": self._store, "ziett_bucket": str(bucket)}
