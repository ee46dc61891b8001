"""The loop every call goes through: what stays of a call when it is over, and what it logs."""

import logging
import re
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import anyio
import attrs
import pytest

from tests.support.samples import API_KEY, CONTENT, NUMBER, REMITTER
from tests.support.services import AT_ONCE, START
from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    Bucket,
    DeadlineExceeded,
    ManualClock,
    NotSent,
    OutcomeUnknown,
    Permit,
    Priority,
    Rate,
    RateLimitError,
    Request,
    Response,
    RetryPolicy,
    TokenBucketLimiter,
    Transport,
    TransportError,
    Unlimited,
    ValidationError,
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
        retry=settings.pop("retry", AT_ONCE),
        limiter=settings.pop("limiter", Unlimited()),
        clock=fake.clock,
        **settings,
    )


async def send(client: AsyncZiett, timeout: float | None = None) -> AcceptedMessage:
    """Send the same message under the same key."""
    return await client.send_message(NUMBER, content=CONTENT, idempotency_key=KEY, timeout=timeout)


async def leave_open(fake: FakeZiett, client: AsyncZiett) -> None:
    """Make a call whose outcome is unknown."""
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


JSON = (("content-type", "application/json"),)


def refusal(status: int) -> Fault:
    """Return a refusal by the service itself."""
    body = b'{"code": "A_CODE", "message": "no"}'
    return Fault.status(status, headers=JSON, body=body)


async def test_a_refusal_of_the_same_bytes_settles_an_open_key(fake: FakeZiett) -> None:
    """What follows from the bytes was true of the earlier attempt as well."""
    async with client_of(fake) as client:
        await leave_open(fake, client)
        with fake.script(refusal(422)), pytest.raises(ValidationError):
            await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(NotSent):
            await send(client)


@pytest.mark.fault("402 after a lost answer", send="`OutcomeUnknown`")
async def test_a_402_settles_no_open_key(fake: FakeZiett) -> None:
    """The balance may be gone because the message was sent."""
    async with client_of(fake) as client:
        await leave_open(fake, client)
        with fake.script(refusal(402)), pytest.raises(OutcomeUnknown) as caught:
            await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(OutcomeUnknown):
            await send(client)
    assert (caught.value.status, caught.value.code) == (402, "A_CODE")


async def test_a_429_before_a_lost_answer_does_not_close_its_key(fake: FakeZiett) -> None:
    """It refused the attempt before, and says nothing of the one that was lost."""
    async with client_of(fake) as client:
        faults = [Fault.status(429), *[Fault.reset()] * 3]
        with fake.script(*faults), pytest.raises(OutcomeUnknown):
            await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(OutcomeUnknown):
            await send(client)


@pytest.mark.fault(
    "One key in many calls: at once, with other text, cancelled", send="another text: still unknown"
)
async def test_another_text_under_an_open_key_does_not_close_it(fake: FakeZiett) -> None:
    """Neither the first text nor the second is called unsent while either may have been sent."""
    async with client_of(fake) as client:
        with fake.script(*[Fault.lose_answer()] * 3), pytest.raises(OutcomeUnknown):
            await client.send_message(NUMBER, content="first", idempotency_key=KEY)
        with fake.script(*[Fault.reset()] * 3), pytest.raises(OutcomeUnknown):
            await client.send_message(NUMBER, content="second", idempotency_key=KEY)
        for text in ("first", "second", "third"):
            with fake.script(*[Fault.refuse()] * 3), pytest.raises(OutcomeUnknown):
                await client.send_message(NUMBER, content=text, idempotency_key=KEY)


@pytest.mark.fault(
    "One key in many calls: at once, with other text, cancelled", send="at once: not called unsent"
)
async def test_a_call_beside_another_with_its_key_is_not_called_unsent(fake: FakeZiett) -> None:
    """What the other one, which is under way, comes to is not known yet."""
    async with client_of(fake) as client, anyio.create_task_group() as tasks:
        with fake.script(Fault.slow(5.0), *[Fault.refuse()] * 3):
            tasks.start_soon(send, client)
            await fake.clock.sleep(1.0)
            with pytest.raises(OutcomeUnknown, match="connection refused"):
                await send(client)
    assert len(fake.messages) == 1


