"""Responses without a request, and responses that are too large."""

import json
import tracemalloc
from collections.abc import Generator
from typing import Literal
from uuid import uuid4

import anyio
import attrs
import pytest

from tests.support.fault_runs import (
    API_KEY,
    ATTEMPTS,
    SOCKETS,
    Open,
    Setting,
    Way,
    content_for,
    over,
)
from tests.support.fault_server import Act, Mishap, body_of, bomb, endless_head, unsolicited
from ziett_async import (
    ApiError,
    InvalidResponse,
    OutcomeUnknown,
    Response,
    ServerError,
    ValidationError,
)
from ziett_async.testing import Fault

pytestmark = pytest.mark.anyio

MB = 1 << 20
#: Bytes that a call may take beside what was there before: the most an answer may have, twice
#: over while it grows and is copied, and something to work with.
ALLOWANCE = 24 * MB


def forged() -> Response:
    """Return an answer that would do for any request, with an id of its own."""
    body = f'{{"message_id": "{uuid4()}", "entries": [], "total": 0, "page": 1, "size": 2}}'
    return Response(202, (("content-type", "application/json"),), body.encode())


EARLY, LATER = unsolicited(forged, later=None), unsolicited(forged, later=0.02)
APART = unsolicited(forged, later=None, fills_record=True)

#: 10 MB, and 100 MB packed into 100 kB.
HUGE = [
    endless_head,
    body_of("10 MB", lambda _: b"x" * 10 * MB),
    body_of("10 MB of spaces, then JSON", lambda body: b" " * 10 * MB + body),
    body_of("gzip bomb", lambda _: bomb(100 * MB), "gzip"),
]
ODD = [
    attrs.evolve(Fault.garbage(body), label=label)
    for label, body in {
        "200,000 nested arrays": b"[" * 200_000,
        "200,000 nested objects": b'{"message_id":' * 200_000,
        "200,000 closed arrays": b'{"message_id":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        "a 5,000-digit integer": b'{"message_id": '
        + b"9" * 5000
        + b', "total": '
        + b"9" * 5000
        + b"}",
        "NaN": b'{"message_id": NaN, "total": NaN}',
        "Infinity": b'{"message_id": "x", "total": -Infinity}',
        "1e999": b'{"message_id": 1e999, "total": 1e999}',
        "UTF-16": '{"message_id": "019b4b56-e704-7c30-83a0-527df63c3e00"}'.encode("utf-16"),
        "UTF-8 with a mark": b'\xef\xbb\xbf{"message_id": null}',
        "half a surrogate": b'{"message_id": "\\ud800"}',
    }.items()
]


@pytest.fixture
def memory() -> Generator[None]:
    """Watch what is allocated."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.fault("An unsolicited second response on a kept connection", send="not believed")
@over([EARLY, APART, LATER], SOCKETS)
@pytest.mark.parametrize("tls", ["none", "trusted"])
async def test_unsolicited_after_a_send(
    run_over: Open, way: Way, mishap: Act, tls: Literal["none", "trusted"]
) -> None:
    """A response without a request is not taken for the next send's."""
    async with run_over(way, Setting(tls=tls)) as run:
        with run.script(mishap):
            first = await run.send()
        await anyio.sleep(0.05 if mishap is LATER else 0)
        second = await run.send()
        assert first.message_id != second.message_id
        assert (second.call.attempts, run.accepted) == (1, 2)


@pytest.mark.fault("An unsolicited second response on a kept connection", read="not believed")
@over([EARLY, APART, LATER], SOCKETS)
async def test_unsolicited_after_a_read(run_over: Open, way: Way, mishap: Act) -> None:
    """A response without a request is not taken for the next page."""
    async with run_over(way) as run:
        rows = run.stock()
        with run.script(mishap):
            assert (await run.get()).id == rows[0]
        await anyio.sleep(0.05 if mishap is LATER else 0)
        assert await run.walk() == rows
        with run.script(EARLY, EARLY):
            assert await run.walk() == rows


@pytest.mark.fault("10 MB of body or headers, a gzip bomb", send="replayed", read="tried again")
@over(HUGE, SOCKETS)
async def test_huge_once(run_over: Open, way: Way, mishap: Act) -> None:
    """An answer that is too much is not read to its end, and the send replayed."""
    async with run_over(way) as run:
        rows = run.stock()
        with run.script(mishap):
            assert (await run.send()).call.attempts == 2
        with run.script(mishap):
            assert (await run.get(rows[0])).id == rows[0]
        assert run.accepted == 1


@pytest.mark.fault(
    "10 MB of body or headers, a gzip bomb",
    send="every time: an error, bounded memory",
    read="every time: an error, bounded memory",
)
@over(HUGE, SOCKETS)
async def test_huge_every_time(run_over: Open, way: Way, mishap: Act, memory: None) -> None:
    """An answer that is always too much ends in a clear error, in bounded memory."""
    assert memory is None
    bomb(100 * MB)
    async with run_over(way) as run:
        run.stock()
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.attempts, run.accepted) == (ATTEMPTS, 1)
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(InvalidResponse):
            await run.walk()
        _, peak = tracemalloc.get_traced_memory()
        # The server holds the answer, too: as a body, as bytes to send, and in the event loop,
        # up to three times from Python 3.12 on.
        assert peak - before < ALLOWANCE + 5 * 10 * MB
        assert run.yielded == []


