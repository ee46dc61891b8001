"""The clocks: a manual one that moves by hand or by itself, and the machine's."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf

import anyio
import pytest
from anyio.lowlevel import checkpoint

from ziett_async._clock import Clock, ManualClock, SystemClock

START = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
LONG = 100


async def turns(count: int = LONG) -> None:
    """Let every other task run so many turns."""
    for _ in range(count):
        await checkpoint()


async def sleeper(
    clock: Clock, seconds: float, woken: list[float], until: anyio.Event | None = None
) -> None:
    """Sleep, and note when the sleep ended."""
    await clock.sleep(seconds, until)
    woken.append(clock.monotonic())


def test_both_readings_move_with_the_clock() -> None:
    """`advance` lets time pass on the calendar and for durations alike."""
    clock = ManualClock()
    assert (clock.monotonic(), clock.now()) == (0.0, START)
    clock.advance(0.5)
    clock.advance(0)
    assert clock.monotonic() == 0.5
    assert clock.time() == START.timestamp() + 0.5
    assert clock.now() == START + timedelta(seconds=0.5)


@pytest.mark.parametrize("seconds", [-1, -0.001, -inf])
def test_time_does_not_run_backwards(seconds: float) -> None:
    """A negative step is refused, and leaves the clock where it was."""
    clock = ManualClock()
    with pytest.raises(ValueError, match="does not run backwards"):
        clock.advance(seconds)
    assert clock.monotonic() == 0


@pytest.mark.parametrize("days", [-3, 0, 400])
def test_setting_the_calendar_lets_no_time_pass(days: int) -> None:
    """An administrator moves the calendar in either direction, and no duration changes."""
    clock = ManualClock()
    clock.advance(10)
    clock.set_calendar(START + timedelta(days=days))
    assert (clock.monotonic(), clock.now()) == (10, START + timedelta(days=days))
    clock.advance(1)
    assert (clock.monotonic(), clock.now()) == (11, START + timedelta(days=days, seconds=1))


@pytest.mark.anyio
async def test_sleeps_end_in_their_order_and_on_time() -> None:
    """The shortest sleep ends first, at the very second, whatever order they began in."""
    clock, woken = ManualClock(), list[float]()
    async with anyio.create_task_group() as tasks:
        for seconds in (86400.0, 0.25, 7.0, 0.0, 7.0, 3600.0):
            tasks.start_soon(sleeper, clock, seconds, woken)
    assert woken == [0.0, 0.25, 7.0, 7.0, 3600.0, 86400.0]


@pytest.mark.anyio
async def test_one_who_comes_later_may_wake_first() -> None:
    """A shorter sleep that begins while another waits to jump ends before it."""
    clock, woken = ManualClock(), list[float]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, 60.0, woken)
        await turns(3)
        tasks.start_soon(sleeper, clock, 1.0, woken)
    assert woken == [1.0, 60.0]


@pytest.mark.anyio
async def test_who_wakes_may_sleep_again_before_anybody_else_jumps() -> None:
    """A loop of short sleeps passes its whole time within another's long one."""
    clock, woken = ManualClock(), list[float]()

    async def loop() -> None:
        for _ in range(50):
            await sleeper(clock, 1.0, woken)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, 49.5, woken)
        tasks.start_soon(loop)
    assert woken == [*map(float, range(1, 50)), 49.5, 50.0]


@pytest.mark.anyio
async def test_the_clock_stands_still_while_it_is_read() -> None:
    """A task that works, and so reads the clock, keeps time from passing under it."""
    clock, woken = ManualClock(), list[float]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, 5.0, woken)
        for _ in range(LONG):
            assert clock.monotonic() == 0
            await turns(3)
    assert woken == [5.0]


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [3600.0, inf])
async def test_who_is_woken_has_time_to_do_something(seconds: float) -> None:
    """No time passes in the turns in which one who slept until an event gets to work."""
    clock, woken, event = ManualClock(), list[float](), anyio.Event()

    async def worker() -> None:
        await clock.sleep(seconds, event)
        await turns(8)
        woken.append(clock.monotonic())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, 5.0, woken)
        tasks.start_soon(worker)
        await turns(8)
        event.set()
    assert woken == [0.0, 5.0]


@pytest.mark.anyio
async def test_who_falls_asleep_has_done_something() -> None:
    """No time passes in the turns after one has gone to sleep without reading the clock."""
    clock, woken = ManualClock(), list[float]()

    async def worker() -> None:
        await turns(8)
        tasks.start_soon(clock.sleep, inf)
        await turns(8)
        woken.append(clock.monotonic())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, 5.0, woken)
        await worker()
        await turns()
        tasks.cancel_scope.cancel()
    assert woken == [0.0, 5.0]


