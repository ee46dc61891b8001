"""What tests cost: ten thousand sends through the fake, with limits and a virtual clock."""

import asyncio
from collections.abc import Iterator
from functools import partial
from statistics import median

from benchmarks._clients import send
from benchmarks._measure import Row, cost, report, say
from benchmarks._samples import KEY
from ziett_async import AsyncZiett
from ziett_async.testing import FakeTransport

_SENDS = 10_000


async def _at_once(count: int) -> None:
    """Send all, with so many in flight; the default limits make each bucketful wait a minute."""

    async def some(client: AsyncZiett) -> None:
        for _ in range(_SENDS // count):
            await send(client)

    async with AsyncZiett(KEY, transport=FakeTransport()) as client:
        await asyncio.gather(*[some(client) for _ in range(count)])


def rows() -> Iterator[Row]:
    """Measure."""
    for count in (1, 50):
        seconds = list[float]()
        for number in range(5):
            say(f"round {number + 1} of 5")
            seconds.append(cost(lambda: asyncio.run(_at_once(count))).cpu)
        yield Row(
            f"CPU of 10,000 sends through `FakeTransport`, {count} in flight",
            "the clock on the wall",
            measured=f"{median(seconds):.2f} s",
            spread=f"{min(seconds):.2f}-{max(seconds):.2f} s",
            reach="< 2 s",
            is_ok=median(seconds) < 2,
        )


if __name__ == "__main__":
    report(rows())
