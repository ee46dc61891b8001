"""Observers: what they see of a call, and that none of their failures costs a result."""

import logging
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import anyio
import attrs
import pytest

from tests.support.samples import API_KEY, CONTENT, NUMBER, OTHER_ID, REMITTER
from tests.support.services import AT_ONCE
from ziett_async import (
    AsyncZiett,
    Attempt,
    Bucket,
    CallError,
    ConfigurationError,
    DeadlineExceeded,
    ManualClock,
    NewMessage,
    NotFoundError,
    ObservedCall,
    Observer,
    OutcomeUnknown,
    Permit,
    Priority,
    Rate,
    Request,
    Response,
    TokenBucketLimiter,
    Unlimited,
    ZiettError,
)
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

OnAttempt = Callable[[Attempt], object]


class Watcher:
    """An observer that remembers what it sees, in order."""

    def __init__(self) -> None:
        self.begun: list[ObservedCall] = []
        self.attempts: list[Attempt] = []
        #: What each call ended with; None is a result.
        self.ended: list[BaseException | None] = []

    @contextmanager
    def on_call(self, call: ObservedCall) -> Generator[OnAttempt]:
        """Remember a call, its attempts and its end."""
        self.begun.append(call)
        try:
            yield self.on_attempt
        except BaseException as error:
            self.ended.append(error)
            raise
        else:
            self.ended.append(None)

    def on_attempt(self, attempt: Attempt) -> None:
        """Remember an attempt."""
        self.attempts.append(attempt)


class AtTheEnd:
    """The naive observer, which learns of attempts from the error that a call ends with."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    @contextmanager
    def on_call(self, call: ObservedCall) -> Generator[None]:
        """Take the attempts from the error."""
        del call
        try:
            yield
        except CallError as error:
            self.attempts += error.attempts_made
            raise


@pytest.fixture
def fake() -> FakeZiett:
    """Return a service whose clock is moved by hand."""
    return FakeZiett(clock=ManualClock())


@pytest.fixture
def watcher() -> Watcher:
    """Return an observer that remembers."""
    return Watcher()


def client_of(fake: FakeZiett, observer: Observer, **settings: Any) -> AsyncZiett:  # noqa: ANN401 - the client's own
    """Return a client that lives on the fake's clock and is observed."""
    return AsyncZiett(
        API_KEY,
        transport=settings.pop("transport", None) or FakeTransport(fake),
        default_remitter_id=REMITTER,
        retry=AT_ONCE,
        limiter=settings.pop("limiter", Unlimited()),
        observer=observer,
        **settings,
    )


async def test_a_call_is_seen_to_begin_and_to_end(fake: FakeZiett, watcher: Watcher) -> None:
    """As which operation, of which limit and priority, and at which server."""
    async with client_of(fake, watcher) as client:
        await client.send_message(NUMBER, content=CONTENT)
    server = "api.ziett.co", 443
    assert watcher.begun == [
        ObservedCall("send_message", "POST", Bucket.SEND, Priority.URGENT, *server)
    ]
    assert watcher.ended == [None]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://Example.AO/c/v1", ("example.ao", 443)),
        ("https://example.ao:8443/c/v1", ("example.ao", 8443)),
        ("http://127.0.0.1", ("127.0.0.1", 80)),
        ("http://[::1]:8000", ("::1", 8000)),
    ],
)
async def test_the_server_is_named_by_host_and_port(
    fake: FakeZiett, watcher: Watcher, url: str, server: tuple[str, int]
) -> None:
    """Those of the base URL, or the port of its scheme."""
    async with client_of(fake, watcher, base_url=url) as client:
        await client.list_messages()
    [call] = watcher.begun
    assert (call.server_address, call.server_port) == server


async def test_nothing_of_a_request_is_shown(fake: FakeZiett, watcher: Watcher) -> None:
    """An observer learns which operation it is, and neither body, query, path nor key."""
    async with client_of(fake, watcher) as client:
        await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
        await client.list_messages(q=NUMBER)
        with pytest.raises(NotFoundError):
            await client.get_message(OTHER_ID)
    shown = "\n".join(str(attrs.asdict(call)) for call in watcher.begun)
    assert len(watcher.begun) == 3
    secrets = (NUMBER[1:], CONTENT, "order-7", API_KEY, OTHER_ID, REMITTER)
    assert [each for each in secrets if each in shown] == []


