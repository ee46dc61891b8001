"""What becomes of RedisLimiter when its store fails: each failure happens to a real server."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import anyio
import pytest

from tests.limits.conftest import Serve
from tests.support.valkey import FAKETIME, NO_FAKETIME, StoreServer, opened
from ziett_async import Bucket, LimiterUnavailable, Rate
from ziett_async.limits.distributed._bucket import ANSWER_WITHIN, COOL_DOWN
from ziett_async.limits.distributed._limiter import AccountLimiter
from ziett_async.limits.distributed._store import START_WITHIN
from ziett_async.limits.redis import RedisLimiter, Share

pytestmark = [
    pytest.mark.anyio,
    # coredis leaves its own streams open where a connection breaks.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

SEND = Bucket.SEND
PER, LONGEST = 0.3, 0.1
#: Seconds in which nothing starts after a store has forgotten.
QUARANTINE = PER + LONGEST + START_WITHIN
LIMIT = 3


@pytest.fixture(params=["asyncio-redis", "trio-coredis"])
def way(request: pytest.FixtureRequest) -> str:
    """Test both libraries, and both event loops."""
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    """Return the event loop."""
    return way.partition("-")[0]


Open = Callable[..., AbstractAsyncContextManager[AccountLimiter]]


@pytest.fixture
def limiting(way: str) -> Open:
    """Lend what opens a limiter over a server, for an `async with`."""

    @asynccontextmanager
    async def open_limiter(
        server: StoreServer,
        **settings: Any,  # noqa: ANN401 - RedisLimiter's
    ) -> AsyncGenerator[AccountLimiter]:
        given: dict[str, Any] = {
            "new_store": "start",
            "longest_attempt": LONGEST,
            "send": Rate(LIMIT, per=PER),
        }
        async with opened(way.partition("-")[2], server.url) as client:
            yield RedisLimiter(client, **(given | settings)).for_account("a")

    return open_limiter


async def take(limiter: AccountLimiter, **settings: Any) -> float:  # noqa: ANN401 - acquire's
    """Make an attempt that takes no time; return when it started."""
    permit = await limiter.acquire(SEND, **settings)
    started = monotonic()
    await permit.release()
    return started


async def fill(limiter: AccountLimiter) -> float:
    """Use the whole limit; return when the last attempt started."""
    last = 0.0
    for _ in range(LIMIT):
        last = await take(limiter)
    return last


async def test_an_unreachable_store_fails_closed(new_server: Serve, limiting: Open) -> None:
    """In bounded time, with what went wrong and no address; then at once, for a second."""
    server = new_server().start()
    async with limiting(server) as limiter:
        await take(limiter)
        server.kill()
        asked = monotonic()
        with pytest.raises(LimiterUnavailable, match=r"redis: \w*Error, for 2 seconds"):
            await limiter.acquire(SEND)
        failed = monotonic()
        assert failed - asked < ANSWER_WITHIN + 1.0
        with pytest.raises(LimiterUnavailable):
            await limiter.acquire(SEND)
        assert monotonic() - failed < 0.5
        server.start()
        await anyio.sleep(COOL_DOWN)
        await take(limiter)


@pytest.mark.parametrize("way", ["trio-coredis"])
async def test_a_frozen_store_holds_no_call_for_long(new_server: Serve, limiting: Open) -> None:
    """All calls that wait fail together; it goes on where it was, without a restart of ours."""
    server = new_server().start()
    async with limiting(server) as limiter:
        held = await limiter.acquire(SEND)
        server.freeze()
        asked, failed = monotonic(), list[float]()

        async def call() -> None:
            with pytest.raises(LimiterUnavailable, match="redis: no answer, for 2 seconds"):
                await limiter.acquire(SEND)
            failed.append(monotonic() - asked)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call)
        assert len(failed) == 5
        assert max(failed) < ANSWER_WITHIN + 1.0
        with pytest.raises(LimiterUnavailable):
            await held.release()
        server.thaw()
        await anyio.sleep(COOL_DOWN)
        await take(limiter)


async def test_a_deadline_ends_a_call_before_the_store_does(
    new_server: Serve, limiting: Open
) -> None:
    """The call's time is what its caller gave it."""
    server = new_server().start()
    async with limiting(server) as limiter:
        await take(limiter)
        server.freeze()
        asked = monotonic()
        with pytest.raises(TimeoutError):
            await limiter.acquire(SEND, timeout=0.2)
        assert monotonic() - asked < ANSWER_WITHIN
        server.thaw()


async def test_a_late_answer_is_not_used(new_server: Serve, limiting: Open) -> None:
    """Its permit may be old: it is asked for again, and lasts from then on."""
    server = new_server().start()
    async with limiting(server) as limiter:
        await take(limiter)
        server.do("CONFIG", "RESETSTAT")
        server.freeze()
        async with anyio.create_task_group() as group:
            group.start_soon(take, limiter)
            await anyio.sleep(START_WITHIN + 0.2)
            server.thaw()
        stats: dict[str, dict[str, int]] = server.do("INFO", "commandstats")
        # It was asked for, asked for again, and released.
        assert stats["cmdstat_evalsha"]["calls"] == 3
        assert server.do("ZCARD", "ziett:{a:send}:held") == 0


