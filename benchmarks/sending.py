"""What `send_message` costs over HTTP, one at a time and 50 at once, against plain httpx."""

import asyncio
from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from benchmarks._clients import send, unthrottled
from benchmarks._measure import Pairs, Row, alternate, cpu_pairs, report
from benchmarks._samples import BODY, KEY
from benchmarks._server import running
from ziett_async import AsyncZiett

_RIVAL = "`httpx.AsyncClient().post(json=...)`, `.json()`"
_AT_ONCE = 50


async def _ours(client: AsyncZiett, times: int) -> None:
    for _ in range(times):
        await send(client)


async def _rivals(client: httpx.AsyncClient, url: str, times: int) -> None:
    for _ in range(times):
        headers = {"X-API-KEY": KEY, "Idempotency-Key": str(uuid4())}
        response = await client.post(url, json=BODY, headers=headers)
        response.json()


async def _at_once(*works: Coroutine[Any, Any, None]) -> None:
    await asyncio.gather(*works)


def rows() -> Iterator[Row]:
    """Measure."""
    with running() as server, asyncio.Runner() as runner:
        url = f"{server.base_url}/messages"
        client, rival = unthrottled(base_url=server.base_url), httpx.AsyncClient()
        ours, rivals = partial(_ours, client), partial(_rivals, rival, url)
        pairs = cpu_pairs(
            lambda: runner.run(ours(250)),
            lambda: runner.run(rivals(250)),
            rounds=15,
            operations=250,
        )
        yield pairs.row("CPU per `send_message`, 1 in flight", _RIVAL, most=0.85)

        mine, others = alternate(
            lambda: runner.run(_at_once(*[ours(8) for _ in range(_AT_ONCE)])),
            lambda: runner.run(_at_once(*[rivals(8) for _ in range(_AT_ONCE)])),
            rounds=9,
        )
        cpu = Pairs([each.cpu for each in mine], [each.cpu for each in others], 8 * _AT_ONCE)
        wall = Pairs([each.wall for each in mine], [each.wall for each in others])
        yield cpu.row(f"CPU per `send_message`, {_AT_ONCE} in flight", _RIVAL, most=0.35)
        yield wall.row(f"wall time of 400 sends, {_AT_ONCE} in flight", _RIVAL, most=1.0)
        runner.run(client.aclose())
        runner.run(rival.aclose())


if __name__ == "__main__":
    report(rows())
