"""The limiter of an account whose tokens are in a store, and what it does without the store."""

from collections.abc import Mapping, Sequence
from os import urandom
from weakref import WeakSet

from ziett_async._clock import Clock, SystemClock
from ziett_async._operation import Bucket, Priority
from ziett_async.errors import ConfigurationError, LimiterUnavailable
from ziett_async.limits._base import Permit
from ziett_async.limits._bucket import LONGEST_PAUSE, Rate
from ziett_async.limits._forks import register_at_fork
from ziett_async.limits._rates import checked_reserve
from ziett_async.limits.distributed._bucket import StoreBucket
from ziett_async.limits.distributed._queue import StoreQueue
from ziett_async.limits.distributed._share import LocalShare, Share
from ziett_async.limits.distributed._store import MOST_ATTEMPTS, MOST_SECONDS, Store, Terms


class DistributedLimiter:
    """Keeps any number of processes within the API's rate limits, by the tokens in a store.

    The clients that it is given to have limiters of their own, one for each account, which all
    clients of the account share. Used by itself, it is the limiter of one more account.
    """

    def __init__(
        self,
        store: Store,
        rates: Mapping[Bucket, Sequence[Rate]],
        *,
        reserve: float,
        longest_attempt: float,
        new_store: str,
        on_failure: object,
    ) -> None:
        if type(longest_attempt) not in {int, float} or not 0 < longest_attempt <= MOST_SECONDS:
            message = (
                f"longest_attempt: must be seconds above 0 and at most {MOST_SECONDS}, "
                f"got {longest_attempt!r}"
            )
            raise ValueError(message)
        for bucket, each in rates.items():
            _check_range(bucket, each)
        if new_store not in {"wait", "start"}:
            message = f"new_store: must be 'wait' or 'start', got {new_store!r}"
            raise ValueError(message)
        if on_failure != "closed" and not isinstance(on_failure, Share):
            message = f"on_failure: must be 'closed' or a Share, got {on_failure!r}"
            raise ValueError(message)
        self._store = store
        self._share = on_failure if isinstance(on_failure, Share) else None
        self._longest_attempt = longest_attempt
        reserve = checked_reserve(reserve)
        self._terms = {
            bucket: Terms(each, reserve, longest_attempt, new_store == "wait")
            for bucket, each in rates.items()
        }
        self._accounts: dict[str, AccountLimiter] = {}

    def for_account(self, account: str, attempt_timeout: float = 0.0) -> "AccountLimiter":
        """Return the limiter of one account, the same for all clients that have it.

        Args:
            account: any text; it becomes a part of the names in the store.
            attempt_timeout: seconds that an attempt of the client lasts at the most.

        Raises:
            ConfigurationError: attempts may last longer than the limiter takes them to last.

        """
        if attempt_timeout > self._longest_attempt:
            message = (
                f"attempt_timeout: must be at most the limiter's longest_attempt, which is "
                f"{self._longest_attempt:g} seconds; give a lower one here or a higher one there"
            )
            raise ConfigurationError(message)
        if account not in self._accounts:
            self._accounts[account] = AccountLimiter(
                self._store, account, self._terms, self._share, SystemClock()
            )
        return self._accounts[account]

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Wait for a permit of an account without a name."""
        return await self.for_account("").acquire(bucket, priority=priority, timeout=timeout)

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Stop handing out permits of an account without a name."""
        await self.for_account("").pause(bucket, seconds)


def _check_range(bucket: Bucket, rates: Sequence[Rate]) -> None:
    for rate in rates:
        for field, given, most in (
            ("limit", rate.limit, MOST_ATTEMPTS),
            ("per", rate.per, MOST_SECONDS),
        ):
            if given > most:
                allowed = f"must be at most {most} in a shared limiter"
                message = f"{bucket}: {field} {allowed}, got {given!r}"
                raise ValueError(message)


class AccountLimiter:
    """The limiter of one account: a queue for each bucket and priority in front of a store."""

    def __init__(
        self,
        store: Store,
        account: str,
        terms: Mapping[Bucket, Terms],
        share: Share | None,
        clock: Clock,
    ) -> None:
        nonce = urandom(8).hex()
        self._monotonic = clock.monotonic
        self._buckets = {
            bucket: StoreBucket(store, f"{account}:{bucket}", each, clock)
            for bucket, each in terms.items()
        }
        self._queues = {
            (bucket, priority): StoreQueue(bucket, priority, each, nonce, clock)
            for bucket, each in self._buckets.items()
            for priority in Priority
        }
        _limiters.add(self)
        self._local = LocalShare(store.name, share, terms) if share else None

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Wait for a permit, first come first served within a priority and process.

        Cancelling it takes nothing.

        Args:
            bucket: the rate limit that the attempt counts against.
            priority: urgent calls go before bulk calls of every process, which leave them the
                `reserve`.
            timeout: seconds; None waits as long as it takes.

        Raises:
            TimeoutError: the time has passed, or the permit comes later.
            LimiterUnavailable: the store does not answer, and there is no local share.

        """
        began = self._monotonic()
        try:
            permit = await self._queues[bucket, priority].acquire(timeout)
        except LimiterUnavailable as error:
            if self._local is None:
                raise
            reason = error.message
        else:
            if self._local is not None:
                self._local.end(bucket)
            return permit
        left = None if timeout is None else began + timeout - self._monotonic()
        return await self._local.acquire(bucket, priority, left, reason)

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Stop handing out permits, in all processes, for `seconds`, at most 600.

        Raises:
            LimiterUnavailable: the store does not answer, so only this process pauses.

        """
        for priority in Priority:
            self._queues[bucket, priority].pause(seconds)
        if self._local is not None:
            await self._local.pause(bucket, seconds)
        remote = self._buckets[bucket]
        await remote.step(remote.store.pause, min(seconds, LONGEST_PAUSE))

    def begin_anew(self) -> None:
        """Forget the calls that wait, as in a child that was forked: they are its parent's."""
        for queue in self._queues.values():
            queue.abandon()


_limiters = WeakSet[AccountLimiter]()


def begin_anew() -> None:
    """Leave all calls to the parent process, and all locks, after a fork."""
    for limiter in tuple(_limiters):
        limiter.begin_anew()


register_at_fork(after_in_child=begin_anew)
