"""`send_many`: what becomes of each message, at the limit's speed, and nothing left behind."""

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.support.bulk import (
    ONCE,
    TEXT,
    MemoryJournal,
    accepted,
    client_of,
    collected,
    messages,
    numbers,
    take,
)
from tests.support.samples import API_KEY, REMITTER
from ziett_async import (
    AsyncZiett,
    ConfigurationError,
    InsufficientFundsError,
    InvalidRequest,
    NewMessage,
    OutcomeUnknown,
    Priority,
    Rate,
    RecipientNotAllowed,
    Request,
    Response,
    SendOutcome,
    TokenBucketLimiter,
    Unlimited,
)
from ziett_async.emulator import Emulator
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

Many = Iterable[NewMessage] | AsyncIterator[NewMessage]


def as_iterator(count: int) -> Iterator[NewMessage]:
    """Return messages that can be read once."""
    return iter(messages(count))


async def as_stream(count: int) -> AsyncIterator[NewMessage]:
    """Yield messages, one after another."""
    for message in messages(count):
        await anyio.lowlevel.checkpoint()
        yield message


async def settle() -> None:
    """Let what was cancelled come to its end."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


def received(fake: FakeZiett) -> Counter[str]:
    """Return how many messages each number has got."""
    return Counter(message.target_e164 for message in fake.messages)


@pytest.mark.parametrize(
    "many",
    [messages, as_iterator, as_stream],
    ids=["list", "iterator", "stream"],
)
async def test_every_message_is_sent_once(many: Callable[[int], Many]) -> None:
    """Whatever they come from; each outcome names its message and what it was accepted as."""
    fake = FakeZiett()
    async with client_of(fake) as client:
        outcomes = await collected(client.send_many(many(130)))
    assert received(fake) == Counter(numbers(130))
    ids = {message.id: message.target_e164 for message in fake.messages}
    assert all(
        ids[each.accepted.message_id] == each.message.target_e164
        for each in outcomes
        if each.accepted
    )
    assert len(accepted(outcomes)) == 130


async def test_a_mapping_is_a_message() -> None:
    """With the fields of `NewMessage`, the contact too."""
    fake = FakeZiett()
    row: dict[str, Any] = {
        "target_e164": numbers(1)[0],
        "content": TEXT,
        "reference": 7,
        "save_contact": {"name": "Ana", "tags": ("Premium",)},
    }
    async with client_of(fake) as client:
        (outcome,) = await collected(client.send_many([row]))
    assert outcome.accepted
    assert outcome.reference == 7
    assert outcome.message == NewMessage(**row)
    assert fake.contacts[numbers(1)[0]].name == "Ana"


async def seconds_of(count: int, concurrency: int) -> float:
    """Return how long a service sees messages arrive whose answers take up to 14 s."""
    fake, delays = FakeZiett(), cycle([0.05, 4.0, 0.1, 14.0])
    transport = FakeTransport(fake, latency=lambda: next(delays))
    async with AsyncZiett(API_KEY, transport=transport, default_remitter_id=REMITTER) as client:
        run = client.send_many(messages(count), concurrency=concurrency)
        assert len(accepted(await collected(run))) == count
    assert len(fake.requests) == count
    arrivals = fake.arrivals("send")
    return arrivals[-1] - arrivals[0]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_run_uses_the_whole_limit_that_bulk_may_use() -> None:
    """It takes no longer than with all messages under way at once, and gets no 429."""
    assert await seconds_of(480, 50) <= await seconds_of(480, 480) * 1.002


async def test_a_saturated_run_uses_the_limit() -> None:
    """At ordinary latencies 480 messages take four periods of 96."""
    fake = FakeZiett()
    async with client_of(fake, latency=0.1) as client:
        await collected(client.send_many(messages(480)))
    assert fake.arrivals("send")[-1] < 4 * 60.2


async def test_outcomes_come_as_they_happen() -> None:
    """An answer that takes 14 s holds none of the others up."""
    fake = FakeZiett()
    with fake.script(Fault.slow(14.0, operation="send_message")):
        async with client_of(fake, latency=0.1, limiter=Unlimited()) as client:
            outcomes = await collected(client.send_many(messages(60), concurrency=3))
    assert outcomes[-1].message.target_e164 == numbers(1)[0]
    assert fake.arrivals("send")[-1] < 4


async def test_a_slow_loop_holds_the_reading_up() -> None:
    """No more is read than may be under way, however long the loop takes."""
    fake, read = FakeZiett(), list[int]()

    def stream() -> Iterator[NewMessage]:
        for index, message in enumerate(messages(50)):
            read.append(index)
            yield message

    async with client_of(fake) as client:
        taken = 0
        async for _ in client.send_many(stream(), concurrency=5):
            taken += 1
            await fake.clock.sleep(1.0)
            assert len(read) <= taken + 5
            assert len(fake.messages) <= taken + 5
    assert len(read) == taken == 50


class Constant:
    """Answers at once, and keeps nothing."""

    async def send(self, request: Request) -> Response:
        """Accept it."""
        del request
        await anyio.lowlevel.checkpoint()
        return Response(202, (), b'{"message_id": "019b4b56-e704-7c30-83a0-527df63c3e00"}')

    async def aclose(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_memory_is_for_what_is_under_way() -> None:
    """Ten times the messages take no more of it."""

    def stream(count: int) -> Iterator[NewMessage]:
        return (NewMessage(f"+24492{index:07}", TEXT) for index in range(count))

    async def peak(count: int) -> int:
        gc.collect()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        async for _ in client.send_many(stream(count)):
            pass
        return tracemalloc.get_traced_memory()[1] - before

    async with AsyncZiett(
        API_KEY, transport=Constant(), limiter=Unlimited(), default_remitter_id=REMITTER
    ) as client:
        tracemalloc.start()
        try:
            _, few, many = await peak(100), await peak(100), await peak(1000)
        finally:
            tracemalloc.stop()
    assert many < few * 1.2


async def test_a_bad_row_is_an_outcome() -> None:
    """It names its fields, and the others are sent; so does one that is no message at all."""
    fake = FakeZiett()
    rows: list[Any] = [
        *messages(1),
        NewMessage("12", ""),
        {"target_e164": numbers(2)[1]},
        {"target_e164": numbers(2)[1], "content": TEXT, "nome": "Ana"},
        None,
        {"target_e164": numbers(2)[1], "content": TEXT, "reference": 1.5},
        {"target_e164": numbers(2)[1], "content": TEXT, "save_contact": {"name": ""}},
        *messages(2)[1:],
    ]
    async with client_of(fake) as client:
        outcomes = await collected(client.send_many(rows))
    errors = [each.error for each in outcomes if each.error]
    assert all(isinstance(each, InvalidRequest) for each in errors)
    fields = [set(each.fields) for each in errors if isinstance(each, InvalidRequest)]
    assert fields == [
        {"target_e164", "content"},
        {"content"},
        {"nome"},
        {"message"},
        {"reference"},
        {"save_contact.name"},
    ]
    assert received(fake) == Counter(numbers(2))


async def test_a_field_that_a_message_does_not_have_is_named() -> None:
    """In the outcome of its row, with the row's reference."""
    row = {"target_e164": "+244990090990", "content": "Olá", "reference": "7", "nome": "Ana"}
    async with client_of(FakeZiett()) as client:
        (outcome,) = await collected(client.send_many([row]))
    assert str(outcome.error) == "send_message: nome: is not a field of NewMessage"
    assert outcome.reference == "7"


