"""What aiohttp does by itself, and its transport does not."""

import asyncio
import gc
import select
import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any
from weakref import ref

import aiohttp
import anyio
import pytest

from tests.support.fault_server import Act, ClosedPort, FaultServer, Talk, written
from tests.support.forking import forks_beside_threads, in_a_child, needs_fork
from tests.transports._echo import echoes, echoing
from ziett_async import Request, Response, SendFailed
from ziett_async.testing import FakeZiett, Fault
from ziett_async.transports.aiohttp import AiohttpTransport

pytestmark = pytest.mark.anyio

HEADERS = (("x-api-key", "zk_test_x"),)


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio: aiohttp knows no other event loop."""
    return "asyncio"


def test_on_trio_nothing_is_sent() -> None:
    """The error names the transport that runs there."""

    async def send() -> None:
        transport = AiohttpTransport()
        with pytest.raises(SendFailed, match=r"^aiohttp .*trio.*HttpxTransport$") as caught:
            await transport.send(Request("GET", "http://127.0.0.1:1/", HEADERS))
        assert caught.value.reached is False
        await transport.aclose()

    anyio.run(send, backend="trio")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:70000/", f"https://{'x' * 70}.invalid/", "ftp://127.0.0.1/"]
)
async def test_an_impossible_address_is_not_sent(url: str) -> None:
    """A port or a host that there cannot be, or another protocol."""
    transport = AiohttpTransport()
    with pytest.raises(SendFailed, match="cannot be sent") as caught:
        await transport.send(Request("GET", url, HEADERS))
    await transport.aclose()
    assert caught.value.reached is False


async def test_a_refused_connection_has_the_reason_of_the_system() -> None:
    """Without the words that aiohttp puts around it."""
    port, transport = ClosedPort(), AiohttpTransport()
    with pytest.raises(SendFailed, match=r": \[Errno \d+\] "):
        await transport.send(Request("GET", port.url, HEADERS))
    await transport.aclose()
    port.close()


async def test_a_get_on_a_connection_that_breaks_is_sent_once() -> None:
    """It has reached the server, and only the caller's policy sends it again."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = AiohttpTransport()
        get = Request("GET", f"{server.url}/c/v1/messages", HEADERS)
        await transport.send(get)
        with server.script(Fault.lose_answer()), pytest.raises(SendFailed) as caught:
            await transport.send(get)
        assert (caught.value.reached, caught.value.timed_out) == (True, False)
        assert len(server.heard) == 2
        assert caught.value.reason.startswith("the connection ")
        await transport.aclose()


@needs_fork
@forks_beside_threads
def test_a_fork_after_the_event_loop_has_ended_is_silent() -> None:
    """Its connections are not paused and read again, be they free still or closed since."""
    transport: Any = AiohttpTransport()
    with echoing() as url:
        anyio.run(echoes, transport, url)
        (pool,) = transport._pools.values()
        kept = [connection for free in pool.free.values() for connection in free]
        for _ in range(2):
            in_a_child(bool)
            anyio.run(transport.aclose)
    assert len(kept) == 5


@pytest.mark.naive("aiohttp's client as it is", "a read is sent again, past policy and limit")
async def test_aiohttp_sends_a_get_again_by_itself() -> None:
    """The naive transport: the limiter gave out one permit, and the server has two requests."""
    async with FaultServer(FakeZiett()).serving() as server, aiohttp.ClientSession() as session:
        with server.script(Fault.lose_answer()):
            async with session.get(f"{server.url}/c/v1/messages", headers=HEADERS) as answer:
                assert answer.status == 200
        assert len(server.heard) == 2


async def _two_answers(talk: Talk) -> None:
    await talk.read()
    await talk.send(written(Response(200, (), b"first")))
    await anyio.sleep(0.02)
    await talk.send(written(Response(200, (), b"forged")))


@pytest.mark.naive("aiohttp's pool of connections", "an unsolicited answer is believed")
async def test_aiohttp_believes_an_unsolicited_answer() -> None:
    """The naive transport: what came meanwhile on a kept connection is the next one's answer."""
    bodies = list[bytes]()
    async with FaultServer(FakeZiett()).serving() as server, aiohttp.ClientSession() as session:
        with server.script(Act("a forged answer a moment later", _two_answers)):
            for _ in range(2):
                async with session.get(server.url) as answer:
                    bodies.append(await answer.read())
                await anyio.sleep(0.05)
    assert bodies == [b"first", b"forged"]


