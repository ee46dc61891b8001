"""The checks themselves: each finds what it is for, so that silence means something."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import anyio
import attrs
import pytest
from anyio.abc import TaskGroup

from tests.support import checks as check
from tests.support.checks import Entry, Sending
from tests.support.fault_runs import API_KEY, Open, Run, content_for
from tests.support.samples import attempts
from ziett_async import Bucket, DeadlineExceeded, NotSent, OutcomeUnknown
from ziett_async._codec import encode
from ziett_async.errors import Trail
from ziett_async.testing import FakeZiett, Fault, MessageRecord

pytestmark = pytest.mark.anyio

NUMBER, OTHER = "+244923550001", "+244923550002"


def message(key: str | None = "order-1", number: str = NUMBER) -> MessageRecord:
    """Return a message that was accepted under a key."""
    row = FakeZiett().add_message(target_e164=number, content=content_for(number))
    return attrs.evolve(row, idempotency_key=key)


def sending(message_id: UUID | None = None, **changes: Any) -> Sending:  # noqa: ANN401 - its fields
    """Return a send under the same key, and what its caller received."""
    plain = Sending(NUMBER, content_for(NUMBER), 1.0, key="order-1", message_id=message_id)
    return attrs.evolve(plain, **changes)


SENT = message()
LATER = message("order-2")


@pytest.mark.check("Messages, keys and ids")
@pytest.mark.parametrize(
    ("messages", "sent", "wrong"),
    [
        ([message(None)], [], "without a key"),
        ([SENT, message()], [], "accepted twice"),
        ([SENT, LATER], [], "two messages"),
        ([SENT], [sending(uuid4())], "the server never gave"),
        ([SENT], [sending(SENT.id, number=OTHER)], "another one's"),
        ([SENT], [sending(SENT.id, key="order-2")], "another one's"),
    ],
)
def test_messages_that_are_not_the_callers_are_found(
    messages: list[MessageRecord], sent: list[Sending], wrong: str
) -> None:
    """One message too many, one without a key, or the id of another send's message."""
    check.check_messages([SENT], [sending(SENT.id)])
    with pytest.raises(AssertionError, match=wrong):
        check.check_messages(messages, sent)


@pytest.mark.check("What the caller received")
@pytest.mark.parametrize("kind", [NotSent, DeadlineExceeded])
def test_a_caller_who_was_told_wrong_is_found(kind: type[NotSent]) -> None:
    """Reported as not sent, where there is a message; or with no key to repeat it."""
    error = kind(Trail("send_message", attempts(3), "order-1"), "no connection")
    check.check_worlds([LATER], [sending(error=error)])
    with pytest.raises(AssertionError, match="and it was"):
        check.check_worlds([SENT], [sending(error=error)])
    until = datetime(2025, 7, 14, tzinfo=UTC)
    unknown = OutcomeUnknown(Trail("send_message", attempts(3), None), "no answer", until)
    with pytest.raises(AssertionError, match="no key"):
        check.check_worlds([SENT], [sending(error=unknown)])
    with pytest.raises(AssertionError, match="off by"):
        check.check_safe_until(unknown, (until - timedelta(hours=23)).timestamp())


@pytest.mark.check("Attempts and their bytes")
@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        ([("order-1", "a"), ("order-2", "a")], "several keys"),
        ([("order-1", "a"), ("order-1", "b")], "different bytes"),
        ([("order-1", "a"), ("order-2", "b")], "more bytes"),
        ([("order-1", "a")] * 4, "more attempts"),
    ],
)
def test_attempts_that_differ_are_found(entries: list[tuple[str, str]], wrong: str) -> None:
    """Another key, other bytes, or one attempt more than the policy has."""
    check.check_ledger([Entry(0.0, "send", "order-1", "a")] * 3, [sending()], attempts=3)
    ledger = [Entry(0.0, "send", key, digest) for key, digest in entries]
    with pytest.raises(AssertionError, match=wrong):
        check.check_ledger(ledger, [sending()], attempts=3)


@pytest.mark.check("Windows")
def test_an_arrival_too_many_is_found() -> None:
    """The third in a window of two, and not one a moment later."""
    times = [0.0, 1.0, 60.0]
    check.check_windows([Entry(at, "send", None, "") for at in times], {"send": (2, 60.0)})
    with pytest.raises(AssertionError, match="3 arrivals in 59"):
        check.check_windows(
            [Entry(at, "send", None, "") for at in [0.0, 1.0, 59.999]], {"send": (2, 60.0)}
        )


@pytest.mark.check("Secrets")
def test_a_key_in_a_frame_is_found() -> None:
    """What a crash reporter would show of the package's frames, and what a log shows."""
    with pytest.raises(TypeError) as caught:
        encode({"key": API_KEY, "what JSON has not": object()})
    assert check.keys_in_frames(caught.value, "another key") == []
    assert check.keys_in_frames(caught.value, API_KEY) == ["encode"]
    # A checkout may be called like the package: its tests are none of the package's files.
    source = compile(f"key = {API_KEY!r}; key.nothing", "/ziett_async/tests/test_x.py", "exec")
    with pytest.raises(AttributeError) as caught_in_a_test:
        exec(source, {})  # noqa: S102 (our own words)
    assert check.keys_in_frames(caught_in_a_test.value, API_KEY) == []
    with pytest.raises(AssertionError, match="is in"):
        check.check_discreet([f"key: {API_KEY}"], [API_KEY])


@attrs.frozen
class Kept:
    """What a leak keeps, so that nothing but a check complains of it."""

    tasks: TaskGroup
    things: list[Any] = attrs.field(factory=list[Any])


Leak = Callable[[Run, Kept], Awaitable[object]]


async def _a_token(run: Run, _: Kept) -> None:
    await run.limiter.acquire(Bucket.LIST)


async def _a_slot(run: Run, _: Kept) -> None:
    await run.send()
    await run.pools[0].slots.acquire()


async def _a_connection(run: Run, kept: Kept) -> None:
    await run.send()
    [free] = run.pools[0].free.values()
    kept.things.append(free.pop())


async def _a_file(_: Run, kept: Kept) -> None:
    kept.things.append(await anyio.open_file(__file__))


async def _a_task(_: Run, kept: Kept) -> None:
    kept.tasks.start_soon(anyio.sleep, 60)


async def _a_fault(run: Run, _: Kept) -> None:
    with run.script(Fault.reset()):
        pass


@pytest.mark.check("Tokens, slots, connections, files, tasks, unused faults")
@pytest.mark.parametrize(
    ("leak", "wrong"),
    [
        (_a_token, "a token is still in flight"),
        (_a_slot, "a slot is lost"),
        (_a_connection, "a connection that no pool knows"),
        (_a_file, "a file is still open"),
        (_a_task, "a task is still running"),
        (_a_fault, "never happened"),
    ],
)
async def test_what_is_left_behind_is_found(run_over: Open, leak: Leak, wrong: str) -> None:
    """A token, a slot, a connection, a file, a task, or a fault that did not happen."""
    tasks = anyio.create_task_group()
    kept = Kept(tasks)
    async with tasks:
        with pytest.raises(AssertionError, match=wrong):
            async with run_over("httpx") as run:
                await leak(run, kept)
        tasks.cancel_scope.cancel()
    for each in kept.things:
        await each.aclose()
