"""The client as a whole: what every call of it promises, over memory and socket."""

import asyncio
import gc
import json
import logging
import pickle
import traceback
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any
from uuid import UUID, uuid4

import anyio
import attrs
import pytest
from anyio.lowlevel import checkpoint

from tests.support.samples import API_KEY, CONTENT, NUMBER, REMITTER
from tests.support.services import AT_ONCE, START, Service
from ziett_async import (
    AcceptedMessage,
    ApiError,
    AsyncZiett,
    Attempt,
    AuthenticationError,
    Bucket,
    CallError,
    CallInfo,
    ConfigurationError,
    ConflictError,
    DeadlineExceeded,
    InsufficientFundsError,
    InvalidRequest,
    InvalidResponse,
    NotFoundError,
    NotSent,
    Operation,
    OutcomeUnknown,
    PermissionDeniedError,
    Priority,
    Rate,
    RateLimitError,
    Request,
    RetryPolicy,
    SaveContact,
    SendFailed,
    ServerError,
    TokenBucketLimiter,
    Unlimited,
    ValidationError,
)
from ziett_async.testing import SCOPES, Arrival, FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

Serve = Callable[..., Service]

JSON = (("content-type", "application/json"),)
#: Endpoints that have no method here.
REMOVE = Operation("remove", "DELETE", "/contacts/{contact_id}", NoneType, Bucket.SEND)
TOP_UP = Operation("top_up", "POST", "/accounts/{account_id}/top-ups", AcceptedMessage, Bucket.SEND)


def in_memory(fake: FakeZiett, *, latency: float = 0.0, **settings: Any) -> AsyncZiett:  # noqa: ANN401
    """Return a client that lives on the fake's clock."""
    return AsyncZiett(
        settings.pop("api_key", API_KEY),
        transport=FakeTransport(fake, latency=latency),
        default_remitter_id=REMITTER,
        retry=settings.pop("retry", AT_ONCE),
        **settings,
    )


def most_in(times: Sequence[float], seconds: float) -> int:
    """Return the most arrivals that any half-open window of so many seconds holds."""
    ordered = sorted(times)
    return max(bisect_right(ordered, t + seconds - 1e-9) - i for i, t in enumerate(ordered))


def error_object(status: int, code: str, **more: object) -> bytes:
    """Return the documented error object."""
    return json.dumps(
        {
            "code": code,
            "message": "No, because",
            "status": status,
            "trace_id": "4bf92f35",
            "timestamp": "2025-07-14T10:30:00.123Z",
            "service": "core",
            **more,
        }
    ).encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BAD_REQUEST", ApiError),
        (401, "AUTH_INVALID_API_KEY", AuthenticationError),
        (402, "BILLING_INSUFFICIENT_FUNDS", InsufficientFundsError),
        (403, "AUTH_INVALID_SCOPE", PermissionDeniedError),
        (404, "RESOURCE_NOT_FOUND", NotFoundError),
        (404, "NOT_FOUND", NotFoundError),
        (409, "CONFLICT", ConflictError),
        (418, "TEAPOT", ApiError),
        (422, "VALIDATION_ERROR", ValidationError),
        (429, "RATE_LIMIT_EXCEEDED", RateLimitError),
    ],
)
async def test_an_error_object_is_an_error(
    service: Service, status: int, code: str, kind: type[ApiError]
) -> None:
    """Each status has its class, and every field of the object is on it."""
    body = error_object(status, code, fields={"content": "too long"})
    fault = Fault.status(status, headers=JSON, body=body)
    async with service.client(retry=RetryPolicy(attempts=1)) as client:
        with service.fake.script(fault), pytest.raises(ApiError) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.message) == (status, code, "No, because")
    assert (error.trace_id, error.service) == ("4bf92f35", "core")
    assert error.timestamp == START.replace(microsecond=123_000)
    assert error.fields == {"content": "too long"}
    assert error.retry_after is None
    assert (error.operation, error.attempts) == ("send_message", 1)
    assert error.idempotency_key == service.fake.requests[0].idempotency_key
    assert not [
        word for word in ("send_message", str(status), "4bf92f35") if word not in str(error)
    ]


