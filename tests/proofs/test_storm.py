"""A storm of cancellations on a small pool, after which every call works; and what does not."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from uuid import UUID

import anyio
import httpx
import pytest
import trio
from anyio.lowlevel import checkpoint

from tests.support.samples import REMITTER
from ziett_async import AsyncZiett, Request, SystemClock, Unlimited
from ziett_async.emulator._server import Emulator
from ziett_async.testing import FakeZiett
from ziett_async.transports._pool import PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx import HttpxTransport
from ziett_async.transports.httpx2 import Httpx2Transport

pytestmark = pytest.mark.anyio

#: Connections, for twenty tasks.
POOL = 3
#: Seconds.
STORM = 2.0

#: Something that a task of the storm does over and over, each time with another name.
Act = Callable[[str], Awaitable[object]]


#: Acts under a name, and gives up after so many seconds.
GiveUp = Callable[[Act, str, float], Awaitable[None]]


async def as_a_scope(act: Act, name: str, seconds: float) -> None:
    """Cancel as anyio and trio do."""
    with anyio.move_on_after(seconds):
        await act(name)


async def as_a_task(act: Act, name: str, seconds: float) -> None:
    """Cancel as asyncio does: what is shielded from a scope is not shielded from that."""
    task = asyncio.ensure_future(act(name))
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([task])
    if not task.cancelled():
        task.result()


async def storm(
    act: Act, seed: int, seconds: float = STORM, give_up: GiveUp = as_a_scope
) -> list[str]:
    """Let twenty tasks act, each cancelled at any time; return the names of what they did."""
    random, names = Random(seed), list[str]()  # noqa: S311 - repeatable is what it has to be

    async def task(number: int) -> None:
        while True:
            names.append(f"{seed}-{number}-{len(names)}")
            await give_up(act, names[-1], random.expovariate(250.0))
            await checkpoint()

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(task, number)
    return names


async def check_every_later_call_works(act: Act) -> None:
    """Act on all connections at once, several times over, in far less than a pool's timeout."""
    failures = list[Exception]()

    async def task(name: str) -> None:
        try:
            await act(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a call that failed
            failures.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for number in range(10 * POOL):
                tasks.start_soon(task, f"later-{number}")
    assert not failures


def tasks_and_files() -> tuple[int, int]:
    """Return how many tasks there are in this event loop, and files in this process."""
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:
        tasks = trio.lowlevel.current_statistics().tasks_living
    return tasks, len(list(Path("/dev/fd").iterdir()))


@asynccontextmanager
async def served() -> AsyncGenerator[Emulator]:
    """Serve a service without limits, and see to it that nothing of its clients is left."""
    fake = FakeZiett(clock=SystemClock(), limits={}, delivery=None)
    async with Emulator(fake) as emulator:
        await checkpoint()
        before = tasks_and_files()
        yield emulator
        with anyio.fail_after(5):
            while tasks_and_files() != before:  # the server's ends close in their time
                await checkpoint()


@pytest.mark.fault("20 tasks cancelled at random on a small pool", send="every later call works")
@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
async def test_after_a_storm_every_call_works(kind: type[PooledTransport]) -> None:
    """No connection is lost, no message sent twice, no task and no file descriptor left."""
    async with served() as emulator:
        transport = kind(max_connections=POOL)
        async with AsyncZiett(
            "zk_test_x",
            base_url=emulator.base_url,
            transport=transport,
            limiter=Unlimited(),
        ) as client:

            async def send(key: str) -> UUID:
                accepted = await client.send_message(
                    "+244923456789", content=key, remitter_id=REMITTER, idempotency_key=key
                )
                return accepted.message_id

            names = await storm(send, seed=7)
            await check_every_later_call_works(send)
            fake = emulator.service
            sent = {row.idempotency_key: row.id for row in fake.messages}
            assert len(sent) == len(fake.messages)
            cancelled = (
                sorted(set(names) - sent.keys())[:20] + sorted(set(names) & sent.keys())[:20]
            )
            ids = {name: await send(name) for name in cancelled}
        sent = {row.idempotency_key: row.id for row in fake.messages}
        assert len(sent) == len(fake.messages)
        assert all(sent[name] == ids[name] for name in ids)
        assert len(names) > 20 * POOL


async def read_in_a_storm(kind: type[PooledTransport], give_up: GiveUp, seconds: float) -> None:
    """Read in a storm with the transport alone, and check that it is well afterwards."""
    async with served() as emulator:
        transport = kind(max_connections=POOL)
        headers = (("x-api-key", "zk_test_x"),)

        async def read(_: str) -> None:
            url = f"{emulator.base_url}/messages?size=1"
            assert (await transport.send(Request("GET", url, headers, b"", 2.0))).status == 200

        await storm(read, 11, seconds, give_up)
        await check_every_later_call_works(read)
        await transport.aclose()


@pytest.mark.fault("20 tasks cancelled at random on a small pool", read="every later call works")
async def test_a_storm_on_one_request_after_another() -> None:
    """The transport alone, with reads, works afterwards as before."""
    await read_in_a_storm(HttpxTransport, as_a_scope, STORM / 2)


@pytest.mark.fault("20 tasks cancelled at random on a small pool", read="every later call works")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
async def test_a_storm_of_cancelled_tasks(kind: type[PooledTransport]) -> None:
    """It is as well after a storm in which asyncio's tasks are cancelled, shields or not."""
    await read_in_a_storm(kind, as_a_task, STORM)


async def lose_connections(give_up: GiveUp, callers: int = 20) -> None:
    """Read through httpx's own pool in storms until no call works; fail if it never comes to that.

    At most so many `callers` are let into the pool at once.
    """
    async with Emulator(FakeZiett(clock=SystemClock(), limits={})) as emulator:
        limits, timeout = httpx.Limits(max_connections=POOL), httpx.Timeout(5.0, pool=0.2)
        headers, guard = {"x-api-key": "zk_test_x"}, anyio.Semaphore(callers)
        async with httpx.AsyncClient(limits=limits, timeout=timeout, headers=headers) as client:

            async def read(_: str) -> None:
                async with guard:
                    await client.get(f"{emulator.base_url}/messages?size=1")

            async def weather() -> None:
                for seed in range(100):
                    await storm(read, seed, 0.25, give_up)
                    await read("after the storm")

            with anyio.fail_after(10), pytest.raises(httpx.PoolTimeout):
                await weather()
            with pytest.raises(AssertionError):
                await check_every_later_call_works(read)


@pytest.mark.naive("The pool of httpx 0.28 in a storm", "every call ends in `PoolTimeout`")
async def test_httpx_as_it_is_loses_its_connections() -> None:
    """After a few such storms on httpx 0.28's own pool every call ends in `PoolTimeout`."""
    await lose_connections(as_a_scope)


@pytest.mark.naive(
    "The same behind a semaphore of the pool's size", "the same where asyncio's tasks are cancelled"
)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_httpx_behind_a_semaphore_loses_its_connections() -> None:
    """It does not help to let in no more callers than the pool has connections."""
    await lose_connections(as_a_task, callers=POOL)
