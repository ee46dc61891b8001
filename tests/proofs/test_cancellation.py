"""A call cancelled at its k-th await, for every k: nothing left behind, nothing sent twice."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import anyio
import attrs
import pytest
import trio
from anyio.lowlevel import checkpoint

from tests.support.cancelling import Cancel, by_scope, by_task, in_waking
from tests.support.naive import KeyPerAttempt
from tests.support.samples import REMITTER
from ziett_async import (
    AsyncZiett,
    Bucket,
    Clock,
    ManualClock,
    Message,
    Rate,
    RetryPolicy,
    TokenBucketLimiter,
    Transport,
)
from ziett_async.emulator import Emulator
from ziett_async.testing import FakeTransport, FakeZiett, Fault
from ziett_async.transports._pool import PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx import HttpxTransport
from ziett_async.transports.httpx2 import Httpx2Transport

T = TypeVar("T")

KEY = "order-17"

#: What may happen to the first attempt.
FAULTS = [
    Fault.slow(0.0),
    Fault.lose_answer(),
    Fault.refuse(),
    Fault.reset(),
    Fault.truncate(3),
    Fault.garbage(),
    Fault.status(503),
]
#: What takes longer than a real clock should be kept waiting for.
SLOW_FAULTS = [
    Fault.stall(),
    Fault.stall(executes=False),
    Fault.slow(3.0),
    Fault.running(1.0),
    Fault.status(429, headers=(("retry-after", "2"),)),
]


def tasks() -> int:
    """Return how many tasks there are in this event loop."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return trio.lowlevel.current_statistics().tasks_living


def open_files() -> int:
    """Return how many file descriptors this process holds."""
    return len(list(Path("/dev/fd").iterdir()))


