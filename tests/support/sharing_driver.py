"""Runs processes that send through one key as fast as their limiter lets them, and kills some.

`python -m tests.support.sharing_driver SETTINGS`, which are JSON. It imports what a process
needs once and forks, so that a process that was killed is replaced in milliseconds.

A process sends its messages one after the other, in several rows side by side. Which one of a row
is next is in memory that survives the process: the next one sends the message again of which it is
not known whether it was sent, with the same key.
"""

import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from mmap import mmap
from typing import Any
from uuid import uuid4

import anyio
import attrs
import coredis
import httpx
import redis.asyncio
import trio

from tests.support.samples import API_KEY, NUMBER, REMITTER
from tests.support.stores import limiters
from tests.support.suspending import AgelessLimiter, SuspendingClient
from tests.support.valkey import opened
from ziett_async import (
    AsyncZiett,
    Bucket,
    Limiter,
    Permit,
    Priority,
    Rate,
    TokenBucketLimiter,
    ZiettError,
    idempotency_key_for,
)
from ziett_async.limits import Unlimited
from ziett_async.limits.distributed._store import Terms
from ziett_async.limits.redis import RedisLimiter

#: They are imported lazily: here, once, before the processes are made.
PRELOADED = (coredis, httpx, redis.asyncio, trio)
#: Seconds after the end in which a process leaves by itself, if the driver was killed.
_LEAVE = 5.0


@attrs.frozen
class Settings:
    """What the processes do."""

    base_url: str
    store_url: str
    seconds: float
    limit: int
    per: float
    #: `shared`, `local`, `stamped`, or `ageless`.
    limiter: str
    #: In turn for each process, an event loop and a library.
    ways: tuple[str, ...]
    longest: float = 1.0
    #: Seconds between two kills; 0 kills none.
    kill_every: float = 0.0
    #: How many rows of messages a process has.
    concurrency: int = 3
    new_store: str = "start"
    #: Seconds for which the first process is suspended when it has its first permit.
    suspend_for: float = 0.0
    #: Whether a message has a key of its own, or each call one that is made for it.
    is_keyed: bool = True


class StampedLimiter:
    """The naive design that most articles show: a sorted set of the callers' own times."""

    def __init__(self, store: Any, rate: Rate) -> None:  # noqa: ANN401 - a client
        self._store, self._rate = store, rate

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Count the calls of the last window, by this process's clock."""
        del priority, timeout
        key = f"stamped:{{{bucket}}}"
        script = (
            "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])\n"
            "if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end\n"
            "return redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])"
        )
        while True:
            given = [time.time(), self._rate.per, self._rate.limit, uuid4().hex]
            if await self._store.eval(script, 1, key, *given):
                return await Unlimited().acquire(bucket)
            await anyio.sleep(0.02)

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Do nothing."""


@asynccontextmanager
async def limiter_of(settings: Settings, place: int) -> AsyncGenerator[Limiter]:
    """Open the limiter of a process."""
    library = settings.ways[place % len(settings.ways)].partition("-")[2]
    suspend_for = settings.suspend_for if place == 0 else 0.0
    rate = Rate(settings.limit, per=settings.per)
    shared: Any = {"longest_attempt": settings.longest, "new_store": settings.new_store}
    if settings.limiter == "local":
        yield TokenBucketLimiter(send=rate)
    elif settings.limiter == "shared" and not suspend_for:
        async with limiters(library, settings.store_url) as new:
            yield new(send=rate, **shared)
    else:
        async with opened(library, settings.store_url) as client:
            store = SuspendingClient(client, suspend_for) if suspend_for else client
            if settings.limiter == "stamped":
                yield StampedLimiter(store, rate)
            elif settings.limiter == "ageless":
                terms = Terms([rate], 0.0, settings.longest, distrusts_new_store=False)
                yield AgelessLimiter(store, terms)
            else:
                yield RedisLimiter(store, send=rate, **shared)


class Progress:
    """How many messages of each row are known to be sent, for all processes of a driver."""

    def __init__(self, rows: int) -> None:
        self._counts = memoryview(mmap(-1, 8 * rows)).cast("Q")

    def next(self, row: int) -> int:
        """Return which message comes next."""
        return self._counts[row]

    def advance(self, row: int) -> None:
        """Go on to the one after it."""
        self._counts[row] += 1


async def work(settings: Settings, place: int, progress: Progress) -> None:
    """Send until killed; a text says which place in the row of processes the process has."""

    async def send(client: AsyncZiett, row: int) -> None:
        while True:
            text = f"{place}:{row}:{progress.next(row)}"
            key = idempotency_key_for(text) if settings.is_keyed else None
            try:
                await client.send_message(NUMBER, content=text, idempotency_key=key)
            except ZiettError:
                await anyio.sleep(0.05)
            else:
                progress.advance(row)

    async with limiter_of(settings, place) as limiter:
        client = AsyncZiett(
            API_KEY,
            base_url=settings.base_url,
            limiter=limiter,
            attempt_timeout=settings.longest,
            default_remitter_id=REMITTER,
        )
        async with client, anyio.create_task_group() as group:
            for row in range(settings.concurrency):
                group.start_soon(send, client, place * settings.concurrency + row)


def fork(settings: Settings, place: int, progress: Progress) -> int:
    """Start a process in its place; return its id."""
    if child := os.fork():
        return child
    signal.alarm(int(settings.seconds + _LEAVE))
    backend = settings.ways[place % len(settings.ways)].partition("-")[0]
    with suppress(BaseException):
        anyio.run(work, settings, place, progress, backend=backend)
    os._exit(1)


def drive(settings: Settings, places: list[int]) -> None:
    """Start processes, kill and replace one after the other, and kill all in the end."""
    end = time.monotonic() + settings.seconds
    progress = Progress((max(places) + 1) * settings.concurrency)
    children = {place: fork(settings, place, progress) for place in places}
    step = settings.kill_every or settings.seconds
    # Who started the driver may end it by closing its input.
    while (left := end - time.monotonic()) > 0 and not is_closed(min(left, step)):
        if settings.kill_every:
            place = random.choice(places)  # noqa: S311 - which one does not matter
            kill(children[place])
            children[place] = fork(settings, place, progress)
    for child in children.values():
        kill(child)


def is_closed(seconds: float) -> bool:
    """Wait for so long; return whether the input was closed before."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def kill(child: int) -> None:
    """Kill a process at once, whatever it does."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    places: list[int] = given.pop("places")
    given["ways"] = tuple(given["ways"])
    print("ready", flush=True)  # noqa: T201 - who started the driver waits for it
    sys.stdin.readline()
    drive(Settings(**given), places)
