"""Many clients, tasks, threads and event loops on one key; and a wall clock that jumps."""

import threading
from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate
from itertools import count
from uuid import UUID

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.support.samples import REMITTER
from tests.support.windows import crowd
from ziett_async import (
    AsyncZiett,
    Clock,
    DeadlineExceeded,
    Limiter,
    ManualClock,
    OutcomeUnknown,
    Rate,
    TokenBucketLimiter,
)
from ziett_async._fake.quotas import WindowName
from ziett_async.limits import shared_limiter
from ziett_async.testing import FakeTransport, FakeZiett, Fault, Quota

NUMBER = "+244923456789"
LIMIT, PER = 120, 60.0


def client_of(fake: FakeZiett, limiter: Limiter | None = None, latency: float = 0.0) -> AsyncZiett:
    """Return a client with the limiter that all with this key share, unless it has its own."""
    return AsyncZiett(
        "zk_test_x",
        transport=FakeTransport(fake, latency=latency),
        limiter=limiter,
        default_remitter_id=REMITTER,
    )


def check_all_were_sent(fake: FakeZiett, received: dict[str, UUID], count: int) -> None:
    """Check that every send is one message, that its caller has its id, and that all arrived."""
    assert len(received) == count
    assert {row.idempotency_key: row.id for row in fake.messages} == received
    assert len(fake.messages) == count


def check_the_limit(fake: FakeZiett) -> None:
    """Check that no window was over the limit, and that no call got a 429."""
    assert crowd(fake.arrivals("send"), PER) <= LIMIT
    assert 429 not in {arrival.status for arrival in fake.requests}


class ReadingClock:
    """A clock for threads, on which time passes whenever it is read."""

    def __init__(self) -> None:
        self._ticks = count()

    def monotonic(self) -> float:
        """Return the seconds that the readings so far have taken."""
        return next(self._ticks) / 32

    def time(self) -> float:
        """Return the calendar's."""
        return 1.8e9 + self.monotonic()

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Read the clock until it says so."""
        end = self.monotonic() + seconds
        while self.monotonic() < end and not (until and until.is_set()):
            await checkpoint()


async def crew(
    fake: FakeZiett, name: str, received: dict[str, UUID], limiter: Limiter | None, sends: int
) -> None:
    """Send from two clients with five tasks each."""

    async def task(client: AsyncZiett, name: str) -> None:
        for number in range(sends):
            key = f"{name}-{number}"
            accepted = await client.send_message(NUMBER, content=key, idempotency_key=key)
            received[key] = accepted.message_id

    async with (
        client_of(fake, limiter) as one,
        client_of(fake, limiter) as two,
        anyio.create_task_group() as tasks,
    ):
        for number in range(5):
            tasks.start_soon(task, one, f"{name}-one-{number}")
            tasks.start_soon(task, two, f"{name}-two-{number}")


def in_threads(*jobs: Callable[[], object]) -> None:
    """Run them all at once, and wait for them."""
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a thread waits for ever"


@pytest.mark.promise("The same for many clients, tasks, threads and event loops on one key")
@pytest.mark.promise("A fixed window, a sliding window or a token bucket answers no 429")
@pytest.mark.parametrize("window", ["fixed", "sliding", "token_bucket"])
def test_threads_tasks_and_clients_are_one_to_the_server(window: WindowName) -> None:
    """Four event loops of both kinds share one key: no send is lost, no window over its limit."""
    clock = ReadingClock()
    fake = FakeZiett(clock=clock, delivery=None, window=window)
    received = dict[str, UUID]()

    def job(backend: str, name: str) -> Callable[[], object]:
        return lambda: anyio.run(crew, fake, name, received, None, 8, backend=backend)

    in_threads(
        *(job(backend, f"{backend}-{number}") for backend in ("asyncio", "trio") for number in "ab")
    )
    check_all_were_sent(fake, received, 320)
    check_the_limit(fake)


@pytest.mark.naive("A limiter for each thread or client", "overfills the window they share")
def test_a_limiter_for_each_thread_is_too_much() -> None:
    """The naive way, where nothing is shared, overfills a window: the same check says so."""
    clock = ReadingClock()
    fake = FakeZiett(clock=clock, delivery=None, limits={})
    received = dict[str, UUID]()

    def job(backend: str, name: str) -> Callable[[], object]:
        limiter = TokenBucketLimiter(clock=clock)
        return lambda: anyio.run(crew, fake, name, received, limiter, 8, backend=backend)

    in_threads(*(job(backend, backend) for backend in ("asyncio", "trio")))
    check_all_were_sent(fake, received, 160)
    with pytest.raises(AssertionError):
        check_the_limit(fake)


@pytest.mark.promise("The same for many clients, tasks, threads and event loops on one key")
@pytest.mark.anyio
async def test_two_clients_of_one_key_share_their_buckets() -> None:
    """What one has used, the other waits for; another key's client does not."""
    fake = FakeZiett(delivery=None)
    apart = FakeTransport(FakeZiett(clock=fake.clock))
    async with (
        client_of(fake) as one,
        client_of(fake) as two,
        AsyncZiett("zk_test_y", transport=apart, default_remitter_id=REMITTER) as own,
    ):
        for number in range(LIMIT):
            await one.send_message(NUMBER, content=str(number))
        with pytest.raises(DeadlineExceeded):
            await two.send_message(NUMBER, content="too soon", timeout=PER - 1)
        assert (await own.send_message(NUMBER, content="own")).call.waited == 0
        assert (await two.send_message(NUMBER, content="next")).call.waited == PER
    check_the_limit(fake)


