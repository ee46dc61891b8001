"""What becomes of a shared limit when its store fails: each failure happens to a real server."""

import logging
from collections.abc import Callable
from time import monotonic

import anyio
import pytest

from tests.limits._attempts import SEND, take
from tests.limits._failures import LIMIT, LONGEST, PER, Open, fill
from tests.support.faketime import needs_faketime
from tests.support.stores import Server, held
from ziett_async import LimiterUnavailable, Rate
from ziett_async.limits.distributed._bucket import ANSWER_WITHIN, COOL_DOWN
from ziett_async.limits.distributed._store import START_WITHIN
from ziett_async.limits.redis import Share

pytestmark = [
    pytest.mark.anyio,
    # coredis leaves its own streams open where a connection breaks.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

WAYS = ["asyncio-redis", "trio-coredis", "asyncio-postgres", "trio-postgres"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Test each store, and both event loops."""
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    """Return the event loop."""
    return way.partition("-")[0]


async def test_an_unreachable_store_fails_closed(server: Server, limiting: Open) -> None:
    """In bounded time, with what went wrong and no address; then at once, for a second."""
    server.start()
    async with limiting(server) as limiter:
        await take(limiter)
        server.kill()
        asked = monotonic()
        with pytest.raises(LimiterUnavailable, match=r"(redis|postgres): \w*Error, for 2 seconds"):
            await limiter.acquire(SEND)
        failed = monotonic()
        assert failed - asked < ANSWER_WITHIN + 5.0
        with pytest.raises(LimiterUnavailable):
            await limiter.acquire(SEND)
        assert monotonic() - failed < ANSWER_WITHIN
        server.start()
        await anyio.sleep(COOL_DOWN)
        await take(limiter)


@pytest.mark.parametrize("way", ["trio-coredis", "asyncio-postgres", "trio-postgres"])
async def test_a_frozen_store_holds_no_call_for_long(server: Server, limiting: Open) -> None:
    """All calls that wait fail together; it goes on where it was, without a restart of ours."""
    server.start()
    async with limiting(server) as limiter:
        held = await limiter.acquire(SEND)
        server.freeze()
        asked, failed = monotonic(), list[float]()

        async def call() -> None:
            with pytest.raises(LimiterUnavailable, match=r"no answer|TimeoutError"):
                await limiter.acquire(SEND)
            failed.append(monotonic() - asked)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(call)
        assert len(failed) == 5
        assert max(failed) < ANSWER_WITHIN + 5.0
        with pytest.raises(LimiterUnavailable):
            await held.release()
        server.thaw()
        await anyio.sleep(COOL_DOWN)
        await take(limiter)


async def test_a_deadline_ends_a_call_before_the_store_does(server: Server, limiting: Open) -> None:
    """The call's time is what its caller gave it."""
    server.start()
    async with limiting(server) as limiter:
        await take(limiter)
        server.freeze()
        asked = monotonic()
        with pytest.raises(TimeoutError):
            await limiter.acquire(SEND, timeout=0.2)
        assert monotonic() - asked < ANSWER_WITHIN
        server.thaw()


async def test_a_late_answer_is_not_used(server: Server, limiting: Open) -> None:
    """Its permit may be old: it is asked for again, and lasts from then on."""
    server.start()
    async with limiting(server) as limiter:
        await take(limiter)
        server.freeze()
        async with anyio.create_task_group() as group:
            group.start_soon(take, limiter)
            await anyio.sleep(START_WITHIN + 0.2)
            server.thaw()
    assert held(server.url, "a:send") == []


@pytest.mark.parametrize("way", ["asyncio-redis", "trio-postgres"])
async def test_a_share_of_the_limit_without_the_store(
    server: Server, limiting: Open, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """The process goes on at its part of the rate; with the store it has all of it again.

    Each of the two is one warning, however many calls there are.
    """
    server.start()
    async with limiting(server, on_failure=Share(1, 3)) as limiter:
        await fill(limiter)
        assert _warnings(caplog) == []
        server.kill()
        await limiter.acquire(SEND)
        with pytest.raises(TimeoutError):
            await limiter.acquire(SEND, timeout=PER / 2)
        [begin] = _warnings(caplog)
        assert begin.endswith(", send attempts of this process have 1/3 of the limit")
        with pytest.raises(LimiterUnavailable):
            await limiter.pause(SEND, PER)
        server.start()
        await anyio.sleep(COOL_DOWN)
        # The share would not do: its only token is held.
        with anyio.fail_after(20):
            await fill(limiter)
    name = way.partition("-")[2].replace("coredis", "redis")
    end = f"{name}: it grants permits again, and send attempts have the whole limit"
    assert _warnings(caplog) == [begin, end]


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings of the package."""
    records = [each for each in caplog.records if each.name == "ziett_async"]
    return [each.getMessage() for each in records if each.levelno == logging.WARNING]


def restart(server: Server) -> None:
    """Kill it."""
    server.kill()
    server.start()


def stop_and_restart(server: Server) -> None:
    """Shut it down with all that it has."""
    server.stop()
    server.start()


FORGETTING: dict[str, Callable[[Server], object]] = {
    "killed and empty": restart,
    "stopped, with what was on disk": stop_and_restart,
    "emptied": lambda server: server.empty(),
}


@pytest.mark.parametrize("name", FORGETTING)
@pytest.mark.parametrize("way", ["trio-coredis", "asyncio-postgres"])
async def test_a_store_that_forgot_is_in_quarantine(
    server: Server, limiting: Open, name: str
) -> None:
    """Nothing starts until all that it may have forgotten is out of every window."""
    server.start()
    async with limiting(server, new_store="start") as limiter:
        last = await fill(limiter)
    async with limiting(server, new_store="wait") as limiter:
        FORGETTING[name](server)
        assert await take(limiter) - last >= PER + LONGEST
        await fill(limiter)


@pytest.mark.naive("A store that forgot", "believed at once, it grants what was used already")
async def test_a_new_store_that_is_trusted_breaks_the_limit(server: Server, limiting: Open) -> None:
    """What `new_store="start"` risks: the whole limit again in the same window."""
    server.start()
    rate = Rate(LIMIT, per=3.0)
    async with limiting(server, new_store="start", send=rate) as limiter:
        last = await fill(limiter)
        server.empty()
        assert await take(limiter) - last < rate.per


@needs_faketime
@pytest.mark.parametrize("step", [20.0, -20.0])
@pytest.mark.parametrize("way", ["asyncio-redis", "trio-postgres"])
async def test_a_clock_that_is_set_is_noticed(
    server: Server, limiting: Open, step: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Forward by the client, which has a clock that cannot be set; back by the store, too."""
    server.start(ahead=0.0)
    async with limiting(server, new_store="start") as limiter:
        await limiter.pause(SEND, 0.0)
    async with limiting(server, new_store="wait") as limiter:
        last = await fill(limiter)
        server.clock.set(step)
        assert await take(limiter) - last >= PER + LONGEST
    said = [each for each in caplog.records if ": its clock was set by " in each.getMessage()]
    # What the store has not noticed of it the client notices, too.
    assert len(said) == 1 or (step < 0 and not said)
    assert all(each.levelno == logging.WARNING for each in said)
