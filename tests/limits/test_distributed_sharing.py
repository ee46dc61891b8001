"""Limiters over a store on a real server share a limit as several processes do."""

from collections.abc import Callable
from random import Random
from time import monotonic
from typing import Any

import anyio
import pytest

from tests.limits._attempts import SEND, saturate, take, worst_window
from tests.support.samples import API_KEY, CONTENT, NUMBER, REMITTER
from tests.support.stores import NewLimiter, buckets, waiting
from ziett_async import (
    AsyncZiett,
    Bucket,
    ConfigurationError,
    DeadlineExceeded,
    Limiter,
    Priority,
    Rate,
    TokenBucketLimiter,
)
from ziett_async.limits.distributed._store import MOST_ATTEMPTS, MOST_SECONDS
from ziett_async.limits.redis import Share
from ziett_async.testing import FakeTransport, FakeZiett

pytestmark = [
    pytest.mark.anyio,
    # coredis leaves its own streams open where a call of it is cancelled, and in a cluster.
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
]

#: A loop, and a library for it.
LIBRARIES = [
    *("asyncio-coredis", "trio-coredis", "asyncio-redis"),
    *("asyncio-postgres", "trio-postgres"),
]


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
def process(new_limiter: NewLimiter, account: str) -> Make:
    """Make a limiter as one more process would: `process(send=Rate(3, per=0.5))`."""

    def make(**settings: Any) -> Limiter:  # noqa: ANN401 - a limiter's
        given: dict[str, Any] = {"new_store": "start", "longest_attempt": 1.0} | settings
        return new_limiter(**given).for_account(account)

    return make


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


async def test_first_come_first_served(process: Make) -> None:
    """Within a process, though each has to ask over a network."""
    limiter, order = process(send=Rate(3, per=0.1)), list[int]()

    async def call(number: int) -> None:
        permit = await limiter.acquire(SEND)
        order.append(number)
        await permit.release()

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(call, number)
            await anyio.sleep(0.002)
    assert order == list(range(10))


async def until_waiting(store_url: str, account: str, number: int) -> list[str]:
    """Wait until so many permits wait for a bucket; return their ids."""
    with anyio.fail_after(20):
        while len(found := waiting(store_url, f"{account}:send")) < number:  # noqa: ASYNC110 - a store sends no event
            await anyio.sleep(0.01)
    return found


async def test_urgent_calls_of_any_process_go_before_bulk(
    process: Make, store_url: str, account: str
) -> None:
    """Also before bulk calls that have waited for longer."""
    bulk, urgent = (process(send=Rate(1, per=0.6), reserve=0.0) for _ in range(2))
    order = list[str]()

    async def call(limiter: Limiter, priority: Priority) -> None:
        permit = await limiter.acquire(SEND, priority=priority)
        order.append(priority)
        await permit.release()

    held = await bulk.acquire(SEND)
    async with anyio.create_task_group() as group:
        group.start_soon(call, bulk, Priority.BULK)
        await until_waiting(store_url, account, 1)
        group.start_soon(call, urgent, Priority.URGENT)
        await until_waiting(store_url, account, 2)
        await held.release()
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
    limiter, bucket = process(send=Rate(1, per=30.0)), f"{account}:send"
    await take(limiter)
    async with anyio.create_task_group() as group:
        first = anyio.CancelScope()

        async def call(scope: anyio.CancelScope) -> None:
            with scope:
                await take(limiter)

        group.start_soon(call, first)
        place = await until_waiting(store_url, account, 1)
        second = anyio.CancelScope()
        group.start_soon(call, second)
        await anyio.sleep(0.05)
        assert waiting(store_url, bucket) == place
        first.cancel()
        await anyio.sleep(0.05)
        assert waiting(store_url, bucket) == place
        second.cancel()
    assert waiting(store_url, bucket) == []


async def test_a_storm_of_cancelled_calls_loses_no_permit(process: Make) -> None:
    """Whenever they are cancelled, also while an answer is on its way."""
    # A permit that is lost is back eleven seconds later.
    limiter = process(send=Rate(5, per=0.2), longest_attempt=10.0)
    random = Random(7)  # noqa: S311 - the same each time

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
    with anyio.fail_after(5.0):
        for _ in range(5):
            await limiter.acquire(SEND)
    with pytest.raises(TimeoutError):
        await limiter.acquire(SEND, timeout=0.05)


async def test_a_second_release_changes_nothing(process: Make) -> None:
    """As when the first one was cancelled by asyncio, and was carried out all the same."""
    limiter = process(send=Rate(2, per=30.0))
    first = await limiter.acquire(SEND)
    await first.release()
    await first.release()
    await take(limiter, timeout=20.0)
    with pytest.raises(TimeoutError):
        await take(limiter, timeout=20.0)


