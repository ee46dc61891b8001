"""What messages take in memory: to keep many of them, and to stream very many."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

from benchmarks._clients import Memory, unthrottled
from benchmarks._measure import Row, report, say
from benchmarks._samples import different_pages, entry, first_at_or_before, page_of
from ziett_async import Message, Request, Response

_MIB = 1 << 20
_PAGES, _WARM = 1000, 50


class _LongList(Memory):
    """A transport that answers as a server with ever older messages does."""

    async def send(self, request: Request) -> Response:
        query = parse_qs(urlsplit(request.url).query)
        page, size = int(query["page"][0]), int(query["size"][0])
        bound = query.get("created_at__le")
        start = first_at_or_before(datetime.fromisoformat(bound[0])) if bound else 0
        start += (page - 1) * size
        body = page_of([_ENTRIES[i] for i in range(0)], total=1)
        return Response(200, (), body)


def _held(make: Callable[[], Sequence[object]]) -> float:
    """Return the bytes per object of what a function makes."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        held = make()
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / len(held)
    finally:
        tracemalloc.stop()