@pytest.mark.parametrize("status", [302, 408, 500, 501, 502, 503, 504, 599])
async def test_what_may_hide_a_message_leaves_its_outcome_unknown(
    service: Service, status: int
) -> None:
    """A proxy answers so also when the service has sent it; what was answered is on the error."""
    fault = Fault.status(status, headers=JSON, body=error_object(status, "A_CODE"))
    async with service.client(retry=RetryPolicy(attempts=1)) as client:
        with service.fake.script(fault), pytest.raises(OutcomeUnknown) as caught:
            await client.send_message(NUMBER, content=CONTENT)
        with service.fake.script(fault), pytest.raises(ApiError) as read:
            await client.list_messages()
    error = caught.value
    assert (error.status, error.code, error.trace_id) == (status, "A_CODE", "4bf92f35")
    assert error.idempotency_key == service.fake.requests[0].idempotency_key
    assert isinstance(read.value, ServerError) is (status >= 500)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("Mon, 14 Jul 2025 10:30:30 GMT", 30.0),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("", None),
    ],
)
async def test_a_rate_limit_says_when_to_come_back(
    service: Service, value: str, seconds: float | None
) -> None:
    """Seconds, decimals or a date; junk counts as absent."""
    headers = (("Retry-After", value), ("Date", "Mon, 14 Jul 2025 10:30:00 GMT"))
    async with service.client(retry=RetryPolicy(attempts=1)) as client:
        with (
            service.fake.script(Fault.status(429, headers=headers)),
            pytest.raises(RateLimitError) as caught,
        ):
            await client.send_message(NUMBER, content=CONTENT)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("api_key", ["zk_test_", "zk_wrong", "zk_test_gone"])
async def test_a_key_the_server_does_not_know_is_a_401(serve: Serve, api_key: str) -> None:
    """On reads and on sends, at once."""
    service = serve(keys={API_KEY: SCOPES})
    async with service.client(api_key) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.list_messages()
        with pytest.raises(AuthenticationError):
            await client.send_message(NUMBER, content=CONTENT)
    assert caught.value.code == "AUTH_INVALID_API_KEY"
    assert api_key not in str(caught.value)
    assert len(service.fake.requests) == 2


async def test_a_key_without_the_scope_is_a_403(serve: Serve) -> None:
    """A key that may list may not send."""
    service = serve(keys={API_KEY: {"apikey:messages:list"}})
    async with service.client() as client:
        await client.list_messages()
        with pytest.raises(PermissionDeniedError) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert caught.value.code == "AUTH_INVALID_SCOPE"


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("body", [None, b"", b"null", b'"no"', b'{"code": 7, "fields": []}'])
async def test_a_proxys_page_is_a_server_error(
    service: Service, client: AsyncZiett, status: int, body: bytes | None
) -> None:
    """With the status, and nothing made up for what the body did not say."""
    faults = [Fault.status(status, body=body) for _ in range(3)]
    with service.fake.script(*faults), pytest.raises(ServerError) as caught:
        await client.list_messages()
    error = caught.value
    assert (error.status, error.attempts) == (status, 3)
    assert (error.code, error.trace_id, error.timestamp, error.fields) == (None, None, None, {})
    assert "<html>" not in str(error)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\x00\xff{", b"[]", b"null", b"{}", b'{"message_id": 7}', b"[" * 100_000],
)
async def test_a_send_with_an_unusable_answer_was_perhaps_sent(
    service: Service, client: AsyncZiett, body: bytes
) -> None:
    """Asked three times under one key; then its outcome is unknown, and the error has the key."""
    garbage = [Fault.garbage(body) for _ in range(3)]
    with service.fake.script(*garbage), pytest.raises(OutcomeUnknown) as caught:
        await client.send_message(NUMBER, content=CONTENT)
    assert (len(service.fake.messages), caught.value.attempts) == (1, 3)
    again = await client.send_message(
        NUMBER, content=CONTENT, idempotency_key=caught.value.idempotency_key
    )
    assert [again.message_id] == [row.id for row in service.fake.messages]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"<html>", "not JSON"),
        (b"[]", "not an object"),
        (b'{"entries": {}, "total": 0, "page": 1, "size": 30, "pages": 0}', "entries"),
        (b'{"entries": [], "total": "0", "page": 1, "size": 30, "pages": 0}', "total"),
        (b'{"entries": [], "total": 0, "page": true, "size": 30, "pages": 0}', "page"),
    ],
)
async def test_a_read_with_an_unusable_answer_is_invalid(
    service: Service, client: AsyncZiett, body: bytes, words: str
) -> None:
    """With its status, and the path of what is wrong."""
    garbage = [Fault.garbage(body) for _ in range(3)]
    with (
        service.fake.script(*garbage),
        pytest.raises(InvalidResponse, match=words) as caught,
    ):
        await client.list_messages()
    assert (caught.value.status, caught.value.attempts) == (200, 3)


