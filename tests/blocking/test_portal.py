"""The event loop of the process: one thread, shared by all; and calls that are cut short."""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from threading import Barrier, Thread, current_thread, get_ident, main_thread

import anyio
import pytest

from tests.support.samples import API_KEY, NUMBER, REMITTER
from ziett_async import (
    AsyncZiett,
    Attempt,
    ConfigurationError,
    NewMessage,
    ObservedCall,
    OutcomeUnknown,
    Request,
    Response,
    RetryPolicy,
)
from ziett_async.blocking import Ziett
from ziett_async.blocking._caller import Caller
from ziett_async.blocking._iterators import Steps
from ziett_async.blocking._portal import Call, Portal, Process
from ziett_async.blocking._source import Inbox
from ziett_async.testing import FakeTransport, FakeZiett, Fault

THREADS = 20


class SoftTimeLimitExceeded(Exception):
    """What Celery's signal handler raises in a task that takes too long."""


class Interrupted(FakeTransport):
    """Sends a signal to the process when a request is under way, and then answers no more."""

    #: The signals that are left to send.
    signals = 0
    cancelled = 0

    async def send(self, request: Request) -> Response:
        """Hang if there is a signal to send."""
        if not self.signals:
            return await super().send(request)
        self.signals -= 1
        self.service.exchange(request)
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
        try:
            await anyio.sleep_forever()
        finally:
            self.cancelled += 1
        raise AssertionError


@contextmanager
def interrupting(error: type[BaseException]) -> Generator[None]:
    """Have the handler of the signal raise an error."""

    def handle(*_: object) -> None:
        raise error

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def transport(fake: FakeZiett) -> Interrupted:
    """Return a transport that can be told to hang."""
    return Interrupted(fake)


@pytest.fixture
def interrupted(transport: Interrupted) -> Iterator[Ziett]:
    """Yield a client over it."""
    once = RetryPolicy(attempts=1)
    with Ziett(API_KEY, transport=transport, retry=once, default_remitter_id=REMITTER) as client:
        yield client


@pytest.mark.parametrize("error", [KeyboardInterrupt, SoftTimeLimitExceeded])
def test_an_interrupted_call_is_cancelled_and_the_client_stays_usable(
    interrupted: Ziett, transport: Interrupted, error: type[BaseException]
) -> None:
    """By Ctrl-C, or whatever else a signal handler raises; the call has ended by then."""
    transport.signals = 1
    with interrupting(error), pytest.raises(error):
        interrupted.send_message(NUMBER, content="Olá")
    assert transport.cancelled == 1
    assert interrupted.send_message(NUMBER, content="Olá outra vez").message_id


