"""What messages take in memory: to keep many of them, and to stream very many."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from benchmarks._clients import Memory, unthrottled
from benchmarks._measure import Row, report, say
from benchmarks._samples import different_pages, first_at_or_before, neighbours, page_of
from ziett_async import Message, Request, Response

_MIB = 1 << 20
_HELD = 100
_STREAMED, _WARM = 1000, 50


class _LongList(Memory):
    """A transport that answers as a server with very many messages does."""

    async def send(self, request: Request) -> Response:
        """Answer with the rows of the window that is asked for."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        bound, page, size = query.get("created_at__le"), int(query["page"]), int(query["size"])
        first = first_at_or_before(datetime.fromisoformat(bound)) if bound else 0
        rows = neighbours(first + (page - 1) * size, size)
        return Response(200, (), page_of(rows, total=10**6 - first, page=page, size=size))


def _bytes_each(make: Callable[[], Sequence[object]]) -> float:
    """Return how many bytes each object of what a function makes keeps allocated."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held = make()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / len(held)


async def _messages(pages: Sequence[bytes]) -> list[Message]:
    async with unthrottled(transport=Memory(pages)) as client:
        return [
            message
            for number in range(len(pages))
            for message in (await client.list_messages(page=number + 1, size=200)).entries
        ]


def _dicts(pages: Sequence[bytes]) -> list[object]:
    return [each for page in pages for each in json.loads(page)["entries"]]


async def _growth() -> float:
    """Return by how many bytes the peak grows between the first pages of a walk and the last."""
    peaks, tracer = list[int](), tracemalloc
    async with unthrottled(transport=_LongList()) as client:
        pages = aiter(client.iter_messages().pages())
        tracer.start()
        for count in (_WARM, _STREAMED - _WARM):
            tracer.reset_peak()
            for number in range(count):
                page = await anext(pages)
                if number % 50 == 0:
                    say(f"page {number} of {count}, {len(page.entries)} messages")
            peaks.append(tracer.get_traced_memory()[1])
        tracer.stop()
    return float(peaks[1] - peaks[0])


def rows() -> Iterator[Row]:
    """Measure; bytes are counted by `tracemalloc`, so one round is as good as many."""
    pages = different_pages(_HELD)
    ours = _bytes_each(lambda: asyncio.run(_messages(pages)))
    rivals = _bytes_each(lambda: _dicts(pages))
    yield Row(
        "bytes per `Message` held, of 20,000",
        "the entries as dicts from `json.loads`",
        measured=f"{ours / rivals:.2f}",
        spread="exact",
        reach="≤ 0.68",
        is_ok=ours / rivals <= 0.68,
        costs=f"{ours:.0f} / {rivals:.0f} bytes",
    )
    growth = asyncio.run(_growth()) / _MIB
    yield Row(
        "growth of the peak over 1,000 pages of 200",
        f"its first {_WARM} pages",
        measured=f"{growth:.2f} MiB",
        spread="exact",
        reach="< 2 MiB",
        is_ok=growth < 2,
    )


if __name__ == "__main__":
    report(rows())