async def test_clients_of_one_account_share_it_and_their_key_is_nowhere(
    new_limiter: NewLimiter, store_url: str
) -> None:
    """Through the client: by service and key, whose hash names what is in the store."""
    key = f"{API_KEY}-{id(new_limiter)}"
    limiter = new_limiter(send=Rate(2, per=60.0), new_store="start")
    fake = FakeZiett()

    def client(api_key: str) -> AsyncZiett:
        transport = FakeTransport(fake)
        return AsyncZiett(
            api_key, transport=transport, limiter=limiter, default_remitter_id=REMITTER
        )

    async with client(key) as one, client(key) as two, client(f"{key}-2") as other:
        for each in (one, two, other):
            await each.send_message(NUMBER, content=CONTENT)
        with pytest.raises(DeadlineExceeded):
            await two.send_message(NUMBER, content=CONTENT, timeout=30.0)
    names = buckets(store_url)
    assert names
    assert not [name for name in names if "zk_" in name]


async def test_attempts_must_not_last_longer_than_the_limiter_takes_them_to(
    new_limiter: NewLimiter,
) -> None:
    """Else a permit might end before its attempt: the client is not built."""
    with pytest.raises(ConfigurationError, match=r"attempt_timeout: must be at most .* 15 seconds"):
        AsyncZiett(
            API_KEY,
            transport=FakeTransport(),
            limiter=new_limiter(),
            attempt_timeout=15.5,
        )


async def test_used_by_itself_it_is_one_more_account(new_limiter: NewLimiter) -> None:
    """Without a client a limiter has no key, and no account of its clients."""
    limiter = new_limiter(read=Rate(1, per=1.0), new_store="start", longest_attempt=1.0)
    await limiter.pause(Bucket.READ, 0.0)
    permit = await limiter.acquire(Bucket.READ, timeout=20.0)
    await permit.release()
    with pytest.raises(TimeoutError):
        await limiter.acquire(Bucket.READ, timeout=0.05)


async def test_wrong_arguments_are_refused_by_name(new_limiter: NewLimiter) -> None:
    """When the limiter is made, before anything is asked of the store."""
    wrong: list[tuple[str, object]] = [
        ("send", 5),
        ("reserve", 1),
        ("longest_attempt", 0),
        ("longest_attempt", float("inf")),
        ("longest_attempt", MOST_SECONDS * 2),
        ("new_store", "hope"),
        ("on_failure", "open"),
    ]
    for name, given in wrong:
        with pytest.raises(ValueError, match=f"^{name}: must be "):
            new_limiter(**{name: given})


async def test_a_rate_that_a_store_cannot_count_is_refused_by_its_field(
    new_limiter: NewLimiter, account: str
) -> None:
    """When the limiter is made; one at the end of the range is counted."""
    wrong = [
        ("send", Rate(1, per=1e308), f"per must be at most {MOST_SECONDS}"),
        ("read", Rate(2**63, per=1.0), f"limit must be at most {MOST_ATTEMPTS}"),
    ]
    for name, rate, message in wrong:
        with pytest.raises(ValueError, match=f"^{name}: {message} in a shared limiter, got "):
            new_limiter(**{name: (Rate(1, per=1.0), rate)})
    send, read = Rate(MOST_ATTEMPTS, per=MOST_SECONDS), Rate(1, per=MOST_SECONDS)
    new = new_limiter(send=send, read=read, longest_attempt=MOST_SECONDS, new_store="start")
    limiter = new.for_account(account)
    for bucket in (Bucket.SEND, Bucket.SEND, Bucket.READ):
        permit = await limiter.acquire(bucket)
        await permit.release()
    with pytest.raises(TimeoutError):
        await limiter.acquire(Bucket.READ, timeout=1.0)


def test_a_share_is_a_part_of_a_rate() -> None:
    """Rounded down; less than one attempt takes longer instead."""
    assert Share(1, 5).of(Rate(120, per=60.0)) == Rate(24, per=60.0)
    assert Share(2, 7).of(Rate(10, per=60.0)) == Rate(2, per=60.0)
    assert Share(1, 20).of(Rate(10, per=60.0)) == Rate(1, per=120.0)
    for part, whole in ((0, 5), (6, 5), (1, 0), (1.0, 5), (1, 10**400)):
        wrong: Any = part
        with pytest.raises(ValueError, match=r"^Share: "):
            Share(wrong, whole)