class Skewed:
    """Another machine's clock: the same seconds, and a calendar that is so much ahead."""

    def __init__(self, clock: ManualClock, ahead: float) -> None:
        self._clock = clock
        self._ahead = ahead
        self.monotonic = clock.monotonic
        self.sleep = clock.sleep

    def time(self) -> float:
        """Return the calendar's seconds, as this machine has them."""
        return self._clock.time() + self._ahead


class OfTheCalendar:
    """The naive clock: durations are measured by the calendar."""

    def __init__(self, clock: ManualClock) -> None:
        self.time = self.monotonic = clock.time
        self.sleep = clock.sleep


async def saturate_while_the_calendar_jumps(clock: ManualClock, limiter: Limiter) -> FakeZiett:
    """Send three times the limit in a minute, while the calendar goes to and fro by an hour."""
    fake = FakeZiett(clock=clock, delivery=None, limits={})
    received = dict[str, UUID]()

    async def jump() -> None:
        for hours in (1, -1, -1, 1, 1):
            await clock.sleep(25.0)
            clock.set_calendar(clock.now() + timedelta(hours=hours))

    async def send(client: AsyncZiett, key: str, after: float) -> None:
        await clock.sleep(after)
        accepted = await client.send_message(NUMBER, content=key, idempotency_key=key)
        received[key] = accepted.message_id

    async with client_of(fake, limiter) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(jump)
        for number in range(3 * LIMIT):
            tasks.start_soon(send, client, f"key-{number}", number // LIMIT * 30.0)
    check_all_were_sent(fake, received, 3 * LIMIT)
    return fake


@pytest.mark.anyio
async def test_a_calendar_that_jumps_makes_no_burst() -> None:
    """An hour forward is not an hour of tokens, and an hour back is not an hour of waiting."""
    clock = ManualClock()
    fake = await saturate_while_the_calendar_jumps(clock, shared_limiter("zk_test_x", "", clock))
    check_the_limit(fake)
    assert clock.monotonic() < 3 * PER


@pytest.mark.naive("A limiter that reads the wall clock", "a burst when it is set")
@pytest.mark.anyio
async def test_a_limiter_on_the_calendar_bursts() -> None:
    """The naive limiter takes the hour for one: the same check says so."""
    clock = ManualClock()
    limiter = TokenBucketLimiter(send=Rate(LIMIT, per=PER), clock=OfTheCalendar(clock))
    fake = await saturate_while_the_calendar_jumps(clock, limiter)
    with pytest.raises(AssertionError):
        check_the_limit(fake)


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.anyio
async def test_a_calendar_that_jumps_moves_no_deadline(hours: int) -> None:
    """A call's time is up after its seconds, whatever the wall clock says meanwhile."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)

    async def jump() -> None:
        await clock.sleep(5.0)
        clock.set_calendar(clock.now() + timedelta(hours=hours))

    async with client_of(fake) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(jump)
        with fake.script(Fault.stall(), Fault.stall()), pytest.raises(OutcomeUnknown):
            await client.send_message(NUMBER, content="x", timeout=20.0)
        assert 15.0 < clock.monotonic() <= 20.0


@pytest.mark.parametrize("hours", [-1, 0, 1])
@pytest.mark.anyio
async def test_a_date_is_the_servers_however_wrong_this_clock(hours: int) -> None:
    """`Retry-After` as a date is waited for by the answer's own `Date`, not by our calendar."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    skewed: Clock = Skewed(clock, hours * 3600.0)
    now = clock.time()
    dates = (
        ("date", formatdate(now, usegmt=True)),
        ("retry-after", formatdate(now + 7, usegmt=True)),
    )
    async with AsyncZiett(
        "zk_test_x",
        transport=FakeTransport(fake),
        limiter=TokenBucketLimiter(clock=skewed),
        clock=skewed,
        default_remitter_id=REMITTER,
    ) as client:
        with fake.script(Fault.status(429, headers=dates)):
            await client.send_message(NUMBER, content="x")
    assert 7.0 <= clock.monotonic() <= 7.5


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.anyio
async def test_a_calendar_that_jumps_turns_no_page(order: str, hours: int) -> None:
    """A loop has every message that was there, once, while new ones are dated an hour off."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, distinct_timestamps=False)
    for number in range(50):
        fake.add_message()
        clock.advance(number % 3)
    there, seen = [row.id for row in fake.messages], list[UUID]()
    async with client_of(fake) as client:
        async for page in client.iter_messages(size=7, order=order).pages():
            seen += [message.id for message in page.entries]
            if len(seen) < 60:
                clock.set_calendar(clock.now() + timedelta(hours=hours))
                fake.add_message()
                clock.set_calendar(clock.now() - timedelta(hours=hours))
    assert len(seen) == len(set(seen))
    assert [each for each in seen if each in there] == (there if order == "asc" else there[::-1])


@pytest.mark.fault(
    "429 again and again: the server's limit is narrower", send="costs time, no attempt"
)
@pytest.mark.anyio
async def test_a_server_of_fifteen_a_second_costs_time_and_no_message() -> None:
    """A limit narrower than the client's refuses many attempts of a burst, and loses none of it."""
    fake = FakeZiett(limits={"send": Quota(15, 1.0)})
    received = dict[str, UUID]()
    async with client_of(fake) as client, anyio.create_task_group() as tasks:

        async def send(number: int) -> None:
            accepted = await client.send_message(NUMBER, content=f"message {number}")
            received[accepted.idempotency_key] = accepted.message_id

        for number in range(100):
            tasks.start_soon(send, number)
    check_all_were_sent(fake, received, 100)
    assert any(request.status == 429 for request in fake.requests)


@pytest.mark.anyio
async def test_a_client_that_knows_of_both_limits_is_never_refused() -> None:
    """With both rates in one bucket the same burst is not refused once, and is done in a minute."""
    fake = FakeZiett(limits={"send": Quota(15, 1.0)})
    rates = (Rate(120, per=60.0), Rate(15, per=1.0))
    limiter = TokenBucketLimiter(send=rates, clock=fake.clock)
    async with client_of(fake, limiter) as client, anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(lambda each: client.send_message(NUMBER, content=f"{each}"), number)
    assert {request.status for request in fake.requests} == {202}
    assert fake.clock.monotonic() < 60
