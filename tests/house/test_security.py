"""Every promise of SECURITY.md that no other module's tests hold."""

import json
import logging
import pickle
import re
import ssl
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from tests.support.cancelling import at_every_await
from tests.support.checks import PACKAGE
from tests.support.fault_server import (
    Act,
    FaultServer,
    Talk,
    authority_pem,
    body_of,
    bomb,
    client_tls,
    server_tls,
    written,
)
from tests.support.samples import REMITTER
from ziett_async import (
    AsyncZiett,
    ConfigurationError,
    InvalidRequest,
    InvalidResponse,
    NotSent,
    OutcomeUnknown,
    Request,
    Response,
    RetryPolicy,
    Transport,
    ZiettError,
)
from ziett_async.testing import FakeTransport, FakeZiett, Fault
from ziett_async.transports import HttpxTransport
from ziett_async.transports._connections import shared_tls_context
from ziett_async.transports._pool import PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.aiohttp import shared_tls_context as aiohttp_tls_context
from ziett_async.transports.httpx2 import Httpx2Transport

KEY = "zk_test_1f8a5c0e77d94b"
NUMBER = "+244923555001"
TEXT = "A senha da Ana é girassol"
LIBRARIES: dict[type[PooledTransport], ModuleType] = {
    HttpxTransport: httpx,
    Httpx2Transport: httpx2,
}
#: Each transport's TLS context, which all of its kind share.
CONTEXTS: dict[type[PooledTransport], Callable[[], ssl.SSLContext]] = {
    HttpxTransport: lambda: shared_tls_context(LIBRARIES[HttpxTransport]),
    Httpx2Transport: lambda: shared_tls_context(LIBRARIES[Httpx2Transport]),
    AiohttpTransport: aiohttp_tls_context,
}

pytestmark = pytest.mark.anyio


def forget_tls_contexts() -> None:
    """Have the next transport of each kind make its TLS context anew."""
    shared_tls_context.cache_clear()
    aiohttp_tls_context.cache_clear()


@asynccontextmanager
async def socket(
    *, tls: bool = False, transport: Transport | None = None
) -> AsyncGenerator[tuple[AsyncZiett, FaultServer]]:
    """Yield a client and the server it talks to."""
    async with FaultServer(FakeZiett(), server_tls() if tls else None).serving() as server:
        client = AsyncZiett(
            KEY,
            base_url=f"{server.url}/c/v1",
            transport=transport or HttpxTransport(),
            retry=RetryPolicy(base=0.01, cap=0.01),
            default_remitter_id=REMITTER,
        )
        async with client:
            yield client, server


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return the lines that were logged, and all that our records hold besides."""
    ours = [str(vars(each)) for each in caplog.records if each.name == "ziett_async"]
    assert "ziett_operation" in "".join(ours)
    return "\n".join([caplog.text, *ours])


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
    """A redirect is an error, and no request goes to the address it names."""
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
                report = traceback.TracebackException.from_exception(error, capture_locals=True)
                shown += [str(error), repr(error), pickle.dumps(error).decode("latin-1")]
                # pytest's own frames, and this one, hold what this test knows.
                frames = [each for each in report.stack if each.filename.startswith(PACKAGE)]
                shown += [f"{frame.name} {frame.locals}" for frame in frames]
                assert frames
    assert KEY not in "\n".join([*shown, logged(caplog)])


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "http://api.ziett.co/c/v1"},
        {"timeout": "3"},
        {"retry": 3},
        {"limiter": "none"},
        {"transport": "https"},
        {"default_country": "X"},
        {"default_remitter_id": "q"},
        {"allowed_recipients": "+244923555001"},
    ],
    ids=str,
)
@pytest.mark.parametrize("given", [KEY, None, f"{KEY}\n"])
def test_a_client_that_cannot_be_built_does_not_show_the_key(
    settings: dict[str, Any], given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even to a traceback with local variables, as error trackers record it."""
    monkeypatch.setenv("ZIETT_API_KEY", KEY)
    with pytest.raises(ConfigurationError) as caught:
        AsyncZiett(given, **settings)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [each for each in report.stack if each.filename.startswith(PACKAGE)]
    assert frames
    assert KEY not in "\n".join(f"{frame.name} {frame.locals}" for frame in frames)


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
        accepted = {
            "trace_id": NUMBER[1:],
            "message": f"{TEXT} to {NUMBER}",
            "campaign_id": REMITTER,
        }
        with server.script(Fault.status(202, body=json.dumps(accepted).encode())):
            sent = await client.send_batch_campaign([NUMBER, "+244923555002"], content=TEXT)
        assert sent.message == f"{TEXT} to {NUMBER}"
        shown.append(repr(sent))
        with pytest.raises(InvalidRequest) as refused:
            await client.send_message(NUMBER[1:], content=TEXT)
        shown += [str(refused.value), repr(refused.value)]
    text = "\n".join([*shown, logged(caplog)])
    assert NUMBER[1:] not in text
    assert "girassol" not in text
    assert "send_message +244*****5001" in caplog.text


async def test_httpcore_logs_the_head_of_an_answer_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A header that repeats key or number is in httpcore's DEBUG line, and nowhere else."""
    headers = (("x-echo", f"{KEY} {NUMBER}"),)
    async with socket() as (client, server):
        for level in (logging.INFO, logging.DEBUG):
            caplog.set_level(level)
            with server.script(Fault.status(401, headers=headers, body=b"")):
                with pytest.raises(ZiettError) as caught:
                    await client.send_message(NUMBER, content=TEXT)
                assert KEY not in repr(caught.value)
            telling = [each for each in caplog.records if KEY in each.message]
            assert telling == [each for each in caplog.records if NUMBER[1:] in each.message]
            names = {f"{each.name} {each.message.split(' ')[0]}" for each in telling}
            at_debug = {"httpcore.http11 receive_response_headers.complete"}
            assert names == (at_debug if level == logging.DEBUG else set())


