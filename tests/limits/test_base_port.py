"""The client over a limiter of a user's own: every method awaits, fails, and is cancelled."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
import attrs
import pytest
from anyio.lowlevel import checkpoint

from tests.support.cancelling import by_scope, by_task, in_waking
from tests.support.samples import API_KEY, CONTENT, NUMBER, REMITTER
from tests.support.services import AT_ONCE
from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    Bucket,
    DeadlineExceeded,
    Limiter,
    LimiterUnavailable,
    NotSent,
    OutcomeUnknown,
    Permit,
    Priority,
)
from ziett_async.limits._shared import account_of
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

KEY = "order-7"


@attrs.define
class Store:
    """A limiter over a network: every method asks, and waits for the answer."""

    #: What a method raises instead.
    fails: dict[str, Exception] = attrs.field(factory=dict[str, Exception])
    #: Permits that were given and not released.
    held: set[int] = attrs.field(factory=set[int])
    given: int = 0
    paused: list[float] = attrs.field(factory=list[float])

    async def ask(self, method: str) -> None:
        """Send the question."""
        await checkpoint()
        if method in self.fails:
            raise self.fails[method]

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Give a permit, and take it back if its answer does not arrive."""
        assert (bucket, priority, timeout) == (Bucket.SEND, Priority.URGENT, timeout)
        await self.ask("acquire")
        self.given += 1
        permit = StorePermit(self, self.given)
        self.held.add(permit.number)
        try:
            await checkpoint()
        except BaseException:
            self.held.discard(permit.number)
            raise
        return permit

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Record it."""
        assert bucket == Bucket.SEND
        await self.ask("pause")
        self.paused.append(seconds)
        await checkpoint()


@attrs.define
class StorePermit:
    """A permit of it."""

    store: Store
    number: int

    async def release(self) -> None:
        """Give it back; a second time changes nothing."""
        await self.store.ask("release")
        self.store.held.discard(self.number)
        await checkpoint()


def client_of(fake: FakeZiett, limiter: Limiter) -> AsyncZiett:
    """Return a client that lives on the fake's clock."""
    return AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake, latency=0.25),
        default_remitter_id=REMITTER,
        retry=AT_ONCE,
        limiter=limiter,
        clock=fake.clock,
    )


async def send(client: AsyncZiett, timeout: float | None = None) -> AcceptedMessage:
    """Send the same message under the same key."""
    return await client.send_message(NUMBER, content=CONTENT, idempotency_key=KEY, timeout=timeout)


Cancel = Callable[[Coroutine[Any, Any, object], int], Awaitable[bool]]
FAULTS = {
    "no fault": [],
    "a 429": [Fault.status(429, headers=(("retry-after", "2"),))],
    "a reset": [Fault.reset()],
}


async def prove(cancel: Cancel, faults: list[Fault]) -> int:
    """Cancel a call at its k-th await, for every k; return how many awaits it has."""
    for at in range(1000):
        fake, store = FakeZiett(), Store()
        async with client_of(fake, store) as client:
            fake.faults.add(*faults)
            is_interrupted = await cancel(send(client), at)
            assert store.held == set(), f"a permit was lost at await {at}"
            fake.faults.clear()
            accepted = await send(client)
            assert store.held == set()
        assert [row.id for row in fake.messages] == [accepted.message_id]
        if not is_interrupted:
            return at
    pytest.fail("it waits for ever")


@pytest.mark.promise(
    "A limiter that awaits, fails or is cancelled loses no permit and costs no result"
)
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_no_permit_is_lost_in_a_cancelled_scope(faults: list[Fault]) -> None:
    """Wherever a call is cancelled, each permit that it was given is released."""
    assert await prove(by_scope, faults) >= 5


@pytest.mark.promise(
    "A limiter that awaits, fails or is cancelled loses no permit and costs no result"
)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("cancel", [by_task, in_waking])
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_no_permit_is_lost_in_a_cancelled_task(faults: list[Fault], cancel: Cancel) -> None:
    """So it is where asyncio cancels the task, which no scope holds back."""
    assert await prove(cancel, faults) >= 5