async def test_a_recipient_that_is_not_allowed_is_an_outcome() -> None:
    """And gets nothing."""
    fake = FakeZiett()
    first, second = numbers(2)
    async with AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake),
        default_remitter_id=REMITTER,
        allowed_recipients=[first],
    ) as client:
        outcomes = await collected(client.send_many(messages(2)))
    refused = [each for each in outcomes if each.error]
    assert [type(each.error) for each in refused] == [RecipientNotAllowed]
    assert [each.message.target_e164 for each in refused] == [second]
    assert received(fake) == Counter([first])


async def test_an_error_of_one_message_is_its_outcome() -> None:
    """One that may have been sent, one that was not, one that was refused."""
    fake = FakeZiett()
    faults = [
        Fault.lose_answer(operation="send_message"),
        Fault.refuse(operation="send_message"),
        Fault.status(422, operation="send_message"),
    ]
    with fake.script(*faults):
        async with client_of(fake, retry=ONCE) as client:
            outcomes = await collected(client.send_many(messages(10), concurrency=1))
    failed = [type(each.error).__name__ for each in outcomes if each.error]
    assert failed == ["OutcomeUnknown", "NotSent", "ValidationError"]
    assert len(outcomes) == 10


async def test_an_error_that_affects_all_calls_ends_the_run() -> None:
    """It is raised after the outcomes before it; the same list again is not sent twice."""
    fake = FakeZiett(balance=10 * 15)
    async with client_of(fake, latency=0.1) as client:
        outcomes = list[SendOutcome]()
        with pytest.raises(InsufficientFundsError):
            await take(client.send_many(messages(100), concurrency=4), outcomes)
        assert len(accepted(outcomes)) == 10
        assert len(fake.requests) <= 10 + 4
        fake.top_up(1_000_000)
        assert len(accepted(await collected(client.send_many(messages(100))))) == 100
    assert received(fake) == Counter(numbers(100))


