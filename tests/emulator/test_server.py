"""The emulator as any HTTP client meets it, down to bytes that are not HTTP."""

import errno
import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from time import monotonic
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.support.requests import message
from ziett_async import AsyncZiett
from ziett_async import emulator as package
from ziett_async._wire import Request
from ziett_async.emulator._application import Send, StreamingResponse
from ziett_async.emulator._tcp import Peer, accept, is_free, listen
from ziett_async.testing import SCOPES, Exchange, FakeZiett, Fault
from ziett_async.testing import emulator as older
from ziett_async.testing.emulator import Emulator

KEY = b"x-api-key: zk_test_x\r\n"
LIST = b"GET /c/v1/messages HTTP/1.1\r\nhost: localhost\r\n" + KEY
POST = (
    b"POST /c/v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" + KEY
)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Serve a Ziett from a thread."""
    with Emulator() as emulator:
        yield emulator


def connect(emulator: Emulator) -> socket.socket:
    """Open a connection with a timeout."""
    return socket.create_connection(("127.0.0.1", emulator.port), timeout=10)


def answer(end: socket.socket, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    """Read one response and no further bytes."""
    response = HTTPResponse(end, method=method)
    response.begin()
    return response, response.read()


def talk(emulator: Emulator, sent: bytes) -> tuple[int, Any]:
    """Send bytes and a FIN; return the status and the JSON of the response."""
    with connect(emulator) as end:
        end.sendall(sent)
        end.shutdown(socket.SHUT_WR)
        response, body = answer(end)
        return response.status, json.loads(body)


def ask(emulator: Emulator, method: str, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    """Send a request with Python's own client."""
    client = HTTPConnection("127.0.0.1", emulator.port, timeout=10)
    client.request(method, path, headers={"x-api-key": "zk_test_x", **headers})
    response = client.getresponse()
    body = response.read()
    client.close()
    return response, body


