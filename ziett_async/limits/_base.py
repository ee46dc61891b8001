"""The limiter's port: when an attempt may start."""

from typing import Protocol

from ziett_async._operation import Bucket, Priority


class Permit(Protocol):
    """The right to make one attempt."""

    async def release(self) -> None:
        """Record that the attempt has ended, so that nothing of it can arrive any more.

        The client calls it once for every permit, however the attempt ended, in a scope that
        is shielded from cancellation; so it should be short. asyncio's own `task.cancel()`
        passes such a scope: then the client calls it a second time. A release that was carried
        out before therefore changes nothing.
        """
        ...


class Limiter(Protocol):
    """Gives out permits to make one attempt each; a bucket is one rate limit of the API.

    Exceptions of `acquire` other than `TimeoutError` end the call: nothing of the attempt was
    sent, and the error is a `LimiterUnavailable`. Those of `release` and `pause` are logged
    by their type and cost no result.

    A limiter that often need not make a call wait may have a third method, which the client
    then asks first, as it is quicker: `acquire_nowait(bucket)` returns an urgent permit, or
    None if the call has to wait for it.

    A limiter that serves clients of several accounts may have a fourth one,
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

        Cancelling it takes nothing.

        Args:
            bucket: the rate limit that the attempt counts against.
            priority: urgent calls go before bulk calls.
            timeout: seconds to wait at most; None waits as long as it takes.

        Raises:
            TimeoutError: after at most `timeout` seconds, and at once when it is certain
                that the permit comes later than that.
            LimiterUnavailable: the limiter cannot decide, as its store does not answer. It is
                raised with a reason alone: `LimiterUnavailable("redis: connection refused")`.

        """
        ...

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Stop handing out permits for `seconds`, after a 429; never shorten a pause."""
        ...
