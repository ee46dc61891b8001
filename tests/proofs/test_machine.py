"""A machine that draws what callers, networks and clocks do, and checks every promise after each.

Time is virtual, and the server's records are the judge. A call ends in one of three ways:
its message was accepted, certainly was not, or may have been; a cancelled call is in the
third. What the caller received is compared with what the server holds under the call's key.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Generator
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import anyio
import attrs
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.naive import KeyPerAttempt
from tests.support.samples import REMITTER
from tests.support.windows import crowd
from ziett_async import (
    ApiError,
    AsyncZiett,
    Bucket,
    CallError,
    Clock,
    InsufficientFundsError,
    InvalidRequest,
    Limiter,
    ManualClock,
    OutcomeUnknown,
    Permit,
    Priority,
    Rate,
    Request,
    Response,
    RetryPolicy,
    TokenBucketLimiter,
    Transport,
    Unlimited,
    ZiettError,
)
from ziett_async.testing import FakeTransport, FakeZiett, Fault, Idempotency, MessageRecord, Quota

ATTEMPTS, BUDGET = 3, 6
ATTEMPT_TIMEOUT = 5.0
#: So few that drawn calls have to wait for them; seconds.
LIMITS = {"send": Quota(4, 10), "list": Quota(4, 10), "read": Quota(5, 10), "batch": Quota(2, 10)}
#: Marks the 429s that are drawn: any other would be the limiter's fault.
DRAWN = ("x-drawn", "yes")

SETTINGS = settings(
    max_examples=100,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def key_of(request: Request) -> str | None:
    """Return the idempotency key of a request."""
    return dict(request.headers).get("idempotency-key")


class Wire:
    """A transport that keeps what passes through it."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.sent: list[Request] = []
        #: The keys of what was answered 429, which costs no attempt; of a read None.
        self.rate_limited: list[str | None] = []

    async def send(self, request: Request) -> Response:
        """Pass it on, and see what comes back."""
        self.sent.append(request)
        response = await self._inner.send(request)
        if response.status == 429:
            assert DRAWN in response.headers, "the limiter let too many out"
            self.rate_limited.append(key_of(request))
        return response

    async def aclose(self) -> None:
        """Close the other one."""
        await self._inner.aclose()


