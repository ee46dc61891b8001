"""Waiting for messages to be delivered, and watching them, against the fake."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import attrs
import pytest

from tests.support.samples import API_KEY, CONTENT, NUMBER, REMITTER
from ziett_async import (
    AsyncZiett,
    AuthenticationError,
    ConfigurationError,
    DeadlineExceeded,
    Limiter,
    ManualClock,
    NotFoundError,
    Request,
    RetryPolicy,
    Unlimited,
)
from ziett_async.testing import Delivery, FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

#: Messages of a big test.
MANY = 10_000
#: Each message has to be shown with its final status once, and a page shows 200 at most.
UNAVOIDABLE = MANY // 200


def new_client(fake: FakeZiett, limiter: Limiter | None = None, **settings: Any) -> AsyncZiett:  # noqa: ANN401 - the client's
    """Return a client that lives on the fake's clock."""
    return AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake),
        default_remitter_id=REMITTER,
        limiter=Unlimited() if limiter is None else limiter,
        **settings,
    )


def clock_of(fake: FakeZiett) -> ManualClock:
    """Return the clock that tests move."""
    assert isinstance(fake.clock, ManualClock)
    return fake.clock


async def sent(client: AsyncZiett, count: int) -> list[UUID]:
    """Send messages and return their ids."""
    numbers = [f"+24492345{i:04d}" for i in range(count)]
    return [(await client.send_message(each, content=CONTENT)).message_id for each in numbers]