def seen(emulator: Emulator) -> list[Any]:
    """Return the request log."""
    requests: list[Any] = json.loads(ask(emulator, "GET", "/_emulator/requests")[1])["requests"]
    return requests


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"NONSENSE\r\n\r\n", 400, "BAD_REQUEST"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /\x01 HTTP/1.1\r\nhost: localhost\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nhost: localhost", 400, "BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * 20_000, 431, "REQUEST_HEADER_FIELDS_TOO_LARGE"),
        (POST + b"content-length: x\r\n\r\n", 400, "BAD_REQUEST"),
        (POST + b"content-length: 1\r\ncontent-length: 2\r\n\r\n", 400, "BAD_REQUEST"),
        (POST + b"content-length: 9\r\n\r\n{}", 400, "BAD_REQUEST"),
        (POST + b"transfer-encoding: gzip\r\n\r\n", 501, "NOT_IMPLEMENTED"),
        (POST + b"transfer-encoding: chunked\r\n\r\nx\r\n", 400, "BAD_REQUEST"),
        (POST + b"content-length: 1048577\r\n\r\n", 413, "PAYLOAD_TOO_LARGE"),
        (
            POST + b"transfer-encoding: chunked\r\n\r\n100001\r\n" + b" " * 0x100001,
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        (POST + b"\r\n", 422, "VALIDATION_ERROR"),
        (
            b"GET /c/v1/nothing HTTP/1.1\r\nhost: localhost\r\n" + KEY + b"\r\n",
            404,
            "NOT_FOUND",
        ),
        (b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n", 404, "NOT_FOUND"),
        (b"CONNECT x:1 HTTP/1.1\r\nhost: localhost\r\n\r\n", 404, "NOT_FOUND"),
        (b"PUT /c/v1/messages HTTP/1.1\r\nhost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"GET /c/v1/messages HTTP/1.1\r\nhost: localhost\r\n\r\n", 401, "AUTH_INVALID_API_KEY"),
    ],
)
def test_every_bad_request_gets_the_error_object(
    emulator: Emulator, sent: bytes, status: int, code: str
) -> None:
    """With all six keys and no traceback, and the next client is served."""
    answered, document = talk(emulator, sent)
    assert (answered, document["status"], document["code"]) == (status, status, code)
    keys = {"code", "message", "status", "trace_id", "timestamp", "service"}
    assert document.keys() - {"fields"} == keys
    assert "Traceback" not in document["message"]
    assert talk(emulator, LIST + b"\r\n")[0] == 200


def test_a_connection_serves_many_requests_in_order(emulator: Emulator) -> None:
    """One after another, and several sent at once."""
    with connect(emulator) as end:
        end.sendall(LIST + b"\r\n")
        assert answer(end)[0].status == 200
        end.sendall(LIST + b"\r\n" + POST + b"content-length: 2\r\n\r\n{}" + LIST + b"\r\n")
        received, statuses = b"", list[bytes]()
        while len(statuses) < 3:
            received += end.recv(10_000)
            statuses = re.findall(rb"HTTP/1.1 (\d+)", received)
        assert statuses == [b"200", b"422", b"200"]


def test_it_listens_on_loopback_only() -> None:
    """At one address, which other machines cannot reach."""
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_http_1_0_and_connection_close_get_one_response(emulator: Emulator) -> None:
    """Then the connection is closed."""
    for sent in (
        LIST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n",
        LIST + b"connection: close\r\n\r\n",
    ):
        with connect(emulator) as end:
            end.sendall(sent)
            assert answer(end)[0].status == 200
            assert end.recv(1) == b""


def test_a_target_may_be_absolute(emulator: Emulator) -> None:
    """As clients send it to a proxy."""
    sent = LIST.replace(b"/c/v1", b"http://127.0.0.1/c/v1") + b"\r\n"
    assert talk(emulator, sent)[0] == 200


def test_head_is_get_without_a_body(emulator: Emulator) -> None:
    """For a path that exists and for one that does not."""
    with connect(emulator) as end:
        for path, status in ((b"/c/v1/messages", 200), (b"/nothing", 404)):
            end.sendall(b"HEAD " + path + b" HTTP/1.1\r\nhost: localhost\r\n" + KEY + b"\r\n")
            response, body = answer(end, "HEAD")
            assert (response.status, body) == (status, b"")
            assert int(response.headers["content-length"]) > 50
            assert response.headers["transfer-encoding"] is None
        end.sendall(LIST + b"\r\n")
        assert answer(end)[0].status == 200


def test_nonsense_after_a_head_gets_the_error_object_too(emulator: Emulator) -> None:
    """With a body: only the request before it was a HEAD."""
    with connect(emulator) as end:
        end.sendall(b"HEAD /c/v1/messages HTTP/1.1\r\nhost: localhost\r\n" + KEY + b"\r\n")
        assert answer(end, "HEAD")[0].status == 200
        end.sendall(b"NONSENSE\r\n\r\n")
        response, body = answer(end)
        assert (response.status, json.loads(body)["code"]) == (400, "BAD_REQUEST")


def test_a_client_that_expects_100_continue_gets_it(emulator: Emulator) -> None:
    """As curl does before longer bodies."""
    body = json.dumps(message()).encode()
    with connect(emulator) as end:
        end.sendall(POST + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body))
        assert end.recv(100).startswith(b"HTTP/1.1 100 ")
        end.sendall(body)
        assert answer(end)[0].status == 202


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(emulator: Emulator) -> None:
    """Without a `100 Continue`."""
    with connect(emulator) as end:
        end.sendall(POST + b"expect: 100-continue\r\ncontent-length: 9999999\r\n\r\n")
        assert answer(end)[0].status == 413


def test_a_body_may_come_in_chunks(emulator: Emulator) -> None:
    """Of any size."""
    body = json.dumps(message()).encode()
    parts = (body[:10], body[10:], b"")
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    status, document = talk(emulator, POST + b"transfer-encoding: chunked\r\n\r\n" + chunks)
    assert (status, document) == (202, {"message_id": str(emulator.service.messages[0].id)})