@pytest.mark.naive("A permit released without a shield", "lost when the call is cancelled")
async def test_a_release_that_is_not_shielded_is_lost() -> None:
    """A client that releases its permit like anything else fails the very same check."""

    async def naive(store: Store) -> None:
        permit = await store.acquire(Bucket.SEND)
        try:
            await checkpoint()
        finally:
            await permit.release()

    lost = 0
    for at in range(8):
        store = Store()
        await by_scope(naive(store), at)
        lost += len(store.held)
    assert lost >= 1


@pytest.mark.promise(
    "A limiter that awaits, fails or is cancelled loses no permit and costs no result"
)
async def test_a_limiter_that_cannot_decide() -> None:
    """Nothing is sent; the error has the reason and the call, and is retryable."""
    fake, store = FakeZiett(), Store({"acquire": LimiterUnavailable("redis: timed out")})
    async with client_of(fake, store) as client:
        with pytest.raises(LimiterUnavailable) as caught:
            await send(client)
    assert isinstance(caught.value, NotSent)
    assert str(caught.value) == "send_message (attempt 0): redis: timed out"
    assert (caught.value.operation, caught.value.idempotency_key) == ("send_message", KEY)
    assert not fake.requests


async def test_whatever_acquire_raises_is_named_by_its_type() -> None:
    """Nothing is sent, and the words of an error that may hold anything are not repeated."""
    fake, store = FakeZiett(), Store({"acquire": ConnectionError("redis://:password@store")})
    async with client_of(fake, store) as client:
        with pytest.raises(LimiterUnavailable) as caught:
            await send(client)
    assert str(caught.value) == "send_message (attempt 0): the limiter raised ConnectionError"
    assert caught.value.__cause__ is None
    assert not fake.requests


async def test_a_timeout_of_the_limiter_is_the_calls() -> None:
    """A permit that comes too late ends the call as its own timeout does."""
    fake, store = FakeZiett(), Store({"acquire": TimeoutError()})
    async with client_of(fake, store) as client:
        with pytest.raises(DeadlineExceeded):
            await send(client, timeout=1.0)


@attrs.define
class OnceOnly(Store):
    """A store that goes away after the first permit."""

    async def ask(self, method: str) -> None:
        """Fail from the second permit on."""
        if method == "acquire" and self.given:
            self.fails = {"acquire": LimiterUnavailable("redis: timed out")}
        await super().ask(method)


async def test_a_limiter_that_fails_before_another_attempt() -> None:
    """What the attempt before it said is raised: it is what is known of the call."""
    fake = FakeZiett()
    async with client_of(fake, OnceOnly()) as client:
        with fake.script(Fault.status(503)), pytest.raises(OutcomeUnknown) as caught:
            await send(client)
    assert caught.value.status == 503


class AtOnce(Store):
    """A store that gives its first permit without being waited for."""

    def acquire_nowait(self, bucket: Bucket) -> StorePermit | None:
        """Give it; later calls have to wait."""
        assert bucket == Bucket.SEND
        if self.given:
            return None
        self.given += 1
        self.held.add(self.given)
        return StorePermit(self, self.given)


async def test_a_limiter_is_asked_first_for_a_permit_at_once() -> None:
    """With one, `acquire` is not called; without one it is; both permits are released."""
    store = AtOnce()
    async with client_of(FakeZiett(), store) as client:
        store.fails = {"acquire": LimiterUnavailable("redis: timed out")}
        await send(client)
        with pytest.raises(LimiterUnavailable):
            await send(client)
        store.fails = {}
        await send(client)
    assert (store.given, store.held) == (2, set())


async def test_a_limiter_that_fails_where_the_outcome_was_unknown() -> None:
    """A key whose message may have been sent is not called unsent because of the limiter."""
    fake, store = FakeZiett(), Store()
    async with client_of(fake, store) as client:
        with fake.script(*[Fault.reset()] * 3), pytest.raises(OutcomeUnknown):
            await send(client)
        store.fails = {"acquire": LimiterUnavailable("redis: timed out")}
        with pytest.raises(OutcomeUnknown, match="redis: timed out"):
            await send(client)


