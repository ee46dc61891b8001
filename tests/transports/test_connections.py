"""Connections that are used again, that are closed, and libraries that behave oddly."""

import ssl
from functools import partial
from types import ModuleType
from typing import Any

import anyio
import attrs
import httpx
import pytest
from pytest_httpx import HTTPXMock

import ziett_async.transports
from tests.support.fault_runs import API_KEY
from tests.support.fault_server import (
    Act,
    ClosedPort,
    FaultServer,
    Talk,
    client_tls,
    server_tls,
    stall_handshake,
    written,
)
from tests.support.samples import REMITTER
from ziett_async import (
    AsyncZiett,
    NotSent,
    OutcomeUnknown,
    Request,
    Response,
    RetryPolicy,
    SendFailed,
    SystemClock,
    TokenBucketLimiter,
)
from ziett_async.testing import FakeZiett, Fault, Quota
from ziett_async.testing.conformance import TransportConformance
from ziett_async.transports import HttpxTransport
from ziett_async.transports._pool import PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx2 import Httpx2Transport

pytestmark = pytest.mark.anyio

KINDS = pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
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
    """No error has an empty reason."""
    httpx_mock.add_exception(httpx.ConnectError(""))
    transport = HttpxTransport()
    with pytest.raises(SendFailed, match=r"no connection to 127\.0\.0\.1:1: no reason given"):
        await transport.send(GET)
    await transport.aclose()


async def test_a_time_of_the_library_that_is_up_is_told_as_such(httpx_mock: HTTPXMock) -> None:
    """Users' mocks have one; the library's own ends with the connection."""
    httpx_mock.add_exception(httpx.ReadTimeout(""))
    transport = HttpxTransport()
    with pytest.raises(SendFailed, match="ReadTimeout") as caught:
        await transport.send(attrs.evolve(GET, method="POST", body=b"{}"))
    await transport.aclose()
    assert (caught.value.reached, caught.value.timed_out) == (True, True)


@KINDS
async def test_a_refused_connection_names_the_host_and_the_reason(
    kind: type[PooledTransport],
) -> None:
    """Both are in the message, also on trio, whose own error has no words."""
    port, transport = ClosedPort(), kind()
    host = port.url.removeprefix("http://")
    with pytest.raises(SendFailed, match=f"^no connection to {host}: .*[Cc]onnect"):
        await transport.send(attrs.evolve(GET, url=port.url))
    await transport.aclose()
    port.close()


async def at_once(count: int, transport: PooledTransport, request: Request) -> None:
    """Send so many requests at once."""
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(transport.send, request)


async def until_open(server: FaultServer, count: int) -> None:
    """Wait until the server, which notices each close later, has so many connections open."""
    with anyio.fail_after(2):
        while server.open > count:  # noqa: ASYNC110 - nothing tells us
            await anyio.sleep(0.01)
    assert server.open == count


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


@KINDS
async def test_an_address_without_a_path_has_the_same_connection(
    kind: type[PooledTransport],
) -> None:
    """It is the same origin, and that of no other port."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind()
        for url in (server.url, f"{server.url}/", f"{server.url}/c/v1/messages", server.url):
            await transport.send(Request("GET", url, GET.headers))
        assert server.accepted == 1
        await transport.aclose()


@KINDS
async def test_a_connection_that_received_part_of_an_answer_while_free_is_not_used_again(
    kind: type[PooledTransport],
) -> None:
    """The rest may follow after the next request, which would get it as its own."""
    has_sent = anyio.Event()

    async def play(talk: Talk) -> None:
        await talk.read()
        await talk.send(written(Response(200, (), b"first")))
        await anyio.sleep(0.02)
        await talk.send(b"HTTP/1.1 408 Request Ti")
        has_sent.set()

    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind()
        with server.script(Act("part of an answer a moment later", play)):
            await transport.send(Request("GET", server.url, GET.headers))
        await has_sent.wait()
        await anyio.sleep(0.02)
        await transport.send(Request("GET", server.url, GET.headers))
        assert server.accepted == 2
        await transport.aclose()


@KINDS
@pytest.mark.parametrize("part", [b"HT", b"HTTP/1.1 408 Request Timeout\r\n"], ids=["word", "line"])
async def test_a_connection_that_received_part_of_an_answer_with_its_own_is_not_used_again(
    kind: type[PooledTransport], part: bytes
) -> None:
    """It comes in the same instant, so it has been read before the connection is free."""

    async def play(talk: Talk) -> None:
        await talk.read()
        await talk.send(written(Response(200, (), b"first")) + part)

    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind()
        with server.script(Act("an answer and part of another", play)):
            answer = await transport.send(Request("GET", server.url, GET.headers))
        await transport.send(Request("GET", server.url, GET.headers))
        assert (answer.body, server.accepted) == (b"first", 2)
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
async def test_old_connections_are_closed_and_young_ones_are_kept(
    kind: type[PooledTransport],
) -> None:
    """A request closes what has been idle for too long, on either side of the one it uses."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind(keepalive=0.5)
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        await at_once(5, transport, get)
        await transport.send(get)
        assert (server.accepted, server.open) == (5, 5)
        await anyio.sleep(0.6)
        await transport.send(get)
        await until_open(server, 1)
        await transport.aclose()