def test_a_slow_reader_gets_all_of_a_long_response() -> None:
    """The emulator waits until the socket accepts more."""
    long = b"x" * 32_000_000
    with Emulator() as emulator, connect(emulator) as end:
        emulator.service.faults.add(Fault.status(200, body=long))
        end.sendall(LIST + b"\r\n")
        assert answer(end)[1] == long


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example:1",
        "1.2.3.4.evil.example",
        "",
        # What the DHCP or DNS of a network can hand out.
        "emulator:8420",
        "evil.test",
        "host.docker.internal:1",
        "evillocalhost",
        "10.0.2.2",
        "192.168.1.7:8420",
        "[fe80::1]:8420",
    ],
)
def test_a_name_that_may_lead_elsewhere_is_refused(emulator: Emulator, host: str) -> None:
    """Else DNS rebinding would let a page of any site in; the request leaves no trace."""
    sent = LIST.replace(b"host: localhost", b"host: " + host.encode()) + b"\r\n"
    status, document = talk(emulator, sent)
    assert (status, document["code"], document["service"]) == (403, "FOREIGN_HOST", "emulator")
    assert repr(host) in document["message"]
    assert "send the header Host: localhost" in document["message"]
    assert not emulator.service.requests
    assert seen(emulator) == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.2", "[::1]:8420", "localhost", "LOCALHOST:8420", "ziett.localhost"],
)
def test_a_loopback_name_or_address_is_not(emulator: Emulator, host: str) -> None:
    """No network can change what they resolve to."""
    sent = LIST.replace(b"host: localhost", b"host: " + host.encode()) + b"\r\n"
    assert talk(emulator, sent)[0] == 200


#: What browsers add to a page's requests: an image, a form, `fetch` with `no-cors`; another port
#: of this machine, by its name and by its address; the preflight of any other `fetch`.
PAGES = [
    ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
    ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": "null"}),
    ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}),
    ("GET", {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"}),
    ("OPTIONS", {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}),
    # Browsers before 2023.
    ("POST", {"Origin": "https://evil.example"}),
]


@pytest.mark.parametrize(("method", "headers"), PAGES)
def test_a_page_of_another_origin_leaves_no_trace(method: str, headers: dict[str, str]) -> None:
    """No fault is used, nothing logged, no latency drawn, and no CORS header sent."""
    draws = list[float]()

    def latency() -> float:
        draws.append(0.0)
        return 0.0

    with Emulator(latency=latency) as emulator:
        emulator.service.faults.add(Fault.status(503))
        response, body = ask(emulator, method, "/c/v1/messages", **headers)
        assert (response.status, json.loads(body)["code"]) == (403, "FOREIGN_ORIGIN")
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert len(emulator.service.faults.pending) == 1
        assert not emulator.service.requests
        assert (seen(emulator), draws) == ([], [])


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "curl/8.5.0"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}"},
        # A front end's request, passed on by its development server.
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:3000"},
    ],
)
def test_programs_and_typed_addresses_are_served(
    emulator: Emulator, headers: dict[str, str]
) -> None:
    """So are requests that a page's own server passes on."""
    filled = {name: value.format(port=emulator.port) for name, value in headers.items()}
    assert ask(emulator, "GET", "/c/v1/messages", **filled)[0].status == 200
    assert len(seen(emulator)) == 1


def test_http_1_0_needs_no_host(emulator: Emulator) -> None:
    """HTTP/1.0 has no `Host`, and no browser speaks it."""
    assert talk(emulator, b"GET /c/v1/messages HTTP/1.0\r\n" + KEY + b"\r\n")[0] == 200


@pytest.mark.parametrize("key", ["zk_live_x", "ZK_LIVE_x"])
def test_live_keys_are_refused(key: str) -> None:
    """Even where the service accepts the key."""
    with Emulator(FakeZiett(keys={key: SCOPES})) as emulator:
        response, body = ask(emulator, "GET", "/c/v1/messages", **{"x-api-key": key})
        document = json.loads(body)
        assert (response.status, document["code"]) == (401, "AUTH_INVALID_API_KEY")
        assert "refuses live keys" in document["message"]
        assert not emulator.service.requests


