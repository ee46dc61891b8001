"""Every transport of the package is held to the port's contract."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from ziett_async import Request, SendFailed, SystemClock, Transport
from ziett_async.testing import FakeTransport, FakeZiett, Fault
from ziett_async.testing.conformance import TransportConformance
from ziett_async.transports import HttpxTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx2 import Httpx2Transport


class TestHttpx(TransportConformance):
    """The default transport."""

    def make_transport(self) -> Transport:
        """Return the transport under test."""
        return HttpxTransport()


class TestHttpx2(TransportConformance):
    """The transport on httpx's fork."""

    def make_transport(self) -> Transport:
        """Return the transport under test."""
        return Httpx2Transport()


class TestFake(TransportConformance):
    """The transport in memory, which reaches its service without an address."""

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[tuple[Transport, FakeZiett, str]]:
        """Yield a transport in memory, in real time as the others are."""
        service = FakeZiett(clock=SystemClock())
        yield FakeTransport(service), service, "http://127.0.0.1:1/c/v1"

    async def test_a_refused_connection_has_not_reached_the_server(self) -> None:
        """A refused connection is a `SendFailed` that has not reached the server."""
        async with self.connect() as (transport, service, url):
            request = Request("GET", f"{url}/messages", (("x-api-key", "zk_test_x"),))
            with service.script(Fault.refuse()), pytest.raises(SendFailed) as caught:
                await transport.send(request)
        assert not caught.value.reached


class TestAiohttp(TransportConformance):
    """The transport on aiohttp."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Run on asyncio: aiohttp knows no other event loop."""
        return "asyncio"

    def make_transport(self) -> Transport:
        """Return the transport under test."""
        return AiohttpTransport()
