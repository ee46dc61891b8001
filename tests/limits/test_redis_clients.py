"""RedisLimiter and the clients of its store: what it costs them, a cluster, its page."""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import coredis
import pytest
import redis.asyncio

from tests.docs.limit_traces import PAGE
from tests.limits._attempts import saturate, take
from tests.limits.conftest import Serve
from tests.support.examples import FENCED
from tests.support.samples import API_KEY, REMITTER
from tests.support.valkey import do, free_port, opened
from ziett_async import Rate
from ziett_async.emulator import Emulator
from ziett_async.limits.redis import RedisLimiter

pytestmark = [
    pytest.mark.anyio,
    # coredis leaves its own streams open where a call of it is cancelled, and in a cluster.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

#: Its types say little.
asynchronous_cluster: Any = redis.asyncio.RedisCluster


@pytest.fixture(params=["asyncio-coredis", "trio-coredis", "asyncio-redis"])
def way(request: pytest.FixtureRequest) -> str:
    """Test each library on each event loop that it runs on."""
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    """Return the event loop."""
    return way.partition("-")[0]


async def test_a_permit_costs_one_round_trip_and_its_release_another(
    new_server: Serve, way: str
) -> None:
    """Once the script is loaded; where the server has lost it, it is loaded once."""
    server = new_server().start()
    async with opened(way.partition("-")[2], server.url) as client:
        limiter = RedisLimiter(client, new_store="start")
        await take(limiter)
        for flushes, calls in ((False, 2), (True, 3), (False, 2)):
            if flushes:
                server.do("SCRIPT", "FLUSH")
            before = commands(server.url)
            await take(limiter)
            assert commands(server.url) - before == calls


def commands(url: str) -> int:
    """Return how many scripts a server was asked to run."""
    stats: dict[str, dict[str, int]] = do(url, "INFO", "commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


async def test_a_store_that_is_no_client_is_refused(valkey_url: str, way: str) -> None:
    """When the limiter is made; as is its class, and a client that is not asynchronous."""
    async with opened(way.partition("-")[2], valkey_url) as client:
        stores = cast("list[object]", [object(), type(client), redis.Redis()])
        for wrong in stores:
            with pytest.raises(ValueError, match=r"^store: must be a client of "):
                RedisLimiter(wrong)


CLUSTER: dict[str, Callable[[int], Any]] = {
    "trio-coredis": lambda port: coredis.RedisCluster("127.0.0.1", port),
    "asyncio-redis": lambda port: asynchronous_cluster("127.0.0.1", port),
}


@pytest.mark.parametrize("way", ["trio-coredis", "asyncio-redis"])
async def test_a_cluster(new_server: Serve, way: str) -> None:
    """All keys of a bucket are in one slot, and a script that a node lacks is loaded there."""
    # Its second port would be 10,000 above the first, where the system gives ports away.
    bus = str(free_port())
    server = new_server("--cluster-enabled", "yes", "--cluster-port", bus).start()
    server.become_cluster()
    async with CLUSTER[way](server.port) as client:
        limiter = RedisLimiter(client, send=Rate(2, per=0.3), new_store="start", longest_attempt=1)
        starts = await saturate([limiter.for_account(name) for name in "aabb"], 0.5)
    assert 8 <= len(starts) <= 12
    gc.collect()


@pytest.mark.parametrize("way", ["asyncio-coredis", "trio-coredis"])
async def test_the_example_of_the_page(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader copies it as it is; in a test it is sent to the emulator."""
    [program, _] = FENCED.findall(PAGE.read_text(encoding="utf-8"))
    namespace: dict[str, Any] = {}
    exec(compile(program, PAGE.name, "exec"), namespace)  # noqa: S102 - our own document
    with Emulator() as emulator:
        for name, value in {
            "REDIS_URL": valkey_url,
            "ZIETT_API_KEY": API_KEY,
            "ZIETT_BASE_URL": emulator.base_url,
            "ZIETT_REMITTER_ID": REMITTER,
        }.items():
            monkeypatch.setenv(name, value)
        namespace["RedisLimiter"] = partial(RedisLimiter, new_store="start")
        await namespace["main"]()
        assert len(emulator.service.messages) == 1