class Forger:
    """A server in a thread: its first connection gets a second answer, when `forge` is set."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(5)  # A forged answer that is believed opens no second one.
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.forge, self.has_forged = threading.Event(), threading.Event()

    def serve(self) -> None:
        """Serve two connections with a request each."""
        with closing(self._listener), self._listener.accept()[0] as first:
            first.recv(4096)
            first.sendall(written(Response(200, (), b"first")))
            self.forge.wait(5)
            first.sendall(written(Response(200, (), b"forged")))
            self.has_forged.set()
            with self._listener.accept()[0] as second:
                second.recv(4096)
                second.sendall(written(Response(200, (), b"second")))


@contextmanager
def forging() -> Generator[Forger]:
    """Run a forger while the block runs."""
    forger = Forger()
    thread = threading.Thread(target=forger.serve)
    thread.start()
    try:
        yield forger
    finally:
        thread.join()


@pytest.mark.parametrize("has_poll", [True, False])
async def test_an_unsolicited_answer_is_not_believed_unread(
    monkeypatch: pytest.MonkeyPatch, *, has_poll: bool
) -> None:
    """Nor where it came while the event loop was busy, and did not read it."""
    if not has_poll:  # as on Windows
        monkeypatch.delattr(select, "poll", raising=False)
    transport = AiohttpTransport()
    with forging() as forger:
        get = Request("GET", forger.url, HEADERS)
        assert (await transport.send(get)).body == b"first"
        forger.forge.set()
        assert forger.has_forged.wait(5)
        assert (await transport.send(get)).body == b"second"
    await transport.aclose()


async def test_a_connection_is_used_again_where_the_system_has_no_poll(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows has none; to look whether anything has come takes no time there either."""
    monkeypatch.delattr(select, "poll", raising=False)
    async with FaultServer(FakeZiett()).serving() as server:
        transport = AiohttpTransport()
        with anyio.fail_after(4):
            for _ in range(6):
                await transport.send(Request("GET", server.url, HEADERS))
        await transport.aclose()
    assert server.accepted == 1


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts what it looks up."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = list[object]()

    async def getaddrinfo(self, host: Any, port: Any, **settings: Any) -> Any:  # noqa: ANN401 - asyncio's
        """Look a host up."""
        self.asked.append(host)
        return await super().getaddrinfo(host, port, **settings)


async def _send_twice_to_a_server_that_leaves() -> None:
    async def leave(talk: Talk) -> None:
        await talk.read()
        await talk.send(written(Response(200, ())))
        await anyio.sleep(0.02)
        await talk.finish()

    async with FaultServer(FakeZiett()).serving() as server:
        transport = AiohttpTransport()
        url = server.url.replace("127.0.0.1", "localhost")
        with server.script(*[Act("an answer, and the end later", leave)] * 2):
            for _ in range(2):
                await transport.send(Request("GET", url, HEADERS))
                await anyio.sleep(0.1)
        await transport.aclose()


def test_a_host_is_looked_up_for_every_connection() -> None:
    """It may have moved since the last one."""
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop: Any = runner.get_loop()
        runner.run(_send_twice_to_a_server_that_leaves())
    assert loop.asked.count("localhost") == 2


async def test_a_free_connection_holds_nothing_of_its_last_request() -> None:
    """The key, a number and a text are not kept for as long as the transport is open."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = AiohttpTransport()
        request = Request("POST", f"{server.url}/c/v1/messages", HEADERS, b"{}")
        await transport.send(request)
        kept = ref(request)
        del request
        gc.collect()
        assert kept() is None
        await transport.aclose()


async def test_nothing_is_added_to_a_request() -> None:
    """Headers arrive in their case and order, the address as it is quoted; no cookie is kept."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = AiohttpTransport()
        asked = list[Request]()

        async def play(talk: Talk) -> None:
            asked.append(await talk.read())
            await talk.send(written(Response(200, (("set-cookie", "a=b"),))))

        url = server.url.replace("127.0.0.1", "localhost")  # aiohttp keeps none of an address
        headers = (*HEADERS, ("accept-encoding", "identity"))
        with server.script(*[Act("a cookie", play)] * 2):
            for _ in range(2):
                await transport.send(Request("GET", f"{url}/a%2Fb%7e?q=%2b1", headers))
        await transport.aclose()
    assert [(each.url, each.headers[1:]) for each in asked] == [("/a%2Fb%7e?q=%2b1", headers)] * 2


async def test_an_answer_in_odd_bytes_is_an_answer() -> None:
    """Header values need not be UTF-8; each byte is one character."""

    async def play(talk: Talk) -> None:
        await talk.read()
        await talk.send(b"HTTP/1.1 200 OK\r\nx-odd: \xe9\r\ncontent-length: 0\r\n\r\n")

    async with FaultServer(FakeZiett()).serving() as server:
        transport = AiohttpTransport()
        with server.script(Act("a header in latin-1", play)):
            answer = await transport.send(Request("GET", server.url, HEADERS))
        await transport.aclose()
    assert answer.header("X-Odd") == "\xe9"
