"""The limiter's port: when an attempt may start."""

from typing import Protocol

from ziett_async._operation import Bucket, Priority


class Permit(Protocol):
    """The right to make one attempt."""

    async def release(self) -> None:
        """Record that the attempt has ended, so that nothing of it can arrive any more.

        The client calls it once for every permit, however the attempt ended, in a scope that
        is shielded from cancellation; so it should be quick. asyncio's own `task.cancel()`
        gets through such a scope, and then the client calls it a second time; so a second
        release must change nothing.
        """
        ...


class Limiter(Protocol):
    """Hands out permits for one attempt each; a bucket is one rate limit of the API.

    Exceptions of `acquire` other than `TimeoutError` end the call: nothing of the attempt was
    sent, and the error is a `LimiterUnavailable`. Those of `release` and `pause` are logged
    by their type and cost no result.

    A limiter may have a third method, which the client tries first because it is quicker:
    `acquire_nowait(bucket)` returns an urgent permit, or None if the call has to wait. And a
    fourth, for metrics: `used(bucket)` returns the share of the limit that is used, 0.0 to 1.0.
    It is called from other threads.

    A limiter that serves clients of several accounts may have a fifth,
    `for_account(account, attempt_timeout)`, which each client calls when it is built: it returns
    the limiter of that account. `account` is a hash of the service's address and the API key,
    the same in every process; `attempt_timeout` is the client's.
    """

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Wait for a permit, first come first served within a priority.

        A call that is cancelled takes no permit.

        Args:
            bucket: the rate limit that the attempt counts against.
            priority: urgent calls go before bulk calls.
            timeout: seconds to wait at most; None waits as long as it takes.

        Raises:
            TimeoutError: after at most `timeout` seconds, or at once if the permit is certain to
                come later than that.
            LimiterUnavailable: the limiter cannot decide, because its store does not answer.
                Raise it with just a reason: `LimiterUnavailable("redis: connection refused")`.

        """
        ...

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Stop handing out permits for `seconds`, after a 429; never shorten a pause."""
        ...
