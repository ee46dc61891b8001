"""The ways in which programs test theirs: pytest-asyncio, anyio's plugin, pytest-httpx."""

import json
from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from pytest_httpx import HTTPXMock, IteratorStream

from tests.support.samples import REMITTER
from ziett_async import (
    ApiError,
    AsyncZiett,
    CallError,
    InvalidResponse,
    NotSent,
    OutcomeUnknown,
    RetryPolicy,
    ServerError,
    TransportError,
    Unlimited,
)
from ziett_async.testing import FakeTransport, FakeZiett, Fault

NUMBER = "+244923456789"
MESSAGE = "0198082f-1a40-7c30-83a0-527df63c3e11"
URL = "https://api.ziett.co/c/v1/messages"
AT_ONCE = RetryPolicy(base=0)
ONCE = RetryPolicy(attempts=1)


@pytest.fixture
def fake() -> FakeZiett:
    """Make a Ziett in memory, as a user's conftest does."""
    return FakeZiett()


@pytest_asyncio.fixture
async def asyncio_client(fake: FakeZiett) -> AsyncGenerator[AsyncZiett]:
    """Lend a client in a fixture of pytest-asyncio's."""
    async with AsyncZiett(
        "zk_test_x", transport=FakeTransport(fake), default_remitter_id=REMITTER
    ) as client:
        yield client


@pytest.mark.asyncio
async def test_pytest_asyncio_in_strict_mode(asyncio_client: AsyncZiett, fake: FakeZiett) -> None:
    """A marked test with a client from a fixture, faults and all."""
    with fake.script(Fault.lose_answer()):
        accepted = await asyncio_client.send_message(NUMBER, content="Olá")
    assert [row.id for row in fake.inbox(NUMBER)] == [accepted.message_id]
    assert [message.id async for message in asyncio_client.iter_messages()] == [accepted.message_id]


@pytest.mark.asyncio
async def test_a_client_of_the_default_transport_may_live_in_one_test() -> None:
    """Nothing is opened before the first call, and nothing is left open."""
    async with AsyncZiett("zk_test_x") as client:
        assert "open" in repr(client)


@pytest.fixture
async def anyio_client(fake: FakeZiett) -> AsyncGenerator[AsyncZiett]:
    """Lend a client in a fixture of anyio's."""
    async with AsyncZiett(
        "zk_test_x", transport=FakeTransport(fake), default_remitter_id=REMITTER
    ) as client:
        yield client


@pytest.mark.anyio
async def test_the_plugin_of_anyio(anyio_client: AsyncZiett, fake: FakeZiett) -> None:
    """The same on asyncio and on trio."""
    with fake.script(Fault.status(503)):
        accepted = await anyio_client.send_message(NUMBER, content="Olá")
    assert [row.id for row in fake.inbox(NUMBER)] == [accepted.message_id]


def over_httpx(retry: RetryPolicy = ONCE) -> AsyncZiett:
    """Return a client of the default transport, which pytest-httpx intercepts."""
    return AsyncZiett("zk_test_x", limiter=Unlimited(), retry=retry, default_remitter_id=REMITTER)


@pytest.mark.anyio
async def test_pytest_httpx_sees_the_request(httpx_mock: HTTPXMock) -> None:
    """Method, address, key and JSON, and its answer is the service's."""
    httpx_mock.add_response(
        method="POST",
        url=URL,
        # It compares names as they are written; ours are in lower case.
        match_headers={"x-api-key": "zk_test_x", "idempotency-key": "order-7"},
        match_json={
            "remitter_id": REMITTER,
            "channel_type": "SMS",
            "target_e164": NUMBER,
            "content": "Olá",
        },
        status_code=202,
        json={"message_id": MESSAGE},
    )
    async with over_httpx() as client:
        accepted = await client.send_message(NUMBER, content="Olá", idempotency_key="order-7")
    assert accepted.message_id == UUID(MESSAGE)
    request = httpx_mock.get_request()
    assert request is not None
    assert request.headers["content-length"] == str(len(request.content))
    assert "transfer-encoding" not in request.headers