async def test_a_call_that_was_refused_leaves_the_doubt_of_one_beside_it(fake: FakeZiett) -> None:
    """The one whose attempts were lost leaves its key open, whichever of the two ends last."""
    async with client_of(fake, attempt_timeout=5.0) as client:
        async with anyio.create_task_group() as tasks:
            with fake.script(Fault.slow(9.0), Fault.stall(), Fault.stall(), *[Fault.refuse()] * 3):

                async def lost() -> None:
                    with pytest.raises(OutcomeUnknown):
                        await send(client)

                tasks.start_soon(lost)
                await fake.clock.sleep(12.0)
                with pytest.raises(OutcomeUnknown):
                    await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(OutcomeUnknown):
            await send(client)


@pytest.mark.fault(
    "One key in many calls: at once, with other text, cancelled", send="cancelled: still unknown"
)
async def test_a_cancelled_attempt_leaves_its_key_open(fake: FakeZiett) -> None:
    """It may have reached the service in the moment in which it was cancelled."""
    async with client_of(fake) as client:
        with fake.script(Fault.stall()), anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send, client)
                await fake.clock.sleep(1.0)
                scope.cancel()
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(OutcomeUnknown):
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


@pytest.mark.fault(
    "One key in many calls: at once, with other text, cancelled", read="no key, nothing kept"
)
async def test_a_cancelled_read_leaves_nothing_open(fake: FakeZiett) -> None:
    """A read has no key, so the outcome of one settles nothing about the next."""

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
        with fake.script(Fault.status(503)), pytest.raises(OutcomeUnknown) as caught:
            await send(client, timeout=30.0)
    assert (caught.value.attempts, caught.value.status) == (1, 503)


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
    """The day is counted from there, however long the call took."""
    async with client_of(fake, attempt_timeout=5.0) as client:
        stalls = [Fault.stall(), Fault.stall()]
        with fake.script(*stalls, last), pytest.raises(OutcomeUnknown) as caught:
            await send(client)
    assert fake.clock.monotonic() == 1010
    assert caught.value.safe_to_retry_until == START + timedelta(seconds=1000, days=1)


