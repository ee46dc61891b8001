"""The loop of requests that all callers of one event loop share."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.support.samples import API_KEY, CONTENT, REMITTER
from ziett_async import (
    AsyncZiett,
    AuthenticationError,
    ConfigurationError,
    DeadlineExceeded,
    ManualClock,
    Message,
    NotFoundError,
    PermissionDeniedError,
    Rate,
    SystemClock,
    TokenBucketLimiter,
    Unlimited,
)
from ziett_async.testing import Delivery, FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio


def new_client(fake: FakeZiett, limiter: TokenBucketLimiter | None = None) -> AsyncZiett:
    """Return a client whose requests take a tenth of a second on the fake's clock."""
    return AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake, latency=0.1),
        default_remitter_id=REMITTER,
        limiter=limiter or Unlimited(),
    )


def clock_of(fake: FakeZiett) -> ManualClock:
    """Return the clock that tests move."""
    assert isinstance(fake.clock, ManualClock)
    return fake.clock


async def sent(fake: FakeZiett, count: int) -> list[UUID]:
    """Send messages and return their ids."""
    async with AsyncZiett(
        API_KEY, transport=FakeTransport(fake), default_remitter_id=REMITTER, limiter=Unlimited()
    ) as client:
        numbers = [f"+24492345{i:04d}" for i in range(count)]
        return [(await client.send_message(each, content=CONTENT)).message_id for each in numbers]


def reads(fake: FakeZiett) -> list[tuple[float, str]]:
    """Return when what was asked for."""
    return [(each.at, each.path) for each in fake.requests if each.method == "GET"]


async def wait_together(fake: FakeZiett, client: AsyncZiett, *groups: Sequence[UUID]) -> None:
    """Have one caller wait for each group of messages, all at once."""

    async def wait(ids: Sequence[UUID]) -> None:
        assert list(await client.wait_until_final(ids)) == list(ids)

    async with anyio.create_task_group() as tasks:
        for each in groups:
            tasks.start_soon(wait, each)
    assert all(each.status == "DELIVERED" for each in fake.messages)


