"""Releasing permits and pausing buckets, where no failure of a limiter costs a result."""

import logging
from collections.abc import Coroutine

import anyio

from ziett_async._operation import Bucket
from ziett_async.limits._base import Limiter, Permit

logger = logging.getLogger("ziett_async")


class InstantPermit:
    """A permit whose release never suspends, so that no cancellation can interrupt it."""

    __slots__ = ()

    async def release(self) -> None:
        """Do nothing: there is no limit."""


def release(permit: Permit) -> Coroutine[None, None, None]:
    """Release a permit, even while the task is being cancelled; log what the release raises."""
    # With a scope, a permit of ours would cost twenty times as much.
    return permit.release() if isinstance(permit, InstantPermit) else _release_shielded(permit)


async def _release_shielded(permit: Permit) -> None:
    with anyio.CancelScope(shield=True):
        try:
            await permit.release()
        except Exception as error:  # noqa: BLE001 - a user's limiter may raise anything
            _log_failure("release", error)
        except BaseException:
            # asyncio's own cancellation, which no scope holds back, comes once.
            await permit.release()
            raise


async def pause(limiter: Limiter, bucket: Bucket, seconds: float) -> None:
    """Pause a bucket; log what that raises."""
    try:
        await limiter.pause(bucket, seconds)
    except Exception as error:  # noqa: BLE001 - a user's limiter may raise anything
        _log_failure("pause", error)


def _log_failure(method: str, error: Exception) -> None:
    # Without the error's text, which may hold anything.
    kind = type(error).__name__
    fields = {"ziett_failed": f"limiter.{method}", "ziett_error": kind}
    logger.warning("the limiter's %s raised %s", method, kind, extra=fields)