FAILING = {
    "503": [Fault.status(503)],
    "429 and a lost answer": [Fault.status(429), Fault.lose_answer()],
    "no JSON": [Fault.status(202, body=b"?")],
    "refused connections": [Fault.refuse()] * 2,
}


@pytest.mark.parametrize("faults", FAILING.values(), ids=FAILING)
async def test_the_attempts_are_those_of_the_result(
    fake: FakeZiett, watcher: Watcher, faults: list[Fault]
) -> None:
    """Those that failed and the one that gave the result, with the same figures."""
    async with client_of(fake, watcher) as client:
        with fake.script(*faults):
            sent = await client.send_message(NUMBER, content=CONTENT)
    assert watcher.attempts == list(sent.call.attempts_made)
    assert len(watcher.attempts) == len(faults) + 1


async def test_the_attempts_are_those_of_the_error(fake: FakeZiett, watcher: Watcher) -> None:
    """And a call ends with the error that its caller gets."""
    async with client_of(fake, watcher) as client:
        with fake.script(*[Fault.reset()] * 3), pytest.raises(OutcomeUnknown) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert watcher.attempts == list(caught.value.attempts_made)
    assert watcher.ended == [caught.value]


async def test_an_observer_that_takes_them_from_the_error_sees_those_of_an_error(
    fake: FakeZiett,
) -> None:
    """The naive one sees as much, as long as there is an error of this package."""
    naive = AtTheEnd()
    async with client_of(fake, naive) as client:
        with fake.script(*[Fault.reset()] * 3), pytest.raises(OutcomeUnknown) as caught:
            await client.send_message(NUMBER, content=CONTENT)
    assert naive.attempts == list(caught.value.attempts_made)


async def test_an_attempt_is_seen_when_it_ends(fake: FakeZiett) -> None:
    """Before the next one begins, and when its permit has been given back."""
    released = list[None]()
    seen = list[tuple[int, int, int]]()

    class Counting(Watcher):
        def on_attempt(self, attempt: Attempt) -> None:
            seen.append((attempt.number, len(fake.requests), len(released)))

    class Released:
        async def release(self) -> None:
            released.append(None)

    class Releasing(Unlimited):
        def acquire_nowait(self, bucket: Bucket, *, priority: Priority = Priority.URGENT) -> Permit:
            del bucket, priority
            return Released()

    async with client_of(fake, Counting(), limiter=Releasing()) as client:
        with fake.script(Fault.status(503), Fault.status(502)):
            await client.send_message(NUMBER, content=CONTENT)
    assert seen == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]


async def cancel_in_the_second_attempt(fake: FakeZiett, observer: Observer) -> None:
    """Make a call whose first attempt fails, and which is cancelled in the second."""
    async with client_of(fake, observer) as client, anyio.create_task_group() as tasks:
        with fake.script(Fault.status(503), Fault.slow(9.0)):
            tasks.start_soon(lambda: client.send_message(NUMBER, content=CONTENT))
            await fake.clock.sleep(5.0)
            tasks.cancel_scope.cancel()


async def test_a_call_that_is_cancelled_is_seen(fake: FakeZiett, watcher: Watcher) -> None:
    """With its end, and the attempt that was cut off: it may have reached the server."""
    await cancel_in_the_second_attempt(fake, watcher)
    cancelled = anyio.get_cancelled_exc_class()
    assert [type(each) for each in watcher.ended] == [cancelled]
    assert [each.status for each in watcher.attempts] == [503, None]
    assert watcher.attempts[1].error == f"cut off by {cancelled.__name__}"
    assert watcher.attempts[1].elapsed == 5.0


@pytest.mark.naive(
    "An observer that waits for the error", "misses the attempts of a cancelled call"
)
async def test_an_observer_that_waits_for_the_error_misses_attempts(fake: FakeZiett) -> None:
    """A cancellation has none: so each is shown when it ends, and not in the end."""
    naive = AtTheEnd()
    await cancel_in_the_second_attempt(fake, naive)
    assert naive.attempts == []


async def test_a_call_that_never_returns_shows_its_attempts(
    fake: FakeZiett, watcher: Watcher
) -> None:
    """While the next one is still going on."""
    async with client_of(fake, watcher) as client, anyio.create_task_group() as tasks:
        with fake.script(Fault.status(503), Fault.slow(9.0)):
            tasks.start_soon(lambda: client.send_message(NUMBER, content=CONTENT))
            await fake.clock.sleep(5.0)
            assert [each.status for each in watcher.attempts] == [503]
            assert watcher.ended == []
            await fake.clock.sleep(5.0)
    assert [each.status for each in watcher.attempts] == [503, 202]