class Instants:
    """A clock for one task: a sleep is one await, and then its end."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        """Return the seconds slept so far."""
        return self._now

    def time(self) -> float:
        """Return the calendar's seconds."""
        return 1.8e9 + self._now

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Let the time pass; a sleep that is cancelled takes none."""
        await checkpoint()
        assert until is None or not until.is_set(), seconds
        self._now += seconds


class Call(Protocol):
    """One use of a client, which may be made again."""

    def __call__(self, client: AsyncZiett, /) -> Coroutine[Any, Any, object]:
        """Make it, and return what can be compared."""
        ...


async def send_message(client: AsyncZiett) -> UUID:
    """Send one message, always under the same key."""
    return (
        await client.send_message(
            "+244923456789", content="482910", remitter_id=REMITTER, idempotency_key=KEY
        )
    ).message_id


async def send_batch_campaign(client: AsyncZiett) -> UUID:
    """Send one campaign, always under the same key."""
    return (
        await client.send_batch_campaign(
            ["+244923456789", "+351912345678"],
            content="Olá",
            remitter_id=REMITTER,
            idempotency_key=KEY,
        )
    ).campaign_id


async def list_messages(client: AsyncZiett) -> tuple[UUID, ...]:
    """Read a page of two."""
    return tuple(message.id for message in (await client.list_messages(size=2)).entries)


async def iter_messages(client: AsyncZiett) -> tuple[UUID, ...]:
    """Read all of them, two to a page."""
    return tuple([message.id async for message in client.iter_messages(size=2)])


async def get_message(client: AsyncZiett) -> UUID:
    """Read the message that the list has last."""
    return (await client.get_message(UUID(int=7))).id


@attrs.frozen
class Run:
    """A service, a way to it and a client, with nothing under way."""

    fake: FakeZiett
    client: AsyncZiett
    limiter: TokenBucketLimiter

    async def check_nothing_is_left(self) -> None:
        """No call waits for a token, and every token is back."""
        for bucket in Bucket:
            permit = await self.limiter.acquire(bucket, timeout=11.0)
            await permit.release()
            limiter: Any = self.limiter
            tokens = limiter._queues[bucket].tokens
            tokens.take_back()
            assert tokens.in_flight == 0

    def check_one(self, result: object) -> None:
        """Whatever was sent was sent once, and is what the caller received."""
        sent = [row for row in self.fake.messages if row.idempotency_key]
        assert len(sent) + len(self.fake.campaigns) <= 1
        ids = [*(row.id for row in sent), *(row.id for row in self.fake.campaigns)]
        assert all(each == result for each in ids)

    def check_reads(self, call: Call, result: object) -> None:
        """Compare what was read with what there is."""
        newest_first = tuple(row.id for row in reversed(self.fake.messages))
        expected: dict[Call, object] = {
            list_messages: newest_first[:2],
            iter_messages: newest_first,
            get_message: UUID(int=7),
        }
        assert expected.get(call, result) == result


Open = Callable[[], AbstractAsyncContextManager[Run]]


async def prove(open_run: Open, call: Call, cancel: Cancel) -> int:
    """Cancel a call at its k-th await and make it again, for every k; return how many."""
    for at in range(1000):
        async with open_run() as run:
            is_interrupted = await cancel(call(run.client), at)
            await run.check_nothing_is_left()
            with anyio.fail_after(10):
                result = await call(run.client)
            await run.check_nothing_is_left()
            run.check_one(result)
            run.check_reads(call, result)
        if not is_interrupted:
            return at
    pytest.fail("it waits for ever")


def stocked(clock: Clock | None = None) -> FakeZiett:
    """Return a service with five messages, one of a known id."""
    fake = FakeZiett(clock=clock)
    for _ in range(4):
        fake.add_message()
    known = fake.add_message()
    fake.put(attrs.evolve(known, id=UUID(int=7)))
    fake.delete_message(known.id)
    return fake


@asynccontextmanager
async def in_memory(
    faults: Sequence[Fault], around: Callable[[Transport], Transport] = lambda inner: inner
) -> AsyncGenerator[Run]:
    """Open a run in which a call waits at the limiter, on the way, and between attempts."""
    before = tasks()
    clock = Instants()
    fake = stocked(clock)
    rate = Rate(1, per=10.0)
    limiter = TokenBucketLimiter(send=rate, list=rate, read=rate, batch=rate, clock=clock)
    for bucket in Bucket:
        permit = await limiter.acquire(bucket)
        await permit.release()
    fake.faults.add(*faults)
    transport = around(FakeTransport(fake, latency=0.25))
    async with AsyncZiett("zk_test_x", transport=transport, limiter=limiter, clock=clock) as client:
        yield Run(fake, client, limiter)
    assert tasks() == before


CALLS = pytest.mark.parametrize(
    "call", [send_message, send_batch_campaign, list_messages, iter_messages, get_message]
)
SENDS = pytest.mark.parametrize("call", [send_message, send_batch_campaign])
ANY_FAULT = pytest.mark.parametrize("fault", FAULTS + SLOW_FAULTS, ids=str)
NATIVELY = pytest.mark.parametrize("cancel", [by_task, in_waking])


@pytest.mark.fault("The caller cancels, at any await", send="nothing left, same key: same id")
@CALLS
@ANY_FAULT
@pytest.mark.anyio
async def test_a_cancelled_call_is_made_again_in_memory(call: Call, fault: Fault) -> None:
    """Whatever goes wrong besides, a scope that is cancelled at any await leaves nothing."""
    assert await prove(partial(in_memory, [fault]), call, by_scope) >= 3


@CALLS
@ANY_FAULT
@NATIVELY
def test_a_cancelled_task_is_made_again_in_memory(call: Call, fault: Fault, cancel: Cancel) -> None:
    """A task of asyncio may even be cancelled in the moment it is given what it waits for."""
    assert asyncio.run(_counted(prove(partial(in_memory, [fault]), call, cancel))) >= 3


async def _counted(work: Awaitable[int]) -> int:
    return await work


@pytest.mark.naive("A key made for each attempt", "two messages for one lost answer")
@SENDS
@pytest.mark.anyio
async def test_a_key_per_attempt_sends_twice(call: Call) -> None:
    """The naive client fails the same proof, with nothing wrong but the cancellation."""
    with pytest.raises(AssertionError):
        await prove(partial(in_memory, [], KeyPerAttempt), call, by_scope)


@pytest.mark.promise("First come, first served; a cancelled waiter loses nothing")
@SENDS
@pytest.mark.anyio
async def test_those_who_wait_behind_a_cancelled_call_are_served(call: Call) -> None:
    """At whichever await the first is cancelled, the others get their turns, in order."""
    for at in range(1000):
        clock = ManualClock()
        fake, rate = FakeZiett(clock=clock), Rate(1, per=10.0)
        limiter = TokenBucketLimiter(send=rate, batch=rate, clock=clock)
        others = list[str]()

        async def wait(client: AsyncZiett, name: str, others: list[str] = others) -> None:
            await client.send_message(
                "+244923456789", content=name, remitter_id=REMITTER, idempotency_key=name
            )
            others.append(name)

        transport = FakeTransport(fake, latency=0.25)
        async with AsyncZiett("zk_test_x", transport=transport, limiter=limiter) as client:
            await wait(client, "before")
            is_interrupted = list[bool]()

            async def first(
                client: AsyncZiett = client,
                found: list[bool] = is_interrupted,
                at: int = at,
            ) -> None:
                found.append(await by_scope(call(client), at))

            async with anyio.create_task_group() as group:
                group.start_soon(first)
                for name in ("second", "third"):
                    await checkpoint()
                    group.start_soon(wait, client, name)
            await Run(fake, client, limiter).check_nothing_is_left()
            result = await call(client)
        assert others == ["before", "second", "third"]
        mine = [row.id for row in fake.messages if row.idempotency_key == KEY]
        assert [*mine, *(row.id for row in fake.campaigns)] == [result]
        assert clock.monotonic() < 60
        if not is_interrupted[0]:
            return


@pytest.mark.fault("The caller cancels, at any await", read="nothing left")
@pytest.mark.anyio
async def test_a_cancelled_loop_goes_on() -> None:
    """A step of a loop that is cancelled at any await is taken again: all come, none twice."""
    for at in range(1000):
        async with in_memory([Fault.status(503), Fault.truncate(9)]) as run:
            messages, seen = aiter(run.client.iter_messages(size=2)), list[UUID]()

            async def collect(
                messages: AsyncIterator[Message] = messages, seen: list[UUID] = seen
            ) -> None:
                async for message in messages:
                    seen.append(message.id)  # noqa: PERF401 - what was seen before counts

            is_interrupted = await by_scope(collect(), at)
            await run.check_nothing_is_left()
            await collect()
            assert seen == [row.id for row in reversed(run.fake.messages)]
        if not is_interrupted:
            return


TRANSPORTS = pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])


@asynccontextmanager
async def on_a_socket(
    kind: type[PooledTransport], faults: Sequence[Fault], *, warm: bool
) -> AsyncGenerator[Run]:
    """Open a run with a real connection, which may have been used before."""
    fake = stocked()
    limiter = TokenBucketLimiter()
    async with Emulator(fake) as emulator:
        await checkpoint()
        before = tasks(), open_files()
        transport = kind(max_connections=1)
        async with AsyncZiett(
            "zk_test_x",
            base_url=emulator.base_url,
            transport=transport,
            limiter=limiter,
            retry=RetryPolicy(base=0.0),
        ) as client:
            if warm:
                await get_message(client)
            fake.faults.add(*faults)
            yield Run(fake, client, limiter)
        with anyio.fail_after(10):
            while (tasks(), open_files()) != before:  # the server's ends close in their time
                await checkpoint()


@pytest.mark.fault("The caller cancels, at any await", send="nothing left, same key: same id")
@TRANSPORTS
@pytest.mark.parametrize("call", [send_message, get_message])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.anyio
async def test_a_cancelled_call_is_made_again_on_a_socket(
    kind: type[PooledTransport], call: Call, fault: Fault
) -> None:
    """From before it connects until its answer is whole, on a new connection and a used one."""
    for warm in (False, True):
        assert await prove(partial(on_a_socket, kind, [fault], warm=warm), call, by_scope) >= 1


@TRANSPORTS
@NATIVELY
@pytest.mark.parametrize("call", [send_message, get_message])
@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[1]], ids=str)
def test_a_cancelled_task_is_made_again_on_a_socket(
    kind: type[PooledTransport], call: Call, fault: Fault, cancel: Cancel
) -> None:
    """The moment of being given a connection, where httpx loses it, is one of them."""
    for warm in (False, True):
        open_run = partial(on_a_socket, kind, [fault], warm=warm)
        assert asyncio.run(_counted(prove(open_run, call, cancel))) >= 1
