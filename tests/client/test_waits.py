"""Closing a client: what waits ends at once, and takes nothing from the limit."""

import asyncio
import threading

import anyio
import attrs
import pytest

from tests.support.samples import API_KEY, CONTENT, NUMBER, REMITTER
from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    Bucket,
    Limiter,
    NotSent,
    OutcomeUnknown,
    Permit,
    Priority,
    Rate,
    RetryPolicy,
    TokenBucketLimiter,
)
from ziett_async._operation import Call
from ziett_async._pipeline import Pipeline
from ziett_async._retry import RetryBudget
from ziett_async._sansio import Origin
from ziett_async._waits import ClientClosed, Waits
from ziett_async.api.messages import SEND_MESSAGE
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio


def new_client(fake: FakeZiett, limiter: TokenBucketLimiter) -> AsyncZiett:
    """Return a client that lives on the fake's clock."""
    transport = FakeTransport(fake)
    return AsyncZiett(API_KEY, transport=transport, default_remitter_id=REMITTER, limiter=limiter)


def new_pipeline(fake: FakeZiett, limiter: Limiter) -> Pipeline:
    """Return what a client carries its calls with."""
    return Pipeline(
        origin=Origin("http://localhost/c/v1", (("x-api-key", API_KEY),), API_KEY),
        transport=FakeTransport(fake),
        limiter=limiter,
        retry=RetryPolicy(),
        clock=fake.clock,
        attempt_timeout=15.0,
        budget=RetryBudget(1),
    )


def new_call() -> Call[AcceptedMessage]:
    """Return a send."""
    body = {"remitter_id": REMITTER, "channel_type": "SMS", "target_e164": NUMBER, "content": "x"}
    return SEND_MESSAGE(body=body)


def one_a_minute(fake: FakeZiett) -> TokenBucketLimiter:
    """Return a limiter of one send a minute on the fake's clock."""
    return TokenBucketLimiter(send=Rate(1, per=60.0), clock=fake.clock)


@pytest.mark.fault(
    "The client is closed while calls wait",
    send="end at once, take no token",
    read="end at once, take no token",
)
async def test_calls_that_wait_for_their_turn_end_at_once() -> None:
    """A thousand of them take no token, make no attempt and are certainly not sent."""
    fake = FakeZiett()
    limiter = one_a_minute(fake)
    client, errors = new_client(fake, limiter), list[NotSent]()
    await client.send_message(NUMBER, content="first")

    async def wait_in_vain() -> None:
        with pytest.raises(NotSent) as caught:
            await client.send_message(NUMBER, content=CONTENT)
        errors.append(caught.value)

    async with anyio.create_task_group() as tasks:
        for _ in range(1000):
            tasks.start_soon(wait_in_vain)
        await fake.clock.sleep(10.0)
        await client.aclose()
    assert len(errors) == 1000
    assert {(error.attempts, error.message) for error in errors} == {
        (0, "the client was closed while the call waited")
    }
    assert fake.clock.monotonic() == 10.0
    assert len(fake.requests) == 1
    # The one token comes back a minute after the first send, and no call has taken it.
    await limiter.acquire(Bucket.SEND, timeout=50.0)
    assert fake.clock.monotonic() == 60.0


@pytest.mark.fault(
    "The client is closed while calls wait", send="between attempts: the last one's error"
)
async def test_a_call_between_two_attempts_ends_with_what_the_last_one_came_to() -> None:
    """It is not repeated, and what is unknown of it stays unknown."""
    fake = FakeZiett()
    client = new_client(fake, TokenBucketLimiter(clock=fake.clock))
    busy = Fault.status(503, headers=(("retry-after", "30"),))
    with fake.script(busy):
        async with anyio.create_task_group() as tasks:

            async def send() -> None:
                with pytest.raises(OutcomeUnknown) as caught:
                    await client.send_message(NUMBER, content=CONTENT)
                assert (caught.value.attempts, caught.value.status) == (1, 503)

            tasks.start_soon(send)
            await fake.clock.sleep(10.0)
            await client.aclose()
    assert fake.clock.monotonic() == 10.0


async def test_an_attempt_under_way_is_not_repeated() -> None:
    """It ends as it would, and that is the end of its call."""
    fake = FakeZiett()
    client = new_client(fake, TokenBucketLimiter(clock=fake.clock))
    with fake.script(Fault.stall()):
        async with anyio.create_task_group() as tasks:

            async def send() -> None:
                with pytest.raises(OutcomeUnknown) as caught:
                    await client.send_message(NUMBER, content=CONTENT)
                assert caught.value.attempts == 1

            tasks.start_soon(send)
            await fake.clock.sleep(1.0)
            await client.aclose()
    assert len(fake.requests) == 1