@pytest.mark.anyio
async def test_pytest_httpx_matches_a_query(httpx_mock: HTTPXMock) -> None:
    """A list is a GET whose parameters repeat."""
    page: dict[str, object] = {"entries": [], "total": 0, "page": 1, "size": 30, "pages": 0}
    httpx_mock.add_response(
        url=httpx.URL(URL, params=[("page", "1"), ("status", "SENT"), ("status", "FAILED")]),
        json=page,
    )
    async with over_httpx() as client:
        assert (await client.list_messages(status=["SENT", "FAILED"])).total == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError, NotSent),
        (httpx.ConnectTimeout, NotSent),
        (httpx.ReadTimeout, OutcomeUnknown),
        (httpx.WriteTimeout, OutcomeUnknown),
        (httpx.ReadError, OutcomeUnknown),
        (httpx.WriteError, OutcomeUnknown),
        (httpx.RemoteProtocolError, OutcomeUnknown),
    ],
)
async def test_an_error_of_httpx_tells_whether_it_was_sent(
    httpx_mock: HTTPXMock, error: type[httpx.TransportError], kind: type[TransportError]
) -> None:
    """Before there was a connection nothing was; after that it may have been."""
    httpx_mock.add_exception(error("why"))
    async with over_httpx() as client:
        with pytest.raises(TransportError) as caught:
            await client.send_message(NUMBER, content="Olá")
    assert type(caught.value) is kind
    assert caught.value.idempotency_key is not None


@pytest.mark.anyio
async def test_a_read_that_times_out_is_just_that(httpx_mock: HTTPXMock) -> None:
    """Nothing can have happened twice, so there is no outcome to be unknown."""
    httpx_mock.add_exception(httpx.ReadTimeout("why"))
    async with over_httpx() as client:
        with pytest.raises(TransportError) as caught:
            await client.list_messages()
    assert type(caught.value) is TransportError


@pytest.mark.anyio
async def test_attempts_look_alike_to_pytest_httpx(httpx_mock: HTTPXMock) -> None:
    """After a timeout and a proxy's page the third attempt is the first one again."""
    httpx_mock.add_exception(httpx.ReadTimeout("why"))
    httpx_mock.add_response(status_code=503, html="<html>busy</html>")
    httpx_mock.add_response(status_code=202, json={"message_id": MESSAGE})
    async with over_httpx(AT_ONCE) as client:
        accepted = await client.send_message(NUMBER, content="Olá")
    assert accepted.call.attempts == 3
    requests = httpx_mock.get_requests()
    keys = {request.headers["idempotency-key"] for request in requests}
    assert (len(requests), keys) == (3, {accepted.idempotency_key})
    assert len({request.content for request in requests}) == 1


@pytest.mark.anyio
async def test_an_error_object_from_pytest_httpx_is_an_error(httpx_mock: HTTPXMock) -> None:
    """A user's test of a refusal looks as with the service."""
    problem = {"code": "BILLING_INSUFFICIENT_FUNDS", "message": "No", "trace_id": "4bf9"}
    httpx_mock.add_response(status_code=402, json=problem)
    async with over_httpx() as client:
        with pytest.raises(ApiError) as caught:
            await client.send_message(NUMBER, content="Olá")
    assert (caught.value.status, caught.value.code) == (402, "BILLING_INSUFFICIENT_FUNDS")
    assert caught.value.trace_id == "4bf9"


@pytest.mark.anyio
async def test_an_answer_in_pieces_is_read_whole(httpx_mock: HTTPXMock) -> None:
    """However the stand-in streams it."""
    body = json.dumps({"message_id": MESSAGE}).encode()
    pieces = [body[i : i + 1] for i in range(len(body))]
    httpx_mock.add_response(status_code=202, stream=IteratorStream(pieces))
    async with over_httpx() as client:
        accepted = await client.send_message(NUMBER, content="Olá")
    assert accepted.message_id == UUID(MESSAGE)


@pytest.mark.anyio
async def test_a_redirect_is_not_followed(httpx_mock: HTTPXMock) -> None:
    """The key stays where it was to go: one request, and an error."""
    httpx_mock.add_response(status_code=307, headers={"location": "https://elsewhere.example/"})
    async with over_httpx(AT_ONCE) as client:
        with pytest.raises(ApiError) as caught:
            await client.list_messages()
    assert (caught.value.status, len(httpx_mock.get_requests())) == (307, 1)


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "kind"), [(200, InvalidResponse), (502, ServerError)])
async def test_a_page_of_html_is_an_error_with_its_status(
    httpx_mock: HTTPXMock, status: int, kind: type[Exception]
) -> None:
    """Of a captive portal or of a proxy."""
    httpx_mock.add_response(status_code=status, html="<html>hello</html>")
    async with over_httpx() as client:
        with pytest.raises(CallError) as caught:
            await client.list_messages()
    error = caught.value
    assert type(error) is kind
    assert isinstance(error, InvalidResponse | ServerError)
    assert error.status == status
