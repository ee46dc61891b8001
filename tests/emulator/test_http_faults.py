"""Scripted faults over real sockets: what a client in any language meets."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from time import monotonic

import pytest

from tests.support.samples import REMITTER
from ziett_async import AsyncZiett, OutcomeUnknown, RetryPolicy, Unlimited
from ziett_async.testing import Fault
from ziett_async.testing.emulator import Emulator

LIST = b"GET /c/v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: zk_test_x\r\n\r\n"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Serve a Ziett from a thread."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def end(emulator: Emulator) -> Iterator[socket.socket]:
    """Open a connection and ask for a list on it."""
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=10) as end:
        yield end


@pytest.mark.parametrize(
    ("fault", "executed"),
    [
        (Fault.reset(), None),
        (Fault.lose_answer(), 200),
        (Fault.running(1.0), 200),
        (Fault.refuse(), "never came"),
    ],
)
def test_a_reset_is_a_real_one(
    emulator: Emulator, end: socket.socket, fault: Fault, executed: object
) -> None:
    """A RST and not a FIN, before or after the service has carried the request out."""
    with emulator.service.script(fault):
        end.sendall(LIST)
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    statuses = [arrival.status for arrival in emulator.service.requests]
    assert statuses == ([] if executed == "never came" else [executed])


@pytest.mark.parametrize("at", [0, 7])
def test_a_truncated_response_is_shorter_than_its_length(
    emulator: Emulator, end: socket.socket, at: int
) -> None:
    """The head is complete, `cut` bytes of the body come, then the connection is closed."""
    emulator.service.faults.add(Fault.truncate(at))
    end.sendall(LIST)
    received = b"".join(iter(lambda: end.recv(10_000), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-length: 53" in head
    assert body == b'{"entries":[],'[:at]


def test_a_stalled_response_never_comes(emulator: Emulator, end: socket.socket) -> None:
    """The connection stays open until the client closes it; other clients are served."""
    emulator.service.faults.add(Fault.stall())
    end.sendall(LIST)
    end.settimeout(0.2)
    with pytest.raises(TimeoutError):
        end.recv(1)
    end.settimeout(10)
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=10) as other:
        other.sendall(LIST)
        assert other.recv(15) == b"HTTP/1.1 200 OK"
    end.sendall(b"Hello?")
    end.shutdown(socket.SHUT_WR)
    assert end.recv(1) == b""


def test_a_slow_response_comes_late(emulator: Emulator, end: socket.socket) -> None:
    """Its delay passes after the request was carried out."""
    emulator.service.faults.add(Fault.slow(0.2))
    before = monotonic()
    end.sendall(LIST)
    assert end.recv(15) == b"HTTP/1.1 200 OK"
    assert monotonic() - before >= 0.2


def ask(emulator: Emulator) -> tuple[HTTPResponse, bytes]:
    """Request a list twice on one connection; return the first response."""
    client = HTTPConnection("127.0.0.1", emulator.port, timeout=10)
    client.request("GET", "/c/v1/messages", headers={"x-api-key": "zk_test_x"})
    response = client.getresponse()
    body = response.read()
    client.request("GET", "/c/v1/messages", headers={"x-api-key": "zk_test_x"})
    assert client.getresponse().status == 200
    client.close()
    return response, body


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault.garbage(b"\x00\xff{"), 200, b"\x00\xff{"),
        (Fault.gateway_error(body=b"<h1>Bad gateway"), 502, b"<h1>Bad gateway"),
        (Fault.status(204, body=b"ignored"), 204, b""),
        (Fault.status(304, body=b"ignored"), 304, b""),
        (Fault.status(599, body=b"?"), 599, b"?"),
        (Fault.status(200, headers=(("Content-Length", "999"),), body=b"?"), 200, b"?"),
    ],
)
def test_a_response_may_be_anything_that_is_http(
    emulator: Emulator, fault: Fault, status: int, body: bytes
) -> None:
    """Framed as HTTP demands, so that the connection can go on."""
    emulator.service.faults.add(fault)
    response, received = ask(emulator)
    assert (response.status, received) == (status, body)


def test_a_response_that_is_not_http_is_a_500(emulator: Emulator) -> None:
    """Its message shows the author of the fault what is wrong."""
    emulator.service.faults.add(Fault.status(200, headers=(("a b", "c"),)))
    response, body = ask(emulator)
    assert response.status == 500
    assert "is not HTTP" in json.loads(body)["message"]


def test_a_header_outside_latin_1_is_sent_with_question_marks(emulator: Emulator) -> None:
    """The rest of the response is as it was given."""
    emulator.service.faults.add(Fault.status(200, headers=(("x-name", "João €"),), body=b""))
    assert ask(emulator)[0].getheader("x-name") == "João ?"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fault",
    [
        *(Fault.lose_answer(), Fault.reset(), Fault.truncate(3)),
        *(Fault.status(503), Fault.gateway_error(), Fault.gateway_error(504)),
    ],
    ids=str,
)
async def test_our_client_sends_once_despite_a_fault(fault: Fault) -> None:
    """It tries again, and there is one message."""
    async with (
        Emulator() as emulator,
        AsyncZiett(
            "zk_test_x",
            base_url=emulator.base_url,
            limiter=Unlimited(),
            retry=RetryPolicy(base=0),
            default_remitter_id=REMITTER,
        ) as client,
    ):
        with emulator.service.script(fault):
            accepted = await client.send_message("+244923456789", content="Olá")
        assert accepted.call.attempts == 2
        assert [each.id for each in emulator.service.messages] == [accepted.message_id]


@pytest.mark.anyio
async def test_our_client_does_not_wait_for_a_stalled_response() -> None:
    """The attempt times out, and its outcome is unknown."""
    async with (
        Emulator() as emulator,
        AsyncZiett("zk_test_x", base_url=emulator.base_url, attempt_timeout=0.5) as client,
    ):
        emulator.service.faults.add(*[Fault.stall()] * 3)
        with pytest.raises(OutcomeUnknown):
            await client.send_message("+244923456789", content="Olá", remitter_id=REMITTER)
        assert len(emulator.service.messages) == 1
