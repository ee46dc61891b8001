"""The server has acted, and its answer is lost, cut, garbled or late: asked again by its key."""

import json
from gzip import compress
from uuid import UUID

import attrs
import pytest

from tests.support.fault_runs import ATTEMPTS, SOCKETS, WAYS, Open, Setting, Way, over
from tests.support.fault_server import (
    Mishap,
    body_of,
    chunked_without_end,
    cut_at,
    cut_interim,
    drip,
    half_close,
    half_close_executed,
    not_http,
    reset_in_body,
)
from ziett_async import (
    DeadlineExceeded,
    InvalidResponse,
    NotSent,
    OutcomeUnknown,
    RetryPolicy,
    TransportError,
)
from ziett_async.testing import Fault, Idempotency

pytestmark = pytest.mark.anyio

#: Seconds for an attempt where one of them is silent, or all of them are.
SHORT, SHORTEST = 0.25, 0.1
OTHER_ID = "019b4b56-e704-7c30-83a0-000000000000"

#: The connection dies after the request was carried out.
DEAD: list[Mishap] = [Fault.lose_answer(), half_close_executed]
#: The response is cut before its status: whether it would have been one cannot be known.
CUT_EARLY: list[Mishap] = [cut_at(1), cut_at(12), cut_interim, not_http]
#: The answer is cut after its status: in the headers, in the body.
CUT_LATER: list[Mishap] = [
    *[cut_at(at) for at in (13, 17, 40)],
    cut_at(40, resets=True),
    *[Fault.truncate(at) for at in (0, 1, 20)],
    reset_in_body(5),
    chunked_without_end(),
]
CUT = CUT_EARLY + CUT_LATER
#: The answer is whole, and not what it should be.
WRONG: list[Mishap] = [
    attrs.evolve(Fault.garbage(b"{"), label="half an object"),
    body_of("truncated gzip", lambda body: compress(body)[:-9], "gzip"),
    body_of("whole gzip, not asked for", compress, "gzip"),
]
#: The same, and no matter how it travels.
WRONGER = [
    attrs.evolve(Fault.garbage(body), label=label)
    for label, body in {
        "empty": b"",
        "binary": b"\x00\xff{",
        "an array": b"[]",
        "null": b"null",
        "a string": b'"ok"',
        "an empty object": b"{}",
        "null id": b'{"message_id": null, "id": null, "entries": null}',
        "wrong types": b'{"message_id": 7, "id": 7, "entries": {}, "total": "1"}',
        "no ids": b'{"message_id": "7", "id": "7", "entries": [null], "total": true}',
        "HTML": b"<html>OK</html>",
    }.items()
]
#: The answer is too late.
LATE: list[Mishap] = [Fault.stall(), drip(body_only=False), drip(body_only=True)]


def setting_for(mishap: Mishap, seconds: float = SHORT) -> Setting:
    """Return a setting in a hurry, where the answer is late."""
    return Setting(attempt_timeout=seconds) if mishap in LATE else Setting()


@pytest.mark.fault("Accepted, then the connection dies", send="replayed: one message, its id")
@pytest.mark.fault("The answer is cut, at any byte", send="replayed: one message, its id")
@pytest.mark.fault(
    "A 2xx with bad JSON, wrong types, a null id or cut gzip", send="replayed: one message, its id"
)
@pytest.mark.fault(
    "A stall after acceptance, or one byte every 0.2 s", send="replayed: one message, its id"
)
@over([*DEAD, *CUT, *WRONG, *LATE], in_memory=WRONGER)
async def test_once_then_replayed(run_over: Open, way: Way, mishap: Mishap) -> None:
    """Once lost, the answer comes again for the same key: one message, and its id."""
    async with run_over(way, setting_for(mishap)) as run:
        with run.script(mishap):
            accepted = await run.send()
        assert (accepted.call.attempts, run.accepted) == (2, 1)
        assert [arrival.replayed for arrival in run.fake.requests] == [False, True]


@pytest.mark.fault(
    "Accepted, and every attempt loses its answer", send="`OutcomeUnknown` with the key"
)
@pytest.mark.fault("The answer is cut, at any byte", send="every time: `OutcomeUnknown`")
@pytest.mark.fault(
    "A 2xx with bad JSON, wrong types, a null id or cut gzip", send="every time: `OutcomeUnknown`"
)
@pytest.mark.fault(
    "A stall after acceptance, or one byte every 0.2 s", send="every time: `OutcomeUnknown`"
)
@over([*DEAD, *CUT, *WRONG, *LATE], in_memory=WRONGER)
async def test_every_time_then_unknown(run_over: Open, way: Way, mishap: Mishap) -> None:
    """Lost every time, the outcome is unknown; a later call with the key gives the id."""
    async with run_over(way, setting_for(mishap, SHORTEST)) as run:
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.attempts, run.accepted) == (ATTEMPTS, 1)
        number, key = run.sendings[0].number, caught.value.idempotency_key
    assert key
    assert run.fake.inbox(number)[0].idempotency_key == key