@KINDS
@pytest.mark.parametrize("tls", [True, False])
async def test_closing_goes_through_under_cancellation(
    kind: type[PooledTransport], *, tls: bool
) -> None:
    """A task that is cancelled while it closes five connections has closed five."""
    async with FaultServer(FakeZiett(), server_tls() if tls else None).serving() as server:
        transport = kind(ssl_context=client_tls())
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        await at_once(5, transport, get)
        assert server.open == 5
        with anyio.CancelScope() as scope:
            scope.cancel()
            await transport.aclose()
        await until_open(server, 0)


class Hidden:
    """httpx's transport as another version may have it: its pool is not to be found."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - httpx's
        self._inner = httpx.AsyncHTTPTransport(**settings)
        self.handle_async_request = self._inner.handle_async_request
        self.aclose = self._inner.aclose


class HiddenTransport(HttpxTransport):
    """A transport on such a version of httpx."""

    _library = ModuleType("httpx of another version")
    _library.__dict__.update(vars(httpx), AsyncHTTPTransport=Hidden)


async def test_a_connection_is_not_used_again_where_its_unread_bytes_cannot_be_seen() -> None:
    """Unknown is not none: each request opens a connection, and each gets its answer."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = HiddenTransport()
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        for _ in range(3):
            assert (await transport.send(get)).status == 200
        assert server.accepted == 3
        await transport.aclose()


@pytest.mark.fault("120 slow answers at once", send="no attempt spent on waiting")
@KINDS
async def test_a_slow_burst_waits_for_no_connection(kind: type[PooledTransport]) -> None:
    """120 sends, none answered before the last has arrived, are 120 attempts."""
    assert await attempts_of_a_slow_burst(kind()) == 120


@pytest.mark.naive("100 connections for 120 sends a minute", "attempts of slow sends lost")
async def test_a_slow_burst_over_a_hundred_connections_loses_attempts() -> None:
    """The naive number, less than the default limit: twenty never arrive while others wait."""
    with pytest.raises(BaseExceptionGroup) as caught:
        await attempts_of_a_slow_burst(HttpxTransport(max_connections=100), attempt_timeout=0.7)
    assert caught.group_contains((OutcomeUnknown, NotSent))


async def attempts_of_a_slow_burst(
    transport: PooledTransport, attempt_timeout: float = 10.0
) -> int:
    """Send 120 at once to a server that answers when all have arrived; return its requests."""
    limits = {"send": Quota(120, per=60.0)}
    all_are_here = anyio.Event()

    async def hold(talk: Talk) -> None:
        response = await talk.execute()
        if len(server.heard) == 120:
            all_are_here.set()
        await all_are_here.wait()
        await talk.send(written(response))

    async with FaultServer(FakeZiett(limits=limits)).serving() as server:
        client = AsyncZiett(
            API_KEY,
            base_url=f"{server.url}/c/v1",
            transport=transport,
            limiter=TokenBucketLimiter(),
            retry=RetryPolicy(attempts=1),
            attempt_timeout=attempt_timeout,
            default_remitter_id=REMITTER,
        )
        async with client, anyio.create_task_group() as tasks:
            with server.script(*[Act("held until all are here", hold)] * 120):
                for _ in range(120):
                    tasks.start_soon(partial(client.send_message, "+244923550001", content="Olá"))
                await all_are_here.wait()
        return len(server.heard)


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


@pytest.mark.fault("120 slow answers at once", read="no connection in time: not sent")
@KINDS
async def test_time_that_ends_while_waiting_for_a_connection(kind: type[PooledTransport]) -> None:
    """Waiting counts within the timeout, and a request that got no connection was not sent."""
    async with FaultServer(FakeZiett(clock=SystemClock())).serving() as server:
        transport = kind(max_connections=1)
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers, b"", 60.0)
        with server.script(Fault.stall()):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(transport.send, get)
                with anyio.fail_after(5):
                    while not server.heard:  # noqa: ASYNC110 - nothing tells us
                        await anyio.sleep(0.001)
                with pytest.raises(SendFailed, match="not sent in time") as caught:
                    await transport.send(attrs.evolve(get, timeout=0.05))
                assert (caught.value.reached, caught.value.timed_out) == (False, True)
                tasks.cancel_scope.cancel()
        await transport.aclose()


