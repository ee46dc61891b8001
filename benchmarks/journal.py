"""What a journal costs: a commit beside the time between two sends, and the memory of a run."""

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from benchmarks._clients import Memory, unthrottled
from benchmarks._measure import Row, report, say
from benchmarks._samples import REMITTER
from ziett_async import NewMessage, SqliteJournal
from ziett_async.bulk.journal import Header, Record

#: Seconds between two sends at the limit of 120 a minute.
_BETWEEN_SENDS = 0.5
_COMMITS = 400
_FACTS = '{"attempts":[[1,31.25,0.053,202,null]],"elapsed":31.303,"trace_id":null}'


async def _commits(path: Path) -> list[float]:
    """Return the seconds of each commit of a message that is begun, and later accepted."""
    journal, seconds = SqliteJournal(path), list[float]()
    await journal.open(Header("send_many", "July", None))
    for row in range(_COMMITS):
        for accepted_id, facts in ((None, None), (str(uuid4()), _FACTS)):
            record = Record(row, str(uuid4()), 1752489000.0, accepted_id, facts)
            began = perf_counter()
            await journal.write([record])
            seconds.append(perf_counter() - began)
    await journal.aclose()
    return seconds


def _many(count: int) -> Iterator[NewMessage]:
    return (
        NewMessage(f"+24492{index:07}", "Your code is 482910.", remitter_id=REMITTER)
        for index in range(count)
    )


async def _peak(path: Path, count: int) -> int:
    """Return the most memory that a run takes, in bytes, and one that is started again."""
    client = unthrottled(transport=Memory())
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    async with client:
        for _ in range(2):
            async for _ in client.send_many(_many(count), journal=path, concurrency=50):
                pass
            say(f"memory of a run with a journal: {count} rows")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most - before


def rows() -> Iterator[Row]:
    """Measure."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        seconds = asyncio.run(_commits(path / "commits.db"))
        ratio = median(seconds) / _BETWEEN_SENDS
        slow = sorted(seconds)[int(len(seconds) * 0.99)]
        yield Row(
            "a commit of the journal, on the disk",
            "the time between two sends",
            measured=f"{ratio:.4f}",
            spread=f"{min(seconds) / _BETWEEN_SENDS:.4f}-{slow / _BETWEEN_SENDS:.4f} (p99)",
            reach="≤ 0.02",
            is_ok=ratio <= 0.02,
            costs=f"{median(seconds) * 1e3:.3g} / 500 ms",
        )
        asyncio.run(_peak(path / "warm.db", 100))
        few, many = (asyncio.run(_peak(path / f"{n}.db", n)) for n in (2_000, 20_000))
        yield Row(
            "memory of a run with a journal, and of its second start: 20,000 rows",
            "2,000 rows",
            measured=f"{many / few:.2f}",
            spread="",
            reach="≤ 1.1",
            is_ok=many <= few * 1.1,
            costs=f"{many / 1024:.0f} / {few / 1024:.0f} kB",
        )


if __name__ == "__main__":
    report(rows())
