"""FakeTransport: time, timeouts and faults on the way to the fake."""

from typing import Any, cast

import anyio
import pytest

from tests.support.requests import request_of
from ziett_async._clock import ManualClock
from ziett_async._wire import SendFailed
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio


async def test_a_send_is_an_answer() -> None:
    """At once, when there is no latency, by a fake of its own."""
    transport = FakeTransport()
    response = await transport.send(request_of("GET", "/messages"))
    assert response.status == 200
    assert transport.clock is transport.service.clock
    assert transport.clock.monotonic() == 0.0


async def test_a_request_arrives_after_half_of_the_latency() -> None:
    """The answer needs the other half; a function gives each request its own."""
    fake = FakeZiett()
    await FakeTransport(fake, latency=1.0).send(request_of("GET", "/messages"))
    assert (fake.arrivals("list"), fake.clock.monotonic()) == ([0.5], 1.0)
    latencies = iter([0.2, 2.0])
    transport = FakeTransport(fake, latency=lambda: next(latencies))
    await transport.send(request_of("GET", "/messages", timeout=5.0))
    await transport.send(request_of("GET", "/messages", timeout=5.0))
    assert fake.arrivals("list") == pytest.approx([0.5, 1.1, 2.2])
    assert fake.clock.monotonic() == pytest.approx(3.2)


@pytest.mark.parametrize(
    ("fault", "latency", "arrived"),
    [
        (Fault.stall(), 0.0, 1),
        (Fault.stall(executes=False), 1.0, 1),
        (Fault.slow(10.5), 1.0, 1),
        (None, 12.0, 1),
        (None, 30.0, 0),
    ],
)
async def test_an_attempt_ends_when_its_time_is_over(
    fault: Fault | None, latency: float, arrived: int
) -> None:
    """After exactly `timeout` seconds, not knowing whether the server saw it."""
    fake = FakeZiett()
    if fault:
        fake.faults.add(fault)
    with pytest.raises(SendFailed) as caught:
        await FakeTransport(fake, latency=latency).send(
            request_of("GET", "/messages", timeout=10.0)
        )
    assert (caught.value.reached, caught.value.timed_out) == (True, True)
    assert (fake.clock.monotonic(), len(fake.requests)) == (10.0, arrived)


@pytest.mark.parametrize(
    ("fault", "reached"),
    [
        (Fault.refuse(), False),
        (Fault.reset(), True),
        (Fault.lose_answer(), True),
        (Fault.truncate(), True),
    ],
)
async def test_a_lost_answer_is_a_failed_send(fault: Fault, *, reached: bool) -> None:
    """Only a refused connection certainly reached no server."""
    fake = FakeZiett()
    with fake.script(fault), pytest.raises(SendFailed) as caught:
        await FakeTransport(fake).send(request_of("GET", "/messages"))
    assert (caught.value.reached, caught.value.timed_out) == (reached, False)


async def test_a_stalled_send_without_a_timeout_can_be_cancelled() -> None:
    """It waits as long as its task lives."""
    fake = FakeZiett(clock=ManualClock(autojump=False))
    fake.faults.add(Fault.stall())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(FakeTransport(fake).send, request_of("GET", "/messages"))
        while not fake.requests:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert len(fake.requests) == 1


async def test_a_send_cancelled_before_it_arrives_has_not_happened() -> None:
    """Every send has a checkpoint before the request arrives."""
    fake = FakeZiett()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await FakeTransport(fake).send(request_of("GET", "/messages"))
    assert scope.cancelled_caught
    assert fake.requests == []


async def test_a_closed_transport_sends_nothing() -> None:
    """It says so; closing it again does nothing."""
    transport = FakeTransport()
    await transport.aclose()
    await transport.aclose()
    with pytest.raises(SendFailed, match="closed"):
        await transport.send(request_of("GET", "/messages"))
    assert transport.service.requests == []


async def test_something_else_than_a_fake_is_refused() -> None:
    """At once, and without its value: a key is what is most easily mistaken for it."""
    with pytest.raises(TypeError, match=r"takes a FakeZiett, not a value of type str$"):
        FakeTransport(cast("Any", "zk_test_x"))
