"""What tests cost: ten thousand sends through the fake, with limits and a virtual clock."""

import asyncio
import gc
from collections.abc import Iterator, Mapping
from functools import partial
from statistics import median
from time import thread_time

from benchmarks._clients import send
from benchmarks._measure import Row, cost, cpu_pairs, report, say
from benchmarks._samples import KEY
from ziett_async import AsyncZiett
from ziett_async.testing import FakeTransport

_SENDS, _ROUNDS = 10_000, 3
#: How many are started in one turn of the event loop, where it is turns that are measured.
_STARTED = 50
#: Seconds that are more than all sends take by the clock of the fake.
_LONG = 6_000.0


async def _at_once(count: int, timeout: float | None = None) -> None:
    """Send all, so many at once; the limits let 120 a minute pass, by the clock of the fake."""

    async def some(client: AsyncZiett) -> None:
        for _ in range(_SENDS // count):
            await send(client)

    async with AsyncZiett(KEY, transport=FakeTransport(), timeout=timeout) as client:
        await asyncio.gather(*[some(client) for _ in range(count)])


class _Ticks:
    """The turns of an event loop, each in CPU seconds from one tick to the next.

    A turn is all that is ready when it begins, so no callback and no step of a task is longer.
    The passes of the garbage collector are counted apart: in whichever turn one falls, it looks at
    all objects that are alive, those of 10,000 tasks.
    """

    def __init__(self) -> None:
        #: The longest turn, and the longest pass.
        self.turn = self.collection = 0.0
        self._began = self._collected = self._collection_began = 0.0

    def tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """End a turn, if one has begun, and begin the next one."""
        if self._began:
            self.turn = max(self.turn, thread_time() - self._began - self._collected)
        self._collected = 0.0
        loop.call_soon(self.tick, loop)
        self._began = thread_time()

    def on_collection(self, phase: str, _: Mapping[str, int]) -> None:
        """Count a pass of the garbage collector, which calls this as it begins and as it ends."""
        if phase == "start":
            self._collection_began = thread_time()
        else:
            took = thread_time() - self._collection_began
            self._collected += took
            self.collection = max(self.collection, took)


async def _in_short_turns() -> _Ticks:
    """Send all at once with a timeout; what is done here makes no turn long."""
    ticks = _Ticks()
    async with AsyncZiett(KEY, transport=FakeTransport(), timeout=_LONG) as client:
        gc.callbacks.append(ticks.on_collection)
        ticks.tick(asyncio.get_running_loop())
        async with asyncio.TaskGroup() as group:
            for number in range(_SENDS):
                group.create_task(send(client))
                if number % _STARTED == 0:
                    await asyncio.sleep(0)
        gc.callbacks.remove(ticks.on_collection)
    return ticks


def _turns() -> Row:
    rounds = list[_Ticks]()
    for number in range(_ROUNDS):
        say(f"round {number + 1} of {_ROUNDS}")
        gc.collect()
        rounds.append(asyncio.run(_in_short_turns()))
    turns = [each.turn for each in rounds]
    collection = max(each.collection for each in rounds)
    return Row(
        "the longest turn of the event loop in that",
        "its CPU time, the garbage collector's aside",
        measured=f"{median(turns) * 1e3:.1f} ms",
        spread=f"{min(turns) * 1e3:.1f}-{max(turns) * 1e3:.1f} ms, "
        f"and {collection * 1e3:.0f} ms the collector's longest pass",
        reach="< 20 ms",
        is_ok=median(turns) < 0.02,
    )


def rows() -> Iterator[Row]:
    """Measure."""
    for count in (1, 50, _SENDS):
        seconds = list[float]()
        for number in range(_ROUNDS):
            say(f"round {number + 1} of {_ROUNDS}")
            seconds.append(cost(partial(asyncio.run, _at_once(count))).cpu)
        yield Row(
            f"CPU of 10,000 sends through `FakeTransport`, {count:,} in flight",
            "",
            measured=f"{median(seconds):.2f} s",
            spread=f"{min(seconds):.2f}-{max(seconds):.2f} s",
            reach="< 2 s",
            is_ok=median(seconds) < 2,
        )
    pairs = cpu_pairs(
        lambda: asyncio.run(_at_once(_SENDS, _LONG)),
        lambda: asyncio.run(_at_once(_SENDS)),
        rounds=_ROUNDS,
        operations=_SENDS,
    )
    yield pairs.row(f"CPU of {_SENDS:,} sends at once with `timeout=`", "without", 2.0)
    yield _turns()


if __name__ == "__main__":
    report(rows())
