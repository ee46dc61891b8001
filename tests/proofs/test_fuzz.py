"""Whatever a server answers, a call ends in its result, whole, or in an error of this package."""

import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import anyio
import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.samples import REMITTER
from ziett_async import (
    AcceptedCampaign,
    AcceptedMessage,
    AsyncZiett,
    Campaign,
    ManualClock,
    Message,
    NotSent,
    OutcomeUnknown,
    Page,
    Request,
    Response,
    RetryPolicy,
    SendFailed,
    Transport,
    Unlimited,
    ZiettError,
)
from ziett_async.testing import FakeTransport, FakeZiett
from ziett_async.transports._pool import PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx import HttpxTransport
from ziett_async.transports.httpx2 import Httpx2Transport

ATTEMPTS = 3
#: More pages than a loop over a list that never changes may ask for.
MOST_PAGES = 400

FUZZ = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


class Constant:
    """A transport that knows one answer."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self.sends = 0

    async def send(self, request: Request) -> Response:
        """Answer it."""
        assert request.timeout
        self.sends += 1
        assert self.sends <= ATTEMPTS * MOST_PAGES, "there is no end to it"
        return self._response

    async def aclose(self) -> None:
        """Do nothing."""


Call = Callable[[AsyncZiett], Awaitable[object]]


async def _iter_messages(client: AsyncZiett) -> tuple[Message, ...]:
    return tuple([each async for each in client.iter_messages(size=2)])


async def _iter_ascending(client: AsyncZiett) -> tuple[Message, ...]:
    return tuple([each async for each in client.iter_messages(size=2, order="asc")])


async def _iter_campaigns(client: AsyncZiett) -> tuple[Campaign, ...]:
    return tuple([each async for each in client.iter_campaigns(size=2)])


async def _iter_by_update(client: AsyncZiett) -> tuple[Message, ...]:
    return tuple([each async for each in client.iter_messages(size=2, order_by="updated_at")])


#: Every operation, and the model of its documented answer.
CALLS: Mapping[str, tuple[Call, Any]] = {
    "send_message": (
        lambda client: client.send_message("+244923456789", content="482910"),
        AcceptedMessage,
    ),
    "send_batch_campaign": (
        lambda client: client.send_batch_campaign(["923456789", "923456780"], content="Olá"),
        AcceptedCampaign,
    ),
    "get_message": (lambda client: client.get_message(REMITTER), Message),
    "get_campaign": (lambda client: client.get_campaign(REMITTER), Campaign),
    "list_messages": (lambda client: client.list_messages(), Page[Message]),
    "list_campaigns": (lambda client: client.list_campaigns(), Page[Campaign]),
    "list_campaign_messages": (
        lambda client: client.list_campaign_messages(REMITTER),
        Page[Message],
    ),
    "iter_messages": (_iter_messages, tuple[Message, ...]),
    "iter_ascending": (_iter_ascending, tuple[Message, ...]),
    "iter_campaigns": (_iter_campaigns, tuple[Campaign, ...]),
    "iter_by_update": (_iter_by_update, tuple[Message, ...]),
}


def check_is(value: object, kind: Any) -> None:  # noqa: ANN401 - any annotation
    """Check that a value is what its annotation says, all the way down."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        check_rows(value, arguments[0])
    elif attrs.has(origin or kind):
        _check_model(value, origin or kind, arguments)
    elif type(None) in arguments:
        if value is not None:
            check_is(value, next(each for each in arguments if each is not type(None)))
    elif origin is not None:
        assert isinstance(value, Mapping)
    elif kind in {int, bool, str}:
        assert type(value) is kind
    else:
        assert isinstance(value, kind)
        assert not isinstance(value, datetime) or value.tzinfo is not None
        assert not isinstance(value, Decimal) or value.is_finite()


