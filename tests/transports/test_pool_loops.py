"""A transport in several event loops: connections belong to the loop that opened them."""

import gc
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from anyio.lowlevel import current_token

from tests.support.fault_runs import API_KEY, open_files
from tests.support.fault_server import FaultServer, client_tls, server_tls
from tests.support.samples import REMITTER
from tests.transports._echo import echoes, echoing
from ziett_async import AsyncZiett
from ziett_async.testing import FakeZiett
from ziett_async.transports import HttpxTransport
from ziett_async.transports._pool import Owner, Pool, PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx2 import Httpx2Transport

BACKENDS = ["asyncio", "trio"]
KINDS = pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
#: The two that use their event loops in different ways.
UNLIKE = pytest.mark.parametrize("kind", [HttpxTransport, AiohttpTransport])
PAIRS = pytest.mark.parametrize(
    ("first", "second"), [(first, second) for first in BACKENDS for second in BACKENDS]
)


class OnePool(HttpxTransport):
    """The naive transport: one pool, whatever event loop it is used in."""

    _first: Owner | None = None

    def _owner(self) -> Owner:
        self._first = self._first or super()._owner()
        return self._first


def check_nothing_is_open(before: set[str]) -> None:
    """Check that no file is open that was not, and that none was left to the collector."""
    gc.collect()  # what warns of a socket that was not closed warns now
    assert open_files() <= before


@pytest.fixture(scope="module", name="url")
def _url() -> Generator[str]:
    with echoing() as url:
        yield url


@contextmanager
def fake_over_tls() -> Generator[FaultServer]:
    """Serve a fake over TLS from a thread."""
    with start_blocking_portal() as portal:
        server = FaultServer(FakeZiett(), server_tls())
        with portal.wrap_async_context_manager(server.serving()):
            yield server


@KINDS
@PAIRS
def test_one_event_loop_after_another(
    kind: Callable[[], PooledTransport], first: str, second: str, url: str
) -> None:
    """Every request is answered in both, and no connection of either loop stays open."""
    before, transport = open_files(), kind()
    anyio.run(echoes, transport, url, backend=first)

    async def use_and_close() -> None:
        await echoes(transport, url)
        await transport.aclose()

    anyio.run(use_and_close, backend=second)
    check_nothing_is_open(before)


@KINDS
@PAIRS
def test_closing_in_another_event_loop(
    kind: Callable[[], PooledTransport], first: str, second: str, url: str
) -> None:
    """What a loop that has ended left behind is closed from any other one."""
    before, transport = open_files(), kind()
    anyio.run(echoes, transport, url, backend=first)
    anyio.run(transport.aclose, backend=second)
    check_nothing_is_open(before)


@pytest.mark.fault(
    "The client is used in a second event loop", send="own connections, none left open"
)
@UNLIKE
@PAIRS
def test_two_event_loops_at_the_same_time(
    kind: Callable[[], PooledTransport], first: str, second: str, url: str
) -> None:
    """Two threads with a loop each share a transport; closing in one closes both's."""
    with start_blocking_portal(first) as one, start_blocking_portal(second) as other:
        before, transport = open_files(), kind()
        sending = [portal.start_task_soon(echoes, transport, url) for portal in (one, other)]
        for future in sending:
            future.result(timeout=20)
        # Neither has closed the connections of the other.
        assert len(open_files() - before) == 10
        one.call(transport.aclose)
        other.call(anyio.sleep, 0.01)  # which closes its own in its next turns
        check_nothing_is_open(before)


@pytest.fixture
def _uncollected() -> Generator[None]:
    """Collect no garbage: asyncio remembers a file descriptor until its transport is."""
    gc.disable()
    yield
    gc.enable()


@UNLIKE
@PAIRS
@pytest.mark.usefixtures("_uncollected")
def test_an_event_loop_goes_on_when_its_connections_are_closed_from_another(
    kind: Callable[[], PooledTransport], first: str, second: str, url: str
) -> None:
    """Each loop closes its own, so that it can use their file descriptors again."""
    with start_blocking_portal(first) as one, start_blocking_portal(second) as other:
        for _ in range(3):
            transport = kind()
            other.call(echoes, transport, url)
            one.call(transport.aclose)