async def test_a_field_of_the_wrong_type_is_named_by_its_path(
    service: Service, client: AsyncZiett
) -> None:
    """`entries[1].created_at`, and not the value."""
    service.fake.add_message()
    service.fake.add_message()
    page = await client.list_messages()
    rows = [
        {
            "id": str(message.id),
            "remitter_id": REMITTER,
            "channel_type": "SMS",
            "target_e164": NUMBER,
            "content": CONTENT,
            "status": "SENT",
            "created_at": created_at,
            "updated_at": "2025-07-14T10:30:00Z",
        }
        for message, created_at in zip(page.entries, ["2025-07-14T10:30:00Z", "hush"], strict=True)
    ]
    body = {"entries": rows, "total": 2, "page": 1, "size": 30, "pages": 1}
    garbage = [Fault.garbage(json.dumps(body).encode()) for _ in range(3)]
    with service.fake.script(*garbage), pytest.raises(InvalidResponse) as caught:
        await client.list_messages()
    assert "entries[1].created_at" in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.reset(),
        Fault.lose_answer(),
        Fault.truncate(5),
        Fault.garbage(),
        Fault.status(500),
        Fault.status(503),
        Fault.status(408),
        Fault.status(425),
        Fault.status(429),
    ],
    ids=str,
)
async def test_what_goes_wrong_once_goes_unnoticed(
    service: Service, client: AsyncZiett, fault: Fault
) -> None:
    """One message, and one that was read, whatever happened to the first attempt."""
    with service.fake.script(fault):
        accepted = await client.send_message(NUMBER, content=CONTENT)
    assert [row.id for row in service.fake.messages] == [accepted.message_id]
    with service.fake.script(fault):
        message = await client.get_message(accepted.message_id)
    assert (accepted.call.attempts, message.id) == (2, accepted.message_id)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
async def test_what_will_not_change_is_not_tried_again(
    service: Service, client: AsyncZiett, status: int
) -> None:
    """A refusal stays one."""
    with service.fake.script(Fault.status(status)), pytest.raises(ApiError) as caught:
        await client.send_message(NUMBER, content=CONTENT)
    assert (caught.value.status, len(service.fake.requests)) == (status, 1)


@pytest.mark.parametrize("status", [301, 303, 307, 308])
async def test_a_redirect_is_not_followed(
    service: Service, client: AsyncZiett, status: int
) -> None:
    """It names another address and not the outcome of a send, and it is not tried again."""
    fault = Fault.status(status, headers=(("location", f"{service.base_url}/elsewhere"),))
    with service.fake.script(fault), pytest.raises(OutcomeUnknown) as caught:
        await client.send_message(NUMBER, content=CONTENT)
    assert (caught.value.status, len(service.fake.requests)) == (status, 1)


async def test_a_first_call_that_still_runs_is_waited_for(service: Service) -> None:
    """The 409 about our own earlier attempt is no conflict."""
    async with service.client(retry=RetryPolicy(base=0.01)) as client:
        with service.fake.script(Fault.running(0.0)):
            accepted = await client.send_message(NUMBER, content=CONTENT)
    assert [row.id for row in service.fake.messages] == [accepted.message_id]


def check_attempts(arrivals: Sequence[Arrival]) -> None:
    """All attempts of one logical send: the same bytes under the same key."""
    assert len(arrivals) > 1
    keys = {arrival.idempotency_key for arrival in arrivals}
    assert len(keys) == 1, "a key for each attempt"
    assert keys != {None}, "no key at all"
    assert len({arrival.body_digest for arrival in arrivals}) == 1, "other bytes"


async def test_attempts_carry_one_key_and_the_same_bytes(
    service: Service, client: AsyncZiett
) -> None:
    """Seen on the wire: three attempts, one key, one body, one message."""
    contact = SaveContact("Ana", tags=["b", "a"])
    with service.fake.script(Fault.lose_answer(), Fault.status(503)):
        await client.send_message(NUMBER, content=CONTENT, save_contact=contact)
    assert len(service.fake.requests) == 3
    check_attempts(service.fake.requests)
    assert len(service.fake.messages) == 1


async def send_naively(fake: FakeZiett) -> None:
    """Send with a key made in the loop, as many a client does."""
    transport, body = FakeTransport(fake), {"target_e164": NUMBER, "content": CONTENT}
    body |= {"remitter_id": REMITTER, "channel_type": "SMS"}
    for _ in range(3):
        headers = (*JSON, ("x-api-key", API_KEY), ("idempotency-key", str(uuid4())))
        url = "https://api.ziett.co/c/v1/messages"
        try:
            await transport.send(Request("POST", url, headers, json.dumps(body).encode()))
        except SendFailed:
            continue
        return


async def test_a_key_made_per_attempt_sends_twice() -> None:
    """The naive client fails the same check, and the recipient has two messages."""
    fake = FakeZiett()
    with fake.script(Fault.lose_answer()):
        await send_naively(fake)
    with pytest.raises(AssertionError, match="a key for each attempt"):
        check_attempts(fake.requests)
    assert len(fake.messages) == 2


