"""The one corridor: what stays of a call when it is over, and what is said of it meanwhile."""

import logging
import re
from datetime import timedelta
from typing import Any

import anyio
import attrs
import pytest

from tests._ways import API_KEY, AT_ONCE, CONTENT, NUMBER, REMITTER, START
from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    DeadlineExceeded,
    InsufficientFundsError,
    ManualClock,
    NotSent,
    OutcomeUnknown,
    Rate,
    Request,
    Response,
    ServerError,
    TokenBucketLimiter,
    Transport,
    Unlimited,
)
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

KEY = "order-7"


@pytest.fixture
def fake() -> FakeZiett:
    """Return a service whose clock has been running for a while."""
    clock = ManualClock()
    clock.advance(1000)
    return FakeZiett(clock=clock)


def client_of(fake: FakeZiett, transport: Transport | None = None, **settings: Any) -> AsyncZiett:  # noqa: ANN401 - the client's own
    """Return a client that lives on the fake's clock."""
    return AsyncZiett(
        API_KEY,
        transport=transport or FakeTransport(fake),
        default_remitter_id=REMITTER,
        retry=AT_ONCE,
        limiter=settings.pop("limiter", Unlimited()),
        clock=fake.clock,
        **settings,
    )


async def send(client: AsyncZiett, timeout: float | None = None) -> AcceptedMessage:
    """Send the same message under the same key."""
    return await client.send_message(NUMBER, content=CONTENT, idempotency_key=KEY, timeout=timeout)


async def leave_open(fake: FakeZiett, client: AsyncZiett) -> None:
    """Make a call whose outcome nobody knows."""
    with fake.script(*[Fault.reset()] * 3), pytest.raises(OutcomeUnknown):
        await send(client)


class Heard(FakeTransport):
    """A transport that remembers what it was given."""

    def __init__(self, service: FakeZiett) -> None:
        super().__init__(service)
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        """Remember, and send."""
        self.requests.append(request)
        return await super().send(request)


async def test_a_read_carries_no_key(fake: FakeZiett) -> None:
    """An idempotency key is for what must not be done twice."""
    transport = Heard(fake)
    async with client_of(fake, transport) as client:
        await client.list_messages()
        await send(client)
    read, sent = (dict(request.headers) for request in transport.requests)
    assert "idempotency-key" not in read
    assert sent["idempotency-key"] == KEY


async def test_a_key_that_is_made_cannot_be_guessed(fake: FakeZiett) -> None:
    """128 random bits as hex, another for every call."""
    async with client_of(fake) as client:
        keys = [
            (await client.send_message(NUMBER, content=CONTENT)).idempotency_key for _ in range(3)
        ]
    assert len(set(keys)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)


async def test_a_success_settles_an_open_key(fake: FakeZiett) -> None:
    """Once a call with it was answered, the next is judged by what happens to it alone."""
    async with client_of(fake) as client:
        await leave_open(fake, client)
        await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(NotSent):
            await send(client)


async def test_a_refusal_of_the_same_bytes_settles_an_open_key(fake: FakeZiett) -> None:
    """A no that the server decided says that nothing was sent."""
    no_money = b'{"code": "BILLING_INSUFFICIENT_FUNDS", "message": "empty"}'
    refusal = Fault.status(402, headers=(("content-type", "application/json"),), body=no_money)
    async with client_of(fake) as client:
        await leave_open(fake, client)
        with fake.script(refusal), pytest.raises(InsufficientFundsError):
            await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(NotSent):
            await send(client)


async def test_a_call_cancelled_before_its_turn_was_not_sent(fake: FakeZiett) -> None:
    """Nothing of it can have reached the server, so its key is not open."""
    limiter = TokenBucketLimiter(send=Rate(1, per=60.0), clock=fake.clock)
    async with client_of(fake, limiter=limiter) as client:
        await client.send_message(NUMBER, content="first")
        with anyio.CancelScope() as scope:
            scope.cancel()
            await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(NotSent):
            await send(client)