@pytest.mark.parametrize("timeout", [10.0, None], ids=["timed out", "cancelled"])
async def test_a_call_without_a_turn_has_no_attempt(
    fake: FakeZiett, watcher: Watcher, timeout: float | None
) -> None:
    """Only a beginning and an end."""
    limiter = TokenBucketLimiter(send=Rate(1, per=60.0), clock=fake.clock)
    async with client_of(fake, watcher, limiter=limiter) as client:
        await client.send_message(NUMBER, content=CONTENT)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:

                async def wait() -> None:
                    with pytest.raises(DeadlineExceeded):
                        await client.send_message(NUMBER, content=CONTENT, timeout=timeout)

                tasks.start_soon(wait)
                await fake.clock.sleep(5.0)
                if timeout is None:
                    scope.cancel()
    assert (len(watcher.begun), len(watcher.ended), len(watcher.attempts)) == (2, 2, 1)


async def test_arguments_that_are_refused_are_no_call(fake: FakeZiett, watcher: Watcher) -> None:
    """What is refused before any I/O is not seen."""
    async with client_of(fake, watcher) as client:
        with pytest.raises(ZiettError):
            await client.send_message("12", content=CONTENT)
    assert watcher.begun == []


class Broken(Watcher):
    """An observer that raises in one place, with a text that must not be logged."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def fail_in(self, place: str) -> None:
        """Raise if this is the place."""
        if place == self.place:
            message = f"cannot write {NUMBER}"
            raise OSError(message)

    def on_call(self, call: ObservedCall) -> Any:  # noqa: ANN401 - a wrong one, too
        """Raise at once, or return what raises later."""
        del call
        self.fail_in("on_call")
        return self._manager() if self.place != "manager" else None

    @contextmanager
    def _manager(self) -> Generator[OnAttempt]:
        self.fail_in("enter")
        try:
            yield self.on_attempt
        except ZiettError:
            self.fail_in("error")
            if self.place != "suppress":
                raise
        self.fail_in("exit")

    def on_attempt(self, attempt: Attempt) -> None:
        """Raise."""
        del attempt
        self.fail_in("on_attempt")


#: Where an observer is broken, to what is logged of it.
BROKEN = {
    "on_call": "the observer's on_call raised OSError",
    "manager": "the observer's on_call raised AttributeError",
    "enter": "the observer's on_call raised OSError",
    "on_attempt": "the observer's on_attempt raised OSError",
    "exit": "the observer's on_call raised OSError",
    "error": "the observer's on_call raised OSError",
    "suppress": None,
}


@pytest.mark.promise("An observer that raises, anywhere, costs no result and replaces no error")
@pytest.mark.parametrize("place", BROKEN)
async def test_an_observer_that_raises_costs_no_result(
    fake: FakeZiett, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor an error; what it raises is logged once, by its type."""
    async with client_of(fake, Broken(place)) as client:
        for _ in range(2):
            await client.send_message(NUMBER, content=CONTENT)
            with pytest.raises(NotFoundError):
                await client.get_message(OTHER_ID)
    logged = [each.message for each in caplog.records if each.name == "ziett_async"]
    assert logged == list(filter(None, [BROKEN[place]]))
    assert NUMBER not in caplog.text


async def test_what_is_no_exception_gets_through(fake: FakeZiett) -> None:
    """So that Ctrl-C in an observer ends the program."""

    class Stop(BaseException):
        pass

    class Stopping(Watcher):
        def on_attempt(self, attempt: Attempt) -> None:
            raise Stop(attempt)

    async with client_of(fake, stopping := Stopping()) as client:
        with pytest.raises(Stop):
            await client.send_message(NUMBER, content=CONTENT)
    assert [type(each) for each in stopping.ended] == [Stop]


async def test_an_observer_need_not_see_attempts(
    fake: FakeZiett, caplog: pytest.LogCaptureFixture
) -> None:
    """Any context manager that gives None will do."""

    class Calls:
        def on_call(self, call: ObservedCall) -> AbstractContextManager[None]:
            del call
            return nullcontext()

    async with client_of(fake, Calls()) as client:
        await client.send_message(NUMBER, content=CONTENT)
    assert caplog.records == []


