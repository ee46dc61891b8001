"""Attempts under a limit, and when they started."""

from time import monotonic
from typing import Any

import anyio

from ziett_async import Bucket, Limiter

SEND = Bucket.SEND


async def take(limiter: Limiter, **settings: Any) -> float:  # noqa: ANN401 - acquire's
    """Make an attempt that takes no time; return when it started."""
    permit = await limiter.acquire(SEND, **settings)
    started = monotonic()
    await permit.release()
    return started


def worst_window(starts: list[float], per: float) -> int:
    """Return how many starts the fullest window of `per` seconds has."""
    ordered = sorted(starts)
    return max(sum(start <= each < start + per for each in ordered) for start in ordered)


async def saturate(limiters: list[Limiter], seconds: float) -> list[float]:
    """Have every limiter make attempts one after the other for so long; return their starts."""
    starts, end = list[float](), monotonic() + seconds

    async def run(limiter: Limiter) -> None:
        while monotonic() < end:
            starts.append(await take(limiter))

    async with anyio.create_task_group() as group:
        for each in limiters:
            group.start_soon(run, each)
    return starts
