"""The stream of server-sent events behind the inbox."""

import json
import re
from collections.abc import Sequence

import anyio
import anyio.abc
import pytest

from tests.emulator.conftest import Harness, Json
from tests.support.requests import batch, message, request_of
from ziett_async._clock import ManualClock
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator.control.events import EventStream
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.views import Views
from ziett_async.testing import FakeZiett, MessageRecord

pytestmark = pytest.mark.anyio


class Listener:
    """A client that reads server-sent events."""

    def __init__(self, stream: anyio.abc.SocketStream) -> None:
        self._stream = stream
        self._read = ""

    async def until(self, name: str) -> Json:
        """Return the data of the next event of this name."""
        found = None
        with anyio.fail_after(10):
            while not (found := re.search(rf"event: {name}\ndata: (.*)\n\n", self._read)):
                self._read += (await self._stream.receive()).decode()
        self._read = self._read[found.end() :]
        return json.loads(found[1])


async def test_the_event_stream_sends_every_change(harness: Harness) -> None:
    """First the state, then messages, requests and the account; the state after a reset."""
    async with await anyio.connect_tcp("127.0.0.1", harness.emulator.port) as stream:
        # In HTTP/1.0, so that events come without the frames of chunks.
        await stream.send(b"GET /_emulator/events HTTP/1.0\r\nhost: localhost\r\n\r\n")
        listener = Listener(stream)
        assert (await listener.until("state"))["messages"] == []
        await harness.send(content="one\u2028two")
        message = await listener.until("message")
        assert (message["status"], message["content"]) == ("PENDING", "one\u2028two")
        assert (await listener.until("request"))["answer"]["status"] == 202
        assert (await listener.until("account"))["balance"] == "85"
        await harness.send(content="one\u2028two")
        assert (await listener.until("message"))["attempts"] == 2
        await listener.until("account")
        await harness.ask("POST", "/dialect", {"dialect": "reference"})
        assert (await listener.until("account"))["dialect"] == "reference"
        await harness.ask("POST", "/clock", {"seconds": 60})
        assert (await listener.until("message"))["status"] == "DELIVERED"
        harness.emulator.service.delete_message(message["id"])
        assert (await listener.until("state"))["messages"] == []
        await harness.ask("POST", "/reset", {})
        assert (await listener.until("state"))["requests"] == []


async def test_a_silent_stream_sends_comments() -> None:
    """So that either side notices a dead connection."""
    service, log, sent_data = FakeZiett(), RequestLog(), list[bytes]()

    async def send(data: bytes) -> None:
        sent_data.append(data)
        if len(sent_data) == 3:
            scope.cancel()

    with anyio.CancelScope() as scope:
        await EventStream(service, Views(service, log), log, keep_alive=0.15).feed(send)
    assert sent_data[0].startswith(b"retry: ")
    assert sent_data[1].startswith(b"event: state\n")
    assert sent_data[2] == b": still here\n\n"


class CountingZiett(FakeZiett):
    """A fake that counts how often all its messages are read."""

    reads = 0

    @property
    def messages(self) -> Sequence[MessageRecord]:
        """Every message, as before."""
        self.reads += 1
        return super().messages


def stream_of(service: FakeZiett) -> EventStream:
    """Return a stream of a service, after its first event."""
    log = RequestLog()
    stream = EventStream(service, Views(service, log), log)
    assert [name for name, _ in stream.events()] == ["state"]
    return stream


def message_events(stream: EventStream) -> list[Json]:
    """Return the `message` events since the last call."""
    return [document for name, document in stream.events() if name == "message"]


async def test_a_listener_does_not_read_all_messages_when_nothing_happens() -> None:
    """Nor when messages come or are delivered: only what changed is read, from the log."""
    clock = ManualClock()
    service = CountingZiett(clock=clock)
    stream = stream_of(service)
    reads = service.reads
    assert list(stream.events()) == []
    service.exchange(request_of("POST", "/messages", message(), key="a"))
    assert [each["status"] for each in message_events(stream)] == ["PENDING"]
    clock.advance(3600)
    assert [each["status"] for each in message_events(stream)] == ["DELIVERED"]
    assert service.reads == reads


async def test_what_is_shown_of_older_messages_is_sent_again_when_it_changes() -> None:
    """By a new contact of their number, and by a repeated request, from memory too."""
    service = FakeZiett(delivery=None)
    stream = stream_of(service)
    first, other = (
        request_of("POST", "/messages", message(target_e164=number), key=number)
        for number in ("+244923456789", "+244923000000")
    )
    service.exchange(first)
    service.exchange(other)
    assert len(message_events(stream)) == 2
    service.exchange(first)
    [event] = message_events(stream)
    assert (event["target_e164"], event["attempts"]) == ("+244923456789", 2)
    contact = message(save_contact={"name": "Ana"}, content="2")
    service.exchange(request_of("POST", "/messages", contact, key="b"))
    events = message_events(stream)
    assert [each["contact"]["name"] for each in events] == ["Ana", "Ana"]
    assert message_events(stream) == []


async def test_a_campaign_is_sent_when_it_or_its_messages_change() -> None:
    """With what became of its messages; other messages send none."""
    clock = ManualClock()
    service = FakeZiett(clock=clock)
    stream = stream_of(service)

    def campaign_events() -> list[Json]:
        return [document for name, document in stream.events() if name == "campaign"]

    service.exchange(request_of("POST", "/campaigns/batch", batch()))
    [event] = campaign_events()
    assert (event["status"], set(event["statuses"])) == ("PROCESSING", {"PENDING"})
    service.add_message()
    assert campaign_events() == []
    service.deliver(service.messages[0].id, "FAILED")
    [event] = campaign_events()
    assert event["statuses"]["FAILED"] == 1
    clock.advance(3600)
    assert [each["status"] for each in campaign_events()] == ["COMPLETED"]


async def test_a_clock_that_was_advanced_is_sent() -> None:
    """Though nothing else has changed."""
    clock = AdjustableClock()
    service = FakeZiett(clock=clock)
    stream = stream_of(service)
    clock.advance(3600)
    [(name, account)] = stream.events()
    assert (name, account["advanced"]) == ("account", 3600)
    assert list(stream.events()) == []


async def test_two_listeners_each_get_every_event() -> None:
    """Each has its own position."""
    service = FakeZiett()
    streams = [stream_of(service) for _ in range(2)]
    added = service.add_message()
    for stream in streams:
        assert [each["id"] for each in message_events(stream)] == [str(added.id)]


async def test_a_listener_that_clear_overtakes_gets_the_state() -> None:
    """Even where there are as many messages and requests as before it; attempts count anew."""
    service, send = FakeZiett(), request_of("POST", "/messages", message(), key="a")
    stream = stream_of(service)
    service.exchange(send)
    service.exchange(send)
    assert [each["attempts"] for each in message_events(stream)] == [2]
    service.clear()
    service.exchange(send)
    service.exchange(request_of("POST", "/messages", message(), key="b"))
    events: list[tuple[str, Json]] = list(stream.events())
    assert [name for name, _ in events] == ["state"]
    assert [each["attempts"] for each in events[0][1]["messages"]] == [1, 1]
    assert message_events(stream) == []
