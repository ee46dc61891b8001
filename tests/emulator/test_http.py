"""HTTP/1.1 as any client speaks it, down to bytes that are not HTTP."""

import json
import logging
import re
import threading
from http.client import HTTPResponse

import anyio
import pytest

from tests.emulator._bytes import KEY, LIST, POST, answer, ask, connect, talk
from tests.support.requests import message
from ziett_async._wire import Request
from ziett_async.emulator._application import Send, StreamingResponse
from ziett_async.emulator._tcp import Peer
from ziett_async.testing import Fault
from ziett_async.testing.emulator import Emulator


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


class Streaming(Emulator):
    """An emulator that answers with streams."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = threading.Event()

    def answer(self, request: Request, latency: float) -> StreamingResponse:
        """Answer with a stream that does not end, one that does, or one that fails."""
        assert latency == 0
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
