"""Every promise of SECURITY.md that no other module's tests hold."""

import logging
import pickle
import re
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults._server import FaultServer, body_of, bomb, client_tls, server_tls
from ziett_async import (
    AsyncZiett,
    ConfigurationError,
    InvalidRequest,
    InvalidResponse,
    NotSent,
    OutcomeUnknown,
    Request,
    RetryPolicy,
    Transport,
    ZiettError,
)
from ziett_async.testing import FakeTransport, FakeZiett, Fault
from ziett_async.transports import HttpxTransport

KEY = "zk_test_1f8a5c0e77d94b"
NUMBER = "+244923555001"
TEXT = "A senha da Ana é girassol"
REMITTER = "019b4b56-e704-7c30-83a0-527df63c3e00"

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def socket(
    *, trusts: bool | None = None, transport: Transport | None = None
) -> AsyncGenerator[tuple[AsyncZiett, FaultServer]]:
    """Yield a client and the server it talks to; `trusts` is for TLS."""
    fake, tls = FakeZiett(), None if trusts is None else server_tls()
    transport = transport or HttpxTransport(
        ssl_context=None if trusts is None else client_tls(trusts=trusts)
    )
    async with FaultServer(fake, tls).serving() as server:
        client = AsyncZiett(
            KEY,
            base_url=f"{server.url}/c/v1",
            transport=transport,
            retry=RetryPolicy(base=0.01, cap=0.01),
            default_remitter_id=REMITTER,
        )
        async with client:
            yield client, server


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("http://api.ziett.co/c/v1", "must be https"),
        ("ftp://api.ziett.co", "must be an absolute https URL"),
        ("api.ziett.co/c/v1", "must be an absolute https URL"),
        ("https://user:secret@api.ziett.co", "must not hold a user"),
        ("https://api.ziett.co/c/v1?key=1", "must not hold a query"),
        ("https://api.ziett.co/c/v1#top", "must not hold a query or fragment"),
    ],
)
def test_an_unusable_base_url_is_refused(url: str, wrong: str) -> None:
    """A client is not built for an address at which the key would not be safe."""
    with pytest.raises(ConfigurationError, match=wrong) as caught:
        AsyncZiett(KEY, base_url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}é", f"{KEY} {KEY}", f"{KEY}\r\nhost: x"])
def test_an_unusable_key_is_refused_without_being_shown(key: str) -> None:
    """What cannot travel in a header is refused, and the message does not repeat it."""
    with pytest.raises(ConfigurationError, match="api_key: must be printable ASCII") as caught:
        AsyncZiett(key)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_key_never_leaves_the_origin(status: int) -> None:
    """A redirect is an error, and nobody is asked at the address it names."""
    async with FaultServer(FakeZiett()).serving() as elsewhere, socket() as (client, server):
        headers = (("location", f"{elsewhere.url}/c/v1/messages"),)
        with (
            server.script(Fault.status(status, headers=headers, body=b"")),
            pytest.raises(ZiettError, match=str(status)),
        ):
            await client.list_messages()
        assert elsewhere.accepted == 0
        assert len(server.heard) == 1


async def test_the_key_is_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """No repr, log, error, pickle or traceback has it, even with local variables."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    async with socket() as (client, server):
        shown.append(repr(client))
        echo = f'{{"code": "AUTH_INVALID_API_KEY", "message": "no such key: {KEY}"}}'.encode()
        faults = [Fault.status(401, body=echo), *[Fault.lose_answer()] * 3]
        with server.script(*faults):
            for _ in range(2):
                with pytest.raises(ZiettError) as caught:
                    await client.send_message(NUMBER, content=TEXT)
                error = caught.value
                told = traceback.TracebackException.from_exception(error, capture_locals=True)
                shown += [str(error), repr(error), pickle.dumps(error).decode("latin-1")]
                # pytest's own frames, and this one, hold what this test knows.
                frames = [each for each in told.stack if "/ziett_async/" in each.filename]
                shown += [f"{frame.name} {frame.locals}" for frame in frames]
                assert frames
    assert KEY not in "\n".join([*shown, caplog.text])


async def test_people_are_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """No number and no text is in logs, errors or reprs, even where the server repeats them."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    async with socket() as (client, server):
        echo = f'{{"message": "{NUMBER} cannot get {TEXT}", "fields": {{"content": "{TEXT}"}}}}'
        faults = [Fault.status(422, body=echo.encode()), *[Fault.lose_answer()] * 3]
        with server.script(*faults):
            for _ in range(2):
                with pytest.raises(ZiettError) as caught:
                    await client.send_message(NUMBER, content=TEXT)
                shown += [str(caught.value), repr(caught.value)]
        await client.send_message(NUMBER, content=TEXT)
        shown.append(repr(await client.list_messages(q=NUMBER)))
        with pytest.raises(InvalidRequest) as refused:
            await client.send_message(NUMBER[1:], content=TEXT)
        shown += [str(refused.value), repr(refused.value)]
    text = "\n".join([*shown, caplog.text])
    assert NUMBER[1:] not in text
    assert "girassol" not in text
    assert "send_message +244*****5001" in caplog.text


