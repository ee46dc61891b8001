"""RedisLimiter on a real server: several limiters share a limit as several processes do."""

import gc
from collections.abc import Callable
from functools import partial
from random import Random
from time import monotonic
from typing import Any

import anyio
import coredis
import pytest
import redis.asyncio

from tests.docs.limit_traces import PAGE
from tests.limits.conftest import Serve
from tests.support.examples import FENCED
from tests.support.samples import API_KEY, CONTENT, NUMBER, REMITTER
from tests.support.valkey import do, free_port, opened
from ziett_async import (
    AsyncZiett,
    Bucket,
    ConfigurationError,
    Limiter,
    Priority,
    Rate,
    TokenBucketLimiter,
)
from ziett_async.emulator import Emulator
from ziett_async.limits.redis import RedisLimiter, Share
from ziett_async.testing import FakeTransport, FakeZiett

pytestmark = [
    pytest.mark.anyio,
    # coredis leaves its own streams open where a call of it is cancelled, and in a cluster.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

#: Its types say little.
asynchronous_cluster: Any = redis.asyncio.RedisCluster

#: A loop, and a library for it.
LIBRARIES = ["asyncio-coredis", "trio-coredis", "asyncio-redis"]
SEND = Bucket.SEND


@pytest.fixture(params=LIBRARIES)
def way(request: pytest.FixtureRequest) -> str:
    """Test each library on each event loop that it runs on."""
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    """Return the event loop."""
    return way.partition("-")[0]


@pytest.fixture
def library(way: str) -> str:
    """Return the library."""
    return way.partition("-")[2]


Make = Callable[..., Limiter]


@pytest.fixture
def process(store: object, account: str) -> Make:
    """Make a limiter as one more process would: `process(send=Rate(3, per=0.5))`."""

    def make(**settings: Any) -> Limiter:  # noqa: ANN401 - RedisLimiter's
        given: dict[str, Any] = {"new_store": "start", "longest_attempt": 1.0} | settings
        return RedisLimiter(store, **given).for_account(account)

    return make


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


async def test_no_window_of_all_together_has_more_than_the_limit(process: Make) -> None:
    """And they use it, in several windows."""
    limiters = [process(send=Rate(8, per=0.4)) for _ in range(4)]
    starts = await saturate(limiters, 1.3)
    assert worst_window(starts, 0.4) == 8
    assert 24 <= len(starts) <= 36


@pytest.mark.naive("A limit shared by processes", "a limiter for each sees a part of the attempts")
async def test_a_limiter_for_each_process_does_not_hold_it() -> None:
    """The naive design fails the same test."""
    limiters: list[Limiter] = [TokenBucketLimiter(send=Rate(8, per=0.4)) for _ in range(4)]
    assert worst_window(await saturate(limiters, 0.3), 0.4) == 32


async def test_two_rates_hold_together(process: Make) -> None:
    """In the windows of both."""
    limiters = [process(send=(Rate(6, per=0.5), Rate(2, per=0.1))) for _ in range(3)]
    starts = await saturate(limiters, 1.1)
    assert worst_window(starts, 0.5) == 6
    assert worst_window(starts, 0.1) == 2


async def test_a_permit_costs_one_round_trip_and_its_release_another(
    new_server: Serve, library: str
) -> None:
    """Once the script is loaded; where the server has lost it, it is loaded once."""
    server = new_server().start()
    async with opened(library, server.url) as client:
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


async def test_first_come_first_served(process: Make) -> None:
    """Within a process, though each has to ask over a network."""
    limiter, order = process(send=Rate(3, per=0.1)), list[int]()

    async def call(number: int) -> None:
        await take(limiter)
        order.append(number)

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(call, number)
            await anyio.sleep(0.002)
    assert order == list(range(10))


async def test_urgent_calls_of_any_process_go_before_bulk(process: Make) -> None:
    """Also before bulk calls that have waited for longer."""
    bulk, urgent = (process(send=Rate(2, per=0.6), reserve=0.0) for _ in range(2))
    order = list[str]()

    async def call(limiter: Limiter, priority: Priority) -> None:
        await take(limiter, priority=priority)
        order.append(priority)

    await take(bulk)
    await anyio.sleep(0.3)
    await take(bulk)
    async with anyio.create_task_group() as group:
        group.start_soon(call, bulk, Priority.BULK)
        await anyio.sleep(0.05)
        group.start_soon(call, urgent, Priority.URGENT)
    assert order == ["urgent", "bulk"]


async def test_bulk_calls_leave_the_reserve(process: Make) -> None:
    """Of all processes together, to the urgent calls of any."""
    bulk, urgent = (process(send=Rate(5, per=9.0), reserve=0.2) for _ in range(2))
    for _ in range(4):
        await take(bulk, priority=Priority.BULK)
    with pytest.raises(TimeoutError):
        await take(urgent, priority=Priority.BULK, timeout=1.0)
    await take(urgent)


async def test_a_pause_holds_for_all(process: Make) -> None:
    """The server's 429 is about the account, whichever process got it."""
    paused, other = process(), process()
    await take(other)
    await paused.pause(SEND, 0.3)
    asked = monotonic()
    assert await take(other) - asked >= 0.29
    await paused.pause(SEND, 30.0)
    with pytest.raises(TimeoutError):
        await paused.acquire(SEND, timeout=1.0)


async def test_a_permit_that_comes_too_late_is_refused_at_once(process: Make) -> None:
    """As soon as the store has said when it comes; and its place is given up."""
    limiter = process(send=Rate(1, per=5.0))
    await take(limiter)
    asked = monotonic()
    with pytest.raises(TimeoutError):
        await limiter.acquire(SEND, timeout=2.0)
    assert monotonic() - asked < 1.0


async def test_a_call_with_enough_time_gets_its_permit(process: Make) -> None:
    """Behind others of its process, too."""
    limiter = process(send=Rate(1, per=0.2))
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(take, limiter)
        await anyio.sleep(0.01)
        await take(limiter, timeout=5.0)


async def test_a_cancelled_call_leaves_its_place_to_the_next(
    process: Make, store_url: str, account: str
) -> None:
    """The store never learns that it was another one; the last to leave takes the place back."""
    limiter, waiting = process(send=Rate(1, per=0.5)), f"ziett:{{{account}:send}}:waiting"
    await take(limiter)
    async with anyio.create_task_group() as group:
        first = anyio.CancelScope()

        async def call(scope: anyio.CancelScope) -> None:
            with scope:
                await take(limiter)

        group.start_soon(call, first)
        await anyio.sleep(0.05)
        second = anyio.CancelScope()
        group.start_soon(call, second)
        await anyio.sleep(0.05)
        place = do(store_url, "ZRANGE", waiting, 0, -1)
        assert len(place) == 1
        first.cancel()
        await anyio.sleep(0.05)
        assert do(store_url, "ZRANGE", waiting, 0, -1) == place
        second.cancel()
    assert do(store_url, "ZCARD", waiting) == 0


async def test_a_storm_of_cancelled_calls_loses_no_permit(process: Make) -> None:
    """Whenever they are cancelled, also while an answer is on its way."""
    limiter, random = process(send=Rate(5, per=0.2)), Random(7)  # noqa: S311 - the same each time

    async def call() -> None:
        with anyio.move_on_after(random.random() * 0.01):
            permit = await limiter.acquire(SEND)
            with anyio.CancelScope(shield=True):
                await permit.release()

    for _ in range(15):
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(call)
    await anyio.sleep(0.25)
    with anyio.fail_after(0.5):
        for _ in range(5):
            await limiter.acquire(SEND)
    with pytest.raises(TimeoutError):
        await limiter.acquire(SEND, timeout=0.05)


async def test_a_second_release_changes_nothing(process: Make) -> None:
    """As when the first one was cancelled by asyncio, and was carried out all the same."""
    limiter = process(send=Rate(2, per=0.2))
    first = await limiter.acquire(SEND)
    await first.release()
    await first.release()
    await take(limiter)
    asked = monotonic()
    assert 0.1 < await take(limiter) - asked < 0.4


async def test_clients_of_one_account_share_it_and_their_key_is_nowhere(
    store: object,
    store_url: str,
) -> None:
    """Through the client: by service and key, whose hash names what is in the store."""
    key = f"{API_KEY}-{id(store)}"
    limiter = RedisLimiter(store, send=Rate(2, per=0.3), new_store="start")
    fake = FakeZiett()

    def client(api_key: str) -> AsyncZiett:
        transport = FakeTransport(fake)
        return AsyncZiett(
            api_key, transport=transport, limiter=limiter, default_remitter_id=REMITTER
        )

    began = monotonic()
    async with client(key) as one, client(key) as two, client(f"{key}-2") as other:
        for each in (one, two, other):
            await each.send_message(NUMBER, content=CONTENT)
        assert monotonic() - began < 0.3
        await two.send_message(NUMBER, content=CONTENT)
        assert monotonic() - began >= 0.3
    names: list[str] = do(store_url, "KEYS", "*")
    assert names
    assert not [name for name in names if "zk_" in name]


async def test_attempts_must_not_last_longer_than_the_limiter_takes_them_to(store: object) -> None:
    """Else a permit might end before its attempt: the client is not built."""
    with pytest.raises(ConfigurationError, match=r"attempt_timeout: must be at most .* 15 seconds"):
        AsyncZiett(
            API_KEY,
            transport=FakeTransport(),
            limiter=RedisLimiter(store),
            attempt_timeout=15.5,
        )


async def test_used_by_itself_it_is_one_more_account(store: object) -> None:
    """Without a client a limiter has no key, and no account of its clients."""
    limiter = RedisLimiter(store, read=Rate(1, per=0.3), new_store="start", longest_attempt=1.0)
    await limiter.pause(Bucket.READ, 0.0)
    permit = await limiter.acquire(Bucket.READ, timeout=20.0)
    await permit.release()
    with pytest.raises(TimeoutError):
        await limiter.acquire(Bucket.READ, timeout=0.05)


async def test_wrong_arguments_are_refused_by_name(store: object) -> None:
    """When the limiter is made, before anything is asked of the store."""
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("store", {"store": object()}),
        ("store", {"store": type(store)}),
        ("store", {"store": redis.Redis()}),
        ("send", {"send": 5}),
        ("reserve", {"reserve": 1}),
        ("longest_attempt", {"longest_attempt": 0}),
        ("longest_attempt", {"longest_attempt": float("inf")}),
        ("new_store", {"new_store": "hope"}),
        ("on_failure", {"on_failure": "open"}),
    ]
    for name, given in wrong:
        arguments: dict[str, Any] = {"store": store} | given
        with pytest.raises(ValueError, match=f"^{name}: must be "):
            RedisLimiter(**arguments)