async def test_an_attempt_that_fails_after_closing_is_waited_out_by_none() -> None:
    """Its error is raised when it comes, however long another attempt would have to wait."""
    fake = FakeZiett()
    limiter, transport = TokenBucketLimiter(clock=fake.clock), FakeTransport(fake, latency=5.0)
    client = AsyncZiett(API_KEY, transport=transport, default_remitter_id=REMITTER, limiter=limiter)
    with fake.script(Fault.status(503, headers=(("retry-after", "30"),))):
        async with anyio.create_task_group() as tasks:

            async def send() -> None:
                with pytest.raises(OutcomeUnknown):
                    await client.send_message(NUMBER, content=CONTENT)
                assert fake.clock.monotonic() == 5.0

            tasks.start_soon(send)
            await fake.clock.sleep(1.0)
            await client.aclose()


async def test_a_wait_that_begins_as_another_thread_closes_the_client_ends_at_once() -> None:
    """Whichever of the two comes first."""
    waits = Waits()
    closing = anyio.Event()

    async def wait() -> None:
        waits.close()  # After the wait was prepared, as another thread may.
        await closing.wait()

    with pytest.raises(ClientClosed):
        await waits.wait(wait())
    with pytest.raises(ClientClosed):
        await waits.wait(closing.wait())


async def test_an_answer_that_comes_after_closing_is_returned() -> None:
    """A call that is being answered while the client is closed has its result."""
    fake = FakeZiett()
    client = new_client(fake, TokenBucketLimiter(clock=fake.clock))
    with fake.script(Fault.slow(5.0)):
        async with anyio.create_task_group() as tasks:

            async def send() -> None:
                accepted = await client.send_message(NUMBER, content=CONTENT)
                assert accepted.message_id == fake.messages[0].id

            tasks.start_soon(send)
            await fake.clock.sleep(1.0)
            await client.aclose()


async def test_a_turn_that_comes_while_the_client_is_closed_is_given_back() -> None:
    """The limiter may hand it out in that very moment: no attempt is made with it."""
    fake = FakeZiett()

    released = list[Bucket]()

    @attrs.frozen
    class Turn:
        bucket: Bucket

        async def release(self) -> None:
            released.append(self.bucket)

    class Closing:
        """A limiter whose turn comes when the client has just been closed."""

        async def acquire(
            self,
            bucket: Bucket,
            *,
            priority: Priority = Priority.URGENT,
            timeout: float | None = None,
        ) -> Permit:
            del priority, timeout
            pipeline.waits.is_closed = True
            return Turn(bucket)

        async def pause(self, bucket: Bucket, seconds: float) -> None:
            """Do nothing."""

    limiter = Closing()
    pipeline = new_pipeline(fake, limiter)
    with pytest.raises(NotSent):
        await pipeline.run(new_call(), None, None)
    assert not fake.requests
    assert released == [Bucket.SEND]


@pytest.mark.fault("The client is closed while calls wait", send="in another event loop: the same")
@pytest.mark.parametrize("other", ["asyncio", "trio"])
async def test_calls_of_another_event_loop_end_as_well(other: str) -> None:
    """A client that several loops use is closed for all of them, from any of them."""
    fake, errors = FakeZiett(), list[NotSent]()
    pipeline = new_pipeline(fake, TokenBucketLimiter(send=Rate(1, per=3600.0)))
    await pipeline.run(new_call(), None, None)

    async def wait_in_vain() -> None:
        with pytest.raises(NotSent) as caught:
            await pipeline.run(new_call(), None, None)
        errors.append(caught.value)

    thread = threading.Thread(target=anyio.run, args=(wait_in_vain,), kwargs={"backend": other})
    thread.start()
    while not pipeline.waits.scopes:  # noqa: ASYNC110 - it is in another thread
        await anyio.sleep(0.001)
    pipeline.waits.close()
    await anyio.to_thread.run_sync(thread.join, 10.0)
    assert len(errors) == 1


async def test_calls_of_an_event_loop_that_is_gone_do_not_hinder_closing() -> None:
    """Nothing waits there any more."""
    waits, loop = Waits(), asyncio.new_event_loop()
    loop.close()
    waits.scopes[anyio.CancelScope()] = loop.call_soon_threadsafe
    waits.close()


async def test_a_key_that_was_never_shown_is_not_kept() -> None:
    """A cancelled call that was given no key leaves nothing behind: the key is gone with it."""
    fake = FakeZiett()
    pipeline = new_pipeline(fake, TokenBucketLimiter(clock=fake.clock))
    with fake.script(Fault.stall(), Fault.stall()), anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pipeline.run, new_call(), None, None)
            tasks.start_soon(pipeline.run, new_call(), None, "order-7")
            await fake.clock.sleep(1.0)
            scope.cancel()
    assert set(pipeline.unsettled_keys.uses) == {"order-7"}