async def test_a_campaign_that_is_tried_again_is_one(service: Service, client: AsyncZiett) -> None:
    """What holds for a message holds for every POST."""
    with service.fake.script(Fault.lose_answer()):
        await client.send_batch_campaign([NUMBER, "+244923456790"], content=CONTENT)
    check_attempts(service.fake.requests)
    assert len(service.fake.campaigns) == 1


async def test_reads_carry_no_key(service: Service, client: AsyncZiett) -> None:
    """There is nothing of which there could be two."""
    with service.fake.script(Fault.status(503)):
        await client.list_messages()
    assert [arrival.idempotency_key for arrival in service.fake.requests] == [None, None]


async def test_a_refused_connection_is_not_sent(service: Service) -> None:
    """It certainly never reached a server, so it may be sent again at will."""
    if service.base_url is None:
        service.fake.faults.add(*[Fault.refuse() for _ in range(3)])
    # No server listens on port 1 of this machine; in memory the faults stand for that.
    elsewhere = Service(service.fake, service.clock, service.base_url and "http://127.0.0.1:1/c/v1")
    async with elsewhere.client() as client:
        with pytest.raises(NotSent) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert caught.value.attempts == 3
    assert service.fake.requests == []


async def test_a_lost_answer_is_an_unknown_outcome(service: Service, client: AsyncZiett) -> None:
    """After every attempt lost its answer; its key is safe to use for 24 hours."""
    lost = [Fault.lose_answer() for _ in range(3)]
    with service.fake.script(*lost), pytest.raises(OutcomeUnknown) as caught:
        await client.send_message(NUMBER, content=CONTENT)
    error = caught.value
    assert error.idempotency_key == service.fake.messages[0].idempotency_key
    now = datetime.now(UTC) if service.base_url else START
    assert timedelta(hours=23) < error.safe_to_retry_until - now <= timedelta(hours=24)


async def test_an_attempt_ends_after_its_time(service: Service) -> None:
    """A server that never answers costs `attempt_timeout` an attempt, and no more."""
    async with service.client(attempt_timeout=0.5) as client:
        with (
            service.fake.script(*[Fault.stall() for _ in range(3)]),
            pytest.raises(OutcomeUnknown) as caught,
        ):
            await client.send_message(NUMBER, content=CONTENT)
    assert caught.value.attempts == 3
    assert len(service.fake.messages) == 1


async def test_a_call_ends_after_its_time(service: Service) -> None:
    """`timeout` bounds all attempts together; what may have been sent is not called unsent."""
    async with service.client(timeout=0.5) as client:
        with service.fake.script(Fault.stall()), pytest.raises(OutcomeUnknown) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert (caught.value.attempts, len(service.fake.requests)) == (1, 1)


async def test_the_timeout_of_a_call_wins() -> None:
    """The client's is for calls that give none."""
    fake = FakeZiett()
    async with in_memory(fake, timeout=1.0) as client:
        for timeout, end in ((5.0, 5.0), (None, 6.0)):
            with fake.script(Fault.stall()), pytest.raises(OutcomeUnknown):
                await client.send_message(NUMBER, content=CONTENT, timeout=timeout)
            assert fake.clock.monotonic() == pytest.approx(end)


async def test_the_timeout_of_a_loop_is_for_each_of_its_requests() -> None:
    """Reading a long list takes as long as it takes; no single page does."""
    fake = FakeZiett()
    for _ in range(5):
        fake.add_message()
    async with in_memory(fake, latency=2.0) as client:
        loop = client.iter_messages(size=2, timeout=3.0)
        assert len([message async for message in loop]) == 5
        assert fake.clock.monotonic() > 3.0
        before = fake.clock.monotonic()
        with fake.script(Fault.stall()), pytest.raises(DeadlineExceeded):
            await anext(aiter(loop))
        assert fake.clock.monotonic() == pytest.approx(before + 3.0)


async def test_a_turn_that_comes_too_late_is_refused_at_once() -> None:
    """The limiter's wait is known, so the call ends without a sleep; certainly nothing was sent."""
    fake = FakeZiett()
    limiter = TokenBucketLimiter(send=Rate(1, per=60.0), clock=fake.clock)
    async with in_memory(fake, limiter=limiter) as client:
        await client.send_message(NUMBER, content=CONTENT)
        with pytest.raises(DeadlineExceeded) as caught:
            await client.send_message(NUMBER, content=CONTENT, timeout=59.0)
        assert fake.clock.monotonic() == 0.0
        assert isinstance(caught.value, TimeoutError)
        assert (caught.value.attempts, len(fake.requests)) == (0, 1)
        accepted = await client.send_message(NUMBER, content=CONTENT, timeout=61.0)
    assert (accepted.call.waited, fake.clock.monotonic()) == (60.0, 60.0)