@pytest.mark.parametrize("way", ["asyncio-redis"])
async def test_a_share_of_the_limit_without_the_store(new_server: Serve, limiting: Open) -> None:
    """The process goes on at its part of the rate; with the store it has all of it again."""
    server = new_server().start()
    async with limiting(server, on_failure=Share(1, 3)) as limiter:
        await fill(limiter)
        server.kill()
        await limiter.acquire(SEND)
        with pytest.raises(TimeoutError):
            await limiter.acquire(SEND, timeout=PER / 2)
        with pytest.raises(LimiterUnavailable):
            await limiter.pause(SEND, PER)
        server.start()
        await anyio.sleep(COOL_DOWN)
        began = monotonic()
        await fill(limiter)
        assert monotonic() - began < PER


ENDS = "ziett:{a:send}:ends"


def evict(server: StoreServer) -> None:
    """Fill the server's memory until it has dropped a key of the limiter."""
    server.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    server.do("CONFIG", "SET", "maxmemory", "5mb")
    for number in range(5000):
        server.do("SET", f"filler-{number}", "x" * 20_000)
        if not server.do("EXISTS", ENDS):
            server.do("CONFIG", "SET", "maxmemory", "0")
            return
    pytest.fail("nothing was evicted")


def restart(server: StoreServer) -> None:
    """Kill it; what was on its disk is there afterwards."""
    server.kill()
    server.start()


def save_and_restart(server: StoreServer) -> None:
    """Keep all that it had."""
    server.do("SAVE")
    restart(server)


FORGETTING: dict[str, Callable[[StoreServer], object]] = {
    "killed and empty": restart,
    "flushed": lambda server: server.do("FLUSHALL"),
    "killed, with what was on disk": save_and_restart,
    "one key evicted": evict,
}


@pytest.mark.parametrize("name", FORGETTING)
@pytest.mark.parametrize("way", ["trio-coredis"])
async def test_a_store_that_forgot_is_in_quarantine(
    new_server: Serve, limiting: Open, name: str
) -> None:
    """Nothing starts until all that it may have forgotten is out of every window."""
    server = new_server().start()
    async with limiting(server, new_store="start") as limiter:
        last = await fill(limiter)
    async with limiting(server, new_store="wait") as limiter:
        FORGETTING[name](server)
        assert await take(limiter) - last >= PER + LONGEST
        await fill(limiter)


@pytest.mark.naive("A store that forgot", "believed at once, it grants what was used already")
async def test_a_new_store_that_is_trusted_breaks_the_limit(
    new_server: Serve, limiting: Open
) -> None:
    """What `new_store="start"` risks: the whole limit again in the same window."""
    server = new_server().start()
    async with limiting(server, new_store="start") as limiter:
        last = await fill(limiter)
        server.do("FLUSHALL")
        assert await take(limiter) - last < PER


@pytest.mark.parametrize("way", ["trio-coredis"])
async def test_memory_that_is_full_fails_closed(new_server: Serve, limiting: Open) -> None:
    """A store that evicts nothing grants nothing, and still takes permits back."""
    server = new_server().start()
    async with limiting(server, longest_attempt=30.0) as limiter:
        held = await limiter.acquire(SEND)
        server.do("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(LimiterUnavailable, match=r"redis: \w+Error"):
            await limiter.acquire(SEND)
        server.do("CONFIG", "SET", "maxmemory", "0")
        await anyio.sleep(COOL_DOWN)
        await held.release()
        await fill(limiter)


async def test_info_that_is_forbidden_is_said_once(
    new_server: Serve, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The limit holds all the same, and a store that is empty is still noticed."""
    server = new_server().start()
    server.do("ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "-info")
    url = server.url.replace("//", "//app:pw@")
    async with opened(way.partition("-")[2], url) as client:
        settings: Any = {"send": Rate(LIMIT, per=PER), "longest_attempt": LONGEST}
        limiter = RedisLimiter(client, new_store="start", **settings).for_account("a")
        await fill(limiter)
        last = await take(limiter)
        server.do("FLUSHALL")
        limiter = RedisLimiter(client, new_store="wait", **settings).for_account("a")
        assert await take(limiter) - last >= PER + LONGEST
    said = [each.getMessage() for each in caplog.records if "INFO" in each.getMessage()]
    assert len(said) == 2
    assert "redis: INFO is not permitted" in said[0]


needs_faketime = pytest.mark.skipif(FAKETIME is None, reason=NO_FAKETIME)


@needs_faketime
@pytest.mark.parametrize("step", [20.0, -20.0])
@pytest.mark.parametrize("way", ["asyncio-redis"])
async def test_a_clock_that_is_set_is_noticed(
    new_server: Serve, limiting: Open, step: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Forward by the client, which has a clock that cannot be set; back by the store, too."""
    server = new_server().start(ahead=0.0)
    async with limiting(server, new_store="start") as limiter:
        await limiter.pause(SEND, 0.0)
    async with limiting(server, new_store="wait") as limiter:
        last = await fill(limiter)
        server.set_clock(step)
        assert await take(limiter) - last >= PER + LONGEST
    said = [each for each in caplog.records if "redis: its clock was set by " in each.getMessage()]
    # What the store has not noticed of it the client notices, too.
    assert len(said) == 1 or (step < 0 and not said)
    assert all(each.levelno == logging.WARNING for each in said)


async def test_a_store_on_disk_is_none_for_tests(new_server: Serve, tmp_path: Path) -> None:
    """What a test's server is started with leaves nothing behind."""
    server = new_server().start()
    server.do("SET", "key", "value")
    server.kill()
    server.start()
    assert server.do("GET", "key") is None
    assert tmp_path in server.folder.parents
