"""The service has acted, and a proxy in front of it answers an error of its own."""

import attrs
import pytest

from tests.support.fault_runs import ATTEMPTS, SOCKETS, WAYS, Open, Setting, Way, over
from tests.support.fault_server import Mishap, gateway_error_then_gone
from ziett_async import (
    ApiError,
    DeadlineExceeded,
    NotSent,
    OutcomeUnknown,
    RetryPolicy,
    ServerError,
)
from ziett_async.testing import Fault

pytestmark = pytest.mark.anyio

GATEWAY_ERRORS = [Fault.gateway_error(status) for status in (502, 504, 408)]
#: The same, whichever way it travels.
OTHERS = [
    *(Fault.gateway_error(status) for status in (500, 503)),
    attrs.evolve(Fault.gateway_error(body=b""), label="502, empty"),
    attrs.evolve(
        Fault.gateway_error(504, body=b'{"code": "GATEWAY_TIMEOUT", "message": "Upstream"}'),
        label="504, an error object of its own",
    ),
]


def status_of(fault: Mishap) -> int:
    """Return what the proxy answers."""
    assert isinstance(fault, Fault)
    assert fault.proxied
    return fault.proxied.status


@pytest.mark.fault(
    "Accepted, then a proxy answers 5xx or 408", send="replayed: one message, its id"
)
@over(GATEWAY_ERRORS, in_memory=[Fault.gateway_error(503)])
async def test_a_gateway_error_then_replayed(run_over: Open, way: Way, mishap: Mishap) -> None:
    """The next attempt has the same key: one message, and its id."""
    async with run_over(way) as run:
        with run.script(mishap):
            accepted = await run.send()
        assert (accepted.call.attempts, run.accepted) == (2, 1)
        assert [arrival.replayed for arrival in run.fake.requests] == [False, True]


@pytest.mark.fault("Accepted, then a proxy answers 5xx or 408", send="every time: `OutcomeUnknown`")
@over(GATEWAY_ERRORS, in_memory=OTHERS)
async def test_gateway_errors_every_time(run_over: Open, way: Way, mishap: Mishap) -> None:
    """The outcome is unknown, with the proxy's status; the key gives the id later."""
    async with run_over(way) as run:
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.status, run.accepted) == (status_of(mishap), 1)
        key, number = caught.value.idempotency_key, run.sendings[0].number
        again = await run.send(key=key, number=number)
        assert again.message_id == run.fake.inbox(number)[0].id
        assert run.accepted == 1


@pytest.mark.fault("Accepted, then a proxy answers 5xx or 408", send="every time: `OutcomeUnknown`")
@pytest.mark.parametrize("status", [501, 507, 520, 599])
async def test_a_gateway_error_that_is_not_retried(run_over: Open, status: int) -> None:
    """Another 5xx does not settle a send either; it is not tried again."""
    async with run_over("memory") as run:
        with run.script(Fault.gateway_error(status)), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.status, caught.value.attempts, run.accepted) == (status, 1, 1)


@pytest.mark.fault("Accepted, then a proxy answers 5xx or 408", send="then refused: still unknown")
async def test_refused_after_a_gateway_error(run_over: Open) -> None:
    """A proxy that is away at the next attempts does not make it 'not sent'."""
    async with run_over("memory") as run:
        with (
            run.script(Fault.gateway_error(), Fault.refuse(), Fault.refuse()),
            pytest.raises(OutcomeUnknown) as caught,
        ):
            await run.send()
        assert (caught.value.attempts, run.accepted) == (ATTEMPTS, 1)
        with run.script(*[Fault.refuse()] * ATTEMPTS), pytest.raises(NotSent):
            await run.send()


@pytest.mark.fault("Accepted, then a proxy answers 5xx or 408", send="then refused: still unknown")
@pytest.mark.parametrize("way", SOCKETS)
async def test_refused_after_a_gateway_error_on_a_socket(run_over: Open, way: Way) -> None:
    """The same, where the port is closed once the proxy has answered."""
    async with run_over(way) as run:
        with run.script(gateway_error_then_gone), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.attempts, run.accepted) == (ATTEMPTS, 1)
        with pytest.raises(NotSent):
            await run.send()


@pytest.mark.fault(
    "Accepted, then a proxy answers 5xx or 408", send="time is up first: still unknown"
)
@pytest.mark.parametrize("way", WAYS)
async def test_the_deadline_after_a_gateway_error(run_over: Open, way: Way) -> None:
    """When time is up in a later attempt, or before it, the outcome is unknown."""
    async with run_over(way) as run:
        silent = Fault.stall(executes=False)
        with run.script(Fault.gateway_error(), silent), pytest.raises(OutcomeUnknown) as caught:
            await run.send(timeout=0.5)
        assert not isinstance(caught.value, DeadlineExceeded)
        assert (caught.value.attempts, run.accepted) == (2, 1)
    patient = Setting(retry=RetryPolicy(base=60.0, cap=60.0, jitter=lambda: 1.0))
    async with run_over(way, patient) as run:
        with run.script(Fault.gateway_error()), pytest.raises(OutcomeUnknown) as caught:
            await run.send(timeout=0.5)
        assert (caught.value.attempts, run.accepted) == (1, 1)


@pytest.mark.fault(
    "Accepted, then a proxy answers 5xx or 408", send="then 401, 402 or 403: still unknown"
)
@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("way", WAYS)
async def test_a_refusal_after_a_gateway_error(run_over: Open, way: Way, status: int) -> None:
    """What depends on the moment, as on a balance that the message used up, settles nothing."""
    async with run_over(way) as run:
        refusal = Fault.status(status)
        with run.script(Fault.gateway_error(), refusal), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.status, caught.value.attempts, run.accepted) == (status, 2, 1)


@pytest.mark.fault(
    "Accepted, then a proxy answers 5xx or 408",
    read="every time: `ServerError`, for 408 `ApiError`",
)
@over(GATEWAY_ERRORS)
async def test_a_read_through_a_gateway_error(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A read is tried again; every time, it is the status's error."""
    async with run_over(way) as run:
        rows = run.stock()
        with run.script(mishap, mishap):
            assert (await run.get()).id == rows[0]
        with run.script(Fault.slow(0), mishap):
            assert await run.walk() == rows
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(ApiError) as caught:
            await run.get()
        assert caught.value.status == status_of(mishap)
        assert isinstance(caught.value, ServerError) is (status_of(mishap) >= 500)