def campaigns(fake: FakeZiett, *, pause: float) -> list[UUID]:
    """Have ten campaigns accepted, `pause` seconds apart, and return the ids of their messages."""
    operators = ("92", "92", "92", "95", "91")

    async def send() -> None:
        async with new_client(fake) as client:
            for batch in range(MANY // 1000):
                numbers = [f"+244{operators[i % 5]}{batch:02d}{i:05d}" for i in range(1000)]
                await client.send_batch_campaign(numbers, content=CONTENT)
                clock_of(fake).advance(pause)

    anyio.run(send)
    return [each.id for each in fake.messages]


def requests_of(fake: FakeZiett, *, since: int = 0) -> Counter[str | None]:
    """Return how many requests of each operation arrived."""
    return Counter(each.operation for each in fake.requests[since:])


async def test_it_returns_when_all_are_final() -> None:
    """The messages by their ids, in the order given, whatever became of them."""
    fake = FakeZiett(delivery=Delivery(failed=0.3, undelivered=0.3))
    async with new_client(fake) as client:
        ids = [*reversed(await sent(client, 20))]
        found = await client.wait_until_final([str(ids[0]), *ids, ids[3]])
    assert list(found) == ids
    assert {each.status for each in found.values()} == {"DELIVERED", "FAILED", "UNDELIVERED"}
    assert found == {each.id: each for each in found.values()}


async def test_one_message_is_read_by_its_id() -> None:
    """At 2, 4 and 6 seconds here: it is final after 4."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        accepted = await client.send_message(NUMBER, content=CONTENT)
        found = await client.wait_until_final(accepted.message_id)
    assert found[accepted.message_id].status == "DELIVERED"
    assert fake.arrivals("read") == [2.0, 4.0]
    assert fake.arrivals("list") == []


async def test_nothing_to_wait_for_is_done_at_once() -> None:
    """No request is made."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        assert await client.wait_until_final([]) == {}
        assert [each async for each in client.watch_messages(())] == []
    assert fake.requests == []


def request_for(message_id: UUID) -> Request:
    """Return the request that reads a message."""
    url = f"https://api.ziett.co/c/v1/messages/{message_id}"
    return Request("GET", url, (("x-api-key", API_KEY),))


Waits = Callable[[AsyncZiett, Sequence[UUID]], Awaitable[object]]


async def is_frugal(fake: FakeZiett, ids: Sequence[UUID], wait: Waits) -> bool:
    """Wait, and return whether at most 1.2 times the unavoidable lists were requested.

    Reads are not bounded by them, but by their own limit: one of them for four messages.
    """
    begun, is_final = len(fake.requests), False
    async with (
        AsyncZiett(API_KEY, transport=FakeTransport(fake)) as client,
        anyio.create_task_group() as tasks,
    ):

        async def waiting() -> None:
            nonlocal is_final
            await wait(client, ids)
            is_final = True
            tasks.cancel_scope.cancel()

        async def counting() -> None:
            while is_within(fake, begun):
                await fake.clock.sleep(30.0)
            tasks.cancel_scope.cancel()

        tasks.start_soon(waiting)
        tasks.start_soon(counting)
    return is_final and is_within(fake, begun)


def is_within(fake: FakeZiett, begun: int) -> bool:
    """Return whether few enough requests were made so far."""
    made = requests_of(fake, since=begun)
    return made["list_messages"] <= 1.2 * UNAVOIDABLE and made["get_message"] <= MANY / 4


async def wait_until_final(client: AsyncZiett, ids: Sequence[UUID]) -> None:
    """Wait as this package does."""
    found = await client.wait_until_final(ids)
    assert all(each.is_final for each in found.values())
    assert list(found) == list(ids)


async def read_each(client: AsyncZiett, ids: Sequence[UUID]) -> None:
    """Read every message that is not final, every 5 seconds."""
    clock, left = vars(client)["_session"].pipeline.clock, list(ids)
    while left:
        left = [each for each in left if not (await client.get_message(each)).is_final]
        await clock.sleep(5.0)


async def list_all(client: AsyncZiett, ids: Sequence[UUID]) -> None:
    """List all messages until every one is final, every 5 seconds."""
    clock = vars(client)["_session"].pipeline.clock
    left = set(ids)
    while left:
        left -= {each.id async for each in client.iter_messages() if each.is_final}
        await clock.sleep(5.0)


@pytest.fixture(scope="module", params=[0.0, 500.0], ids=["at once", "over 80 minutes"])
def traffic(request: pytest.FixtureRequest) -> Callable[[], tuple[FakeZiett, list[UUID]]]:
    """Return what makes a service to which ten thousand messages were sent."""

    def made() -> tuple[FakeZiett, list[UUID]]:
        delays = {"UNITEL": 5.0, "AFRICELL_AO": 60.0, "OTHER": 600.0}
        fake = FakeZiett(limits={}, delivery=Delivery(final_after=delays))
        return fake, campaigns(fake, pause=request.param)

    return made


Traffic = Callable[[], tuple[FakeZiett, list[UUID]]]


def test_ten_thousand_cost_few_lists(traffic: Traffic) -> None:
    """At most a fifth more than those in which each is shown as final once."""
    assert anyio.run(is_frugal, *traffic(), wait_until_final)


@pytest.mark.naive("Every message read until it is final", "thousands of requests")
@pytest.mark.naive("The whole list read until all are final", "several times the lists needed")
@pytest.mark.parametrize("wait", [read_each, list_all])
def test_naive_waiting_costs_many_requests(traffic: Traffic, wait: Waits) -> None:
    """Reads of each message as well as lists of all, every 5 seconds."""
    assert not anyio.run(is_frugal, *traffic(), wait)


async def test_on_a_busy_account_messages_are_read() -> None:
    """Ten among thousands of others: one list tells how many there are."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        ids = await sent(client, 10)
        for _ in range(3000):
            fake.add_message()
        await client.wait_until_final(ids)
    made = requests_of(fake)
    assert made["list_messages"] == 1
    assert 10 <= made["get_message"] <= 40


async def test_time_that_is_up_tells_what_is_known() -> None:
    """At that moment, with the messages that are final and those that were seen on the way."""
    fake = FakeZiett(delivery=None)
    async with new_client(fake) as client:
        ids = await sent(client, 3)
        fake.deliver(ids[2])
        with pytest.raises(DeadlineExceeded) as caught:
            await client.wait_until_final(ids, timeout=30.0)
        assert clock_of(fake).monotonic() == 30.0
    assert [each.status for each in caught.value.messages.values()] == [
        "PENDING",
        "PENDING",
        "DELIVERED",
    ]
    assert "2 of 3 messages" in str(caught.value)
    assert NUMBER not in str(caught.value)


async def test_the_clients_timeout_does_not_end_a_wait() -> None:
    """It bounds each request; `timeout=None` waits on."""
    fake = FakeZiett(delivery=Delivery(sent_after=3600.0))
    async with new_client(fake, timeout=5.0) as client:
        [message_id] = await sent(client, 1)
        found = await client.wait_until_final(message_id)
    assert found[message_id].is_final
    assert clock_of(fake).monotonic() > 3600.0


async def test_days_of_waiting_cost_few_requests() -> None:
    """A phone is off for three days: a request every ten minutes."""
    fake = FakeZiett(delivery=Delivery(sent_after=259_200.0))
    async with new_client(fake) as client:
        [message_id] = await sent(client, 1)
        await client.wait_until_final(message_id)
    assert len(fake.arrivals("read")) < 450


async def test_an_unknown_status_is_waited_for() -> None:
    """It may change."""
    fake = FakeZiett(delivery=None)
    async with new_client(fake) as client:
        [message_id] = await sent(client, 1)
        fake.deliver(message_id, "HELD_BY_CARRIER")
        with pytest.raises(DeadlineExceeded) as caught:
            await client.wait_until_final(message_id, timeout=100.0)
    assert caught.value.messages[message_id].status == "HELD_BY_CARRIER"


@pytest.mark.parametrize("count", [1, 40])
async def test_failures_are_waited_out(count: int) -> None:
    """Lost answers, errors of a proxy and 429s cost time, and no result."""
    fake = FakeZiett()
    kinds = [Fault.lose_answer(), Fault.gateway_error(502), Fault.status(500), Fault.garbage()]
    limited = [Fault.status(429, headers=(("retry-after", "3"),))]
    async with new_client(fake) as client:
        ids = await sent(client, count)
        with fake.script(*kinds * 3, *limited, *kinds):
            found = await client.wait_until_final(ids)
    assert all(each.is_final for each in found.values())


async def test_an_answer_about_another_message_is_none() -> None:
    """The message is read again."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        first, second = await sent(client, 2)
        await fake.clock.sleep(60.0)
        other = fake.exchange(request_for(second)).response
        assert other is not None
        with fake.script(Fault.garbage(other.body, operation="get_message")):
            assert list(await client.wait_until_final(first)) == [first]


async def test_the_last_failure_is_reported() -> None:
    """When time is up and the last request failed."""
    fake = FakeZiett(delivery=None)
    async with new_client(fake, retry=RetryPolicy(attempts=1)) as client:
        [message_id] = await sent(client, 1)
        with fake.script(*[Fault.status(503)] * 3), pytest.raises(DeadlineExceeded) as caught:
            await client.wait_until_final(message_id, timeout=15.0)
    assert "the last request failed: get_message (attempt 1): 503" in str(caught.value)
    assert caught.value.__cause__ is not None


async def test_a_failure_that_has_passed_is_not_reported() -> None:
    """An answer came after it."""
    fake = FakeZiett(delivery=None)
    async with new_client(fake) as client:
        [message_id] = await sent(client, 1)
        with fake.script(*[Fault.status(503)] * 3), pytest.raises(DeadlineExceeded) as caught:
            await client.wait_until_final(message_id, timeout=60.0)
    assert "failed" not in str(caught.value)


async def test_what_concerns_all_messages_is_raised() -> None:
    """A key that was revoked: at once, and not retried."""
    scopes = ["apikey:messages:send", "apikey:messages:read", "apikey:messages:list"]
    keys = {API_KEY: scopes}
    fake = FakeZiett(keys=keys)
    async with new_client(fake) as client:
        ids = await sent(client, 30)
        keys.clear()
        with pytest.raises(AuthenticationError):
            await client.wait_until_final(ids)
    assert requests_of(fake)["list_messages"] == 1


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_list_that_is_refused_is_replaced_by_reads(status: int) -> None:
    """The key has no scope for lists, or the service does not know the order."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        ids = await sent(client, 10)
        with fake.script(Fault.status(status, operation="list_messages")):
            await client.wait_until_final(ids)
    made = requests_of(fake)
    assert (made["list_messages"], made["get_message"]) == (1, 10)


@pytest.mark.parametrize("count", [1, 30])
async def test_a_message_that_is_deleted_is_an_error_at_the_end(count: int) -> None:
    """All others are waited for first, and the error has them."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        ids = await sent(client, count)
        fake.delete_message(ids[0])
        with pytest.raises(NotFoundError, match=str(ids[0])) as caught:
            await client.wait_until_final(ids)
    assert list(caught.value.messages) == ids[1:]
    assert clock_of(fake).monotonic() < 120.0


async def test_a_page_may_lack_rows() -> None:
    """They lie elsewhere in time than their ids: reads find them."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        ids = await sent(client, 40)
        for each in fake.messages[:20]:
            moved = each.created_at - timedelta(hours=5)
            fake.put(attrs.evolve(each, created_at=moved, status="DELIVERED"))
        found = await client.wait_until_final(ids)
    assert list(found) == ids


async def test_closing_the_client_ends_every_wait_at_once() -> None:
    """Of callers that make requests and of those that share them."""
    fake = FakeZiett(delivery=None)
    client = new_client(fake)
    ids, ended = await sent(client, 2), list[float]()

    async def wait(message_id: UUID) -> None:
        with pytest.raises(ConfigurationError, match="closed"):
            await client.wait_until_final(message_id)
        ended.append(clock_of(fake).monotonic())

    async with anyio.create_task_group() as tasks:
        for each in ids:
            tasks.start_soon(wait, each)
        await fake.clock.sleep(100.0)
        await client.aclose()
    assert ended == [100.0, 100.0]
    with pytest.raises(ConfigurationError, match="closed"):
        await client.wait_until_final(ids)


async def test_every_change_is_watched() -> None:
    """As it is first seen and then with each new status, until all are final."""
    fake = FakeZiett(delivery=Delivery(sent_after=5.0, final_after={"UNITEL": 20.0}))
    seen = list[tuple[UUID, str]]()
    async with new_client(fake) as client:
        ids = await sent(client, 2)
        async for message in client.watch_messages(ids):
            seen.append((message.id, message.status))
    assert [status for message_id, status in seen if message_id == ids[0]] == [
        "PENDING",
        "SENT",
        "DELIVERED",
    ]
    assert len(seen) == 6


async def test_every_change_of_many_is_watched() -> None:
    """From lists of every status."""
    delivery = Delivery(sent_after=5.0, final_after={"UNITEL": 20.0})
    fake = FakeZiett(limits={}, delivery=delivery)
    seen = Counter[str]()
    async with new_client(fake) as client:
        ids = await sent(client, 500)
        async for message in client.watch_messages(ids):
            seen[message.status] += 1
    assert seen == {"PENDING": 500, "SENT": 500, "DELIVERED": 500}
    assert requests_of(fake)["list_messages"] <= 3 * 3 + 8


async def test_a_loop_over_changes_may_be_left() -> None:
    """Nothing is asked for any more, and another loop starts anew."""
    fake = FakeZiett()
    async with new_client(fake) as client:
        watched = client.watch_messages(await sent(client, 1))
        async for message in watched:
            assert message.status == "SENT"
            break
        made = len(fake.requests)
        await fake.clock.sleep(1000.0)
        assert len(fake.requests) == made
        assert [each.status async for each in watched] == ["DELIVERED"]
        assert dict(vars(client)["_session"].watchers) == {}


async def test_a_loop_over_changes_ends_in_time() -> None:
    """Each with its own timeout, which begins with its first step."""
    fake = FakeZiett(delivery=None)
    async with new_client(fake) as client:
        watched = client.watch_messages(await sent(client, 1), timeout=10.0)
        await fake.clock.sleep(100.0)
        for end in (110.0, 120.0):
            with pytest.raises(DeadlineExceeded) as caught:
                [_ async for _ in watched]
            assert clock_of(fake).monotonic() == end
            assert len(caught.value.messages) == 1
            assert caught.value.operation == "watch_messages"


async def test_an_iterator_of_changes_is_one_itself() -> None:
    """`aiter` of it is the same."""
    async with new_client(FakeZiett()) as client:
        changes = aiter(client.watch_messages([]))
        assert aiter(changes) is changes
