"""The wall clock of the client's machine is set by an hour, forth or back, in the middle."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import attrs
import pytest

from tests.support.fault_runs import WAYS, Open, Setting, Way
from ziett_async import Clock, OutcomeUnknown
from ziett_async.testing import Fault

pytestmark = pytest.mark.anyio

HOUR = 3600.0
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forth", "back"])


@attrs.define
class Jumpy:
    """A clock whose calendar jumps."""

    clock: Clock
    offset: float = 0.0

    def monotonic(self) -> float:
        """Return seconds that cannot be set."""
        return self.clock.monotonic()

    def time(self) -> float:
        """Return the calendar's seconds, as they were set."""
        return self.clock.time() + self.offset

    async def sleep(self, seconds: float, until: anyio.Event | None = None) -> None:
        """Wait."""
        await self.clock.sleep(seconds, until)


def jumpy(world_clock: object) -> Jumpy:
    """Return a client's clock as what it is."""
    assert isinstance(world_clock, Jumpy)
    return world_clock


@pytest.mark.fault("The wall clock jumps by an hour", send="no burst")
@JUMPS
async def test_no_burst(run_over: Open, jump: float) -> None:
    """Whatever the calendar says, the limit holds, and no call waits longer for it."""
    setting = Setting(limits={"send": (5, 60.0)}, clock=Jumpy)
    async with run_over("memory", setting) as run:
        clock = jumpy(run.client_clock)
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(run.send)
            await clock.sleep(10)
            clock.offset = jump
        times = [entry.at for entry in run.entries]
        assert len(times) == 12
        assert [int(at // 60) for at in times] == [0] * 5 + [1] * 5 + [2] * 2
        assert times[-1] < 123


@pytest.mark.fault("The wall clock jumps by an hour", send="no wrong deadline")
@JUMPS
@pytest.mark.parametrize("way", WAYS)
async def test_no_wrong_deadline(run_over: Open, way: Way, jump: float) -> None:
    """A deadline is in seconds that pass: none is missed, and none comes early."""
    async with run_over(way, Setting(clock=Jumpy)) as run:
        clock = jumpy(run.client_clock)
        since = run.clock.monotonic()

        async def jumps() -> None:
            await clock.sleep(0.1)
            clock.offset = jump

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(jumps)
            with run.script(Fault.stall()), pytest.raises(OutcomeUnknown):
                await run.send(timeout=0.3)
        assert 0.3 <= run.clock.monotonic() - since < 0.6


@pytest.mark.fault("The wall clock jumps by an hour", send="no wrong wait after a 429")
@JUMPS
async def test_no_wrong_retry_after(run_over: Open, jump: float) -> None:
    """A date in `Retry-After` counts from the answer's own `Date`."""
    async with run_over("memory", Setting(clock=Jumpy)) as run:
        jumpy(run.client_clock).offset = jump
        now = datetime.fromtimestamp(run.clock.time(), UTC)
        headers = (
            ("date", format_datetime(now, usegmt=True)),
            ("retry-after", format_datetime(now + timedelta(seconds=9), usegmt=True)),
        )
        with run.script(Fault.status(429, headers=headers)):
            await run.send()
        first, second = [entry.at for entry in run.entries]
        assert 9 <= second - first < 9.5


@pytest.mark.fault("The machine sleeps between two attempts", read="tried again")
@pytest.mark.fault("The wall clock jumps by an hour", read="no wrong paging")
@JUMPS
@pytest.mark.parametrize("way", WAYS)
async def test_no_wrong_paging(run_over: Open, way: Way, jump: float) -> None:
    """A walk goes by the server's times alone: each row once."""
    async with run_over(way, Setting(clock=Jumpy)) as run:
        rows, seen = run.stock(9), list[object]()
        clock = jumpy(run.client_clock)
        async for message in run.client.iter_messages(size=2):
            clock.offset += jump
            seen.append(message.id)
        assert seen == rows