@UNLIKE
@PAIRS
def test_connections_of_loops_that_have_ended_do_not_add_up(
    kind: Callable[[], PooledTransport], first: str, second: str, url: str
) -> None:
    """The first request in a new loop closes what the others left."""
    before, transport = open_files(), kind()
    for backend in (first, second, first):
        anyio.run(echoes, transport, url, backend=backend)
        assert len(open_files() - before) == 5
    anyio.run(transport.aclose, backend=first)
    check_nothing_is_open(before)


@pytest.mark.fault(
    "The client is used in a second event loop",
    send="own connections, none left open",
    read="own connections, none left open",
)
@KINDS
@PAIRS
def test_a_client_in_one_event_loop_after_another(
    kind: Callable[..., PooledTransport], first: str, second: str
) -> None:
    """Over TLS, each send is one attempt in the first loop and in the second."""
    before = open_files()
    with fake_over_tls() as server:
        client = AsyncZiett(
            API_KEY,
            base_url=f"{server.url}/c/v1",
            transport=kind(ssl_context=client_tls()),
            default_remitter_id=REMITTER,
        )

        async def send() -> None:
            sent = await client.send_message("+244923550001", content="Olá")
            assert sent.call.attempts == 1
            assert (await client.get_message(sent.message_id)).content == "Olá"

        anyio.run(send, backend=first)
        anyio.run(send, backend=second)
        anyio.run(client.aclose, backend=first)
    check_nothing_is_open(before)


@UNLIKE
@PAIRS
def test_closing_twice_at_the_same_time(
    kind: Callable[[], PooledTransport], first: str, second: str, url: str
) -> None:
    """Two tasks close a transport with connections of two loops: each is closed once."""
    with start_blocking_portal(first) as one, start_blocking_portal(second) as other:
        before, transport = open_files(), kind()
        one.call(echoes, transport, url)
        other.call(echoes, transport, url)

        async def close_twice() -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(transport.aclose)
                tasks.start_soon(transport.aclose)

        one.call(close_twice)
        other.call(anyio.sleep, 0.01)
        check_nothing_is_open(before)


@UNLIKE
@pytest.mark.parametrize("loop_is_gone", [True, False])
def test_a_socket_that_the_library_does_not_show_is_left_to_the_collector(
    kind: Callable[[], PooledTransport], *, loop_is_gone: bool
) -> None:
    """As it may be in another version of the library, or where none was ever opened."""

    async def drop() -> None:
        transport: Any = kind()
        transport._new_connection(tls=False).drop(loop_is_gone=loop_is_gone)

    anyio.run(drop)


async def _owned_by(pid: int) -> Pool:
    return Pool((pid, current_token().native_token), 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pool_is_gone_with_its_loop_or_in_another_process(backend: str) -> None:
    """Only a loop of this process that is not closed can close its connections."""
    with start_blocking_portal(backend) as portal:
        mine, inherited = portal.call(_owned_by, os.getpid()), portal.call(_owned_by, os.getppid())
        assert (mine.is_gone(), inherited.is_gone()) == (False, True)
    assert mine.is_gone()


def is_lost(first: str, second: str, url: str) -> bool:
    """Return whether requests of the naive transport fail in a second event loop."""
    transport = OnePool()
    anyio.run(echoes, transport, url, backend=first)
    try:
        anyio.run(echoes, transport, url, backend=second)
    except (BaseExceptionGroup, RuntimeError):
        return True
    return False


@pytest.mark.naive("One pool of connections for all event loops", "requests lost in the second one")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("first", "second"), [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "asyncio")]
)
def test_one_pool_for_all_event_loops_loses_requests(first: str, second: str, url: str) -> None:
    """The naive transport fails the same test, and leaves sockets to the garbage collector."""
    assert is_lost(first, second, url)
    gc.collect()