@pytest.mark.fault("Accepted, and every attempt loses its answer", send="the key again: the id")
@pytest.mark.fault("The answer is cut, at any byte", send="every time: `OutcomeUnknown`")
@over([*DEAD, *CUT_LATER[:4], *WRONG])
async def test_a_later_call_with_the_key(run_over: Open, way: Way, mishap: Mishap) -> None:
    """After an unknown outcome the key of the error gives the id, and is still one message."""
    async with run_over(way) as run:
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        number = run.sendings[0].number
        again = await run.send(key=caught.value.idempotency_key, number=number)
        assert again.message_id == run.fake.inbox(number)[0].id
        assert run.accepted == 1


@pytest.mark.fault("Accepted, then the connection dies", read="tried again")
@pytest.mark.fault("The answer is cut, at any byte", read="tried again")
@pytest.mark.fault("A 2xx with bad JSON, wrong types, a null id or cut gzip", read="tried again")
@pytest.mark.fault("A stall after acceptance, or one byte every 0.2 s", read="tried again")
@over([*DEAD, half_close, *CUT, *WRONG, *LATE], in_memory=WRONGER)
async def test_a_read_is_tried_again(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A page whose answer is lost is asked for again; the walk yields each row once."""
    async with run_over(way, setting_for(mishap)) as run:
        rows = run.stock()
        with run.script(Fault.slow(0), mishap):
            assert await run.walk() == rows


@pytest.mark.fault("Accepted, then the connection dies", read="tried again")
@pytest.mark.fault("The answer is cut, at any byte", read="tried again")
@pytest.mark.fault("A 2xx with bad JSON, wrong types, a null id or cut gzip", read="tried again")
@over([*DEAD, half_close, *CUT, *WRONG], in_memory=[Fault.stall(), *WRONGER])
async def test_a_single_read_is_tried_again(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A message whose answer is lost is asked for again."""
    async with run_over(way) as run:
        rows = run.stock()
        with run.script(mishap):
            assert (await run.get()).id == rows[0]


@pytest.mark.fault("Accepted, and every attempt loses its answer", read="`TransportError`")
@pytest.mark.fault("The answer is cut, at any byte", read="cut before the status: `TransportError`")
@pytest.mark.fault(
    "A stall after acceptance, or one byte every 0.2 s", read="every time: `TransportError`"
)
@over([*DEAD, half_close, *CUT_EARLY, *LATE])
async def test_a_read_without_an_answer(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A read that is never answered says so, and yields nothing of that page."""
    async with run_over(way, setting_for(mishap, SHORTEST)) as run:
        run.stock()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(TransportError) as caught:
            await run.walk()
        assert not isinstance(caught.value, NotSent | OutcomeUnknown)
        assert (caught.value.attempts, run.yielded) == (ATTEMPTS, [])


@pytest.mark.fault("The answer is cut, at any byte", read="every time: `InvalidResponse`")
@over(CUT_LATER)
async def test_a_read_with_a_cut_answer(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A read whose answer is never whole says what had begun, and yields nothing of that page."""
    async with run_over(way) as run:
        run.stock()
        for call in (run.walk, run.get):
            with run.script(*[mishap] * ATTEMPTS), pytest.raises(InvalidResponse) as caught:
                await call()
            assert (caught.value.attempts, caught.value.status) == (ATTEMPTS, 200)
        assert run.yielded == []


@pytest.mark.fault("The answer is cut, at any byte", read="every time: `InvalidResponse`")
@pytest.mark.parametrize("way", SOCKETS)
async def test_a_read_on_a_used_connection_with_a_cut_answer(run_over: Open, way: Way) -> None:
    """What had begun is that answer's, not the one's that came before it on its connection."""
    async with run_over(way, Setting(retry=RetryPolicy(attempts=1))) as run:
        rows = run.stock()
        for act, kind in ((cut_at(12), TransportError), (cut_at(20), InvalidResponse)):
            assert (await run.get()).id == rows[0]
            with run.script(act), pytest.raises((TransportError, InvalidResponse)) as caught:
                await run.get()
            assert type(caught.value) is kind


@pytest.mark.fault(
    "A 2xx with bad JSON, wrong types, a null id or cut gzip", read="every time: `InvalidResponse`"
)
@over(WRONG, in_memory=WRONGER)
async def test_a_read_with_a_wrong_answer(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A read that is never answered as it should be says so, and yields nothing of that page."""
    async with run_over(way) as run:
        run.stock()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(InvalidResponse) as caught:
            await run.walk()
        assert (caught.value.attempts, caught.value.status, run.yielded) == (ATTEMPTS, 200, [])
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(InvalidResponse):
            await run.get()


@pytest.mark.fault("The answer is cut, at any byte", send="replayed: one message, its id")
@pytest.mark.parametrize("way", SOCKETS)
async def test_cut_anywhere(run_over: Open, way: Way) -> None:
    """At whichever byte an answer is cut, the next attempt receives the same id."""
    async with run_over(way) as run:
        for at in range(1, 140, 3):
            with run.script(cut_at(at)):
                await run.send()
        assert run.accepted == len(run.sendings)


@pytest.mark.fault(
    "Accepted, and every attempt loses its answer", send="time is up first: still unknown"
)
@pytest.mark.parametrize("way", WAYS)
async def test_the_deadline_comes_first(run_over: Open, way: Way) -> None:
    """When time is up after an attempt that may have acted, the outcome is unknown, in time."""
    async with run_over(way) as run:
        with run.script(Fault.stall()), pytest.raises(OutcomeUnknown) as caught:
            await run.send(timeout=0.2)
        assert not isinstance(caught.value, DeadlineExceeded)
        assert run.accepted == 1


@pytest.mark.fault("409: the first is still running", send="waits, same key: its id")
@pytest.mark.parametrize("way", WAYS)
async def test_still_running(run_over: Open, way: Way) -> None:
    """A 409 while the first attempt is still running is waited out, and gives its id."""
    async with run_over(way) as run:
        with run.script(Fault.running(0.004)):
            accepted = await run.send()
        assert accepted.call.attempts >= 2
        assert run.accepted == 1


@pytest.mark.fault("409: the first is still running", send="waits, same key: its id")
@pytest.mark.parametrize("way", WAYS)
async def test_another_clients_still_running(run_over: Open, way: Way) -> None:
    """A 409 that says when to come back is waited out, too: the first may be another call."""
    busy = json.dumps({"code": "IDEMPOTENCY_IN_PROGRESS", "message": "wait", "status": 409})
    headers = (("retry-after", "0.05"), ("content-type", "application/json"))
    async with run_over(way) as run:
        with run.script(Fault.status(409, headers=headers, body=busy.encode())):
            accepted = await run.send(key="order-7")
        assert (accepted.call.attempts, run.accepted) == (2, 1)


@pytest.mark.fault("409: the first is still running", send="every time: `OutcomeUnknown`")
@pytest.mark.parametrize("way", WAYS)
async def test_running_all_the_time(run_over: Open, way: Way) -> None:
    """A first attempt that runs on and on is an unknown outcome, and never a refusal."""
    async with run_over(way) as run:
        with run.script(Fault.running(60)), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.attempts, run.accepted) == (ATTEMPTS, 1)


@pytest.mark.fault("422 or 409: the key came with another payload", send="an error at once")
@pytest.mark.parametrize("reused", [422, 409])
@pytest.mark.parametrize("way", WAYS)
async def test_another_payload(run_over: Open, way: Way, reused: int) -> None:
    """The same key with another payload is an error at once, and nothing more is accepted."""
    setting = Setting(idempotency=Idempotency(reused=reused), is_unruly=True)
    async with run_over(way, setting) as run:
        first = await run.send(key="order-7")
        with pytest.raises(Exception, match=str(reused)) as caught:
            await run.send(key="order-7")
        assert type(caught.value).__name__ in {"ValidationError", "ConflictError"}
        assert (run.accepted, len(run.entries)) == (1, 2)
        assert isinstance(first.message_id, UUID)


@pytest.mark.fault("409: the first is still running", send="the key again: waits, too")
async def test_a_later_call_while_the_first_is_running(run_over: Open) -> None:
    """A later call with the key of an unknown outcome waits for the first one, too."""
    setting = Setting(retry=RetryPolicy(base=1.0, jitter=lambda: 1.0))
    async with run_over("memory", setting) as run:
        with run.script(Fault.running(3)), pytest.raises(OutcomeUnknown) as caught:
            await run.send(timeout=1.0)
        number = run.sendings[0].number
        again = await run.send(key=caught.value.idempotency_key, number=number)
        assert again.message_id == run.fake.inbox(number)[0].id
        assert run.accepted == 1


@pytest.mark.fault(
    "Accepted, and every attempt loses its answer", send="later call fails: still unknown"
)
@pytest.mark.parametrize("mishap", [Fault.refuse(), Fault.status(503), Fault.status(401)], ids=str)
async def test_an_unknown_outcome_stays_unknown(run_over: Open, mishap: Fault) -> None:
    """A later call with the key that does not get through does not make it 'not sent'."""
    async with run_over("memory") as run:
        with run.script(*[Fault.lose_answer()] * ATTEMPTS), pytest.raises(OutcomeUnknown) as once:
            await run.send()
        key, number = once.value.idempotency_key, run.sendings[0].number
        count = 1 if "401" in str(mishap) else ATTEMPTS
        with run.script(*[mishap] * count), pytest.raises(OutcomeUnknown) as again:
            await run.send(key=key, number=number)
        assert again.value.safe_to_retry_until == once.value.safe_to_retry_until
        assert (await run.send(key=key, number=number)).message_id
        assert run.accepted == 1


@pytest.mark.fault(
    "Accepted, and every attempt loses its answer", send="later call fails: still unknown"
)
@pytest.mark.parametrize("status", [400, 404, 405, 413, 418])
async def test_a_proxy_does_not_settle_an_outcome(run_over: Open, status: int) -> None:
    """A 4xx without the API's error object says nothing of the attempt before it."""
    async with run_over("memory") as run:
        page = Fault.status(status, body=b"<html>no such page</html>")
        with run.script(Fault.lose_answer(), page), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        number = run.sendings[0].number
        assert await run.send(key=caught.value.idempotency_key, number=number)
        assert run.accepted == 1