async def test_a_cancelled_read_leaves_nothing_open(fake: FakeZiett) -> None:
    """A read has no key, so what became of one says nothing of the next."""

    @attrs.define
    class CutShort:
        scope: anyio.CancelScope
        inner: FakeTransport

        async def send(self, request: Request) -> Response:
            self.scope.cancel()
            await anyio.lowlevel.checkpoint()
            return await self.inner.send(request)

        async def aclose(self) -> None:
            await self.inner.aclose()

    transport = CutShort(anyio.CancelScope(), FakeTransport(fake))
    async with client_of(fake, transport) as client:
        with transport.scope:
            await client.list_messages()
        assert transport.scope.cancelled_caught
        transport.scope = anyio.CancelScope()
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(NotSent):
            await client.list_messages()


async def test_without_a_turn_for_another_attempt_the_last_one_counts(fake: FakeZiett) -> None:
    """What the server said is raised, and not that there was no turn."""
    limiter = TokenBucketLimiter(send=Rate(1, per=60.0), clock=fake.clock)
    async with client_of(fake, limiter=limiter) as client:
        with fake.script(Fault.status(503)), pytest.raises(ServerError) as caught:
            await send(client, timeout=30.0)
    assert caught.value.attempts == 1


async def test_an_attempt_has_its_own_time_within_the_calls(fake: FakeZiett) -> None:
    """However long the call may take, an attempt that is not answered ends and is repeated."""
    async with client_of(fake, attempt_timeout=5.0) as client:
        with fake.script(Fault.stall()):
            accepted = await send(client, timeout=100.0)
    assert (accepted.call.attempts, accepted.call.elapsed) == (2, 5.0)


async def test_a_read_whose_time_is_up_says_so(fake: FakeZiett) -> None:
    """In the very second in which it is up, too."""
    async with client_of(fake) as client:
        with fake.script(Fault.stall()), pytest.raises(DeadlineExceeded):
            await client.list_messages(timeout=5.0)


@pytest.mark.parametrize("last", [Fault.reset(), Fault.status(503)], ids=["nothing", "a 503"])
async def test_a_key_is_safe_for_a_day_after_the_first_attempt(
    fake: FakeZiett, last: Fault
) -> None:
    """The day is counted from the call's begin, however long the call took."""
    async with client_of(fake, attempt_timeout=5.0) as client:
        stalls = [Fault.stall(), Fault.stall()]
        with fake.script(*stalls, last), pytest.raises(OutcomeUnknown) as caught:
            await send(client)
    assert fake.clock.monotonic() == 1010
    assert caught.value.safe_to_retry_until == START + timedelta(seconds=1000, days=1)


async def test_whatever_a_transport_raises_may_have_sent(fake: FakeZiett) -> None:
    """A failure that nobody foresaw is named by its type, and its words are not repeated."""

    class Broken:
        async def send(self, request: Request) -> Response:
            raise ZeroDivisionError(request.url)

        async def aclose(self) -> None:
            """Do nothing."""

    async with client_of(fake, Broken()) as client:
        with pytest.raises(OutcomeUnknown) as caught:
            await send(client)
    assert caught.value.message == "the transport raised ZeroDivisionError"


async def test_the_log_tells_each_attempt_in_a_line(
    fake: FakeZiett, caplog: pytest.LogCaptureFixture
) -> None:
    """Operation, masked number, status and attempt; what went wrong, and when it goes on."""
    caplog.set_level(logging.DEBUG, "ziett_async")
    async with client_of(fake) as client:
        with fake.script(Fault.status(429, headers=(("retry-after", "7"),))):
            await send(client)
    retried, sent = (record.getMessage() for record in caplog.records)
    assert retried == (
        "send_message (attempt 1): 429 RATE_LIMIT_EXCEEDED: The service answered 429"
        f" (trace {FakeZiett().new_trace_id()}); again in 7.00 s (send_message +244*****6789)"
    )
    assert sent == "send_message +244*****6789: 202 in attempt 2"
