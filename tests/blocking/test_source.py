"""Many messages from a generator, which is read in the thread of the loop, as the run goes on."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from threading import current_thread

import pytest

from tests.support.bulk import MemoryJournal
from tests.support.samples import NUMBER
from ziett_async import ConfigurationError, NewMessage, SendOutcome
from ziett_async.blocking import Ziett
from ziett_async.blocking._portal import Portal
from ziett_async.blocking._source import NOTHING, Inbox, Source, is_lazy, read_into
from ziett_async.testing import FakeZiett


class Messages:
    """Messages that record how far they were read, and in which threads they were used."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self._count = count
        self._error = error
        self.read = 0
        self.threads = set[str]()
        self.is_dropped = False

    def __iter__(self) -> Iterator[NewMessage]:
        self.threads.add(current_thread().name)
        try:
            while self.read < self._count:
                self.read += 1
                yield NewMessage(NUMBER, f"Olá {self.read}")
            if self._error is not None:
                raise self._error
        finally:
            self.threads.add(current_thread().name)
            self.is_dropped = True


def test_nothing_is_read_before_the_first_step_nor_far_ahead(
    client: Ziett, fake: FakeZiett
) -> None:
    """As many messages are read as may be under way, and those whose outcome was taken."""
    messages = Messages(100)
    outcomes = client.send_many(messages, concurrency=3)
    assert messages.read == 0
    for taken, outcome in enumerate(outcomes, 1):
        assert outcome.accepted
        assert messages.read <= taken + 3
    assert len(fake.messages) == messages.read == 100
    assert messages.threads == {current_thread().name}


def test_a_loop_that_is_left_drops_its_messages_where_it_read_them(client: Ziett) -> None:
    """So that what a generator closes at its end is closed in its thread."""
    messages = Messages(100)
    for _ in client.send_many(messages, concurrency=3):
        break
    gc.collect()
    assert messages.is_dropped
    assert messages.threads == {current_thread().name}


def test_closing_ends_the_run(client: Ziett, fake: FakeZiett) -> None:
    """What has happened by then still comes; closing twice, or before any step, does nothing."""
    journal = MemoryJournal()
    with closing(client.send_many(Messages(100), concurrency=3, journal=journal)) as outcomes:
        next(outcomes)
    sent = len(fake.requests)
    outcomes.close()
    client.send_many(Messages(100)).close()
    assert all(outcome.accepted for outcome in outcomes)
    assert len(fake.requests) == sent


def test_an_error_of_the_messages_is_raised_after_the_outcomes(client: Ziett) -> None:
    """As with the asynchronous client: what was read before it has been sent."""
    seen = list[SendOutcome]()
    with pytest.raises(ZeroDivisionError):
        seen.extend(client.send_many(Messages(5, ZeroDivisionError())))
    outcomes = client.send_many(Messages(5, ZeroDivisionError()))
    assert len([next(outcomes) for _ in range(5)]) == 5
    with pytest.raises(ZeroDivisionError):
        next(outcomes)


def test_messages_whose_reading_was_interrupted_do_not_pass_for_complete(client: Ziett) -> None:
    """A generator ends with Ctrl-C; the run ends, too, and not as if that were all."""
    outcomes = client.send_many(Messages(2, KeyboardInterrupt()), concurrency=5)
    with pytest.raises(KeyboardInterrupt):
        list(outcomes)
    with pytest.raises(ConfigurationError, match="reading them was interrupted; start the run"):
        list(outcomes)


def test_an_asynchronous_stream_is_read_in_the_event_loop(client: Ziett, fake: FakeZiett) -> None:
    """Where it belongs."""

    async def messages() -> AsyncIterator[NewMessage]:
        yield NewMessage(NUMBER, current_thread().name)

    assert len(list(client.send_many(messages()))) == 1
    assert fake.messages[0].content == "ziett_async"


def test_what_is_no_iterable_is_refused_by_its_name(client: Ziett) -> None:
    """The asynchronous client's words."""
    wrong: list[object] = [5, "x", {"target_e164": NUMBER}]
    for each in wrong:
        with pytest.raises(ValueError, match="messages: must be an iterable or async iterable"):
            client.send_many(each)  # type: ignore[arg-type]


COLLECTIONS: list[object] = [[], (), {}, set[str](), "text", b"", {1: 2}.values(), 5, None]


@pytest.mark.parametrize("value", COLLECTIONS)
def test_a_collection_is_not_lazy(value: object) -> None:
    """To read it runs no code of the caller."""
    assert not is_lazy(value)


def test_a_message_for_a_run_that_has_ended_is_dropped() -> None:
    """It is read, but nothing waits for it any more."""

    async def ask() -> None:
        inbox = Inbox()
        asking = asyncio.create_task(anext(Source(inbox)))
        await asyncio.sleep(0)
        wanted = inbox.wanted[0]
        asking.cancel()
        await asyncio.wait([asking])
        read_into(inbox, NOTHING)
        await asyncio.sleep(0)
        assert wanted.cancelled()

    asyncio.run(ask())


class Interrupted(Inbox):
    """Is interrupted as soon as it has been woken for a message, once."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait, and raise the first time."""
        if self.waits.is_set():
            return super().wait(seconds)
        self.waits.set()
        while not self.wanted:
            super().wait(seconds)
        raise KeyboardInterrupt


def test_a_message_that_was_wanted_as_its_thread_was_interrupted_is_read_by_the_next_step() -> None:
    """The run would wait for it for ever."""
    portal, inbox = Portal(), Interrupted()
    source, asking = iter(["first", "second"]), list[asyncio.Task[object]]()

    async def step() -> object:
        await asyncio.to_thread(inbox.waits.wait, 5)
        asking.append(asyncio.create_task(anext(Source(inbox))))
        return await asyncio.shield(asking[0])

    with pytest.raises(KeyboardInterrupt):
        portal.call(step, inbox, source)
    done, _ = portal.call(lambda: asyncio.wait(asking, timeout=5), inbox, source)
    assert [task.result() for task in done] == ["first"]
    portal.stop()


class Place(asyncio.Future[object]):
    """Is interrupted before it can be filled, once."""

    is_interrupted = False

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return its event loop, or raise."""
        if self.is_interrupted:
            return super().get_loop()
        self.is_interrupted = True
        raise KeyboardInterrupt


def test_a_message_that_was_read_as_its_thread_was_interrupted_is_not_skipped() -> None:
    """The run ends with an error: whether it was read is not known any more."""

    async def read() -> None:
        inbox, source = Inbox(), iter(["first", "second"])
        inbox.wanted.append(wanted := Place())
        with pytest.raises(KeyboardInterrupt):
            read_into(inbox, source)
        read_into(inbox, source)
        assert not inbox.wanted
        with pytest.raises(ConfigurationError, match="reading them was interrupted"):
            await wanted
        assert next(source) == "second"

    asyncio.run(read())
