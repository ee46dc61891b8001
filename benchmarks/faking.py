"""What tests cost: ten thousand sends through the fake, with limits and a virtual clock."""

import asyncio
from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks._clients import send
from benchmarks._measure import Row, cost, cpu_pairs, report, say
from benchmarks._samples import KEY
from ziett_async import AsyncZiett
from ziett_async.testing import FakeTransport

_SENDS, _ROUNDS = 10_000, 3


#: Seconds that are more than all sends take by the clock of the fake.
_LONG = 6_000.0


async def _at_once(count: int, timeout: float | None = None) -> None:
    """Send all, so many at once; the limits let 120 a minute pass, by the clock of the fake."""

    async def some(client: AsyncZiett) -> None:
        for _ in range(_SENDS // count):
            await send(client)

    async with AsyncZiett(KEY, transport=FakeTransport(), timeout=timeout) as client:
        await asyncio.gather(*[some(client) for _ in range(count)])


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


if __name__ == "__main__":
    report(rows())
