"""What lanes do with libraries that behave oddly, and with connections nobody uses."""

import ssl

import anyio
import httpx
import pytest
from pytest_httpx import HTTPXMock

import ziett_async.transports
from tests.faults._server import FaultServer, client_tls, server_tls, stall_handshake
from ziett_async import Request, SendFailed, SystemClock
from ziett_async.testing import FakeZiett, Fault
from ziett_async.testing.conformance import TransportConformance
from ziett_async.transports import HttpxTransport
from ziett_async.transports._pool import PooledTransport
from ziett_async.transports.httpx2 import Httpx2Transport

pytestmark = pytest.mark.anyio

KINDS = pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport])
GET = Request("GET", "http://127.0.0.1:1/c/v1/messages", (("x-api-key", "zk_test_x"),))


class Tls:
    """A TLS connection as the library shows it, with something to read or not."""

    def __init__(self, more: bytes | ssl.SSLError) -> None:
        self.more = more

    def read(self, _: int) -> bytes:
        """Return what came."""
        if isinstance(self.more, ssl.SSLError):
            raise self.more
        return self.more


class Stream:
    """A connection as the library shows it."""

    def __init__(self, tls: Tls | None) -> None:
        self.tls = tls

    def get_extra_info(self, _: str) -> Tls | None:
        """Return what TLS there is."""
        return self.tls


@pytest.mark.parametrize(
    "extensions",
    [
        {},
        {"network_stream": Stream(None)},
        {"network_stream": Stream(Tls(b"H"))},
        {"network_stream": Stream(Tls(ssl.SSLWantReadError()))},
        {"network_stream": Stream(Tls(ssl.SSLZeroReturnError()))},
    ],
    ids=["unknown", "no TLS", "more came", "nothing came", "closed"],
)
async def test_an_answer_is_given_whatever_is_known_of_its_connection(
    httpx_mock: HTTPXMock, extensions: dict[str, object]
) -> None:
    """Where the library does not show what came behind an answer, the answer stands."""
    httpx_mock.add_callback(lambda _: httpx.Response(200, content=b"{}", extensions=extensions))
    transport = HttpxTransport()
    assert (await transport.send(GET)).body == b"{}"
    await transport.aclose()


async def test_an_error_without_words_says_so(httpx_mock: HTTPXMock) -> None:
    """Nobody is left with an empty reason."""
    httpx_mock.add_exception(httpx.ConnectError(""))
    transport = HttpxTransport()
    with pytest.raises(SendFailed, match=r"no connection to 127\.0\.0\.1:1: no reason given"):
        await transport.send(GET)
    await transport.aclose()


@pytest.mark.parametrize("tls", [True, False])
@KINDS
async def test_a_connection_is_used_again(kind: type[PooledTransport], *, tls: bool) -> None:
    """One request after another travels on one connection, of both libraries, TLS or not."""
    async with FaultServer(FakeZiett(), server_tls() if tls else None).serving() as server:
        transport = kind(ssl_context=client_tls())
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        for _ in range(3):
            assert (await transport.send(get)).status == 200
        assert (server.accepted, len(server.heard)) == (1, 3)
        await transport.aclose()


async def test_connections_that_nobody_uses_are_closed() -> None:
    """After a burst the idle connections go with the next request."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = HttpxTransport(keepalive=0.0)
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(transport.send, get)
        await transport.send(get)
        # The server hears of each close at its own pace, and nothing tells us when.
        with anyio.fail_after(2):
            while server.open > 1:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        await transport.aclose()


@KINDS
async def test_a_connection_is_not_used_after_its_time(kind: type[PooledTransport]) -> None:
    """Servers drop idle connections: one that was idle for longer is not the next request's."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind(keepalive=0.02)
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        await transport.send(get)
        await anyio.sleep(0.03)
        await transport.send(get)
        assert server.accepted == 2
        await transport.aclose()


@KINDS
async def test_no_more_connections_than_it_was_told(kind: type[PooledTransport]) -> None:
    """Twenty requests at once wait for two connections."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind(max_connections=2)
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(transport.send, get)
        assert (server.accepted, len(server.heard)) == (2, 20)
        await transport.aclose()


@KINDS
async def test_connecting_has_a_time_of_its_own(kind: type[PooledTransport]) -> None:
    """A handshake that stalls is given up long before the attempt's time, and reached nobody."""
    async with FaultServer(FakeZiett(), server_tls()).serving() as server:
        transport = kind(connect_timeout=0.05, ssl_context=client_tls())
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers, b"", 60.0)
        with (
            server.script(stall_handshake),
            anyio.fail_after(5),
            pytest.raises(SendFailed) as caught,
        ):
            await transport.send(get)
        assert str(caught.value).startswith("no connection in time")
        assert (caught.value.reached, caught.value.timed_out) == (False, True)
        await transport.aclose()


@KINDS
async def test_a_request_under_way_outlives_the_transport(kind: type[PooledTransport]) -> None:
    """Closing waits for nobody: the request is answered, and its connection closed then."""
    answers = list[int]()
    async with FaultServer(FakeZiett(clock=SystemClock())).serving() as server:
        transport = kind()
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)

        async def send() -> None:
            answers.append((await transport.send(get)).status)

        async with anyio.create_task_group() as tasks:
            with server.script(Fault.slow(0.5)):
                tasks.start_soon(send)
                with anyio.fail_after(2):
                    while not server.heard:  # noqa: ASYNC110 - nothing tells us
                        await anyio.sleep(0.001)
                await transport.aclose()
                assert answers == []
        assert answers == [200]
        with anyio.fail_after(2):
            while server.open:  # noqa: ASYNC110 - the server hears of it at its own pace
                await anyio.sleep(0.001)


def test_a_name_that_is_no_transport_is_an_attribute_error() -> None:
    """The module imports httpx late, and is a module like any other all the same."""
    with pytest.raises(AttributeError, match="has no attribute 'CarrierPigeon'"):
        _ = ziett_async.transports.CarrierPigeon


def test_the_conformance_tests_want_a_transport() -> None:
    """Whoever forgets to name a transport is told by the first test."""
    with pytest.raises(NotImplementedError):
        TransportConformance().make_transport()


@KINDS
@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", f"http://127.0.0.1:1/{'a' * 70_000}", ()),
        Request("GET", "http://127.0.0.1:1/", (("x", "\u00e9\u20ac"),)),
    ],
    ids=["too long", "not ASCII"],
)
async def test_what_http_cannot_carry_is_not_sent(
    kind: type[PooledTransport], request_: Request
) -> None:
    """An address or a header that the library refuses certainly reached nobody."""
    transport = kind()
    with pytest.raises(SendFailed, match="cannot be sent") as caught:
        await transport.send(request_)
    await transport.aclose()
    assert not caught.value.reached