@pytest.mark.anyio
async def test_without_autojump_only_the_hand_moves_it() -> None:
    """A sleeper waits for `advance`, and wakes in the turns after the one that was enough."""
    clock, woken = ManualClock(autojump=False), list[float]()
    async with anyio.create_task_group() as tasks:
        for seconds in (10.0, 20.0, 30.0):
            tasks.start_soon(sleeper, clock, seconds, woken)
        await turns()
        clock.advance(9.5)
        await turns()
        assert woken == []
        clock.advance(0.5)
        await turns()
        assert woken == [10]
        clock.advance(90)
    assert woken == [10, 100, 100]


@pytest.mark.anyio
async def test_a_jump_does_not_turn_back_a_hand_that_went_further() -> None:
    """A test may advance beyond the sleep while a sleeper is about to jump."""
    clock, woken = ManualClock(), list[float]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, 5.0, woken)
        await turns(3)
        clock.advance(50)
    assert woken == [50]


@pytest.mark.anyio
@pytest.mark.parametrize("autojump", [True, False])
@pytest.mark.parametrize("seconds", [5.0, inf])
@pytest.mark.parametrize("before", [0, 3])
async def test_an_event_ends_a_sleep_sooner(*, autojump: bool, seconds: float, before: int) -> None:
    """A sleep with `until` is over when the event is set, and no time has passed."""
    clock, woken, event = ManualClock(autojump=autojump), list[float](), anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, seconds, woken, event)
        await turns(before)
        event.set()
        await turns()
    assert woken == [0.0]
    await clock.sleep(seconds, event)
    assert clock.monotonic() == 0.0


@pytest.mark.anyio
async def test_an_event_that_is_not_set_ends_nothing() -> None:
    """A sleep with `until` takes its seconds if nothing happens."""
    clock = ManualClock()
    await clock.sleep(3.0, anyio.Event())
    assert clock.monotonic() == 3.0


@pytest.mark.anyio
async def test_an_endless_sleep_does_not_move_the_clock() -> None:
    """An endless sleep does not hold the clock, and blocks no other sleep."""
    clock, woken = ManualClock(), list[float]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, clock, inf, woken)
        await clock.sleep(8.0)
        await turns()
        tasks.cancel_scope.cancel()
    assert (woken, clock.monotonic()) == ([], 8.0)


@pytest.mark.anyio
async def test_a_cancelled_sleep_holds_up_no_other() -> None:
    """The first sleeper is cancelled, and the next ends at its own second."""
    clock, woken = ManualClock(), list[float]()
    scope = anyio.CancelScope()

    async def first() -> None:
        with scope:
            await sleeper(clock, 2.0, woken)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        tasks.start_soon(sleeper, clock, 4.0, woken)
        await turns(4)
        scope.cancel()
    assert woken == [4.0]


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [0.0, -1.0, -inf])
@pytest.mark.parametrize("new", [ManualClock, SystemClock])
async def test_no_sleep_still_lets_others_run(new: Callable[[], Clock], seconds: float) -> None:
    """A sleep of nothing, or less, is one turn of the event loop."""
    clock, ran = new(), list[str]()

    async def other() -> None:
        ran.append("other")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        await clock.sleep(seconds)
        await turns(2)
        assert ran == ["other"]


@pytest.mark.parametrize(
    ("read", "reading"),
    [(time.monotonic, SystemClock().monotonic), (time.time, SystemClock().time)],
)
def test_the_system_clock_is_the_machines(
    read: Callable[[], float], reading: Callable[[], float]
) -> None:
    """Its two readings are those of the operating system."""
    assert read() <= reading() <= read()


@pytest.mark.anyio
async def test_a_sleep_on_the_system_clock_takes_its_time() -> None:
    """A sleep of two milliseconds takes at least about two, and ends."""
    clock = SystemClock()
    began = clock.monotonic()
    await clock.sleep(0.002)
    # An event loop may wake its resolution early.
    assert clock.monotonic() - began > 0.0015


@pytest.mark.anyio
async def test_an_event_ends_a_sleep_on_the_system_clock() -> None:
    """A sleep of an hour is over at once when the event is set."""
    clock, woken, event = SystemClock(), list[float](), anyio.Event()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleeper, clock, 3600.0, woken, event)
            await turns(3)
            event.set()
    assert len(woken) == 1


def test_a_manual_clock_refuses_a_naive_start() -> None:
    """A start without a zone could be any of many moments."""
    with pytest.raises(ValueError, match="naive"):
        ManualClock(datetime(2025, 7, 14))  # noqa: DTZ001 - that is the point
