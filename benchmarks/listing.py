"""What a page of 200 messages costs as typed values, against httpx and dicts."""

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import count

import httpx

from benchmarks._clients import unthrottled
from benchmarks._measure import Row, cpu_pairs, report
from benchmarks._samples import KEY
from benchmarks._server import running
from ziett_async import AsyncZiett

_TIMES = 20


async def _ours(client: AsyncZiett, numbers: Iterator[int], search: str) -> None:
    for _ in range(_TIMES):
        page = await client.list_messages(page=next(numbers), size=200, q=search)
        assert len(page.entries) == 200  # noqa: S101 - what is measured is a whole page


async def _rivals(client: httpx.AsyncClient, url: str, numbers: Iterator[int], search: str) -> None:
    for _ in range(_TIMES):
        response = await client.get(
            url,
            params={"page": next(numbers), "size": 200, "q": search},
            headers={"X-API-KEY": KEY},
        )
        assert len(response.json()["entries"]) == 200  # noqa: S101 - see above


def rows() -> Iterator[Row]:
    """Measure; every request asks for another page, as those of a real walk do."""
    with running() as server, asyncio.Runner() as runner:
        url, mine, others = f"{server.base_url}/messages", count(1), count(1)
        client, rival = unthrottled(base_url=server.base_url), httpx.AsyncClient()
        for what, search in (("typed", "all"), ("a contact in every row", "contacts")):
            ours = partial(_ours, client, mine, search)
            rivals = partial(_rivals, rival, url, others, search)
            pairs = cpu_pairs(
                lambda ours=ours: runner.run(ours()),
                lambda rivals=rivals: runner.run(rivals()),
                rounds=15,
                operations=_TIMES,
            )
            yield pairs.row(
                f"CPU per `list_messages(size=200)`, {what}",
                "`httpx.AsyncClient().get()`, `.json()` into dicts",
                most=1.6,
            )
        runner.run(client.aclose())
        runner.run(rival.aclose())


if __name__ == "__main__":
    report(rows())
