"""The emulator as any HTTP client meets it, down to bytes that are not HTTP."""

import json
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from time import monotonic

import anyio
import pytest

from tests.emulator._bytes import LIST, ask
from ziett_async import AsyncZiett
from ziett_async import emulator as package
from ziett_async._wire import Request
from ziett_async.emulator._tcp import is_free
from ziett_async.testing import SCOPES, Exchange, FakeZiett
from ziett_async.testing import emulator as older
from ziett_async.testing.emulator import Emulator


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


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 (that is what is tested)
        ("::1", "[::1]"),
        ("::", "[::1]"),
    ],
)
def test_it_listens_where_it_should(host: str, shown: str) -> None:
    """Its own address is one that works on this machine."""
    if not is_free(0, host):
        pytest.skip(f"this machine has no {host}")
    with Emulator(host=host) as emulator:
        assert emulator.url == f"http://{shown}:{emulator.port}"
        assert not is_free(emulator.port, host)
        with closing(HTTPConnection(shown.strip("[]"), emulator.port, timeout=10)) as client:
            client.request("GET", "/_emulator/health")
            assert json.loads(client.getresponse().read()) == {"status": "ok"}


def test_a_host_is_an_ip_address() -> None:
    """A name is refused before anything listens."""
    with pytest.raises(ValueError, match="'ziett' does not appear to be an IPv4 or IPv6 address"):
        Emulator(host="ziett")


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


def test_it_has_an_address_while_it_runs() -> None:
    """Before and after, the error says how to run it."""
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not running: use it inside"):
        _ = emulator.port
    with emulator:
        assert emulator.port > 0
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.base_url


def test_its_thread_ends_with_it() -> None:
    """It can be entered a second time."""
    threads, emulator = threading.active_count(), Emulator()
    for _ in range(2):
        with emulator:
            assert ask(emulator, "GET", "/c/v1/messages")[0].status == 200
        assert threading.active_count() == threads


def test_the_older_name_is_the_same_emulator() -> None:
    """`ziett_async.testing.emulator` has all that `ziett_async.emulator` has: the one class."""
    assert older.__all__ == package.__all__ == ["Emulator"]
    assert older.Emulator is package.Emulator
