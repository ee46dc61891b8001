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
        """Return seconds that nobody can set."""
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
async def test_no_burst(world_over: Open, jump: float) -> None:
    """Whatever the calendar says, the limit holds, and nobody waits longer for it."""
    setting = Setting(limits={"send": (5, 60.0)}, clock=Jumpy)
    async with world_over("memory", setting) as world:
        clock = jumpy(world.client_clock)
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                tasks.start_soon(world.send)
            await clock.sleep(10)
            clock.offset = jump
        times = [entry.at for entry in world.entries]
        assert len(times) == 12
        assert [int(at // 60) for at in times] == [0] * 5 + [1] * 5 + [2] * 2
        assert times[-1] < 123


@pytest.mark.fault("The wall clock jumps by an hour", send="no wrong deadline")
@JUMPS
@pytest.mark.parametrize("way", WAYS)
async def test_no_wrong_deadline(world_over: Open, way: Way, jump: float) -> None:
    """A deadline is in seconds that pass: none is missed, and none comes early."""
    async with world_over(way, Setting(clock=Jumpy)) as world:
        clock = jumpy(world.client_clock)
        since = world.clock.monotonic()

        async def jumps() -> None:
            await clock.sleep(0.1)
            clock.offset = jump

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(jumps)
            with world.script(Fault.stall()), pytest.raises(OutcomeUnknown):
                await world.send(timeout=0.3)
        assert 0.3 <= world.clock.monotonic() - since < 0.6


@pytest.mark.fault("The wall clock jumps by an hour", send="no wrong wait after a 429")
@JUMPS
async def test_no_wrong_retry_after(world_over: Open, jump: float) -> None:
    """A date in `Retry-After` counts from the answer's own `Date`."""
    async with world_over("memory", Setting(clock=Jumpy)) as world:
        jumpy(world.client_clock).offset = jump
        now = datetime.fromtimestamp(world.clock.time(), UTC)
        headers = (
            ("date", format_datetime(now, usegmt=True)),
            ("retry-after", format_datetime(now + timedelta(seconds=9), usegmt=True)),
        )
        with world.script(Fault.status(429, headers=headers)):
            await world.send()
        first, second = [entry.at for entry in world.entries]
        assert 9 <= second - first < 9.5


@pytest.mark.fault("The machine sleeps between two attempts", read="tried again")
@pytest.mark.fault("The wall clock jumps by an hour", read="no wrong paging")
@JUMPS
@pytest.mark.parametrize("way", WAYS)
async def test_no_wrong_paging(world_over: Open, way: Way, jump: float) -> None:
    """A walk goes by the server's times alone: each row once."""
    async with world_over(way, Setting(clock=Jumpy)) as world:
        rows, seen = world.stock(9), list[object]()
        clock = jumpy(world.client_clock)
        async for message in world.client.iter_messages(size=2):
            clock.offset += jump
            seen.append(message.id)
        assert seen == rows