@pytest.mark.parametrize("count", [4, 300])
async def test_callers_of_the_same_messages_share_their_requests(count: int) -> None:
    """Two cost what one does, also where their messages are not all the same."""
    made = list[list[tuple[float, str]]]()
    for parts in ([slice(None)], [slice(count * 3 // 4), slice(count // 4, None)]):
        fake = FakeZiett(limits={})
        ids = await sent(fake, count)
        async with new_client(fake) as client:
            await wait_together(fake, client, *[ids[part] for part in parts])
        made.append(reads(fake))
    assert len(made[0]) == len(made[1])


async def test_callers_without_a_shared_loop_make_twice_the_requests() -> None:
    """The naive way: each on its own, here through a client of its own."""
    fake = FakeZiett(limits={})
    ids = await sent(fake, 300)
    async with (
        new_client(fake) as one,
        new_client(fake) as other,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(one.wait_until_final, ids)
        tasks.start_soon(other.wait_until_final, ids)
    alone = FakeZiett(limits={})
    ids = await sent(alone, 300)
    async with new_client(alone) as client:
        await client.wait_until_final(ids)
    assert len(reads(fake)) == 2 * len(reads(alone))


async def test_a_hundred_callers_of_a_message_each_are_served_by_lists() -> None:
    """As if one had asked for all of them."""
    fake = FakeZiett(limits={})
    ids = await sent(fake, 100)
    async with new_client(fake) as client:
        await wait_together(fake, client, *[[each] for each in ids])
    assert len(reads(fake)) <= 4


async def test_who_comes_later_knows_what_is_known() -> None:
    """A message that another caller has seen to be final is not asked for again."""
    fake = FakeZiett(delivery=None)
    ids = await sent(fake, 2)
    fake.deliver(ids[0])
    seen = list[str]()
    async with new_client(fake) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.wait_until_final, ids)
        await fake.clock.sleep(10.0)
        before = len(reads(fake))
        assert list(await client.wait_until_final(ids[0])) == [ids[0]]
        async for message in client.watch_messages(ids[0]):
            seen.append(message.status)
        assert len(reads(fake)) == before
        tasks.cancel_scope.cancel()
    assert seen == ["DELIVERED"]


async def test_who_comes_later_wakes_the_loop() -> None:
    """A new message is not asked for only when an old one is due."""
    fake = FakeZiett(delivery=None)
    [old] = await sent(fake, 1)
    async with new_client(fake) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.wait_until_final, old)
        await fake.clock.sleep(3600.0)
        [new] = await sent(fake, 1)
        fake.deliver(new)
        await client.wait_until_final(new)
        assert clock_of(fake).monotonic() < 3603.0
        tasks.cancel_scope.cancel()


async def test_no_task_runs_in_the_background() -> None:
    """While callers wait there are their tasks and no other; after them there is none."""
    fake = FakeZiett(delivery=None)
    ids, before = await sent(fake, 2), len(anyio.get_running_tasks())
    async with new_client(fake) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.wait_until_final, ids)
            tasks.start_soon(client.wait_until_final, ids)
            await fake.clock.sleep(100.0)
            assert len(anyio.get_running_tasks()) == before + 2
            tasks.cancel_scope.cancel()
        async for _ in client.watch_messages(ids):
            assert len(anyio.get_running_tasks()) == before
            break
        made = len(fake.requests)
        await fake.clock.sleep(10_000.0)
        assert len(fake.requests) == made


@pytest.mark.parametrize("cancelled", range(3))
@pytest.mark.parametrize("during", [20.0, 2.05])
async def test_a_caller_that_is_cancelled_leaves_the_others_untouched(
    cancelled: int, during: float
) -> None:
    """Between two requests or within one, whether it made the requests or shared them."""
    fake = FakeZiett(delivery=Delivery(sent_after=40.0))
    ids, found = await sent(fake, 3), list[UUID]()
    async with new_client(fake) as client, anyio.create_task_group() as tasks:
        scopes = [anyio.CancelScope() for _ in ids]

        async def wait(scope: anyio.CancelScope) -> None:
            with scope:
                found.extend(await client.wait_until_final(ids))

        for each in scopes:
            tasks.start_soon(wait, each)
        await fake.clock.sleep(during)
        scopes[cancelled].cancel()
    assert found == ids * 2
    assert clock_of(fake).monotonic() < 70.0


class FirstCallerPolls:
    """A naive design: the task of the first caller makes the requests, and others wait for it."""

    def __init__(self, client: AsyncZiett, clock: ManualClock) -> None:
        self._client, self._clock = client, clock
        self._done: anyio.Event | None = None

    async def wait_until_final(self, message_id: UUID) -> None:
        """Poll until the message is final, or wait until another caller has done so."""
        if self._done is not None:
            await self._done.wait()
            return
        self._done = anyio.Event()
        while not (await self._client.get_message(message_id)).is_final:
            await self._clock.sleep(5.0)
        self._done.set()


async def ends_without_the_first(
    clock: ManualClock, wait: Callable[[UUID], Coroutine[Any, Any, object]], message_id: UUID
) -> bool:
    """Return whether a second caller is served in an hour when the first is cancelled."""
    has_result = False

    async def second() -> None:
        nonlocal has_result
        await wait(message_id)
        has_result = True

    async with anyio.create_task_group() as tasks:
        async with anyio.create_task_group() as others:
            others.start_soon(wait, message_id)
            await clock.sleep(1.0)
            tasks.start_soon(second)
            await clock.sleep(1.0)
            others.cancel_scope.cancel()
        await clock.sleep(3600.0)
        tasks.cancel_scope.cancel()
    return has_result


async def test_callers_outlive_the_one_that_makes_the_requests() -> None:
    """Another of them goes on."""
    fake = FakeZiett(delivery=Delivery(sent_after=40.0))
    [message_id] = await sent(fake, 1)
    async with new_client(fake) as client:
        wait = client.wait_until_final
        assert await ends_without_the_first(clock_of(fake), wait, message_id)


@pytest.mark.naive("The first caller polls for all", "others wait for ever when it is cancelled")
async def test_others_wait_for_ever_for_a_first_caller_that_is_cancelled() -> None:
    """The naive way to share requests."""
    fake = FakeZiett(delivery=Delivery(sent_after=40.0))
    [message_id] = await sent(fake, 1)
    async with new_client(fake) as client:
        wait = FirstCallerPolls(client, clock_of(fake)).wait_until_final
        assert not await ends_without_the_first(clock_of(fake), wait, message_id)


async def test_all_but_the_last_caller_may_be_cancelled() -> None:
    """In the same instant, those that were about to lead among them."""
    fake = FakeZiett(delivery=Delivery(sent_after=40.0))
    ids = await sent(fake, 1)
    async with new_client(fake) as client, anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as others:
                for _ in range(20):
                    others.start_soon(client.wait_until_final, ids)
                await fake.clock.sleep(10.0)
                tasks.start_soon(client.wait_until_final, ids)
                await checkpoint()
                scope.cancel()
    assert fake.messages[0].status == "DELIVERED"
    assert reads(fake)[-1][0] > 43.0


async def test_a_caller_whose_time_is_up_leaves_the_others_untouched() -> None:
    """Whether it made the requests or shared them."""
    fake = FakeZiett(delivery=Delivery(sent_after=40.0))
    ids, found = await sent(fake, 2), list[UUID]()

    async def wait(client: AsyncZiett, timeout: float) -> None:
        with pytest.raises(DeadlineExceeded) as caught:
            await client.wait_until_final(ids, timeout=timeout)
        assert clock_of(fake).monotonic() == timeout
        assert list(caught.value.messages) == ids

    async def wait_on(client: AsyncZiett) -> None:
        found.extend(await client.wait_until_final(ids))

    async with new_client(fake) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(wait, client, 5.0)
        tasks.start_soon(wait_on, client)
        tasks.start_soon(wait, client, 11.0)
        tasks.start_soon(wait, client, 17.0)
    assert found == ids


async def test_a_caller_without_time_for_a_request_does_not_hold_up_the_others() -> None:
    """The limit has a read for each of them a minute later: one waits for it, and one cannot."""
    fake = FakeZiett(delivery=None)
    ids = await sent(fake, 1)
    fake.deliver(ids[0])
    limiter = TokenBucketLimiter(read=Rate(1, per=60.0), reserve=0.0, clock=fake.clock)
    ended = list[float]()
    async with new_client(fake, limiter) as client, anyio.create_task_group() as tasks:
        await client.get_message(ids[0])

        async def wait(timeout: float | None) -> None:
            try:
                await client.wait_until_final(ids, timeout=timeout)
            except DeadlineExceeded:
                assert timeout is not None
            ended.append(clock_of(fake).monotonic())

        for timeout in (20.0, 30.0, None):
            tasks.start_soon(wait, timeout)
    assert ended == [pytest.approx(20.1), pytest.approx(30.1), pytest.approx(60.2)]
    assert len(reads(fake)) == 2


async def test_callers_without_time_for_a_request_wait_in_vain() -> None:
    """They do not ask the limiter again and again, and end when their time is up."""
    fake = FakeZiett(delivery=None)
    ids = await sent(fake, 1)
    limiter = TokenBucketLimiter(read=Rate(1, per=60.0), reserve=0.0, clock=fake.clock)
    async with new_client(fake, limiter) as client:
        await client.get_message(ids[0])
        for _ in range(2):
            with pytest.raises(DeadlineExceeded):
                await client.wait_until_final(ids, timeout=10.0)
    assert clock_of(fake).monotonic() == pytest.approx(20.1)


async def test_closing_the_client_during_a_request_ends_every_wait() -> None:
    """As soon as the request has its answer."""
    fake = FakeZiett(delivery=None)
    client, ended = new_client(fake), list[float]()
    ids = await sent(fake, 1)

    async def wait() -> None:
        with pytest.raises(ConfigurationError, match="closed"):
            await client.wait_until_final(ids)
        ended.append(clock_of(fake).monotonic())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        tasks.start_soon(wait)
        await fake.clock.sleep(2.06)
        await client.aclose()
    assert ended == [pytest.approx(2.06), pytest.approx(2.1)]
    assert len(reads(fake)) == 1


@pytest.mark.parametrize("status", [401, 402])
async def test_an_error_that_concerns_all_ends_every_wait(status: int) -> None:
    """One request is made for all callers, and each gets an error of its own."""
    fake = FakeZiett(delivery=None)
    ids, errors = await sent(fake, 10), list[Exception]()
    async with new_client(fake) as client:

        async def wait() -> None:
            try:
                await client.wait_until_final(ids)
            except Exception as error:  # noqa: BLE001 - compared below
                errors.append(error)

        with fake.script(Fault.status(status)):
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(wait)
    assert len(reads(fake)) == 1
    assert {(type(each), getattr(each, "status", None)) for each in errors} == {
        (type(errors[0]), status)
    }
    assert len({id(each) for each in errors}) == 5


async def test_after_an_error_a_loop_over_changes_goes_on() -> None:
    """Its next step asks again."""
    fake = FakeZiett()
    ids = await sent(fake, 1)
    async with new_client(fake) as client:
        changes = aiter(client.watch_messages(ids))
        with fake.script(Fault.status(401)), pytest.raises(AuthenticationError):
            await anext(changes)
        with fake.script(Fault.status(403)), pytest.raises(PermissionDeniedError):
            await anext(changes)
        assert (await anext(changes)).status in {"SENT", "DELIVERED"}


async def test_a_loop_over_changes_gets_what_others_asked_for() -> None:
    """While its body works; what it did not take yet waits for it."""
    fake = FakeZiett(delivery=Delivery(sent_after=5.0, final_after={"UNITEL": 20.0}))
    ids, seen = await sent(fake, 1), list[str]()
    async with new_client(fake) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.wait_until_final, ids)
        async for message in client.watch_messages(ids):
            await fake.clock.sleep(100.0)
            seen.append(message.status)
    assert seen == ["PENDING", "SENT", "DELIVERED"]


