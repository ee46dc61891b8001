"""The limiter's port: who may start an attempt, and when."""

from typing import Protocol

from ziett_async._operation import Bucket


class Limiter(Protocol):
    """Hands out the right to make one attempt, one bucket per rate limit of the API.

    Every `acquire` that returned is followed by exactly one `release`, when the attempt has
    ended, however it ended.
    """

    async def acquire(self, bucket: Bucket, timeout: float | None = None) -> None:
        """Wait for a turn, first come first served; None waits as long as that takes.

        Raises `TimeoutError` after at most `timeout` seconds, and at once when the turn
        cannot come in that time. Cancelling it gives nothing away and takes nothing.
        """
        ...

    def release(self, bucket: Bucket) -> None:
        """Tell that an attempt has ended, so that nothing of it can arrive any more."""
        ...

    def pause(self, bucket: Bucket, seconds: float) -> None:
        """Let nobody start for so many seconds: the server has answered 429.

        It never shortens a pause under way. Like `release` it returns at once.
        """
        ...