async def test_a_retry_that_has_no_time_is_not_slept_for() -> None:
    """What the attempt before it said is raised at once, and not a timeout."""
    fake = FakeZiett()
    busy = Fault.status(429, headers=(("retry-after", "30"),))
    async with in_memory(fake, limiter=Unlimited()) as client:
        with fake.script(busy), pytest.raises(RateLimitError) as caught:
            await client.send_message(NUMBER, content=CONTENT, timeout=29.0)
        assert (caught.value.retry_after, fake.clock.monotonic()) == (30.0, 0.0)
        with fake.script(busy):
            accepted = await client.send_message(NUMBER, content=CONTENT, timeout=31.0)
    assert (accepted.call.attempts, accepted.call.elapsed) == (2, 30.0)


async def test_a_429_pauses_everybody() -> None:
    """A call elsewhere has the key: no attempt is made before the server's `Retry-After` ends."""
    fake = FakeZiett()
    limiter = TokenBucketLimiter(clock=fake.clock)
    async with in_memory(fake, limiter=limiter) as client:
        with fake.script(Fault.status(429, headers=(("retry-after", "30"),))):
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(lambda: client.send_message(NUMBER, content=CONTENT))
        late = await client.send_message(NUMBER, content=CONTENT)
    assert late.call.waited == 0.0
    assert len(fake.messages) == 6
    assert fake.arrivals("send")[0] == 0.0
    assert max(fake.arrivals("send")) == 30.0


async def test_a_result_has_the_account_of_its_call() -> None:
    """Attempts, seconds at the limiter, seconds in all, and the status."""
    fake = FakeZiett()
    limiter = TokenBucketLimiter(send=Rate(2, per=10.0), clock=fake.clock)
    retry = RetryPolicy(base=1.0, jitter=lambda: 0.5)
    async with in_memory(fake, latency=0.25, limiter=limiter, retry=retry) as client:
        first = await client.send_message(NUMBER, content=CONTENT)
        assert first.call == CallInfo((Attempt(1, 0.0, 0.25, 202),), 0.25)
        with fake.script(Fault.status(500)):
            second = await client.send_message(NUMBER, content=CONTENT)
    # The first attempt of the second call ends at 0.5 and is tried again at 1.0, when both
    # tokens are on their way back: the earlier one returns at 10.25.
    failed = Attempt(
        1, 0.0, 0.25, 500, "An unexpected error occurred. Please retry after a short delay."
    )
    assert second.call == CallInfo((failed, Attempt(2, 9.25, 0.25, 202)), 10.25)
    assert (second.call.attempts, second.call.waited, second.call.status) == (2, 9.25, 202)


async def test_attempts_are_listed_one_by_one() -> None:
    """With their waits, durations, statuses and reasons: on a result, on an error, and pickled."""
    fake = FakeZiett()
    limiter = TokenBucketLimiter(send=Rate(1, per=10.0), clock=fake.clock)
    expected = (
        Attempt(1, 0.0, 0.25, None, "connection refused"),
        Attempt(2, 10.0, 0.25, 503, "no error object, but 38 bytes of text/html"),
        Attempt(3, 10.0, 0.25, 202),
    )
    echo = {"code": "OOPS", "message": f"{NUMBER}\n{CONTENT}"}
    repeated = json.dumps(echo).encode()
    async with in_memory(fake, latency=0.25, limiter=limiter) as client:
        with fake.script(Fault.refuse(), Fault.status(503)):
            sent = await client.send_message(NUMBER, content=CONTENT)
        assert sent.call == CallInfo(expected, 20.75)
        await fake.clock.sleep(60.0)
        faults = Fault.refuse(), Fault.status(503), Fault.status(500, body=repeated)
        with fake.script(*faults), pytest.raises(OutcomeUnknown) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    error = caught.value
    failed = (*expected[:2], Attempt(3, 10.0, 0.25, 500, "*** ***"))
    assert (error.attempts, error.attempts_made) == (3, failed)
    assert pickle.loads(pickle.dumps(error)).attempts_made == failed  # noqa: S301 - ours
    assert pickle.loads(pickle.dumps(sent)).call == sent.call  # noqa: S301 - ours


async def test_a_page_has_the_account_of_its_call() -> None:
    """On the page, where it can be read."""
    fake = FakeZiett()
    async with in_memory(fake, latency=0.5) as client:
        page = await client.list_messages()
    assert page.call == CallInfo((Attempt(1, 0.0, 0.5, 200),), 0.5)