@pytest.mark.fault(
    "JSON nested 200,000 deep, 5,000-digit integers, NaN, UTF-16",
    send="replayed",
    read="tried again",
)
@over(ODD[:1], SOCKETS, in_memory=ODD)
async def test_odd_once(run_over: Open, way: Way, mishap: Mishap) -> None:
    """JSON that is none, or too deep, or too long, is no answer: the send is replayed."""
    async with run_over(way) as run:
        rows = run.stock()
        with run.script(Fault.slow(0), mishap):
            assert await run.walk() == rows
        with run.script(mishap):
            assert (await run.send()).call.attempts == 2
        assert run.accepted == 1


@pytest.mark.fault(
    "JSON nested 200,000 deep, 5,000-digit integers, NaN, UTF-16",
    send="every time: `OutcomeUnknown`",
    read="every time: `InvalidResponse`",
)
@over(ODD[:1], SOCKETS, in_memory=ODD)
async def test_odd_every_time(run_over: Open, way: Way, mishap: Mishap) -> None:
    """Every time, it is an unknown outcome for a send, and for a read an `InvalidResponse`."""
    async with run_over(way) as run:
        run.stock()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown):
            await run.send()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(InvalidResponse):
            await run.walk()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(InvalidResponse):
            await run.get()
        assert run.accepted == 1


@pytest.mark.fault(
    "JSON nested 200,000 deep, 5,000-digit integers, NaN, UTF-16",
    send="in an error: the status counts",
)
@pytest.mark.parametrize("fault", ODD, ids=[fault.label for fault in ODD])
async def test_odd_refusals(run_over: Open, fault: Fault) -> None:
    """The same in an error's body takes nothing from the status."""
    async with run_over("memory") as run:
        run.stock()
        down = Fault.status(500, body=fault.garbled)
        with run.script(*[down] * ATTEMPTS), pytest.raises(ServerError):
            await run.get()
        with run.script(*[down] * ATTEMPTS), pytest.raises(OutcomeUnknown):
            await run.send()
        with run.script(Fault.status(422, body=fault.garbled)), pytest.raises(ValidationError):
            await run.send()


@pytest.mark.fault(
    "JSON nested 200,000 deep, 5,000-digit integers, NaN, UTF-16",
    send="in an error: the status counts",
)
async def test_error_objects_of_the_wrong_types(run_over: Open) -> None:
    """An error object in which nothing is what it should be is still the status's error."""
    body = (
        b'{"code": 5, "message": ["x"], "status": "no", "trace_id": {}, "timestamp": 7,'
        b' "service": null, "fields": {"a": {"b": 1e999}, "c": null}}'
    )
    async with run_over("memory") as run:
        with run.script(Fault.status(422, body=body)), pytest.raises(ValidationError) as caught:
            await run.send()
        assert (caught.value.code, caught.value.trace_id, caught.value.status) == (None, None, 422)


@pytest.mark.fault(
    "An error that repeats the request, or is a megabyte long",
    send="masked, one line, cut",
    read="masked, one line, cut",
)
@pytest.mark.parametrize("status", [402, 422, 500])
async def test_a_server_that_repeats_the_request(run_over: Open, status: int) -> None:
    """Whatever words an error brings, ours has no number, text or key in it, and is one line."""
    async with run_over("memory") as run:
        number = run.number()
        said = f"{number} {number[1:]} {content_for(number)}\n{API_KEY}\r\n\x1b[31m"
        document = {
            "code": said,
            "message": said,
            "trace_id": said,
            "service": said,
            "fields": {said: said, "target_e164": number[1:]},
        }
        fault = Fault.status(status, body=json.dumps(document).encode())
        count = ATTEMPTS if status == 500 else 1
        with run.script(*[fault] * count), pytest.raises((ApiError, OutcomeUnknown)):
            await run.send(number=number)


@pytest.mark.fault(
    "An error that repeats the request, or is a megabyte long", send="masked, one line, cut"
)
async def test_a_server_that_goes_on_and_on(run_over: Open) -> None:
    """A page of a megabyte in an error's message is not carried along, nor logged."""
    async with run_over("memory") as run:
        document = {"message": "oh no " * 200_000, "fields": {"x" * 200_000: "y"}}
        fault = Fault.status(422, body=json.dumps(document).encode())
        with run.script(fault), pytest.raises(ApiError) as caught:
            await run.send()
        assert len(str(caught.value)) < 10_000