@KINDS
async def test_connecting_has_a_time_of_its_own(kind: type[PooledTransport]) -> None:
    """A handshake that stalls ends long before the attempt's time, and nothing was sent."""
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
async def test_no_time_to_connect_is_none(kind: type[PooledTransport]) -> None:
    """A `connect_timeout` of 0 is no time, and not any time."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind(connect_timeout=0)
        with pytest.raises(SendFailed, match="no connection in time") as caught:
            await transport.send(Request("GET", server.url, GET.headers, b"", 60.0))
        assert (caught.value.reached, caught.value.timed_out) == (False, True)
        await transport.aclose()


@KINDS
async def test_a_request_under_way_outlives_the_transport(kind: type[PooledTransport]) -> None:
    """Closing does not wait: the request is answered, and its connection closed then."""
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
    """A suite without a transport fails in its first test, with the reason."""
    with pytest.raises(NotImplementedError):
        TransportConformance().make_transport()


async def check_is_not_sent(transport: PooledTransport, request: Request) -> None:
    """Have a request refused that the library does not put into HTTP."""
    with pytest.raises(SendFailed, match="cannot be sent") as caught:
        await transport.send(request)
    await transport.aclose()
    assert caught.value.reached is False


@KINDS
async def test_a_header_that_is_not_ascii_is_not_sent(kind: type[PooledTransport]) -> None:
    """It certainly did not reach the server."""
    headers = (("x", "\u00e9\u20ac"),)
    await check_is_not_sent(kind(), Request("GET", "http://127.0.0.1:1/", headers))


@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport])
async def test_an_address_that_is_too_long_is_not_sent(kind: type[PooledTransport]) -> None:
    """Nor did this one; to aiohttp none is too long."""
    address = f"http://127.0.0.1:1/{'a' * 70_000}"
    await check_is_not_sent(kind(), Request("GET", address, ()))


async def test_an_odd_header_after_the_body_was_sent_may_have_been_sent(
    httpx_mock: HTTPXMock,
) -> None:
    """The same failure of the library means something else once the body has begun."""
    httpx_mock.add_exception(UnicodeError("the library cannot decode something"))
    transport = HttpxTransport()
    with pytest.raises(SendFailed, match="cannot be sent") as caught:
        await transport.send(attrs.evolve(GET, method="POST", body=b"{}"))
    await transport.aclose()
    assert caught.value.reached


def of_size(size: int, *, declared: int) -> Act:
    """Execute, answer with so many bytes of body, say that there are so many, close."""

    async def play(talk: Talk) -> None:
        await talk.execute()
        await talk.send(written(Response(200, (), bytes(size)), declared))
        await talk.finish()

    return Act(f"{size} bytes of {declared}", play)


@KINDS
@pytest.mark.parametrize(
    ("size", "declared", "reason"),
    [
        (100, 100, None),
        (101, 101, "longer than 100 bytes"),
        (100, 101, "broke before the answer was complete"),
        (99, 100, "broke before the answer was complete"),
    ],
)
async def test_the_size_limit_is_exact(
    kind: type[PooledTransport], size: int, declared: int, reason: str | None
) -> None:
    """As many bytes as allowed are an answer; one more is refused, and one less is cut."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind(max_response_bytes=100)
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        with server.script(of_size(size, declared=declared)):
            if reason is None:
                assert len((await transport.send(get)).body) == 100
            else:
                with pytest.raises(SendFailed, match=reason) as caught:
                    await transport.send(get)
                assert (caught.value.reached, caught.value.status) == (True, 200)
        await transport.aclose()


def in_pieces(*pieces: bytes) -> Act:
    """Execute, answer with these bytes and a pause after each, close."""

    async def play(talk: Talk) -> None:
        await talk.execute()
        for piece in pieces:
            await talk.send(piece)
            await anyio.sleep(0.02)
        await talk.finish()

    return Act(f"{len(pieces)} pieces", play)


@KINDS
async def test_an_answer_that_comes_in_pieces_is_whole(kind: type[PooledTransport]) -> None:
    """Cut in its first line, in its headers and in its body."""
    pieces = (b"HTTP/1.1 2", b"00 OK\r\ncontent-le", b"ngth: 4\r\n\r\na", b"b", b"cd")
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind()
        with server.script(in_pieces(*pieces)):
            answer = await transport.send(Request("GET", server.url, GET.headers))
        await transport.aclose()
    assert (answer.status, answer.body) == (200, b"abcd")


@KINDS
async def test_an_answer_that_is_cut_in_its_headers_has_a_status(
    kind: type[PooledTransport],
) -> None:
    """Once its first line is there, in however many pieces, and on a connection used before."""
    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind()
        get = Request("GET", server.url, GET.headers)
        await transport.send(get)
        with (
            server.script(in_pieces(b"HTTP/1.1 2", b"02 Accepted\r\nx: y")),
            pytest.raises(SendFailed, match="cut in its headers") as caught,
        ):
            await transport.send(get)
        await transport.aclose()
    assert (caught.value.reached, caught.value.status, server.accepted) == (True, 202, 1)


@KINDS
async def test_the_size_limit_is_exact_where_the_end_comes_later(
    kind: type[PooledTransport],
) -> None:
    """At the limit it still waits for the end of the answer."""

    async def play(talk: Talk) -> None:
        await talk.execute()
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        await talk.send(head + b"64\r\n%b\r\n" % bytes(100))
        await anyio.sleep(0.02)
        await talk.send(b"0\r\n\r\n")

    async with FaultServer(FakeZiett()).serving() as server:
        transport = kind(max_response_bytes=100)
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers)
        with server.script(Act("100 bytes, and their end later", play)):
            assert len((await transport.send(get)).body) == 100
        await transport.aclose()