async def test_clients_of_one_key_share_their_turns() -> None:
    """By default, in one process: together they stay within the limit, and others do not wait."""
    fake = FakeZiett()
    async with (
        in_memory(fake) as one,
        in_memory(fake) as two,
        in_memory(fake, api_key="zk_test_another") as other,
    ):
        for client in (one, two) * 60:
            await client.send_message(NUMBER, content=CONTENT)
        assert fake.clock.monotonic() == 0.0
        assert (await other.send_message(NUMBER, content=CONTENT)).call.waited == 0.0
        assert (await two.send_message(NUMBER, content=CONTENT)).call.waited == 60.0
    assert {arrival.status for arrival in fake.requests} == {202}


async def test_each_kind_of_call_has_its_own_turns() -> None:
    """A minute has 120 sends, 60 lists, 300 other reads and 10 batches."""
    fake = FakeZiett()
    numbers = [NUMBER, "+244923456790"]
    async with in_memory(fake) as client:
        campaign = await client.send_batch_campaign(numbers, content=CONTENT)
        for _ in range(9):
            await client.send_batch_campaign(numbers, content=CONTENT)
        for _ in range(60):
            await client.list_messages()
        for _ in range(300):
            await client.get_campaign(campaign.campaign_id)
        assert fake.clock.monotonic() == 0.0
        for call in (
            client.send_batch_campaign(numbers, content=CONTENT, timeout=59.0),
            client.list_campaigns(timeout=59.0),
            client.get_message(UUID(int=7), timeout=59.0),
        ):
            with pytest.raises(DeadlineExceeded):
                await call
        assert (await client.send_message(NUMBER, content=CONTENT)).call.waited == 0.0


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_thousand_sends_at_once_lose_none() -> None:
    """`asyncio.gather` over them, by default: all accepted, and never more than 120 a minute."""
    fake = FakeZiett()
    async with in_memory(fake, latency=0.1) as client:
        accepted = await asyncio.gather(
            *(
                client.send_message(f"+24492300{number:04}", content=CONTENT)
                for number in range(1000)
            )
        )
    assert len({each.message_id for each in accepted}) == 1000
    assert len({row.target_e164 for row in fake.messages}) == 1000
    assert {arrival.status for arrival in fake.requests} == {202}
    assert most_in(fake.arrivals("send"), 60.0) == 120
    assert fake.clock.monotonic() < 8 * 61


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_without_a_limiter_a_thousand_sends_are_too_many() -> None:
    """The naive way: the same check finds them all in one window, and most are lost."""
    fake = FakeZiett()
    async with in_memory(fake, limiter=Unlimited(), retry=RetryPolicy(attempts=1)) as client:
        results = await asyncio.gather(
            *(client.send_message(NUMBER, content=CONTENT) for _ in range(1000)),
            return_exceptions=True,
        )
    assert sum(isinstance(each, RateLimitError) for each in results) == 880
    assert most_in(fake.arrivals("send"), 60.0) == 1000


async def test_a_cancelled_call_is_over(service: Service, client: AsyncZiett) -> None:
    """No attempt is made for it later, and the client goes on working."""
    with anyio.fail_after(10), service.fake.script(Fault.stall(executes=False)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.send_message(NUMBER, content=CONTENT))
            while not service.fake.requests:
                await checkpoint()
            tasks.cancel_scope.cancel()
    await client.list_messages()
    await client.list_messages()
    operations = [arrival.operation for arrival in service.fake.requests]
    assert operations == ["send_message", "list_messages", "list_messages"]


async def test_an_endpoint_without_a_method_can_be_called(
    service: Service, client: AsyncZiett
) -> None:
    """An operation is a value: its path is filled, its answer is structured."""
    body = json.dumps({"message_id": str(UUID(int=7))}).encode()
    with service.fake.script(Fault.status(503), Fault.status(201, headers=JSON, body=body)):
        result = await client.call(
            TOP_UP, path={"account_id": "main/1 ü"}, query=[("dry", "1")], body={"amount": 7}
        )
    assert (result.message_id, result.call.status) == (UUID(int=7), 201)
    first = service.fake.requests[0]
    assert (first.method, first.path, first.query) == (
        "POST",
        "/accounts/main%2F1%20%C3%BC/top-ups",
        "dry=1",
    )
    check_attempts(service.fake.requests)


async def test_a_post_without_a_body_has_a_key_too(service: Service, client: AsyncZiett) -> None:
    """Every POST carries one, the same in every attempt: the server can tell a repeat."""
    body = json.dumps({"message_id": str(UUID(int=7))}).encode()
    with service.fake.script(Fault.reset(), Fault.status(202, headers=JSON, body=body)):
        result = await client.call(TOP_UP, path={"account_id": "1"}, idempotency_key="order-7")
    assert result.idempotency_key == "order-7"
    check_attempts(service.fake.requests)


