"""Connections whose clients stall: the emulator does not wait for them for ever."""

import json
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from subprocess import PIPE, Popen

import anyio
import pytest
from anyio.abc import SocketStream

from ziett_async.emulator._http import TimeLimits, serve_connection
from ziett_async.emulator._tcp import accept, listen
from ziett_async.testing.emulator import Emulator

GET = b"GET /c/v1/messages HTTP/1.1\r\nhost: localhost\r\nx-api-key: zk_test_x\r\n\r\n"
POST = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\ncontent-length: 9\r\n\r\n")
CHUNKED = POST.replace(b"content-length: 9", b"transfer-encoding: chunked")


@pytest.fixture
async def port() -> AsyncGenerator[int]:
    """Serve with limits of fractions of a second."""
    listener, limits = listen(0), TimeLimits(request=0.2, idle=1.0, closing=0.1)

    async def serve() -> None:
        while True:
            tasks.start_soon(serve_connection, await accept(listener), Emulator(), limits)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        yield listener.getsockname()[1]
        tasks.cancel_scope.cancel()
    listener.close()


async def rest(stream: SocketStream) -> bytes:
    """Return the bytes until the server closes."""
    received = b""
    with anyio.fail_after(5):
        async for part in stream:
            received += part
    return received


@pytest.mark.anyio
@pytest.mark.parametrize(
    "begun", [GET[:1], GET[:-2], POST, POST + b"{", CHUNKED, CHUNKED + b"9\r\n{"]
)
async def test_a_request_that_does_not_end_is_a_408(port: int, begun: bytes) -> None:
    """Wherever it stalls; then the connection is closed."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(begun)
        head, _, body = (await rest(stream)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["code"] == "REQUEST_TIMEOUT"
    assert json.loads(body)["message"] == "The request was not complete after 0.2 seconds"


@pytest.mark.anyio
async def test_bytes_that_trickle_in_do_not_prolong_it(port: int) -> None:
    """The limit is for the whole of a request, not for each read."""

    async def trickle(stream: SocketStream) -> None:
        while True:
            await stream.send(b"G")
            await anyio.sleep(0.05)

    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        with anyio.fail_after(5), pytest.raises(anyio.BrokenResourceError):
            await trickle(stream)


@pytest.mark.anyio
async def test_a_connection_on_which_nothing_comes_is_closed(port: int) -> None:
    """Without a response, which the client would take for that of its next request."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        assert await rest(stream) == b""


@pytest.mark.anyio
async def test_a_connection_may_be_idle_longer_between_requests(port: int) -> None:
    """Longer than a request may take, but not for ever."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        for pause in (0.0, 0.3):
            await anyio.sleep(pause)
            await stream.send(GET)
            assert (await stream.receive()).startswith(b"HTTP/1.1 200 ")
        assert await rest(stream) == b""


#: Serves with 64 file descriptors.
FEW = """
import resource, anyio
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from ziett_async.emulator._http import TimeLimits, serve_connection
from ziett_async.emulator._tcp import accept, listen
from ziett_async.testing.emulator import Emulator

async def main():
    listener, emulator = listen(0), Emulator()
    limits = TimeLimits(request={request}, idle={request}, closing=0.01)
    print(listener.getsockname()[1], flush=True)
    async with anyio.create_task_group() as tasks:
        while True:
            tasks.start_soon(serve_connection, await accept(listener), emulator, limits)

anyio.run(main, backend="{backend}")
"""


def crowd(backend: str, request: float, patience: float) -> bytes:
    """Stall 300 requests to a server; return what another client gets."""
    pytest.importorskip("resource")
    script = FEW.format(backend=backend, request=request)
    with ExitStack() as stack:
        server = Popen([sys.executable, "-c", script], stdout=PIPE)  # noqa: S603 (our own words)
        stack.enter_context(server)
        stack.callback(server.kill)
        assert server.stdout is not None
        port = int(server.stdout.readline())

        def connect() -> socket.socket:
            end = socket.create_connection(("127.0.0.1", port), timeout=patience)
            return stack.enter_context(end)

        for number in range(300):
            connect().sendall((b"", GET[:9], POST)[number % 3])
        client = connect()
        client.sendall(GET)
        try:
            return client.recv(100)
        except TimeoutError:
            return b""


def test_stalled_requests_do_not_keep_others_waiting(anyio_backend: str) -> None:
    """Not even five times as many as the server has file descriptors."""
    assert crowd(anyio_backend, request=0.05, patience=20).startswith(b"HTTP/1.1 200 ")


def test_without_time_limits_they_do() -> None:
    """The next client is never served."""
    assert crowd("asyncio", request=60.0, patience=0.5) == b""