@pytest.mark.parametrize("latency", [0.1, lambda: 0.1])
def test_latency_passes_before_a_response(latency: float | Callable[[], float]) -> None:
    """A number of seconds, or what a function returns for each request."""
    with Emulator(latency=latency) as emulator:
        before = monotonic()
        assert ask(emulator, "GET", "/c/v1/messages")[0].status == 200
        assert monotonic() - before >= 0.1


class Broken(FakeZiett):
    """A service with a defect."""

    def exchange(self, request: Request) -> Exchange:
        """Fail."""
        raise KeyError(request.url)


def test_a_defect_is_a_500_and_a_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The response does not show the traceback, and the emulator goes on."""
    with Emulator(Broken()) as emulator:
        response, body = ask(emulator, "GET", "/c/v1/messages")
        assert ask(emulator, "GET", "/_emulator/state")[0].status == 200
    assert (response.status, json.loads(body)["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert b"KeyError" not in body
    assert "KeyError: '/c/v1/messages'" in caplog.text


class Streaming(Emulator):
    """An emulator that answers with streams."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = threading.Event()

    def answer(self, request: Request) -> StreamingResponse:
        """Answer with a stream that does not end, one that does, or one that fails."""
        feeds = {"/endless": self.endless, "/short": self.short, "/broken": self.broken}
        headers = (("content-type", "text/event-stream"),)
        return StreamingResponse(200, headers, feeds[request.url])

    async def endless(self, send: Send) -> None:
        """Send one event and wait."""
        try:
            await send(b"data: 1\n\n")
            await anyio.sleep_forever()
        finally:
            self.ended.set()

    async def short(self, send: Send) -> None:
        """Send two events."""
        await send(b"data: 1\n\n")
        await send(b"data: 2\n\n")

    async def broken(self, send: Send) -> None:
        """Send something that HTTP cannot."""
        await send(b"data: 1\n\n")
        raise KeyError