def test_a_share_is_a_part_of_a_rate() -> None:
    """Rounded down; less than one attempt takes longer instead."""
    assert Share(1, 5).of(Rate(120, per=60.0)) == Rate(24, per=60.0)
    assert Share(2, 7).of(Rate(10, per=60.0)) == Rate(2, per=60.0)
    assert Share(1, 20).of(Rate(10, per=60.0)) == Rate(1, per=120.0)
    for part, whole in ((0, 5), (6, 5), (1, 0), (1.0, 5)):
        wrong: Any = part
        with pytest.raises(ValueError, match=r"^Share: "):
            Share(wrong, whole)


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
async def test_the_example_of_the_page(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader copies it as it is; in a test it is sent to the emulator."""
    [program] = FENCED.findall(PAGE.read_text(encoding="utf-8"))
    namespace: dict[str, Any] = {}
    exec(compile(program, PAGE.name, "exec"), namespace)  # noqa: S102 - our own document
    with Emulator() as emulator:
        for name, value in {
            "REDIS_URL": store_url,
            "ZIETT_API_KEY": API_KEY,
            "ZIETT_BASE_URL": emulator.base_url,
            "ZIETT_REMITTER_ID": REMITTER,
        }.items():
            monkeypatch.setenv(name, value)
        namespace["RedisLimiter"] = partial(RedisLimiter, new_store="start")
        await namespace["main"]()
        assert len(emulator.service.messages) == 1