def test_what_is_known_of_an_interrupted_send_is_kept(
    interrupted: Ziett, transport: Interrupted, fake: FakeZiett
) -> None:
    """It may have been sent: with its key no later call is `NotSent`, nor sends it twice."""
    transport.signals = 1
    with interrupting(KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        interrupted.send_message(NUMBER, content="Olá", idempotency_key="order-7")
    with fake.script(Fault.refuse()), pytest.raises(OutcomeUnknown):
        interrupted.send_message(NUMBER, content="Olá", idempotency_key="order-7")
    interrupted.send_message(NUMBER, content="Olá", idempotency_key="order-7")
    fake.assert_sent(to=NUMBER)


def test_a_loop_over_many_goes_on_after_an_interruption(
    interrupted: Ziett, transport: Interrupted
) -> None:
    """Only its step was cancelled, and no outcome is lost: one message still hangs."""
    transport.signals = 1
    messages = [NewMessage(NUMBER, f"Olá {number}") for number in range(20)]
    outcomes = interrupted.send_many(messages, concurrency=5)
    with interrupting(KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        next(outcomes)
    assert [next(outcomes).accepted is None for _ in range(19)] == [False] * 19
    outcomes.close()
    assert transport.cancelled == 1


class Counting:
    """Counts, and sends the signal before it returns two."""

    number = 0

    def __aiter__(self) -> "Counting":
        return self

    async def __anext__(self) -> int:
        self.number += 1
        if self.number == 2:
            signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
        return self.number


def test_what_a_step_gave_when_it_was_interrupted_is_given_by_the_next(fake: FakeZiett) -> None:
    """It came too late to be cancelled, and too early to be returned."""
    caller = Caller(AsyncZiett(API_KEY, transport=FakeTransport(fake)))
    steps = Steps(caller, Counting())
    assert next(steps) == 1
    with interrupting(KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        next(steps)
    assert [next(steps), next(steps)] == [2, 3]
    caller.close()


def test_a_list_is_exact_after_an_interruption(
    interrupted: Ziett, transport: Interrupted, fake: FakeZiett
) -> None:
    """The step is made again: no message is missing, and none comes twice."""
    for number in range(6):
        interrupted.send_message(NUMBER, content=f"Olá {number}")
    found = iter(interrupted.iter_messages(size=2))
    seen = [next(found), next(found)]
    transport.signals = 1
    with interrupting(KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        next(found)
    seen += found
    assert sorted(each.id for each in seen) == sorted(each.id for each in fake.messages)


class Recorder:
    """An observer that notes where and with which context it is called."""

    def __init__(self, number: ContextVar[int]) -> None:
        self._number = number
        self.seen = set[tuple[str, int]]()

    def on_call(
        self, call: ObservedCall
    ) -> AbstractContextManager[Callable[[Attempt], object] | None]:
        """Note the thread and the context of a call."""
        del call
        self.seen.add((current_thread().name, self._number.get()))
        return nullcontext(None)


def test_many_threads_share_one_event_loop(fake: FakeZiett) -> None:
    """All at once, each call with the context variables of its thread."""
    number = ContextVar[int]("number")
    recorder, barrier = Recorder(number), Barrier(THREADS)

    def send(client: Ziett, index: int) -> str | None:
        number.set(index)
        barrier.wait()
        accepted = client.send_message(NUMBER, content=f"Olá {index}")
        return client.get_message(accepted.message_id).content

    with (
        Ziett(
            API_KEY,
            transport=FakeTransport(fake),
            default_remitter_id=REMITTER,
            observer=recorder,
        ) as client,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        contents = list(threads.map(partial(send, client), range(THREADS)))
    assert contents == [f"Olá {index}" for index in range(THREADS)]
    assert recorder.seen == {("ziett_async", index) for index in range(THREADS)}


def test_a_process_has_one_thread_for_all_clients(client: Ziett, fake: FakeZiett) -> None:
    """It is a daemon, as is every thread that is started in it."""
    client.list_messages()
    with Ziett(API_KEY, transport=FakeTransport(fake)) as other:
        other.list_messages()
        [thread] = [each for each in threading.enumerate() if each.name == "ziett_async"]
    assert thread.daemon


def test_what_is_no_exception_reaches_the_caller_and_not_the_event_loop() -> None:
    """An observer, say, that exits: the loop serves other threads, too."""
    portal = Portal()

    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        portal.call(leave)
    assert portal.call(partial(asyncio.sleep, 0, "still there")) == "still there"
    portal.stop()


def test_a_call_that_was_interrupted_before_it_started_ends() -> None:
    """It is never started; and a message that a run asked for meanwhile is read later."""
    portal, inbox = Portal(), Inbox()

    async def ask() -> asyncio.Future[object]:
        return asyncio.get_running_loop().create_future()

    inbox.put(wanted := portal.call(ask))
    call = Call(partial(asyncio.sleep, 0), inbox)
    portal.call_soon(call.cancel)
    call.wait_for_end()
    assert inbox.get_nowait() is wanted
    portal.stop()


def test_at_the_end_calls_are_cancelled_clients_closed_and_others_refused(
    fake: FakeZiett,
) -> None:
    """Of daemons, as all other threads have ended by then; a later `close` does nothing."""
    ending, errors = Process(), list[str]()
    client = AsyncZiett(API_KEY, transport=FakeTransport(fake))
    ending.clients.add(client)
    portal, waiting = ending.portal(), threading.Event()
    assert ending.portal() is portal

    async def wait() -> None:
        waiting.set()
        await anyio.sleep_forever()

    def call() -> None:
        with pytest.raises(ConfigurationError) as caught:
            portal.call(wait)
        errors.append(str(caught.value))

    thread = Thread(target=call)
    thread.start()
    assert waiting.wait(5)
    ending.end()
    thread.join(5)
    with pytest.raises(ConfigurationError) as caught:
        ending.portal()
    assert errors == [str(caught.value)]
    assert errors[0].startswith("the process is ending; make calls before ")
    assert "closed" in repr(client)
    ending.close(client)
    portal.call_soon(get_ident)
    Process().end()


def test_a_client_that_is_forgotten_before_any_call_starts_no_thread(fake: FakeZiett) -> None:
    """Nothing of it is open."""
    before = threading.active_count()
    client = AsyncZiett(API_KEY, transport=FakeTransport(fake))
    Process().close_soon(client)
    assert threading.active_count() == before
    asyncio.run(client.aclose())