@pytest.mark.fault(
    "The machine sleeps between two attempts", send="the key's day starts at the first"
)
async def test_a_day_does_not_begin_again_when_the_machine_sleeps() -> None:
    """The monotonic clock stands still then, and the server's day goes on."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)

    class Asleep(FakeTransport):
        """A machine that sleeps for five hours in each attempt."""

        async def send(self, request: Request) -> Response:
            clock.set_calendar(clock.now() + timedelta(hours=5))
            return await super().send(request)

    begun = clock.now()
    async with client_of(fake, Asleep(fake)) as client:
        with fake.script(*[Fault.reset()] * 3), pytest.raises(OutcomeUnknown) as caught:
            await send(client)
        with fake.script(*[Fault.refuse()] * 3), pytest.raises(OutcomeUnknown) as again:
            await send(client)
    assert caught.value.safe_to_retry_until == begun + timedelta(days=1)
    assert again.value.safe_to_retry_until == begun + timedelta(days=1)


async def test_a_day_begins_with_the_first_attempt_and_not_with_the_wait_before_it(
    fake: FakeZiett,
) -> None:
    """Until its turn the server cannot have known the key."""
    limiter = TokenBucketLimiter(send=Rate(1, per=60.0), clock=fake.clock)
    async with client_of(fake, limiter=limiter) as client:
        await client.send_message(NUMBER, content="first")
        with fake.script(Fault.reset()), pytest.raises(OutcomeUnknown) as caught:
            await send(client, timeout=90.0)
    assert caught.value.safe_to_retry_until == START + timedelta(seconds=1060, days=1)


async def test_a_read_that_was_refused_after_a_cut_answer_reached_the_server(
    fake: FakeZiett,
) -> None:
    """It is no `NotSent`: an attempt was answered, though with nothing of use."""
    async with client_of(fake) as client:
        faults = [Fault.garbage(), Fault.refuse(), Fault.refuse()]
        with fake.script(*faults), pytest.raises(TransportError) as caught:
            await client.list_messages()
    assert type(caught.value) is TransportError


@pytest.mark.fault(
    "429 again and again: the server's limit is narrower", send="costs time, no attempt"
)
async def test_a_429_costs_time_and_no_attempt(fake: FakeZiett) -> None:
    """A limit narrower than ours refuses many times, and the message goes out all the same."""
    async with client_of(fake) as client:
        refusals = [Fault.status(429, headers=(("retry-after", "20"),)) for _ in range(20)]
        with fake.script(*refusals):
            accepted = await send(client)
    assert (accepted.call.attempts, accepted.call.elapsed) == (21, 400.0)


async def test_429s_between_failures_leave_three_attempts(fake: FakeZiett) -> None:
    """Each of them counts once among the attempts made, and none among those allowed."""
    limited, down = Fault.status(429), Fault.status(503)
    async with client_of(fake) as client:
        with (
            fake.script(limited, limited, down, limited, down, limited, limited, down),
            pytest.raises(OutcomeUnknown) as caught,
        ):
            await send(client)
    assert caught.value.attempts == 8


async def test_the_wait_after_a_429_grows_with_their_number(fake: FakeZiett) -> None:
    """A server that does not say when to come back is asked less and less often."""
    retry = RetryPolicy(base=1.0, cap=8.0, jitter=lambda: 1.0)
    async with client_of(fake, retry=retry) as client:
        with fake.script(*[Fault.status(429)] * 5):
            accepted = await send(client)
    assert accepted.call.elapsed == 1 + 2 + 4 + 8 + 8


@pytest.mark.parametrize("seconds", [None, 7.0])
async def test_a_limiter_is_asked_with_the_time_left(
    fake: FakeZiett, seconds: float | None
) -> None:
    """A call without a timeout waits as long as it takes: that is None, and no number."""
    asked: list[float | None] = []

    class Asked:
        """A limiter that records how long a call may wait."""

        async def acquire(
            self,
            bucket: Bucket,
            *,
            priority: Priority = Priority.URGENT,
            timeout: float | None = None,
        ) -> Permit:
            """Record, and return at once."""
            asked.append(timeout)
            return await Unlimited().acquire(bucket, priority=priority)

        async def pause(self, bucket: Bucket, seconds: float) -> None:
            """Do nothing."""

    async with client_of(fake, limiter=Asked()) as client:
        await send(client, seconds)
    assert asked == [seconds]


@pytest.mark.fault(
    "429 again and again: the server's limit is narrower", send="ends after ten minutes"
)
async def test_ten_minutes_of_429s_are_enough(fake: FakeZiett) -> None:
    """Without a timeout a call gives up then, and it is certain that nothing was sent."""
    async with client_of(fake) as client:
        for _ in range(7):
            fake.faults.add(Fault.status(429, headers=(("retry-after", "100"),)))
        with pytest.raises(RateLimitError) as caught:
            await send(client)
    assert (caught.value.attempts, fake.clock.monotonic()) == (6, 1500)
    assert caught.value.retry_after == 100


async def test_the_ten_minutes_begin_anew_while_others_get_through(fake: FakeZiett) -> None:
    """A queue may be long, and a 429 in it late: as long as messages go out it is a queue."""

    class Narrow(FakeTransport):
        """A service that lets this message through only after half an hour."""

        async def send(self, request: Request) -> Response:
            if CONTENT.encode() in request.body and self.clock.monotonic() < 1000 + 1800:
                return Response(429, (("retry-after", "100"),))
            return await super().send(request)

    async with client_of(fake, Narrow(fake)) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(send, client)
        for number in range(4):
            await fake.clock.sleep(500.0)
            await client.send_message(NUMBER, content=f"another {number}")
    assert [message.content for message in fake.messages].count(CONTENT) == 1


async def test_a_timeout_bounds_the_429s(fake: FakeZiett) -> None:
    """As long as the call's time lasts it waits its turn again; then it raises at once."""
    async with client_of(fake) as client:
        for _ in range(9):
            fake.faults.add(Fault.status(429, headers=(("retry-after", "400"),)))
        with pytest.raises(RateLimitError) as caught:
            await send(client, timeout=1300.0)
    assert (caught.value.attempts, fake.clock.monotonic()) == (4, 2200)