def _check_model(value: object, model: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ANN401
    assert type(value) is model
    for name, hint in get_type_hints(model).items():
        if arguments and get_origin(hint) is tuple:
            check_rows(getattr(value, name), arguments[0])
        else:
            check_is(getattr(value, name), hint)


def check_rows(value: object, kind: Any) -> None:  # noqa: ANN401 - any annotation
    """Check a tuple of any length."""
    assert type(value) is tuple
    for each in cast("tuple[object, ...]", value):
        check_is(each, kind)


def check_end(call: Call, kind: Any, transport: Transport) -> object:  # noqa: ANN401
    """Make a call; check that its end is a whole result or one of our errors, and return it."""
    clock = ManualClock()

    async def main() -> object:
        async with AsyncZiett(
            "zk_test_x",
            transport=transport,
            limiter=Unlimited(),
            clock=clock,
            retry=RetryPolicy(attempts=ATTEMPTS, budget=10**6),
            default_remitter_id=REMITTER,
        ) as client:
            try:
                return await call(client)
            except ZiettError as error:
                return error

    end = anyio.run(main)
    if isinstance(end, ZiettError):
        assert str(end)
    else:
        check_is(end, kind)
    return end


def _samples() -> Mapping[str, tuple[int, Any]]:
    """Return a good answer to each operation, as status and document."""
    fake = FakeZiett(clock=ManualClock())
    taken = dict[str, tuple[int, Any]]()

    class Taking(FakeTransport):
        name = ""

        async def send(self, request: Request) -> Response:
            response = await super().send(request)
            taken[self.name] = response.status, json.loads(response.body)
            return response

    transport = Taking(fake)

    async def main() -> None:
        async with AsyncZiett(
            "zk_test_x", transport=transport, default_remitter_id=REMITTER
        ) as client:
            for transport.name in ("send_message", "send_batch_campaign", "list_messages"):
                await CALLS[transport.name][0](client)
            transport.name = "get_message"
            await client.get_message(fake.messages[0].id)
            transport.name = "get_campaign"
            await client.get_campaign(fake.campaigns[0].id)
            transport.name = "list_campaigns"
            await client.list_campaigns()

    anyio.run(main)
    messages, campaigns = taken["list_messages"], taken["list_campaigns"]
    one = messages[0], {**messages[1], "entries": messages[1]["entries"][:1], "total": 1}
    also = {"list_campaign_messages": messages, "iter_messages": messages, "iter_ascending": one}
    return {**taken, **also, "iter_campaigns": campaigns, "iter_by_update": messages}


SAMPLES = _samples()

words = st.sampled_from(
    [
        "0001-01-01T00:00:00.000000+00:00",
        "0001-01-01T00:00:00.000Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00",
        "9999-12-31T23:59:59.999Z",
        "2025-07-14",
        "2025-07-14T10:30:00",
        "2025-07-14T10:30:00+00:00",
        REMITTER,
        REMITTER.replace("-", ""),
        "urn:uuid:" + REMITTER,
        "NaN",
        "Infinity",
        "1e999999999",
        "\ud800",
        "true",
        "SENT",
        "",
    ]
)
numbers = st.integers() | st.floats() | st.sampled_from([10**4200, -1, 0, 1e400, 2**63])
values = st.recursive(
    st.none() | st.booleans() | numbers | words | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)
#: Bodies that are none, or hard to swallow.
HARD = [
    b"",
    b"null",
    b"[" * 200_000,
    b'{"fields": ' + b'{"a":' * 900 + b"1" + b"}" * 901,
    b'{"fields": {"a": ' + b"[" * 950 + b"]" * 950 + b"}}",
    b'{"message_id": ' + b"9" * 5000 + b"}",
    b'{"total": NaN}',
    b'{"total": -Infinity}',
    '{"message_id": "é"}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"a": "' + b"x" * 1_000_000 + b'"}',
    b"\x1f\x8b\x08\x00garbage",
]
retry_afters = st.sampled_from(
    [
        *("0", "1.5", "-1", "nan", "inf", "1e9", "1_0", "\u0661", " 3 ", ""),
        *("Mon, 14 Jul 2025 10:30:09 GMT", "Mon, 99 Foo 0000 99:99:99", "1 Jan 0001 00:00 -9999"),
        *(", ", "Thu, 01 Jan 1970 00:00:00", "31 Dec 9999 23:59:59 +0000", "0 0 0 0 0 0"),
    ]
)
header_values = retry_afters | st.text(st.characters(codec="latin-1"), max_size=30)
header_names = st.sampled_from(
    ["retry-after", "Retry-After", "date", "content-encoding", "content-type", "x-other"]
)
headers = st.lists(st.tuples(header_names, header_values), max_size=4).map(tuple)
statuses = st.sampled_from([200, 201, 202, 204, 301, 400, 402, 404, 409, 422, 429, 500, 503]) | (
    st.integers(100, 599)
)


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:  # noqa: ANN401 - any JSON
    """Draw a document in which something, somewhere, is not as it was."""
    if isinstance(document, dict) and document and draw(st.integers(0, 9)):
        known = cast("dict[str, Any]", document)
        name = draw(st.sampled_from(sorted(known)))
        if not draw(st.integers(0, 5)):
            return {key: value for key, value in known.items() if key != name}
        return {**known, name: draw(changed(known[name]))}
    if isinstance(document, list) and document and draw(st.integers(0, 9)):
        rows: list[Any] = [*cast("Any", document)]
        if draw(st.booleans()):
            return [*rows, *[draw(changed(rows[0]))] * draw(st.integers(1, 3))]
        return [draw(changed(rows[0])), *rows[1:]]
    return draw(values)


def encoded(document: object) -> bytes:
    """Return JSON as Python writes it, `NaN` and all."""
    return json.dumps(document).encode()


names = st.sampled_from(sorted(CALLS))


@pytest.mark.fault(
    "429 again and again: the server's limit is narrower", read="a result or an error"
)
@pytest.mark.promise(
    "Whatever bytes a server sends, a call ends in a result or an error of the package"
)
@FUZZ
@given(
    names,
    statuses,
    headers,
    st.binary(max_size=60) | values.map(encoded) | st.sampled_from(HARD),
)
def test_any_answer_ends_in_a_result_or_an_error(
    name: str, status: int, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    """No other exception, no half of a result, and no more attempts than the policy allows.

    A 429 uses up no attempt, but it ends as well.
    """
    call, kind = CALLS[name]
    transport = Constant(Response(status, headers, body))
    check_end(call, kind, transport)
    assert transport.sends <= ATTEMPTS or name.startswith("iter") or status == 429


@pytest.mark.promise(
    "Whatever bytes a server sends, a call ends in a result or an error of the package"
)
@FUZZ
@given(names.flatmap(lambda name: st.tuples(st.just(name), changed(SAMPLES[name][1]))), headers)
def test_an_answer_that_is_nearly_right_is_right_or_an_error(
    drawn: tuple[str, Any], headers: tuple[tuple[str, str], ...]
) -> None:
    """What a type annotation says is what is there, or else there is no result."""
    name, document = drawn
    call, kind = CALLS[name]
    transport = Constant(Response(SAMPLES[name][0], headers, encoded(document)))
    check_end(call, kind, transport)
    assert transport.sends <= ATTEMPTS or name.startswith("iter")


problems = st.fixed_dictionaries(
    {},
    optional={
        name: values | st.text()
        for name in ("code", "message", "status", "trace_id", "timestamp", "service", "fields")
    },
)


@FUZZ
@given(names, st.integers(300, 599), headers, problems)
def test_an_error_of_any_shape_is_an_error(
    name: str, status: int, headers: tuple[tuple[str, str], ...], problem: object
) -> None:
    """Its fields may be anything; the status is what it goes by."""
    call, kind = CALLS[name]
    end = check_end(call, kind, Constant(Response(status, headers, encoded(problem))))
    assert isinstance(end, ZiettError)


@pytest.mark.parametrize("name", sorted(CALLS))
@pytest.mark.parametrize("body", HARD, ids=range(len(HARD)))
def test_what_is_hard_to_swallow_is_an_error(name: str, body: bytes) -> None:
    """On a success as on a failure: endless nesting, huge numbers, other encodings."""
    call, kind = CALLS[name]
    for status in (200, 422, 500):
        end = check_end(call, kind, Constant(Response(status, (), body)))
        assert isinstance(end, ZiettError)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_samples_themselves_are_results(name: str) -> None:
    """So that the tests above do change something good, and know a result when they see it."""
    call, kind = CALLS[name]
    status, document = SAMPLES[name]
    end = check_end(call, kind, Constant(Response(status, (), encoded(document))))
    assert not isinstance(end, ZiettError)


def test_a_decoder_that_coerces_is_found_out() -> None:
    """A page with rows that are no messages, or a total that is a string, is not whole."""
    wrong: list[tuple[object, object]] = [(("x",), 0), ((), "1"), ((), True), ([], 0)]
    for entries, total in wrong:
        make: Any = Page[Any]
        page = make(entries=entries, total=total, page=1, size=1, pages=1, call=None)
        with pytest.raises(AssertionError):
            check_is(page, Page[Message])


class Raw:
    """A TCP server that answers whatever it is asked with the same bytes, and closes or resets."""

    def __init__(self, data: bytes, *, resets: bool) -> None:
        self._data = data
        self._resets = resets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0)
        self.connections = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/c/v1"

    async def serve(self) -> None:
        """Answer one client after the other, until cancelled."""
        with closing(self._listener):
            while True:
                await anyio.wait_readable(self._listener)
                client, _ = self._listener.accept()
                self.connections += 1
                with closing(client):
                    await self._answer(client)

    async def _answer(self, client: socket.socket) -> None:
        client.settimeout(0)
        await anyio.wait_readable(client)
        client.recv(1 << 16)
        client.send(self._data)
        if self._resets:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


pieces = st.sampled_from(
    [
        *(
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 202 \r\n",
            b"HTTP/1.0 500 x\r\n",
            b"HTTP/9.9 999 x\r\n",
        ),
        *(b"content-length: 2\r\n", b"content-length: 99\r\n", b"content-length: -1\r\n"),
        *(
            b"transfer-encoding: chunked\r\n",
            b"content-encoding: gzip\r\n",
            b"retry-after: \xff\r\n",
        ),
        *(
            b"connection: close\r\n",
            b"\r\n",
            b"\r\n",
            b"{}",
            b"2\r\n{}\r\n0\r\n\r\n",
            b"zz\r\n",
            b"\x00",
        ),
        *(b'{"message_id": "' + REMITTER.encode() + b'"}', b"HTTP/1.1 100 Continue\r\n\r\n"),
    ]
)


@pytest.mark.promise(
    "Whatever bytes a server sends, a call ends in a result or an error of the package"
)
@settings(FUZZ, max_examples=120)
@given(
    name=st.sampled_from(["send_message", "get_message", "list_messages"]),
    data=st.binary(max_size=200) | st.lists(pieces, max_size=8).map(b"".join),
    resets=st.booleans(),
    way=st.sampled_from(
        [
            (HttpxTransport, "asyncio"),
            (HttpxTransport, "trio"),
            (Httpx2Transport, "asyncio"),
            (AiohttpTransport, "asyncio"),
        ]
    ),
)
def test_any_bytes_on_the_wire_end_in_a_result_or_an_error(
    name: str, data: bytes, way: tuple[type[PooledTransport], str], *, resets: bool
) -> None:
    """Through a real connection: what is not HTTP is a `ZiettError` after three attempts."""
    call, model = CALLS[name]
    kind, backend = way

    async def main() -> object:
        server, end = Raw(data, resets=resets), cast("object", None)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve)
            async with AsyncZiett(
                "zk_test_x",
                base_url=server.url,
                transport=kind(),
                limiter=Unlimited(),
                retry=RetryPolicy(attempts=ATTEMPTS, base=0.0, longest_retry_after=0.0),
                default_remitter_id=REMITTER,
            ) as client:
                with anyio.fail_after(10):
                    try:
                        end = await call(client)
                    except ZiettError as error:
                        end = error
            assert server.connections <= ATTEMPTS
            tasks.cancel_scope.cancel()
        return end

    end = anyio.run(main, backend=backend)
    if not isinstance(end, ZiettError):
        check_is(end, model)


@settings(FUZZ, max_examples=100)
@given(
    reason=st.text(max_size=20),
    reached=st.booleans(),
    kind=st.sampled_from([OSError, KeyError, None]),
)
def test_a_transport_may_fail_in_any_words(
    reason: str, kind: type[Exception] | None, *, reached: bool
) -> None:
    """What a transport reports is passed on, and what else it raises is an error, too."""

    class Failing(Constant):
        async def send(self, request: Request) -> Response:
            await super().send(request)
            raise SendFailed(reason, reached) if kind is None else kind(reason)

    transport = Failing(Response(200, ()))
    end = check_end(*CALLS["send_message"], transport)
    assert isinstance(end, NotSent if kind is None and not reached else OutcomeUnknown)
    assert transport.sends == ATTEMPTS


def test_a_result_holds_ids_of_its_own_kind() -> None:
    """The check itself knows a UUID from its string."""
    check_is(UUID(REMITTER), UUID)
    with pytest.raises(AssertionError):
        check_is(REMITTER, UUID)
