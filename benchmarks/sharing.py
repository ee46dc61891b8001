"""What the shared limiter costs beside a bare script, and what eight processes make of one key."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

import coredis

from benchmarks._measure import Pairs, Row, report, say
from tests.support.postgres import PROGRAMS, PostgresServer
from tests.support.sharing import Seen, Sharing
from tests.support.valkey import HOST, StoreServer
from ziett_async import Bucket, Limiter, Rate
from ziett_async.limits._postgres_connection import Database
from ziett_async.limits.distributed._store import START_WITHIN
from ziett_async.limits.postgres import PostgresLimiter
from ziett_async.limits.redis import RedisLimiter

_TIMES, _ROUNDS = 200, 25
#: The API's 120 in 60 seconds, scaled; for how many windows it is used; how long attempts last.
_LIMIT, _PER, _WINDOWS, _LONGEST = 40, 2.0, 8, 0.5

#: Never used up.
_WIDE = Rate(1000, per=0.001)

_BARE = "return {1, 2, 3, 4, 5}"
_KEYS = [f"{{bare}}:{each}" for each in "abcdef"]
_WORDS = ["acquire", "12345.0123456789abcdefu12", "16000000 76000000 0 500000 120 60000000 96"]


async def _wall(work: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    for _ in range(_TIMES):
        await work()
    return perf_counter() - began


async def _alternated(
    ours: Callable[[], Awaitable[object]], bare: Callable[[], Awaitable[object]]
) -> Pairs:
    """Do both in turn. The store is a process of its own and waited for: it is everybody's time."""
    pairs = list[tuple[float, float]]()
    for number in range(_ROUNDS + 1):
        say(f"round {number} of {_ROUNDS}")
        pairs.append((await _wall(ours), await _wall(bare)))
    return Pairs([mine for mine, _ in pairs[1:]], [other for _, other in pairs[1:]], _TIMES)


async def _costs(port: int) -> Pairs:
    """Acquire and release, and run two scripts that do nothing, in turn on one connection."""
    async with coredis.Redis(HOST, port) as client:
        digest = await client.script_load(_BARE)
        limiter = RedisLimiter(client, send=_WIDE, new_store="start").for_account("benchmark")

        async def bare() -> None:
            for _ in range(2):
                await client.evalsha(digest, _KEYS, _WORDS)

        return await _alternated(lambda: _attempt(limiter), bare)


async def _costs_of_postgres(url: str) -> Pairs:
    """Acquire and release, and two statements that do nothing, each in the thread for it."""
    database = Database(url)
    async with PostgresLimiter(url, send=_WIDE, new_store="start") as limiter:

        async def bare() -> None:
            for _ in range(2):
                await database.do(lambda connection: connection.fetch("SELECT $1::text", "1"))

        try:
            return await _alternated(lambda: _attempt(limiter), bare)
        finally:
            database.close()


async def _attempt(limiter: Limiter) -> None:
    permit = await limiter.acquire(Bucket.SEND)
    await permit.release()


def _saturated(server: StoreServer, kill_every: float = 0.0) -> Seen:
    """Have eight processes send all they can."""
    sharing = Sharing(_LIMIT, _PER, server.url)
    # The first window and the start of the processes are not counted.
    with sharing.run(_PER * (_WINDOWS + 2), longest=_LONGEST, kill_every=kill_every):
        say(f"eight processes, {_WINDOWS} windows, a kill every {kill_every:g} s")
    return sharing.seen()


def _failing(server: StoreServer) -> Seen:
    """Have them do the same while their store is killed, restarted empty, and flushed."""
    sharing = Sharing(_LIMIT, _PER, server.url)
    quarantine = _PER + _LONGEST + START_WITHIN
    say("the store is killed, and flushed")
    with sharing.run(4 * (quarantine + _PER), longest=_LONGEST, kill_every=1.0, new_store="wait"):
        sleep(quarantine + 2 * _PER)
        server.kill()
        server.start()
        sleep(quarantine + 2 * _PER)
        server.do("FLUSHALL")
    return sharing.seen()


def _row(what: str, seen: Seen, least: float, least_share: float) -> Row:
    shares: Sequence[float] = seen.shares
    is_exact = seen.worst <= seen.limit and seen.refused == seen.twice == seen.lost == 0
    return Row(
        what,
        "the emulator's own count",
        measured=f"{seen.used:.1%} of the limit, {seen.refused} answers of 429",
        spread=f"at most {seen.worst} in a window; shares {shares[0]:.2f} to {shares[-1]:.2f}",
        reach=f"≥ {least:.0%}, no 429, each message once"
        + (f", shares ≥ {least_share}" if least_share else ""),
        is_ok=is_exact and seen.used >= least and shares[0] >= least_share,
    )


def rows() -> Iterator[Row]:
    """Measure."""
    with TemporaryDirectory() as folder:
        server = StoreServer(Path(folder)).start()
        try:
            pairs = asyncio.run(_costs(server.port))
            yield pairs.row("shared limiter, `acquire` and `release`", "two bare EVALSHA", 1.5)
            name = f"8 processes, {_LIMIT} in {_PER:.0f} s, 5 ms of latency"
            yield _row(name, _saturated(server), 0.98, 0.5)
            killed = _saturated(server, kill_every=1.0)
            yield _row(f"{name}, one killed every second", killed, 0.96, 0.0)
            # Most of the time nothing may start.
            yield _row(f"{name}, and a store that forgets twice", _failing(server), 0.0, 0.0)
        finally:
            server.kill()
    if PROGRAMS is not None:
        database = PostgresServer().start()
        try:
            pairs = asyncio.run(_costs_of_postgres(database.url))
            yield pairs.row("the same in PostgreSQL", "two bare statements", None)
        finally:
            database.remove()


if __name__ == "__main__":
    report(rows())