async def test_an_endpoint_may_answer_without_content(service: Service, client: AsyncZiett) -> None:
    """A 204 is an answer: after an attempt that was lost as after none."""
    with service.fake.script(Fault.status(204), Fault.reset(), Fault.status(204)):
        for _ in range(2):
            result: object = await client.call(REMOVE, path={"contact_id": "1"})
            assert result is None
    assert [arrival.method for arrival in service.fake.requests] == ["DELETE"] * 3


@pytest.mark.fault(
    "A 204 where a value is due",
    send="every time: `OutcomeUnknown`",
    read="every time: `InvalidResponse`",
)
async def test_a_value_is_not_answered_without_content(
    service: Service, client: AsyncZiett
) -> None:
    """A 204 where a value is due tells nothing: of a send the outcome is unknown."""
    with service.fake.script(*[Fault.status(204)] * 6):
        with pytest.raises(OutcomeUnknown, match="204, but the body is empty"):
            await client.send_message(NUMBER, content=CONTENT)
        with pytest.raises(InvalidResponse, match="204, but the body is empty"):
            await client.list_messages()
    assert len(service.fake.requests) == 6


async def test_an_endpoint_the_server_lacks_is_not_found(
    service: Service, client: AsyncZiett
) -> None:
    """With the operation's name in the error."""
    with pytest.raises(NotFoundError) as caught:
        await client.call(TOP_UP, path={"account_id": "1"}, body={})
    assert caught.value.operation == "top_up"
    assert len(service.fake.requests) == 1


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"path": {"account": "1"}},
        {"path": {"account_id": ""}},
        {"path": {"account_id": ".."}},
        {"path": {"account_id": 7}},
        {"path": {"account_id": "1"}, "idempotency_key": "a b"},
        {"path": {"account_id": "1"}, "timeout": 0},
    ],
)
async def test_a_call_that_cannot_be_filled_in_is_refused(
    service: Service, client: AsyncZiett, given: dict[str, Any]
) -> None:
    """As an invalid request, before anything is sent."""
    with pytest.raises(InvalidRequest) as caught:
        await client.call(TOP_UP, **given)
    assert caught.value.operation == "top_up"
    assert service.fake.requests == []


async def test_a_closed_client_refuses(service: Service) -> None:
    """Clearly, before anything is sent; to close it again does nothing."""
    client = service.client()
    async with client:
        await client.list_messages()
    await client.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await client.send_message(NUMBER, content=CONTENT)
    with pytest.raises(ConfigurationError, match="closed"):
        await anext(aiter(client.iter_messages()))
    assert len(service.fake.requests) == 1


async def test_an_unclosed_client_warns(service: Service) -> None:
    """When it is thrown away, and without showing its key."""
    client = service.client()
    with pytest.warns(ResourceWarning, match="unclosed client") as caught:
        del client
    gc.collect()
    assert API_KEY not in str(caught[0].message)


async def test_a_client_that_could_not_be_built_does_not_warn() -> None:
    """Nothing is open that could be closed: the error is all."""
    with pytest.raises(ConfigurationError):
        AsyncZiett("")
    gc.collect()


async def test_a_client_shows_where_it_goes_and_not_as_whom(service: Service) -> None:
    """Address and state are in its repr; the key is not, and nothing pickles it."""
    async with service.client(allowed_recipients=[NUMBER]) as client:
        where = service.base_url or "https://api.ziett.co/c/v1"
        assert repr(client) == f"<AsyncZiett {where} (open)>"
        with pytest.raises(TypeError, match="key"):
            pickle.dumps(client)
    assert repr(client) == f"<AsyncZiett {where} (closed)>"


