"""A limit so small that a test can use it up, over a store that fails."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from tests.limits._attempts import take
from tests.support.stores import Server, limiters
from ziett_async import Rate
from ziett_async.limits.distributed._limiter import AccountLimiter
from ziett_async.limits.distributed._store import START_WITHIN

PER, LONGEST = 0.3, 0.1
#: Seconds in which nothing starts after a store has forgotten.
QUARANTINE = PER + LONGEST + START_WITHIN
LIMIT = 3

#: Opens a limiter over a server, for an `async with`.
Open = Callable[..., AbstractAsyncContextManager[AccountLimiter]]


def opening(library: str) -> Open:
    """Return what opens a limiter over a server by a library."""

    @asynccontextmanager
    async def open_limiter(
        server: Server,
        **settings: Any,  # noqa: ANN401 - a limiter's
    ) -> AsyncGenerator[AccountLimiter]:
        given: dict[str, Any] = {
            "new_store": "start",
            "longest_attempt": LONGEST,
            "send": Rate(LIMIT, per=PER),
        }
        async with limiters(library, server.url) as new:
            yield new(**(given | settings)).for_account("a")

    return open_limiter


async def fill(limiter: AccountLimiter) -> float:
    """Use the whole limit; return when the last attempt started."""
    last = 0.0
    for _ in range(LIMIT):
        last = await take(limiter)
    return last
