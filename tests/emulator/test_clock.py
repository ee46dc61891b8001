"""The clock of an emulator."""

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


def test_it_can_be_set_forward() -> None:
    """By an hour, and not back."""
    clock = AdjustableClock()
    before = clock.monotonic()
    clock.advance(3600)
    assert clock.monotonic() >= before + 3600
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_it_can_be_stopped_during_a_block() -> None:
    """Now or at another moment; afterwards it runs as if it had not been stopped."""
    clock = AdjustableClock()
    with clock.stopped() as now:
        assert clock.monotonic() == clock.time() == now
    with clock.stopped(5.0):
        assert clock.monotonic() == 5.0
    assert clock.monotonic() >= now


@pytest.mark.anyio
async def test_sleep_takes_real_time_or_ends_with_the_event() -> None:
    """Like that of the system's clock."""
    clock, event = AdjustableClock(), anyio.Event()
    before = time.monotonic()
    await clock.sleep(0.05)
    assert time.monotonic() - before >= 0.05
    event.set()
    await clock.sleep(60, event)
    assert time.monotonic() - before < 30