async def test_calls_that_wait_for_their_turn_end_with_the_run() -> None:
    """None of them waits for a turn in which it would be refused, too."""
    fake = FakeZiett(balance=2 * 15)
    limiter = TokenBucketLimiter(send=Rate(3, per=60.0), reserve=0.0, clock=fake.clock)
    async with client_of(fake, limiter=limiter) as client:
        with pytest.raises(InsufficientFundsError):
            async for _ in client.send_many(messages(100)):
                pass
    assert len(fake.requests) == 3
    assert fake.clock.monotonic() < 1


async def test_calls_under_way_are_completed_when_the_run_is_stopped() -> None:
    """Their outcomes come before the error."""
    fake = FakeZiett(balance=2 * 15)
    slow = Fault.slow(9.0, operation="send_message")
    with fake.script(slow):
        async with client_of(fake, latency=0.1) as client:
            outcomes = list[SendOutcome]()
            with pytest.raises(InsufficientFundsError):
                await take(client.send_many(messages(100), concurrency=3), outcomes)
    assert len(accepted(outcomes)) == 2
    assert fake.clock.monotonic() >= 9


async def test_an_iterable_that_fails_ends_the_run() -> None:
    """After the outcomes of what it gave before, with its own error."""
    fake = FakeZiett()

    def stream() -> Iterator[NewMessage]:
        yield from messages(3)
        message = "no more rows"
        raise LookupError(message)

    async with client_of(fake, latency=1.0) as client:
        run, outcomes = client.send_many(stream()), list[SendOutcome]()
        with pytest.raises(LookupError, match="no more rows"):
            await take(run, outcomes)
        assert [each async for each in run] == []
    assert len(accepted(outcomes)) == 3


async def test_a_loop_that_is_left_leaves_nothing_behind() -> None:
    """Calls under way end with it, and nothing is read or sent any more; again, all is sent."""
    fake, journal = FakeZiett(), MemoryJournal()
    async with client_of(fake, latency=2.0, limiter=Unlimited()) as client:
        taken = 0
        async for _ in client.send_many(messages(200), journal=journal, concurrency=7):
            taken += 1
            if taken == 20:
                break
        await settle()
        requests = len(fake.requests)
        assert not journal.is_open
        await fake.clock.sleep(60.0)
        assert len(fake.requests) == requests
        outcomes = await collected(client.send_many(messages(200), journal=journal))
    assert len(accepted(outcomes)) == 200
    assert received(fake) == Counter(numbers(200))


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_no_task_is_left() -> None:
    """Neither by a loop that was left, nor by one that came to its end."""
    fake, tasks = FakeZiett(), len(asyncio.all_tasks())
    async with client_of(fake, latency=2.0) as client:
        async for _ in client.send_many(messages(20)):
            break
        await settle()
        assert len(asyncio.all_tasks()) == tasks
        await collected(client.send_many(messages(20)))
        assert len(asyncio.all_tasks()) == tasks