@pytest.mark.fault("429 again and again: the server's limit is narrower", send="a pause is bounded")
async def test_an_endless_retry_after_stops_no_other_call_for_ever(fake: FakeZiett) -> None:
    """The pause of the bucket is bounded: the call raises, and others go on in ten minutes."""
    limiter = TokenBucketLimiter(clock=fake.clock)
    async with client_of(fake, limiter=limiter) as client:
        endless = Fault.status(429, headers=(("retry-after", "99999999"),))
        with fake.script(endless), pytest.raises(RateLimitError):
            await send(client)
        accepted = await client.send_message(NUMBER, content="another")
    assert accepted.call.waited == 600.0


async def test_429s_spend_nothing_of_the_retry_budget(fake: FakeZiett) -> None:
    """The budget is for a service that is down, and a 429 is its word that it is up."""
    retry = RetryPolicy(base=0.0, budget=1)
    async with client_of(fake, retry=retry) as client:
        with fake.script(*[Fault.status(429)] * 50):
            assert (await send(client)).call.attempts == 51


async def test_a_spent_retry_budget_ends_every_call_at_its_first_failure(fake: FakeZiett) -> None:
    """All calls of a client share it: one call spent it, and the next makes a single attempt."""
    retry = RetryPolicy(base=0.0, budget=1)
    async with client_of(fake, retry=retry) as client:
        with fake.script(*[Fault.status(503)] * 3):
            for attempts in (2, 1):
                with pytest.raises(OutcomeUnknown) as caught:
                    await send(client)
                assert caught.value.attempts == attempts


async def test_whatever_a_transport_raises_may_have_sent(fake: FakeZiett) -> None:
    """An unforeseen failure is named by its type, and its text is not repeated."""

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


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what a record has as `extra`, without the prefix."""
    return {
        name.removeprefix("ziett_"): value
        for name, value in vars(record).items()
        if name.startswith("ziett_")
    }


async def test_the_log_has_the_facts_of_an_attempt_as_extra(
    fake: FakeZiett, caplog: pytest.LogCaptureFixture
) -> None:
    """For programs that write records as JSON: the same facts as an `Attempt` has."""
    caplog.set_level(logging.DEBUG, "ziett_async")
    async with client_of(fake) as client:
        with fake.script(Fault.status(429, headers=(("retry-after", "7"),)), Fault.lose_answer()):
            await send(client)
    limited, lost, sent = map(facts_of, caplog.records)
    first = {"operation": "send_message", "attempt": 1, "waited": 0.0, "elapsed": 0.0}
    assert limited == {
        **first,
        "status": 429,
        "error": "RateLimitError",
        "trace_id": FakeZiett().new_trace_id(),
        "retry_in": 7.0,
    }
    assert (lost["attempt"], lost["status"], lost["error"]) == (2, None, "OutcomeUnknown")
    assert sent == {**first, "attempt": 3, "status": 202}


@pytest.fixture
def traced() -> Generator[None]:
    """Have every record of the program hold a trace id, as many programs do."""
    original = logging.getLogRecordFactory()

    def make(*arguments: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401 - as logging's own
        record = original(*arguments, **named)
        vars(record).update(trace_id="4bf92f35", operation="order", status="open")
        return record

    logging.setLogRecordFactory(make)
    yield
    logging.setLogRecordFactory(original)


@pytest.mark.usefixtures("traced")
async def test_the_facts_do_not_collide_with_those_of_the_program(
    fake: FakeZiett, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own record factory may set any name that does not begin with `ziett_`."""
    async with client_of(fake) as client:
        with fake.script(Fault.status(503)):
            await send(client)
    [record] = caplog.records
    assert vars(record)["trace_id"] == "4bf92f35"
    assert facts_of(record)["status"] == 503


@pytest.mark.naive("`extra` under plain names", "logging raises, in the middle of a call")
@pytest.mark.usefixtures("traced")
def test_plain_names_would_end_the_call() -> None:
    """The naive `extra` makes logging raise KeyError, in the middle of a call."""
    with pytest.raises(KeyError, match="trace_id"):
        logging.getLogger("ziett_async").warning("503", extra={"trace_id": "1"})