async def test_frames_of_the_libraries_hold_the_key_while_a_head_is_written() -> None:
    """A task that is cancelled at any await shows the key in their frames, never in ours."""
    shown = set[Path]()
    async with socket() as (client, _):

        async def send(_: int) -> None:
            try:
                await client.send_message(NUMBER, content=TEXT)
            except BaseException as error:
                report = traceback.TracebackException.from_exception(error, capture_locals=True)
                frames = [each for each in report.stack if KEY in str(each.locals)]
                shown.update(Path(each.filename) for each in frames)
                raise

        async def nothing(_: int) -> None:
            pass

        await at_every_await(send, nothing)
    assert any("httpcore" in path.parts for path in shown)
    assert not any(str(path).startswith(PACKAGE) for path in shown)


async def test_what_holds_the_key_does_not_pickle() -> None:
    """A client and a request refuse to be pickled, and say why."""
    async with AsyncZiett(KEY, transport=FakeTransport()) as client:
        for each in (client, Request("GET", "https://api.ziett.co", (("x-api-key", KEY),))):
            with pytest.raises(TypeError, match="not picklable"):
                pickle.dumps(each)


@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
async def test_the_environment_does_not_redirect_traffic(
    kind: type[PooledTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies that are set in the environment are not used."""
    transport = kind(ssl_context=client_tls())
    async with (
        FaultServer(FakeZiett()).serving() as proxy,
        socket(tls=True, transport=transport) as (client, server),
    ):
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await client.list_messages()
        assert (proxy.accepted, len(server.heard)) == (0, 1)


@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
async def test_the_environment_adds_no_trusted_authority(
    kind: type[PooledTransport], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A certificate authority that only the environment names is not trusted."""
    authority = tmp_path / "authority.pem"
    authority.write_bytes(authority_pem())
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets"))
    forget_tls_contexts()
    async with socket(tls=True, transport=kind()) as (client, server):
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            await client.send_message(NUMBER, content=TEXT)
        assert server.heard == []
        # Nor does it ask a program to write down what decrypts the key.
        assert CONTEXTS[kind]().keylog_filename is None
    forget_tls_contexts()


@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
async def test_an_untrusted_certificate_is_refused(kind: type[PooledTransport]) -> None:
    """A server that cannot prove who it is gets nothing: neither the key nor the message."""
    async with socket(tls=True, transport=kind()) as (client, server):
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
    """No encoding is asked for, and a gzip bomb is an unusable answer of its packed size."""
    asked = list[str]()
    packed = bomb(50_000_000)

    async def play(talk: Talk) -> None:
        asked.append(dict((await talk.read()).headers)["accept-encoding"])
        await talk.send(written(Response(200, (("content-encoding", "gzip"),), packed)))

    async with socket() as (client, server):
        acts = [Act("bomb", play)] * 3
        with server.script(*acts), pytest.raises(InvalidResponse, match="encoding"):
            await client.list_messages()
    assert asked == ["identity"] * 3


@pytest.mark.parametrize("kind", [HttpxTransport, Httpx2Transport, AiohttpTransport])
async def test_an_endless_answer_is_cut_off(kind: type[PooledTransport]) -> None:
    """8 MiB of an answer are read, and not a byte more; a send's outcome is then unknown."""
    most = 8 * 1024 * 1024

    def padded(size: int) -> Act:
        return body_of(f"{size} bytes", lambda body: body.ljust(size))

    async with socket(transport=kind()) as (client, server):
        with server.script(padded(most)):
            await client.send_message(NUMBER, content=TEXT)
        acts = [padded(most + 1)] * 3
        with server.script(*acts), pytest.raises(OutcomeUnknown, match=f"longer than {most}"):
            await client.send_message(NUMBER, content=TEXT)


async def test_logs_say_which_call_and_how_it_went(caplog: pytest.LogCaptureFixture) -> None:
    """The logger `ziett_async` has operation, status, attempt, trace id and a masked number."""
    caplog.set_level(logging.DEBUG, "ziett_async")
    problem = {"code": "INTERNAL_SERVER_ERROR", "message": "no", "trace_id": "4bf92f35"}
    async with socket() as (client, server):
        with server.script(Fault.status(500, body=json.dumps(problem).encode())):
            await client.send_message(NUMBER, content=TEXT)
    failed, sent = [each.message for each in caplog.records if each.name == "ziett_async"]
    assert all(word in failed for word in ("send_message", "500", "attempt 1", "4bf92f35"))
    assert sent == "send_message +244*****5001: 202 in attempt 2"


def test_every_promise_names_its_test() -> None:
    """Each row of SECURITY.md links to tests, and each of them is in the file it links to."""
    top = Path(__file__).parents[2]
    text = (top / "SECURITY.md").read_text()
    rows = re.findall(r"^\| (?!promise|---)(.+) \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) >= 16
    for promise, held_by in rows:
        links = re.findall(r"\[`(\w+)`\]\((.+?)\)", held_by)
        assert links, promise
        for name, path in links:
            assert f"def {name}(" in (top / path).read_text(), name


def test_every_test_holds_a_promise() -> None:
    """No test here is for nothing: SECURITY.md names it."""
    here = Path(__file__)
    named = (here.parents[2] / "SECURITY.md").read_text()
    tests = re.findall(r"^(?:async )?def (test_(?!every)\w+)", here.read_text(), re.MULTILINE)
    assert [name for name in tests if f"`{name}`" not in named] == []