async def test_a_loop_that_was_left_is_not_asked_for() -> None:
    """Other callers go on without its messages."""
    fake = FakeZiett(delivery=Delivery(sent_after=40.0))
    ids = await sent(fake, 2)
    async with new_client(fake) as client:
        async for _ in client.watch_messages(ids[0]):
            break
        await client.wait_until_final(ids[1])
    assert [path for _, path in reads(fake)].count(f"/messages/{ids[0]}") == 1


async def test_an_id_that_nobody_waits_for_is_not_read() -> None:
    """Of a message whose turn came when its caller was cancelled."""
    fake = FakeZiett(delivery=None)
    ids = await sent(fake, 2)
    async with new_client(fake) as client, anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as others:
                others.start_soon(client.wait_until_final, ids[0])
                await fake.clock.sleep(1.0)
                tasks.start_soon(client.wait_until_final, ids[1])
                await fake.clock.sleep(0.5)
                scope.cancel()
        await fake.clock.sleep(60.0)
        tasks.cancel_scope.cancel()
    assert {path for _, path in reads(fake)} == {f"/messages/{ids[1]}"}


async def test_callers_of_several_threads_wait_side_by_side() -> None:
    """Each event loop has a loop of requests of its own, and every caller gets its messages."""
    fake = FakeZiett(clock=SystemClock(), limits={})
    yesterday = datetime.now(UTC) - timedelta(days=1)
    ids = [fake.add_message(created_at=yesterday).id for _ in range(20)]
    found, lock = list[Message](), threading.Lock()
    client = AsyncZiett(API_KEY, transport=FakeTransport(fake), limiter=Unlimited())

    def wait() -> None:
        got = asyncio.run(client.wait_until_final(ids))
        with lock:
            found.extend(got.values())

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        await anyio.to_thread.run_sync(each.join)
    assert len(found) == 100
    assert len(vars(client)["_session"].watchers) == 0
    await client.aclose()


async def test_the_log_has_the_facts_of_a_failure_as_extra(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Which operation failed how, when it is tried again, and which message is given up."""
    fake = FakeZiett()
    ids = [*await sent(fake, 1), UUID(REMITTER)]
    async with new_client(fake) as client:
        with fake.script(*[Fault.status(500)] * 3), pytest.raises(NotFoundError):
            await client.wait_until_final(ids)
    records = [vars(each) for each in caplog.records]
    failed = [each for each in records if each["ziett_error"] == "ServerError"]
    assert [each["ziett_status"] for each in failed] == [500] * 3
    assert {each["ziett_operation"] for each in failed} == {"get_message"}
    assert all(each["ziett_retry_in"] > 0 for each in failed)
    [gone] = [each for each in records if "ziett_message_id" in each]
    assert (gone["ziett_message_id"], gone["ziett_error"]) == (REMITTER, "NotFoundError")
    assert (gone["ziett_operation"], gone["ziett_status"]) == ("get_message", 404)