async def test_what_holds_the_key_does_not_pickle() -> None:
    """A client and a request refuse to be pickled, and say why."""
    async with AsyncZiett(KEY, transport=FakeTransport()) as client:
        for each in (client, Request("GET", "https://api.ziett.co", (("x-api-key", KEY),))):
            with pytest.raises(TypeError, match="not picklable"):
                pickle.dumps(each)


async def test_the_environment_does_not_redirect_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and certificates that are set in the environment are not used."""
    async with FaultServer(FakeZiett()).serving() as proxy, socket(trusts=True) as (client, _):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
        await client.list_messages()
        assert proxy.accepted == 0


async def test_an_untrusted_certificate_is_refused() -> None:
    """A server that cannot prove who it is gets nothing: neither the key nor the message."""
    async with socket(trusts=False) as (client, server):
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            await client.send_message(NUMBER, content=TEXT)
        assert server.heard == []


@pytest.mark.parametrize("value", ["../campaigns", "a/b", "..", "", f"{REMITTER}/x", "%2e%2e"])
async def test_an_id_cannot_add_a_segment_to_a_path(value: str) -> None:
    """What is no UUID does not enter a path, and what enters another path is quoted."""
    transport = FakeTransport()
    async with AsyncZiett(KEY, transport=transport) as client:
        with pytest.raises(InvalidRequest, match="message_id"):
            await client.get_message(value)
    assert transport.service.requests == []


async def test_a_header_cannot_be_split() -> None:
    """An idempotency key with a line end never becomes a header."""
    transport = FakeTransport()
    async with AsyncZiett(KEY, transport=transport, default_remitter_id=REMITTER) as client:
        for key in ("a\r\nx-api-key: b", "a\nb", "", "é"):
            with pytest.raises(InvalidRequest, match="idempotency_key"):
                await client.send_message(NUMBER, content=TEXT, idempotency_key=key)
    assert transport.service.requests == []


async def test_a_compressed_answer_is_not_unpacked() -> None:
    """A gzip bomb is an unusable answer of its packed size."""
    async with socket() as (client, server):
        fault = body_of("bomb", lambda _: bomb(50_000_000), "gzip")
        with server.script(fault, fault, fault), pytest.raises(InvalidResponse, match="encoding"):
            await client.list_messages()


async def test_an_endless_answer_is_cut_off() -> None:
    """More than `max_response_bytes` are not read; the outcome of a send is then unknown."""
    transport = HttpxTransport(max_response_bytes=100_000)
    async with socket(transport=transport) as (client, server):
        fault = body_of("endless", lambda _: b" " * 10_000_000)
        with server.script(fault, fault, fault), pytest.raises(OutcomeUnknown, match="longer than"):
            await client.send_message(NUMBER, content=TEXT, idempotency_key=uuid4())


def test_every_promise_names_its_test() -> None:
    """Each row of SECURITY.md links to a file that exists, and to a test that is in it."""
    top = Path(__file__).parents[1]
    text = (top / "SECURITY.md").read_text()
    rows = re.findall(r"^\| (?!promise|---)(.+) \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) >= 16
    for _, link in rows:
        found = re.fullmatch(r"\[(.+)\]\((.+)\)", link)
        assert found is not None
        name, path = found[1].strip("`"), top / found[2]
        assert path.exists()
        assert " " in name or f"def {name}(" in path.read_text()