def test_a_stream_sends_until_the_client_disconnects() -> None:
    """Then it is cancelled."""
    with Streaming() as emulator:
        with connect(emulator) as end:
            end.sendall(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n")
            response = HTTPResponse(end)
            response.begin()
            assert response.getheader("content-type") == "text/event-stream"
            assert response.readline() == b"data: 1\n"
            assert not emulator.ended.is_set()
            response.close()
        assert emulator.ended.wait(10)


def test_a_stream_is_cancelled_by_a_reset() -> None:
    """As by a close."""
    with Streaming() as emulator:
        with connect(emulator) as end:
            end.sendall(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n")
            end.recv(1)
            Peer(end).reset()
        assert emulator.ended.wait(10)


def test_a_stream_may_end() -> None:
    """The client gets all of it, and the connection is closed."""
    with Streaming() as emulator:
        assert ask(emulator, "GET", "/short")[1] == b"data: 1\n\ndata: 2\n\n"
        assert ask(emulator, "HEAD", "/short")[1] == b""


def test_a_stream_that_fails_breaks_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback; other clients are served."""
    with Streaming() as emulator:
        with connect(emulator) as end:
            end.sendall(b"GET /broken HTTP/1.1\r\nhost: localhost\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                b"".join(iter(lambda: end.recv(1000), b""))
        assert ask(emulator, "GET", "/short")[0].status == 200
    assert "KeyError" in caplog.text


def test_a_client_that_disconnects_is_not_an_error(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Before a request, within one, or before it has read the response."""
    caplog.set_level(logging.DEBUG)
    for sent in (b"", b"GET /c", LIST + b"\r\n"):
        with connect(emulator) as end:
            end.sendall(sent)
            Peer(end).reset()
    assert talk(emulator, LIST + b"\r\n")[0] == 200
    assert "Traceback" not in caplog.text


@pytest.mark.anyio
async def test_our_client_sends_and_reads(anyio_backend: str) -> None:
    """In the same event loop, asyncio and trio."""
    async with (
        Emulator() as emulator,
        AsyncZiett(f"zk_test_{anyio_backend}", base_url=emulator.base_url) as client,
    ):
        accepted = await client.send_message(
            "+244923456789",
            content="Olá, João",
            remitter_id="019b4b56-e704-7c30-83a0-527df63c3e00",
        )
        message = await client.get_message(accepted.message_id)
        assert (message.content, len(emulator.service.messages)) == ("Olá, João", 1)


@pytest.mark.anyio
async def test_on_leaving_everything_is_closed() -> None:
    """The port is free, and connected clients get an end of file."""
    async with Emulator() as emulator:
        port, url = emulator.port, emulator.url
        idle = await anyio.connect_tcp("127.0.0.1", port)
        await idle.send(LIST + b"\r\n")
        await idle.receive()
        assert not is_free(port)
    assert url == f"http://127.0.0.1:{port}"
    assert is_free(port)
    with pytest.raises(anyio.EndOfStream):
        await idle.receive()
    await idle.aclose()


@pytest.mark.anyio
async def test_an_error_in_the_block_is_raised_unchanged() -> None:
    """Without an exception group around it."""
    with pytest.raises(KeyError):
        async with Emulator():
            raise KeyError


@pytest.mark.anyio
async def test_it_can_be_cancelled() -> None:
    """With clients connected, inside another task group."""
    async with (
        anyio.create_task_group() as tasks,
        Emulator() as emulator,
        await anyio.connect_tcp("127.0.0.1", port := emulator.port),
    ):
        tasks.cancel_scope.cancel()
        await anyio.sleep_forever()
    assert is_free(port)


def test_its_thread_ends_with_it() -> None:
    """It can be entered a second time."""
    threads, emulator = threading.active_count(), Emulator()
    for _ in range(2):
        with emulator:
            assert ask(emulator, "GET", "/c/v1/messages")[0].status == 200
        assert threading.active_count() == threads


def test_a_port_that_is_taken_is_an_error(emulator: Emulator) -> None:
    """On entering."""
    with pytest.raises(OSError, match="in use"), Emulator(port=emulator.port):
        pass


class Exhausted(socket.socket):
    """A listener whose first `accept` finds no file descriptor left."""

    refusals = 1

    def accept(self) -> tuple[socket.socket, Any]:
        """Fail the first time."""
        self.refusals -= 1
        if self.refusals >= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


@pytest.mark.anyio
async def test_accepting_is_tried_again_when_no_file_descriptor_is_left() -> None:
    """The client waits and is served."""
    plain = listen(0)
    listener = Exhausted(fileno=plain.detach())
    with socket.create_connection(listener.getsockname()):
        peer = await accept(listener)
        peer.close()
    listener.close()


@pytest.mark.anyio
async def test_a_second_reader_goes_on_waiting() -> None:
    """Readiness is a hint: another reader may have been quicker."""
    listener = listen(0)
    clients = [socket.create_connection(listener.getsockname())]
    ends, twins = [listener, listener.dup()], [Peer(clients[0]), Peer(clients[0].dup())]
    peers, received = list[Peer](), list[bytes]()

    async def take(each: socket.socket) -> None:
        peers.append(await accept(each))

    async def receive(peer: Peer) -> None:
        received.append(await peer.receive())

    async with anyio.create_task_group() as tasks:
        for each in ends:
            tasks.start_soon(take, each)
        while not peers:
            await checkpoint()
        clients.append(socket.create_connection(listener.getsockname()))
    async with anyio.create_task_group() as tasks:
        await peers[0].send(b"1")
        for twin in twins:
            tasks.start_soon(receive, twin)
        while not received:
            await checkpoint()
        await peers[0].send(b"2")
    assert received == [b"1", b"2"]
    for end in (*ends, *clients):
        end.close()
    for peer in (*peers, *twins):
        peer.close()


def test_the_older_name_is_the_same_emulator() -> None:
    """`ziett_async.testing.emulator` has all that `ziett_async.emulator` has: the one class."""
    assert older.__all__ == package.__all__ == ["Emulator"]
    assert older.Emulator is package.Emulator
