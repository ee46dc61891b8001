"""What every transport over HTTP is made of, and what it says when it sends nothing."""

import ssl
from sys import float_info
from typing import Any

import anyio
import httpx
import pytest
from pytest_httpx import HTTPXMock

from tests.support.fault_server import FaultServer
from ziett_async import Request, SendFailed, SystemClock
from ziett_async.testing import FakeZiett, Fault
from ziett_async.transports import HttpxTransport
from ziett_async.transports._pool import PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx2 import Httpx2Transport

pytestmark = pytest.mark.anyio

KINDS = pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
GET = Request("GET", "http://127.0.0.1:1/c/v1/messages", (("x-api-key", "zk_test_x"),))
#: The most bytes of a body that a transport reads unless it is told otherwise.
MOST = 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "wrong", "must"),
    [
        ("max_connections", 0, "an integer of at least 1, got 0"),
        ("max_response_bytes", "9", "an integer of at least 1, got '9'"),
        ("connect_timeout", -0.5, "a number of seconds of at least 0, got -0.5"),
        ("keepalive", None, "a number of seconds of at least 0, got None"),
        ("ssl_context", "cert.pem", "an ssl.SSLContext, got str"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_must_be(
    name: str, wrong: object, must: str
) -> None:
    """Nothing is opened for it, and nothing of a file's name is repeated."""
    arguments: dict[str, Any] = {name: wrong}
    with pytest.raises(ValueError, match=f"^{name}: must be {must}$"):
        HttpxTransport(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_connections": 1, "max_response_bytes": 1},
        {"connect_timeout": 0, "keepalive": 0.0},
        {"connect_timeout": float_info.max, "keepalive": int(float_info.max)},
        {"ssl_context": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)},
    ],
    ids=["least", "no time", "any time", "TLS"],
)
def test_the_least_and_the_most_are_taken(arguments: dict[str, Any]) -> None:
    """One connection, one byte, and no time are few, but no mistake."""
    assert HttpxTransport(**arguments)


async def test_connecting_may_take_five_seconds(httpx_mock: HTTPXMock) -> None:
    """The default; all that follows has the attempt's time."""
    httpx_mock.add_response()
    transport = HttpxTransport()
    await transport.send(GET)
    await transport.aclose()
    (request,) = httpx_mock.get_requests()
    assert request.extensions["timeout"] == {"connect": 5.0}


async def test_a_body_may_have_eight_megabytes(httpx_mock: HTTPXMock) -> None:
    """The default, to the byte."""
    for size in (MOST, MOST + 1):
        httpx_mock.add_response(content=bytes(size))
    transport = HttpxTransport()
    assert len((await transport.send(GET)).body) == MOST
    with pytest.raises(SendFailed, match=f"longer than {MOST} bytes"):
        await transport.send(GET)
    await transport.aclose()


async def test_five_hundred_requests_may_be_in_flight(httpx_mock: HTTPXMock) -> None:
    """The default; the next one waits until one of them has its answer."""
    may_answer, asked = anyio.Event(), list[httpx.Request]()

    async def hold(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        await may_answer.wait()
        return httpx.Response(200)

    httpx_mock.add_callback(hold, is_reusable=True)
    transport = HttpxTransport()
    async with anyio.create_task_group() as tasks:
        for _ in range(501):
            tasks.start_soon(transport.send, GET)
        await anyio.wait_all_tasks_blocked()
        assert len(asked) == 500
        may_answer.set()
    assert len(asked) == 501
    await transport.aclose()


async def fails(transport: PooledTransport, request: Request) -> SendFailed:
    """Send what fails, and return how."""
    with pytest.raises(SendFailed) as caught:
        await transport.send(request)
    return caught.value


@KINDS
async def test_a_closed_transport_says_so(kind: type[PooledTransport]) -> None:
    """The request has reached nothing, and no time was up."""
    transport = kind()
    await transport.aclose()
    failure = await fails(transport, GET)
    assert failure.reason == "the transport is closed"
    assert (failure.reached, failure.timed_out) == (False, False)


@KINDS
async def test_an_answer_that_does_not_come_in_time_says_so(kind: type[PooledTransport]) -> None:
    """The request may have reached the server."""
    async with FaultServer(FakeZiett(clock=SystemClock())).serving() as server:
        transport = kind()
        get = Request("GET", f"{server.url}/c/v1/messages", GET.headers, timeout=0.5)
        with server.script(Fault.stall()):
            failure = await fails(transport, get)
        await transport.aclose()
    assert failure.reason == "no answer in time"
    assert (failure.reached, failure.timed_out) == (True, True)