CURRENT: ContextVar[str] = ContextVar("CURRENT", default="none")


class Tracing(Watcher):
    """An observer that names the call in a context variable."""

    @contextmanager
    def on_call(self, call: ObservedCall) -> Generator[OnAttempt]:
        """Name it while it is carried out."""
        token = CURRENT.set(call.operation)
        try:
            with super().on_call(call) as on_attempt:
                yield on_attempt
        finally:
            CURRENT.reset(token)


class Sending(FakeTransport):
    """A transport that notes in which call it sends."""

    def __init__(self, service: FakeZiett) -> None:
        super().__init__(service)
        self.calls: list[str] = []

    async def send(self, request: Request) -> Response:
        """Note the call before and after the answer."""
        self.calls.append(CURRENT.get())
        answer = await super().send(request)
        self.calls.append(CURRENT.get())
        return answer


async def test_context_variables_hold_while_the_call_is_carried_out(fake: FakeZiett) -> None:
    """The transport sees those of its own call, though calls of other tasks go on meanwhile."""
    transport = Sending(fake)
    async with client_of(fake, Tracing(), transport=transport) as client:
        with fake.script(Fault.slow(2.0), Fault.slow(1.0)):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: client.send_message(NUMBER, content=CONTENT))
                await fake.clock.sleep(0.5)
                tasks.start_soon(client.list_messages)
        assert CURRENT.get() == "none"
    assert sorted(transport.calls) == ["list_messages"] * 2 + ["send_message"] * 2


async def test_each_page_of_a_loop_is_a_call(fake: FakeZiett) -> None:
    """And none is under way while the loop's body runs, or after the loop was left."""
    tracing = Tracing()
    async with client_of(fake, tracing) as client:
        for _ in range(5):
            await client.send_message(NUMBER, content=CONTENT)
        del tracing.begun[:], tracing.ended[:]
        async for _ in client.iter_messages(size=2):
            assert CURRENT.get() == "none"
            assert len(tracing.begun) == len(tracing.ended)
        whole = len(tracing.begun)
        async for _ in client.iter_messages(size=2):
            break
    assert whole >= 3
    assert {call.operation for call in tracing.begun} == {"list_messages"}
    assert tracing.ended == [None] * (whole + 1)


async def test_each_message_of_many_is_a_call(fake: FakeZiett, watcher: Watcher) -> None:
    """Of bulk priority."""
    messages = [NewMessage(f"+24492345678{i}", content=CONTENT) for i in range(3)]
    async with client_of(fake, watcher) as client:
        async for outcome in client.send_many(messages):
            assert outcome.accepted
    seen = [(call.operation, call.priority) for call in watcher.begun]
    assert seen == [("send_message", Priority.BULK)] * 3
    assert watcher.ended == [None] * 3


async def test_an_observer_may_see_the_limiter(
    fake: FakeZiett, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for every client; that it fails costs no client."""
    shown = list[tuple[object, str, int]]()

    class Measuring(Watcher):
        def on_limiter(self, limiter: object, server_address: str, server_port: int) -> None:
            shown.append((limiter, server_address, server_port))
            raise OSError

    limiter = Unlimited()
    async with client_of(fake, Measuring(), limiter=limiter) as client:
        await client.send_message(NUMBER, content=CONTENT)
    assert shown == [(limiter, "api.ziett.co", 443)]
    assert caplog.messages == ["the observer's on_limiter raised OSError"]


@pytest.mark.parametrize("given", [object(), Watcher, "print"], ids=["object", "class", "text"])
def test_an_observer_has_on_call(given: Any) -> None:  # noqa: ANN401 - anything
    """What has not, or is a class, is refused when the client is built."""
    with pytest.raises(ConfigurationError, match="observer: must"):
        AsyncZiett(API_KEY, transport=FakeTransport(), observer=given)


async def test_a_failure_is_logged_with_its_facts(
    fake: FakeZiett, caplog: pytest.LogCaptureFixture
) -> None:
    """Which part failed, and with which type."""
    with caplog.at_level(logging.WARNING, "ziett_async"):
        async with client_of(fake, Broken("enter")) as client:
            await client.send_message(NUMBER, content=CONTENT)
    [record] = caplog.records
    facts = {key: value for key, value in vars(record).items() if key.startswith("ziett_")}
    assert facts == {"ziett_failed": "observer.on_call", "ziett_error": "OSError"}