async def test_a_loop_that_is_cancelled_leaves_nothing_behind() -> None:
    """A cancellation from outside ends the step and the run."""
    fake, journal = FakeZiett(), MemoryJournal()
    async with client_of(fake, latency=2.0, limiter=Unlimited()) as client:

        async def loop(*, task_status: anyio.abc.TaskStatus[anyio.CancelScope]) -> None:
            with anyio.CancelScope() as scope:
                task_status.started(scope)
                await collected(client.send_many(messages(50), journal=journal, concurrency=5))

        async with anyio.create_task_group() as tasks:
            scope = await tasks.start(loop)
            await fake.clock.sleep(7.0)
            scope.cancel()
        await settle()
        assert not journal.is_open
        outcomes = await collected(client.send_many(messages(50), journal=journal))
    assert len(accepted(outcomes)) == 50
    assert received(fake) == Counter(numbers(50))


async def divided_by_zero(run: AsyncIterator[SendOutcome]) -> None:
    """Fail at the first outcome."""
    async for each in run:
        assert each.accepted
        _ = 1 / 0


async def test_an_error_in_the_loop_leaves_nothing_behind() -> None:
    """The user's own error passes, and the run ends."""
    fake, journal = FakeZiett(), MemoryJournal()
    async with client_of(fake, latency=2.0) as client:
        with pytest.raises(ZeroDivisionError):
            await divided_by_zero(client.send_many(messages(50), journal=journal))
        await settle()
        assert not journal.is_open


def test_an_iterator_may_outlive_its_event_loop(anyio_backend: str) -> None:
    """The run ends with the loop, and dropping the iterator later is no error."""
    fake, journal, kept = FakeZiett(), MemoryJournal(), list[AsyncIterator[SendOutcome]]()

    async def main() -> None:
        async with client_of(fake, latency=2.0) as client:
            run = client.send_many(messages(50), journal=journal)
            kept.append(run)
            await anext(run)

    anyio.run(main, backend=anyio_backend)
    assert not journal.is_open
    kept.clear()
    gc.collect()


