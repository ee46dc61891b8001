"""What the package itself costs per send, without a network, against the JSON of its bodies."""

import asyncio
import json
from collections.abc import Iterator
from itertools import cycle

from benchmarks._clients import Memory, send, unthrottled
from benchmarks._measure import Row, cpu_pairs, report
from benchmarks._samples import ACCEPTED, BODY
from ziett_async import AsyncZiett

_TIMES = 5000


async def _ours(client: AsyncZiett) -> None:
    for _ in range(_TIMES):
        await send(client)


def _rivals() -> None:
    answers = cycle(ACCEPTED)
    for _ in range(_TIMES):
        json.dumps(BODY)
        json.loads(next(answers))


def rows() -> Iterator[Row]:
    """Measure."""
    with asyncio.Runner() as runner:
        client = unthrottled(transport=Memory())
        pairs = cpu_pairs(lambda: runner.run(_ours(client)), _rivals, rounds=15, operations=_TIMES)
        yield pairs.row(
            "CPU of a whole send, answered from memory",
            "`json.dumps` and `json.loads` of its two bodies",
            most=4,
        )
        runner.run(client.aclose())


if __name__ == "__main__":
    report(rows())