async def test_nothing_private_is_logged(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, the libraries below included: no key, number, text or name, whatever happens."""
    caplog.set_level(logging.DEBUG)
    name, address = "Ana Kianda", "kianda@example.ao"
    private = (API_KEY, NUMBER, NUMBER[1:], CONTENT, "482910", name, address, "244923")
    faults = [Fault.lose_answer(), Fault.status(503), Fault.garbage(CONTENT.encode())]
    shown = list[str]()
    echo = error_object(422, "VALIDATION_ERROR", message=f"{NUMBER} has had '{CONTENT}'")
    async with service.client() as client:
        contact = SaveContact(name, address)
        with service.fake.script(Fault.lose_answer(), Fault.status(503)):
            await client.send_message(NUMBER, content=CONTENT, save_contact=contact)
        for fault in ([Fault.status(422, headers=JSON, body=echo)], faults):
            with service.fake.script(*fault), pytest.raises(CallError) as caught:
                await client.send_message(NUMBER, content=CONTENT, save_contact=contact)
            shown.append(f"{caught.value} {caught.value!r}")
            shown += traceback.format_exception(caught.value)
        await client.list_messages(q=NUMBER[1:])
        await client.get_message(service.fake.messages[0].id)
        await client.send_batch_campaign([NUMBER, "+244923456790"], content=CONTENT)
    assert "send_message" in caplog.text
    assert "attempt 1" in caplog.text
    shown.append(caplog.text)
    assert not [secret for secret in private if secret in "".join(shown)]


async def test_the_environment_is_enough(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """`AsyncZiett()` takes key, address and sender from it."""
    monkeypatch.setenv("ZIETT_API_KEY", API_KEY)
    monkeypatch.setenv("ZIETT_REMITTER_ID", REMITTER)
    if service.base_url:
        monkeypatch.setenv("ZIETT_BASE_URL", service.base_url)
    transport = None if service.base_url else FakeTransport(service.fake)
    async with AsyncZiett(transport=transport) as client:
        await client.send_message(NUMBER, content=CONTENT)
    assert service.fake.messages[0].remitter_id == UUID(REMITTER)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"api_key": None}, "ZIETT_API_KEY"),
        ({"api_key": "zk test"}, "api_key"),
        ({"api_key": "zk_test_ü"}, "api_key"),
        ({"base_url": "http://api.ziett.co"}, "https"),
        ({"base_url": "https://a:b@api.ziett.co"}, "user"),
        ({"base_url": "https://api.ziett.co/?x"}, "query"),
        ({"default_remitter_id": "ZIETT"}, "default_remitter_id"),
        ({"default_country": "XX"}, "default_country"),
        ({"allowed_recipients": NUMBER}, "allowed_recipients"),
        ({"allowed_recipients": ["1"]}, "allowed_recipients"),
        ({"timeout": 0}, "timeout"),
        ({"attempt_timeout": float("inf")}, "attempt_timeout"),
    ],
)
async def test_what_cannot_work_is_said_when_the_client_is_built(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], words: str
) -> None:
    """Not at the first send; and a wrong key is not repeated."""
    monkeypatch.delenv("ZIETT_API_KEY", raising=False)
    arguments: dict[str, Any] = {"api_key": API_KEY, **settings}
    with pytest.raises(ConfigurationError, match=words) as caught:
        AsyncZiett(**arguments)
    assert str(arguments["api_key"]) not in str(caught.value)


@attrs.define
class Own:
    """A user's own transport and clock, with nothing but what the protocols name."""

    fake: FakeZiett
    closed: int = 0

    async def send(self, request: Request) -> Any:  # noqa: ANN401 - the fake's answer
        """Ask the fake."""
        return self.fake.handle(request)

    async def aclose(self) -> None:
        """Count."""
        self.closed += 1


async def test_a_transport_of_ones_own_is_any_object() -> None:
    """Two methods make one; the client closes it."""
    own = Own(FakeZiett())
    async with AsyncZiett(API_KEY, transport=own, default_remitter_id=REMITTER) as client:
        await client.send_message(NUMBER, content=CONTENT)
    assert (len(own.fake.messages), own.closed) == (1, 1)


@attrs.define
class Counting:
    """A user's own limiter, which counts."""

    seen: list[str] = attrs.field(factory=list[str])

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> "CountingPermit":
        """Let every attempt start."""
        self.seen.append(f"acquire {bucket} {priority} {timeout}")
        return CountingPermit(self, bucket)

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Note it."""
        self.seen.append(f"pause {bucket} {seconds}")


@attrs.define
class CountingPermit:
    """Its permit."""

    limiter: Counting
    bucket: Bucket

    async def release(self) -> None:
        """Note it."""
        self.limiter.seen.append(f"release {self.bucket}")


async def test_a_limiter_of_ones_own_is_asked_for_every_attempt() -> None:
    """Also for a retry; it gets each 429, and the end of every attempt."""
    fake, limiter = FakeZiett(), Counting()
    async with in_memory(fake, limiter=limiter) as client:
        with fake.script(Fault.status(429, headers=(("retry-after", "3"),)), Fault.reset()):
            await client.send_message(NUMBER, content=CONTENT, timeout=20)
    assert limiter.seen == [
        "acquire send urgent 20.0",
        "release send",
        "pause send 3.0",
        "acquire send urgent 17.0",
        "release send",
        "acquire send urgent 17.0",
        "release send",
    ]


async def test_another_payload_leaves_an_open_key_open() -> None:
    """Its refusal settles nothing about the call that the key belongs to."""
    fake = FakeZiett()
    async with in_memory(fake) as client:
        with fake.script(*[Fault.lose_answer()] * 3), pytest.raises(OutcomeUnknown):
            await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
        with pytest.raises(ValidationError):
            await client.send_message(NUMBER, content="else", idempotency_key="order-7")
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(OutcomeUnknown):
            await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