# Where asyncio's loop ends while anyio connects, it leaves a coroutine of its own unstarted.
@pytest.mark.filterwarnings("ignore:.*connect_tcp.*:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("how", ["break", "raise", "close"])
def test_a_program_may_end_in_the_middle(tmp_path: Path, anyio_backend: str, how: str) -> None:
    """Over a socket, with a file: no warning, no lock that stays; the next one goes on."""
    fake = FakeZiett(limits={})

    async def main(base_url: str, taken: int) -> None:
        async with AsyncZiett(
            API_KEY, base_url=base_url, limiter=Unlimited(), default_remitter_id=REMITTER
        ) as client:
            async for _ in client.send_many(messages(60), journal=tmp_path / "run.db"):
                taken -= 1
                if taken == 0 and how == "raise":
                    raise EOFError
                if taken == 0 and how == "close":
                    await client.aclose()
                if taken == 0:
                    break

    with Emulator(fake) as emulator:
        for taken in (1, 20, 100):
            with suppress(EOFError):
                anyio.run(main, emulator.base_url, taken, backend=anyio_backend)
            gc.collect()
    assert received(fake) == Counter(numbers(60))


async def test_closing_waits_for_the_end() -> None:
    """`aclose` returns when nothing runs any more; before a first step there is nothing to end."""
    fake, journal = FakeZiett(), MemoryJournal()
    async with client_of(fake, latency=2.0) as client:
        run = client.send_many(messages(50), journal=journal)
        await run.aclose()
        await anext(run)
        assert journal.is_open
        await run.aclose()
        assert not journal.is_open
        await run.aclose()
        requests = len(fake.requests)
        assert len([each async for each in run]) <= 50
        assert len(fake.requests) == requests


@pytest.mark.parametrize("count", [30, 200])
async def test_a_client_that_is_closed_ends_its_runs(count: int) -> None:
    """Calls that wait take no token, and the loop ends with an error that says why."""
    fake = FakeZiett()
    limiter = TokenBucketLimiter(send=Rate(5, per=60.0), reserve=0.0, clock=fake.clock)
    client, outcomes = client_of(fake, limiter=limiter), list[SendOutcome]()
    run = client.send_many(messages(count))
    for _ in range(5):
        outcomes.append(await anext(run))
    await client.aclose()
    with pytest.raises(ConfigurationError, match="the client is closed"):
        await take(run, outcomes)
    assert len(accepted(outcomes)) == len(fake.messages) == 5


async def test_the_same_list_is_the_same_run() -> None:
    """Without a journal, too: nothing is sent twice; another name sends all of it anew."""
    fake = FakeZiett()
    async with client_of(fake) as client:
        first = accepted(await collected(client.send_many(messages(9), concurrency=1)))
        again = accepted(await collected(client.send_many(messages(9), concurrency=1)))
        assert [each.message_id for each in again] == [each.message_id for each in first]
        await collected(client.send_many(messages(9), run="on purpose"))
        await collected(client.send_many(iter(messages(9)), run="on purpose"))
        assert received(fake) == Counter(numbers(9) * 2)
        await collected(client.send_many(iter(messages(9))))
        await collected(client.send_many(messages(8)))
    assert len(fake.messages) == 9 * 3 + 8


async def test_a_reference_takes_the_place_of_the_row() -> None:
    """A list in another order, or a longer one, is the same run under the same name."""
    fake = FakeZiett()
    rows = [NewMessage(number, TEXT, reference=number) for number in numbers(6)]
    async with client_of(fake) as client:
        await collected(client.send_many(rows[:5], run="July"))
        await collected(client.send_many(rows[::-1], run="July"))
        assert received(fake) == Counter(numbers(6))
        # The same reference with the same recipient and text is the same message.
        await collected(client.send_many([*rows, *rows], run="August", concurrency=1))
    assert received(fake) == Counter(numbers(6) * 2)


async def test_urgent_calls_go_first() -> None:
    """A run leaves the reserve alone, unless it is urgent itself."""
    for priority, at_once in ((Priority.BULK, 8), (Priority.URGENT, 10)):
        fake = FakeZiett()
        limiter = TokenBucketLimiter(send=Rate(10, per=60.0), clock=fake.clock)
        async with client_of(fake, limiter=limiter) as client:
            async for _ in client.send_many(messages(30), priority=priority):
                if len(fake.messages) == at_once:
                    break
            assert fake.clock.monotonic() < 1
            await client.send_message(numbers(99)[98], content=TEXT)
            assert (fake.clock.monotonic() < 1) is (priority is Priority.BULK)


async def test_a_clients_timeout_is_not_for_a_whole_run() -> None:
    """It would be up for all messages that wait behind the first ones."""
    fake = FakeZiett()
    async with client_of(fake, timeout=10.0) as client:
        assert len(accepted(await collected(client.send_many(messages(200))))) == 200


async def test_two_runs_at_the_same_time_know_nothing_of_each_other() -> None:
    """Each has its own outcomes, and they share the limit."""
    fake = FakeZiett()
    results = dict[str, int]()

    async def loop(client: AsyncZiett, run: str) -> None:
        results[run] = len(accepted(await collected(client.send_many(messages(150), run=run))))

    async with client_of(fake) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(loop, client, "a")
        tasks.start_soon(loop, client, "b")
    assert results == {"a": 150, "b": 150}
    assert received(fake) == Counter(numbers(150) * 2)


async def test_nothing_happens_before_the_first_step() -> None:
    """Nothing is read, and a run that is dropped has never been."""
    fake = FakeZiett()
    source = iter(messages(3))
    async with client_of(fake) as client:
        client.send_many(source)
    assert len(list(islice(source, 5))) == 3


async def test_a_value_shows_neither_number_nor_text() -> None:
    """In its `repr`, whatever became of the message."""
    fake = FakeZiett()
    with fake.script(Fault.lose_answer(operation="send_message")):
        async with client_of(fake, retry=ONCE) as client:
            outcomes = await collected(client.send_many(messages(2), concurrency=1))
    shown = repr(outcomes) + repr(messages(1))
    assert TEXT not in shown
    assert not any(number[4:] in shown for number in numbers(2))
    assert isinstance(outcomes[0].error, OutcomeUnknown)
