"""The caller has had enough: at its k-th await for every k, and twenty callers in a storm.

`tests/proofs` goes further: every kind of call and of fault, and the cancellations that only
asyncio has. Here the same invariants as for every other row are checked, TLS included.
"""

import random
from contextlib import suppress
from typing import Literal

import anyio
import anyio.lowlevel
import pytest

from tests.support.cancelling import MANY, at_every_await
from tests.support.fault_runs import SOCKETS, WAYS, Open, Run, Setting, Way
from tests.support.fault_server import Mishap
from ziett_async.testing import Fault

pytestmark = pytest.mark.anyio


async def cancel_sends(run: Run, *mishaps: Mishap) -> None:
    """Cancel sends at every await; the same key must then give one message."""
    numbers = [run.number() for _ in range(MANY)]

    async def send(turn: int) -> None:
        # A cancelled call may not get to the script.
        with suppress(AssertionError), run.script(*mishaps):
            await run.send(key=f"order-{turn}", number=numbers[turn])

    async def again(turn: int) -> None:
        run.forget_script()
        first = await run.send(key=f"order-{turn}", number=numbers[turn])
        second = await run.send(key=f"order-{turn}", number=numbers[turn])
        assert first.message_id == second.message_id
        assert len(run.fake.inbox(numbers[turn])) == 1

    # On a kept connection aiohttp has but one.
    assert await at_every_await(send, again) >= 1


@pytest.mark.fault("The caller cancels, at any await", send="nothing left, same key: same id")
@pytest.mark.parametrize("mishap", [None, Fault.lose_answer(), Fault.status(503)])
@pytest.mark.parametrize("way", WAYS)
async def test_a_cancelled_send(run_over: Open, way: Way, mishap: Fault | None) -> None:
    """Cancelled at any await a send leaves nothing, and its key gives one message."""
    limits = {"send": (10_000, 60.0), "list": (10_000, 60.0), "read": (10_000, 60.0)}
    async with run_over(way, Setting(limits=limits)) as run:
        await cancel_sends(run, *([mishap] if mishap else []))


@pytest.mark.fault("The caller cancels, at any await", send="nothing left, same key: same id")
@pytest.mark.parametrize("way", SOCKETS)
async def test_a_cancelled_send_over_tls(run_over: Open, way: Way) -> None:
    """Cancelled at any await of a handshake or after it, a send leaves no connection."""
    limits = {"send": (10_000, 60.0)}
    async with run_over(way, Setting(tls="trusted", limits=limits)) as run:
        numbers = [run.number() for _ in range(MANY)]

        async def send(turn: int) -> None:
            await run.drop_connections()
            await run.send(key=f"order-{turn}", number=numbers[turn])

        async def again(turn: int) -> None:
            await run.send(key=f"order-{turn}", number=numbers[turn])

        await at_every_await(send, again)


@pytest.mark.fault("The caller cancels, at any await", read="nothing left")
@pytest.mark.parametrize("way", WAYS)
async def test_a_cancelled_read(run_over: Open, way: Way) -> None:
    """Cancelled at any await a read leaves nothing, and works the next time."""
    limits = {"send": (10_000, 60.0), "list": (10_000, 60.0), "read": (10_000, 60.0)}
    async with run_over(way, Setting(limits=limits)) as run:
        rows = run.stock()

        async def walk(_: int) -> None:
            await run.walk()

        async def again(_: int) -> None:
            assert await run.walk() == rows

        assert await at_every_await(walk, again) >= 1


@pytest.mark.fault(
    "20 tasks cancelled at random on a small pool",
    send="every later call works",
    read="every later call works",
)
@pytest.mark.parametrize("kind", ["send", "get"])
@pytest.mark.parametrize("way", SOCKETS)
async def test_a_storm(run_over: Open, way: Way, kind: Literal["send", "get"]) -> None:
    """Twenty callers who give up at random on three connections: every later call works."""
    limits = {"send": (100_000, 60.0), "list": (100_000, 60.0), "read": (100_000, 60.0)}
    dice = random.Random(7)  # noqa: S311 - no secret
    async with run_over(way, Setting(max_connections=3, limits=limits)) as run:
        run.stock()
        call = run.send if kind == "send" else run.get

        async def give_up() -> None:
            while True:
                with anyio.move_on_after(dice.random() * 0.01):
                    await call()
                await anyio.lowlevel.checkpoint()

        with anyio.move_on_after(0.3):
            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(give_up)
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(call)
