"""The client's life: built, used where it may be, closed or forgotten."""

import asyncio
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import pytest

import ziett_async
from tests.support.checks import keys_in_frames
from tests.support.samples import API_KEY, NUMBER, REMITTER
from ziett_async import AsyncZiett, ConfigurationError, DeadlineExceeded
from ziett_async.blocking import Ziett
from ziett_async.testing import FakeTransport, FakeZiett

#: Calls, each to be refused.
Steps = Sequence[Callable[[], object]]
ROOT = Path(ziett_async.__file__).parents[1]


def client_of(fake: FakeZiett) -> Ziett:
    """Return an open client."""
    return Ziett(API_KEY, transport=FakeTransport(fake), default_remitter_id=REMITTER)


def test_a_closed_client_refuses_calls(fake: FakeZiett) -> None:
    """Of every kind, also in the middle of a loop, in words for this client; and closes twice."""
    with client_of(fake) as client:
        message_id = client.send_message(NUMBER, content="Olá").message_id
        found = client.iter_messages(size=2)
        outcomes = client.send_many([])
    client.close()
    steps: Steps = [
        lambda: client.send_message(NUMBER, content="Olá"),
        lambda: list(found),
        lambda: list(client.watch_messages(message_id)),
        lambda: list(outcomes),
    ]
    for step in steps:
        with pytest.raises(ConfigurationError, match="the client is closed; make calls inside its"):
            step()
    outcomes.close()
    assert len(fake.requests) == 1


def test_it_shows_its_address_and_state_and_no_key(fake: FakeZiett) -> None:
    """Its repr, its pickle, and the frames of a client that could not be built."""
    client = client_of(fake)
    assert repr(client) == "<Ziett https://api.ziett.co/c/v1 (open)>"
    client.close()
    assert repr(client) == "<Ziett https://api.ziett.co/c/v1 (closed)>"
    assert repr(Ziett.__new__(Ziett)) == "<Ziett (not built)>"
    with pytest.raises(TypeError, match="not picklable: it holds the key"):
        pickle.dumps(client)
    for arguments in ([API_KEY], [f"{API_KEY}é"]):
        with pytest.raises(ConfigurationError) as caught:
            Ziett(*arguments, base_url="http://api.ziett.co")
        assert keys_in_frames(caught.value, API_KEY) == []


def test_a_client_that_is_forgotten_warns_and_is_closed(fake: FakeZiett) -> None:
    """As the asynchronous one does; its connections do not stay open beside the other clients'."""

    class Transport(FakeTransport):
        is_closed = False

        async def aclose(self) -> None:
            await super().aclose()
            Transport.is_closed = True

    clients = [Ziett(API_KEY, transport=Transport(fake), default_remitter_id=REMITTER)]
    clients[0].send_message(NUMBER, content="Olá")
    with pytest.warns(ResourceWarning, match=r"unclosed client <Ziett .*; use `with`, or close\("):
        clients.clear()
    with client_of(fake) as other:
        other.send_message(NUMBER, content="Olá")
    assert Transport.is_closed


def test_closing_that_was_interrupted_can_be_done_again(fake: FakeZiett) -> None:
    """The client is closed from the first moment on; the transport is in the end."""

    class Transport(FakeTransport):
        closings = 0

        async def aclose(self) -> None:
            self.closings += 1
            if self.closings == 1:
                raise KeyboardInterrupt
            await super().aclose()

    transport = Transport(fake)
    client = Ziett(API_KEY, transport=transport, default_remitter_id=REMITTER)
    with pytest.raises(KeyboardInterrupt):
        client.close()
    with pytest.raises(ConfigurationError, match="the client is closed"):
        client.list_messages()
    client.close()
    assert transport.closings == 2


def test_a_loop_keeps_its_client_open(fake: FakeZiett) -> None:
    """A function may return the loop alone; it is with the loop that the client is forgotten."""
    with client_of(fake) as client:
        sent = client.send_message(NUMBER, content="Olá").message_id
    loops = [iter(client_of(fake).iter_messages())]
    assert [message.id for message in loops[0]] == [sent]
    with pytest.warns(ResourceWarning, match="unclosed client"):
        loops.clear()


def test_it_shares_the_limit_with_every_client_of_its_key() -> None:
    """The asynchronous ones of the process, too."""
    fake = FakeZiett()

    async def send_another() -> None:
        transport = FakeTransport(fake)
        async with AsyncZiett(API_KEY, transport=transport, default_remitter_id=REMITTER) as client:
            with pytest.raises(DeadlineExceeded, match="the rate limit allows no attempt"):
                await client.send_message(NUMBER, content="Olá", timeout=1)

    with client_of(fake) as client:
        for _ in range(120):
            client.send_message(NUMBER, content="Olá")
        asyncio.run(send_another())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_in_a_running_event_loop_every_call_is_refused(
    client: Ziett, fake: FakeZiett, backend: str
) -> None:
    """Also to open and to close: each would stop the loop."""

    async def refused() -> None:
        outcomes = client.send_many([])
        steps: Steps = [
            lambda: client.send_message(NUMBER, content="Olá"),
            lambda: list(client.iter_messages()),
            lambda: next(outcomes),
            outcomes.close,
            client.__enter__,
            client.close,
        ]
        for step in steps:
            with pytest.raises(ConfigurationError, match=r"use ziett_async\.AsyncZiett here"):
                step()

    anyio.run(refused, backend=backend)
    assert not fake.requests
    assert client.list_messages().total == 0


def test_in_a_callback_of_an_event_loop_it_is_refused(client: Ziett) -> None:
    """Where no task runs, but the loop does."""

    async def callback() -> None:
        loop = asyncio.get_running_loop()
        failed = loop.create_future()
        loop.set_exception_handler(lambda _, context: failed.set_result(context["exception"]))
        loop.call_soon(client.list_messages)
        assert isinstance(await failed, ConfigurationError)

    asyncio.run(callback())


def test_beside_a_running_event_loop_it_may_be_used(client: Ziett) -> None:
    """In a thread of that loop, as a synchronous Django view under ASGI is."""

    async def use() -> int:
        return (await asyncio.to_thread(client.list_messages)).total

    assert asyncio.run(use()) == 0


def test_a_program_that_does_not_import_it_loads_nothing_of_it() -> None:
    """Neither the package nor its asynchronous client imports it."""
    code = "import sys, ziett_async; ziett_async.AsyncZiett; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "ziett_async._client" in done.stdout.split()
    assert not [each for each in done.stdout.split() if each.startswith("ziett_async.blocking")]