class Refilled:
    """The naive limiter: the usual buckets, refilled all the time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._levels = {bucket: float(LIMITS[bucket].limit) for bucket in Bucket}
        self._last = clock.monotonic()

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Wait until the bucket holds a token; it does not care when attempts end."""
        while self._refilled(bucket) < 1:
            await self._clock.sleep(0.25)
        self._levels[bucket] -= 1
        return await Unlimited().acquire(bucket, priority=priority, timeout=timeout)

    def _refilled(self, bucket: Bucket) -> float:
        now = self._clock.monotonic()
        for each, quota in LIMITS.items():
            level = self._levels[Bucket(each)] + (now - self._last) * quota.limit / quota.per
            self._levels[Bucket(each)] = min(quota.limit, level)
        self._last = now
        return self._levels[bucket]

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Do nothing."""


class CancelledAt:
    """A coroutine whose scope is cancelled at its k-th suspension, or before it begins."""

    def __init__(
        self, work: Coroutine[Any, Any, object], at: int, scope: anyio.CancelScope
    ) -> None:
        self._work = work
        self._left = at
        self._scope = scope

    def __await__(self) -> Generator[Any, Any, object]:
        steps = self._work.__await__()
        resume: Callable[[], Any] = partial(next, steps)
        while True:
            if self._left == 0:
                self._scope.cancel()
            self._left -= 1
            try:
                trap = resume()
            except StopIteration as end:
                return end.value
            try:
                resume = partial(steps.send, (yield trap))
            except BaseException as error:  # noqa: BLE001 - it goes on where it was thrown
                resume = partial(steps.throw, error)


@attrs.frozen
class Plan:
    """One call of a client."""

    #: Which of the keys; one that is not there yet is a fresh one.
    key: int
    #: Seconds of virtual time before it.
    after: float = 0.0
    timeout: float | None = None
    #: At which of its awaits it is cancelled; None if it is not.
    cancelled_at: int | None = None


@attrs.define
class Intent:
    """One thing that a caller wants done once, and what it received."""

    key: str
    number: str
    content: str
    is_campaign: bool
    #: Ids that calls returned.
    ids: set[UUID] = attrs.field(factory=set[UUID])
    #: Whether a call was accepted, has an unknown outcome or was cancelled.
    may_be_there: bool = False


class Cancelled(Exception):
    """What a cancelled call ends in, here."""


waits = st.sampled_from([0.0, 0.0, 0.5, 3.0])
timeouts = st.sampled_from([None, None, None, 0.25, 2.0, 7.0, 30.0])
cancels = st.none() | st.integers(0, 70)
plans = st.builds(Plan, st.integers(0, 12), waits, timeouts, cancels)
retry_afters = st.sampled_from(
    ["0", "1", "1.5", "-1", "nan", "1000000000", "soon", "", "Mon, 14 Jul 2025 10:30:09 GMT"]
)
operations = st.sampled_from([None, "send_message", "send_batch_campaign", "list_messages"])
#: What says nothing of the request's own bytes: a server that has executed them never
#: refuses them afterwards, so a drawn 422 would be a lie.
statuses = st.sampled_from([302, 401, 403, 408, 425, 429, 500, 502, 503, 504])
headers = st.lists(st.tuples(st.just("retry-after"), retry_afters), max_size=1).map(
    lambda some: (*some, DRAWN)
)
gateway_errors = st.builds(
    Fault.gateway_error, st.sampled_from([408, 500, 502, 503, 504, 520]), headers=headers
)
faults = st.one_of(
    st.builds(Fault.refuse, operation=operations),
    st.builds(Fault.reset, operation=operations),
    st.builds(Fault.lose_answer, operation=operations),
    st.builds(Fault.stall, executes=st.booleans(), operation=operations),
    st.builds(Fault.slow, st.sampled_from([0.5, 4.9, 5.0, 60.0]), operation=operations),
    st.builds(Fault.truncate, st.sampled_from([0, 1, 40]), operation=operations),
    st.builds(
        Fault.garbage,
        st.sampled_from([b"", b"\xff{", b"[]", b"{}", b'{"message_id": null}']),
        operation=operations,
    ),
    st.builds(Fault.running, st.sampled_from([0.1, 2.0, 40.0]), operation=operations),
    st.builds(
        Fault.status,
        st.sampled_from([400, 404, 405, 413, 418]),
        headers=headers,
        body=st.just(b"<html>not the API's</html>"),
        operation=operations,
    ),
    gateway_errors,
    st.builds(Fault.stored_error, st.sampled_from([500, 503]), operation=operations),
    st.builds(
        Fault.status,
        statuses,
        headers=headers,
        body=st.sampled_from([None, b"", b"{"]),
        operation=operations,
    ),
)


class Machine(RuleBasedStateMachine):
    """A service, a client, and everything that happens to them."""

    def way(self, wire: Transport) -> Transport:
        """Return the client's way to the wire."""
        return wire

    def limits(self) -> Limiter:
        """Return the client's limiter."""
        rates: dict[str, Any] = {
            name: Rate(quota.limit, quota.per) for name, quota in LIMITS.items()
        }
        return TokenBucketLimiter(**rates, clock=self.clock)

    @initialize(
        backend=st.sampled_from(["asyncio", "trio"]),
        window=st.sampled_from(["fixed", "sliding", "token_bucket"]),
        rules=st.builds(
            Idempotency,
            reused=st.sampled_from([409, 422]),
            replays_count=st.booleans(),
            validates_first=st.booleans(),
            stores_refusals=st.booleans(),
            stores_server_errors=st.booleans(),
        ),
        latency=st.sampled_from([0.0, 0.2, 3.0, 6.0]),
        seed=st.integers(0, 99),
        distinct=st.booleans(),
    )
    def open(
        self,
        backend: str,
        window: Any,  # noqa: ANN401 - one of three words
        rules: Idempotency,
        latency: float,
        seed: int,
        *,
        distinct: bool,
    ) -> None:
        """Set up a service of some kind, and a client of it."""
        random = Random(seed)  # noqa: S311 - repeatable is what it has to be
        self.backend = backend
        self.latency = latency
        self.clock = ManualClock()
        self.fake = FakeZiett(
            clock=self.clock,
            balance=300,
            limits=LIMITS,
            window=window,
            seed=seed,
            idempotency=rules,
            distinct_timestamps=distinct,
        )
        self.wire = Wire(FakeTransport(self.fake, latency=lambda: random.random() * self.latency))
        self.limiter = self.limits()
        self.client = AsyncZiett(
            "zk_test_x",
            transport=self.way(self.wire),
            clock=self.clock,
            limiter=self.limiter,
            retry=RetryPolicy(attempts=ATTEMPTS, budget=BUDGET, jitter=random.random),
            attempt_timeout=ATTEMPT_TIMEOUT,
            default_remitter_id=REMITTER,
        )
        self.intents: dict[int, Intent] = {}
        self.calls = self.answered = 0

    # What happens around the calls.

    @rule(fault=st.lists(faults, min_size=1, max_size=4))
    def go_wrong(self, fault: list[Fault]) -> None:
        """Let the next requests meet these."""
        if len(self.fake.faults.pending) < 8:
            self.fake.faults.add(*fault)

    @rule(seconds=st.sampled_from([0.001, 1.0, 9.999, 10.0, 120.0]))
    def pass_time(self, seconds: float) -> None:
        """Let time pass without any call."""
        self.clock.advance(seconds)

    @rule(hours=st.sampled_from([-1, 1]))
    def set_the_calendar(self, hours: int) -> None:
        """Set the wall clock by an hour: no wait changes."""
        self.clock.set_calendar(self.clock.now() + timedelta(hours=hours))

    @rule(amount=st.sampled_from([15, 45, 600]))
    def top_up(self, amount: int) -> None:
        """Pay."""
        self.fake.top_up(amount)

    @rule()
    def go_broke(self) -> None:
        """Take all the money away."""
        self.fake.top_up(-self.fake.balance)

    # What callers do.

    @rule(plans=st.lists(plans, min_size=1, max_size=1))
    def send_one(self, plans: list[Plan]) -> None:
        """Send a message, or make an earlier send again."""
        self.send(plans)

    @rule(plans=st.lists(plans, min_size=2, max_size=7))
    def send_many(self, plans: list[Plan]) -> None:
        """Send several at once, some under the same key."""
        self.send(plans)

    @rule(answers=st.lists(gateway_errors, min_size=1, max_size=ATTEMPTS), plan=plans)
    def send_behind_a_proxy(self, answers: list[Fault], plan: Plan) -> None:
        """Send one, which a proxy's errors hide before anything else does."""
        self.fake.faults.clear()
        self.fake.faults.add(*answers)
        self.send([plan])

    def send(self, plans: list[Plan]) -> None:
        """Make the calls, and compare what the callers receive with the server's records."""
        before = len(self.wire.sent), len(self.wire.rate_limited)
        outcomes = self.run(*(self.call(self.intent(plan.key), plan) for plan in plans))
        ends = list(zip((self.intent(plan.key) for plan in plans), outcomes, strict=True))
        for intent, outcome in ends:
            if isinstance(outcome, UUID):
                intent.ids.add(outcome)
            intent.may_be_there |= isinstance(outcome, UUID | OutcomeUnknown | Cancelled)
            if isinstance(outcome, OutcomeUnknown):
                assert outcome.idempotency_key == intent.key
        for intent, outcome in ends:
            # Of calls at the same time under one key each knows only its own part.
            assert intent.may_be_there or not self.held(intent.key), outcome
        self.check_attempts(before, Counter(intent.key for intent, _ in ends))

    @precondition(lambda self: self.intents)
    @rule(key=st.integers(0, 12))
    def resolve(self, key: int) -> None:
        """Call again when nothing is wrong any more: it is there, once, and always was."""
        if key in self.intents:
            self.settle(self.intents[key])

    def settle(self, intent: Intent) -> None:
        """Make a call again under fair skies."""
        self.fake.faults.clear()
        self.fake.top_up(100)
        self.clock.advance(200)
        self.latency, latency = 0.0, self.latency
        (outcome,) = self.run(self.call(intent, Plan(0)))
        self.latency = latency
        held = self.held(intent.key)
        replays = [each for each in self.fake.requests if each.idempotency_key == intent.key]
        is_stuck = any(each.replayed and (each.status or 0) >= 400 for each in replays[-1:])
        if isinstance(outcome, UUID):
            intent.may_be_there = True
            intent.ids.add(outcome)
            assert held == [outcome]
        elif isinstance(outcome, InsufficientFundsError):
            assert is_stuck
            assert not held
        else:
            assert is_stuck, outcome

    @precondition(lambda self: any(each.ids for each in self.intents.values()))
    @rule(key=st.integers(0, 12))
    def send_something_else_under_a_key(self, key: int) -> None:
        """Reuse a key, which belongs to its first payload: refused, and nothing is sent."""
        intent = self.intents.get(key)
        if intent and intent.ids:
            other = attrs.evolve(intent, content=f"not {intent.content}")
            (outcome,) = self.run(self.call(other, Plan(0), is_known=False))
            assert isinstance(outcome, ZiettError)

    @rule(number=st.sampled_from(["", "+12", "923456789", "+244 923 456 789"]))
    def send_what_is_refused(self, number: str) -> None:
        """Give a bad argument: it is an `InvalidRequest`, and no request at all."""
        before = len(self.wire.sent)
        work = self.client.send_message(number, content="x")
        with pytest.raises(InvalidRequest):
            anyio.run(lambda: work, backend=self.backend)
        assert len(self.wire.sent) == before

    @rule(plan=plans, size=st.integers(1, 5))
    def read_a_page(self, plan: Plan, size: int) -> None:
        """Read a list: it is what there is, or an error."""

        async def read() -> UUID:
            page = await self.client.list_messages(size=size, timeout=plan.timeout)
            rows = self.newest_first()
            assert [entry.id for entry in page.entries] == [row.id for row in rows[:size]]
            assert page.total == len(rows)
            return UUID(int=0)

        (outcome,) = self.run(self.timed(read(), plan))
        assert isinstance(outcome, UUID | CallError | Cancelled)
        assert not isinstance(outcome, OutcomeUnknown)

    @rule(plan=plans, size=st.integers(1, 5))
    def read_all(self, plan: Plan, size: int) -> None:
        """Loop, and go on after errors and a cancellation: every message comes, once."""
        steps, seen = aiter(self.client.iter_messages(size=size)), list[UUID]()
        before = len(self.wire.sent)

        async def read() -> UUID:
            async for message in steps:
                seen.append(message.id)
            return UUID(int=0)

        (outcome,) = self.run(self.timed(read(), attrs.evolve(plan, timeout=None)))
        while not isinstance(outcome, UUID):
            (outcome,) = self.run(self.timed(read(), Plan(0)))
        assert seen == [row.id for row in self.newest_first()]
        # How many calls it took is the loop's business.
        self.calls += len(self.wire.sent) - before
        self.answered += len(self.wire.sent) - before

    @precondition(lambda self: any(each.ids for each in self.intents.values()))
    @rule(plan=plans)
    def read_one(self, plan: Plan) -> None:
        """Read something back: it is what was sent, or an error."""
        intent = next(each for each in self.intents.values() if each.ids)

        async def read() -> UUID:
            (known,) = intent.ids
            if intent.is_campaign:
                campaign = await self.client.get_campaign(known, timeout=plan.timeout)
                assert (campaign.id, campaign.content) == (known, intent.content)
            else:
                message = await self.client.get_message(known, timeout=plan.timeout)
                assert (message.id, message.content) == (known, intent.content)
            return known

        (outcome,) = self.run(self.timed(read(), plan))
        assert isinstance(outcome, UUID | CallError | Cancelled)

    # What holds after each of them.

    @invariant()
    def every_key_is_one_message(self) -> None:
        """Check that the server holds one message per key that can be there, and the right one."""
        keys = {intent.key: intent for intent in self.intents.values()}
        rows = [row for row in self.fake.messages if row.idempotency_key is not None]
        assert {row.idempotency_key for row in rows} <= keys.keys()
        for intent in keys.values():
            held = self.held(intent.key)
            assert len(held) <= 1
            assert intent.ids <= set(held)
            assert intent.may_be_there or not held
        for row in rows:
            intent = keys[row.idempotency_key or ""]
            assert (row.target_e164, row.content) == (intent.number, intent.content)

    @invariant()
    def no_window_is_over_its_limit(self) -> None:
        """Check by the server's clock, over all that arrived."""
        for bucket, quota in LIMITS.items():
            assert crowd(self.fake.arrivals(bucket), quota.per) <= quota.limit

    @invariant()
    def retries_stay_within_their_budget(self) -> None:
        """Check that attempts exceed calls by no more than that, and one for each success."""
        attempts = len(self.wire.sent) - len(self.wire.rate_limited)
        assert attempts <= self.calls + BUDGET + self.answered

    @invariant()
    def no_token_is_away(self) -> None:
        """Check that between the steps no attempt is under way."""
        limiter: Any = self.limiter
        if isinstance(self.limiter, TokenBucketLimiter):
            for bucket in Bucket:
                tokens = limiter._queues[bucket].tokens
                tokens.take_back()
                assert tokens.in_flight == 0

    def teardown(self) -> None:
        """Resolve everything."""
        try:
            for intent in self.intents.values():
                self.settle(intent)
            self.every_key_is_one_message()
        finally:
            anyio.run(self.client.aclose, backend=self.backend)

    # How it is done.

    def intent(self, key: int) -> Intent:
        """Return what is wanted under a key; one in five is a campaign."""
        if key not in self.intents:
            number, content = f"+2449230000{key:02d}", f"content {key}"
            self.intents[key] = Intent(f"key-{key}", number, content, is_campaign=key % 5 == 4)
        return self.intents[key]

    def newest_first(self) -> list[MessageRecord]:
        """Return all messages as a list has them: the calendar may have been set back."""
        return sorted(self.fake.messages, key=lambda row: row.created_at)[::-1]

    def held(self, key: str) -> list[UUID]:
        """Return the ids that the server holds under a key."""
        messages = [row.id for row in self.fake.messages if row.idempotency_key == key]
        return messages + [row.id for row in self.fake.campaigns if row.idempotency_key == key]

    async def call(self, intent: Intent, plan: Plan, *, is_known: bool = True) -> object:
        """Make a call; return the id, or the error that it ended in."""

        async def send() -> UUID:
            if intent.is_campaign:
                campaign = await self.client.send_batch_campaign(
                    [intent.number, "+351912345678"],
                    content=intent.content,
                    idempotency_key=intent.key,
                    timeout=plan.timeout,
                )
                return campaign.campaign_id
            accepted = await self.client.send_message(
                intent.number,
                content=intent.content,
                idempotency_key=intent.key,
                timeout=plan.timeout,
            )
            assert accepted.idempotency_key == intent.key
            return accepted.message_id

        outcome = await self.timed(send(), plan)
        if is_known and isinstance(outcome, ApiError):
            assert outcome.status != 422, "its own bytes are refused"
        return outcome

    async def timed(self, work: Coroutine[Any, Any, UUID], plan: Plan) -> object:
        """Await a call within its time; return what it returns or raises."""
        await self.clock.sleep(plan.after)
        began, rate_limited = self.clock.monotonic(), len(self.wire.rate_limited)
        self.calls += 1
        outcome: object = Cancelled()
        with anyio.CancelScope() as scope:
            at = -1 if plan.cancelled_at is None else plan.cancelled_at
            try:
                outcome = await CancelledAt(work, at, scope)
            except ZiettError as error:
                outcome = error
        if plan.timeout is not None:
            assert self.clock.monotonic() - began <= plan.timeout + 1e-6
        if isinstance(outcome, CallError):
            assert outcome.attempts <= ATTEMPTS + len(self.wire.rate_limited) - rate_limited
        self.answered += isinstance(outcome, UUID)
        return outcome

    def run(self, *works: Coroutine[Any, Any, object]) -> list[object]:
        """Await all of them at once, in an event loop of their own."""
        outcomes = dict[int, object]()

        async def one(index: int, work: Coroutine[Any, Any, object]) -> None:
            try:
                outcomes[index] = await work
            except AssertionError as error:
                outcomes[index] = error

        async def main() -> None:
            with anyio.fail_after(30):
                async with anyio.create_task_group() as tasks:
                    for index, work in enumerate(works):
                        tasks.start_soon(one, index, work)

        anyio.run(main, backend=self.backend)
        for outcome in outcomes.values():
            if isinstance(outcome, AssertionError):
                raise outcome
        return [outcomes[index] for index in range(len(works))]

    def check_attempts(self, before: tuple[int, int], calls: Counter[str]) -> None:
        """Compare attempts: no more per call than the policy says, all with the same bytes."""
        by_key = dict[str, list[Request]]()
        for request in self.wire.sent[before[0] :]:
            by_key.setdefault(str(key_of(request)), []).append(request)
        rate_limited = Counter(self.wire.rate_limited[before[1] :])
        for key, requests in by_key.items():
            assert len(requests) - rate_limited[key] <= ATTEMPTS * calls[key]
            assert len({(each.url, each.headers, each.body) for each in requests}) == 1


@pytest.mark.promise("One key is one message, and the caller knows what became of it")
def test_every_promise_holds_whatever_happens() -> None:
    """One key is one message, the caller knows its outcome, and the limit holds."""
    run_state_machine_as_test(Machine, settings=SETTINGS)


QUICK = settings(SETTINGS, phases=[Phase.generate], report_multiple_bugs=False)


class NaiveSender(Machine):
    """A client that makes a key for every attempt."""

    def way(self, wire: Transport) -> Transport:
        """Put it in between."""
        return KeyPerAttempt(wire)


class NaiveLimiter(Machine):
    """A client whose buckets are refilled all the time."""

    def limits(self) -> Limiter:
        """Return those."""
        return Refilled(self.clock)


@pytest.mark.naive("A key made for each attempt", "two messages for one lost answer")
@pytest.mark.naive("A bucket refilled 2/s", "239 in the first minute")
@pytest.mark.parametrize("machine", [NaiveSender, NaiveLimiter])
def test_a_naive_client_breaks_a_promise(machine: type[Machine]) -> None:
    """The same machine finds out the client with a key per attempt, and the usual bucket."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=QUICK)
