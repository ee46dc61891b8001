"""The clock of a service on a desk."""

import time

import anyio
import pytest

from ziett_async.emulator._clock import AdjustableClock


def test_it_runs_as_the_machine_does() -> None:
    """Both readings are the calendar's, and never go back."""
    clock = AdjustableClock()
    assert clock.time() == pytest.approx(time.time(), abs=1)
    first = clock.monotonic()
    assert first <= clock.monotonic() <= clock.time()


def test_it_can_be_put_forward() -> None:
    """An hour passes at once; an hour cannot unpass."""
    clock = AdjustableClock()
    before = clock.monotonic()
    clock.advance(3600)
    assert clock.monotonic() >= before + 3600
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_a_block_can_happen_in_one_moment() -> None:
    """Now, or another; afterwards the clock runs on as if nothing had been."""
    clock = AdjustableClock()
    with clock.stopped() as now:
        assert clock.monotonic() == clock.time() == now
    with clock.stopped(5.0):
        assert clock.monotonic() == 5.0
    assert clock.monotonic() >= now


@pytest.mark.anyio
async def test_who_sleeps_sleeps_in_real_time_or_until_called() -> None:
    """Like the system's clock."""
    clock, event = AdjustableClock(), anyio.Event()
    before = time.monotonic()
    await clock.sleep(0.05)
    assert time.monotonic() - before >= 0.05
    event.set()
    await clock.sleep(60, event)
    assert time.monotonic() - before < 30