@pytest.mark.promise(
    "A limiter that awaits, fails or is cancelled loses no permit and costs no result"
)
async def test_a_release_that_fails_costs_no_result(caplog: pytest.LogCaptureFixture) -> None:
    """The message was sent, so the caller gets its id, and the log has the failure's type."""
    fake, store = FakeZiett(), Store({"release": ConnectionError("redis://:password@store")})
    async with client_of(fake, store) as client:
        accepted = await send(client)
    assert [row.id for row in fake.messages] == [accepted.message_id]
    logged = [(each.name, each.levelno, each.getMessage()) for each in caplog.records]
    words = "the limiter's release raised ConnectionError"
    assert ("ziett_async", logging.WARNING, words) in logged
    (record,) = [each for each in caplog.records if each.getMessage() == words]
    facts = {name: value for name, value in vars(record).items() if name.startswith("ziett_")}
    assert facts == {"ziett_failed": "limiter.release", "ziett_error": "ConnectionError"}
    assert "password" not in caplog.text


@pytest.mark.promise(
    "A limiter that awaits, fails or is cancelled loses no permit and costs no result"
)
async def test_a_pause_that_fails_costs_no_result(caplog: pytest.LogCaptureFixture) -> None:
    """The call waits as the server asked, and is made again."""
    fake, store = FakeZiett(), Store({"pause": ConnectionError("redis://:password@store")})
    async with client_of(fake, store) as client:
        with fake.script(Fault.status(429, headers=(("retry-after", "2"),))):
            accepted = await send(client)
    assert accepted.call.attempts == 2
    assert "the limiter's pause raised ConnectionError" in caplog.text
    assert "password" not in caplog.text


async def test_a_429_pauses_the_store() -> None:
    """With the server's seconds."""
    fake, store = FakeZiett(), Store()
    async with client_of(fake, store) as client:
        with fake.script(Fault.status(429, headers=(("retry-after", "2"),))):
            await send(client)
    assert store.paused == [2.0]


def test_a_limiter_raises_it_with_a_reason_alone() -> None:
    """It knows of no call, so it has nothing else to say."""
    error = LimiterUnavailable("redis: timed out")
    assert (error.message, error.attempts, error.idempotency_key) == ("redis: timed out", 0, None)
    assert str(error) == "acquire (attempt 0): redis: timed out"


async def test_a_permit_of_a_scope_that_is_cancelled_is_released() -> None:
    """The shield around a release ends with it: the cancellation arrives after it."""
    fake, store = FakeZiett(), Store()
    async with client_of(fake, store) as client:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await send(client)
        assert scope.cancelled_caught
    assert store.held == set()


@attrs.define
class Accounts(Store):
    """A limiter that tells accounts apart."""

    given_accounts: list[tuple[str, float]] = attrs.field(factory=list[tuple[str, float]])
    of_account: Store = attrs.field(factory=Store)

    def for_account(self, account: str, attempt_timeout: float) -> Limiter:
        """Return the limiter of an account."""
        self.given_accounts.append((account, attempt_timeout))
        return self.of_account


async def test_a_limiter_may_tell_accounts_apart() -> None:
    """It learns a hash of service and key, the same in every process, and never the key."""
    limiter = Accounts()
    origins = [
        (API_KEY, "https://api.ziett.example"),
        (API_KEY, "https://API.ziett.example:443/c/v1/"),
        (API_KEY + "2", "https://api.ziett.example"),
    ]
    for key, url in origins:
        fake = FakeZiett()
        async with AsyncZiett(
            key,
            base_url=url,
            transport=FakeTransport(fake),
            limiter=limiter,
            default_remitter_id=REMITTER,
            attempt_timeout=7.0,
        ) as client:
            await client.send_message(NUMBER, content=CONTENT)
    first, same, other = limiter.given_accounts
    assert first == same
    assert first[0] == account_of(API_KEY, "https://api.ziett.example/c/v1") != other[0]
    assert (len(first[0]), first[1]) == (64, 7.0)
    assert (limiter.given, limiter.of_account.given) == (0, 3)
