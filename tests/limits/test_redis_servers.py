"""What becomes of RedisLimiter when its server fails as no other store does."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.limits._attempts import SEND, take
from tests.limits._failures import LIMIT, LONGEST, PER, Open, fill
from tests.limits.conftest import Serve
from tests.support.valkey import StoreServer, opened
from ziett_async import LimiterUnavailable, Rate
from ziett_async.limits.distributed._bucket import COOL_DOWN
from ziett_async.limits.distributed._store import START_WITHIN
from ziett_async.limits.redis import RedisLimiter

pytestmark = [
    pytest.mark.anyio,
    # coredis leaves its own streams open where a connection breaks.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]


@pytest.fixture(params=["asyncio-redis", "trio-coredis"])
def way(request: pytest.FixtureRequest) -> str:
    """Test both libraries, and both event loops."""
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    """Return the event loop."""
    return way.partition("-")[0]


async def test_a_late_answer_is_asked_for_again(new_server: Serve, limiting: Open) -> None:
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


@pytest.mark.parametrize("way", ["trio-coredis"])
async def test_a_key_that_was_evicted_is_noticed(new_server: Serve, limiting: Open) -> None:
    """Nothing starts until all that may have been lost is out of every window."""
    server = new_server().start()
    async with limiting(server, new_store="start") as limiter:
        last = await fill(limiter)
    async with limiting(server, new_store="wait") as limiter:
        evict(server)
        assert await take(limiter) - last >= PER + LONGEST
        await fill(limiter)


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
        settings: dict[str, Any] = {"send": Rate(LIMIT, per=PER), "longest_attempt": LONGEST}
        limiter = RedisLimiter(client, new_store="start", **settings).for_account("a")
        await fill(limiter)
        last = await take(limiter)
        server.do("FLUSHALL")
        limiter = RedisLimiter(client, new_store="wait", **settings).for_account("a")
        assert await take(limiter) - last >= PER + LONGEST
    said = [each.getMessage() for each in caplog.records if "INFO" in each.getMessage()]
    assert len(said) == 2
    assert "redis: INFO is not permitted" in said[0]


async def test_a_store_on_disk_is_none_for_tests(new_server: Serve, tmp_path: Path) -> None:
    """What a test's server is started with leaves nothing behind."""
    server = new_server().start()
    server.do("SET", "key", "value")
    server.kill()
    server.start()
    assert server.do("GET", "key") is None
    assert tmp_path in server.folder.parents
