"""What `send_message` costs over HTTP, one at a time and 50 at once, against plain httpx.

Beside the default transport there are the others, and aiohttp without an SDK: each against httpx
in rounds of its own, so that all of them have the same rival in the same run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import aiohttp
import httpx

from benchmarks._clients import send, unthrottled
from benchmarks._measure import Pairs, Row, alternate, cpu_pairs, report
from benchmarks._samples import BODY, KEY
from benchmarks._server import running
from ziett_async import AsyncZiett
from ziett_async.transports.aiohttp import AiohttpTransport

_RIVAL = "`httpx.AsyncClient().post(json=...)`, `.json()`"
_AT_ONCE = 50

#: Sends so many times, one after the other.
Sends = Callable[[int], Coroutine[Any, Any, None]]
#: Closes what sends.
Close = Callable[[], Awaitable[object]]


async def _ours(client: AsyncZiett, times: int) -> None:
    for _ in range(times):
        await send(client)


def _headers() -> dict[str, str]:
    return {"X-API-KEY": KEY, "Idempotency-Key": str(uuid4())}


async def _httpx(client: httpx.AsyncClient, url: str, times: int) -> None:
    for _ in range(times):
        response = await client.post(url, json=BODY, headers=_headers())
        response.json()


async def _aiohttp(session: aiohttp.ClientSession, url: str, times: int) -> None:
    for _ in range(times):
        async with session.post(url, json=BODY, headers=_headers()) as response:
            await response.json()


async def _at_once(*works: Coroutine[Any, Any, None]) -> None:
    await asyncio.gather(*works)


async def _bare_aiohttp(url: str) -> tuple[Sends, Close]:
    # With its own limit of 100 connections, as a program has it.
    session = aiohttp.ClientSession()
    return partial(_aiohttp, session, url), session.close


def _rows_of(
    runner: asyncio.Runner, name: str, ours: Sends, rivals: Sends, most: tuple[float, float] | None
) -> Iterator[Row]:
    """Measure one way to send; `most` is what it may cost with 1 and with 50 in flight."""
    one, many = most or (None, None)
    pairs = cpu_pairs(
        lambda: runner.run(ours(250)),
        lambda: runner.run(rivals(250)),
        rounds=15,
        operations=250,
    )
    yield pairs.row(f"CPU per {name}, 1 in flight", _RIVAL, most=one)
    mine, others = alternate(
        lambda: runner.run(_at_once(*[ours(8) for _ in range(_AT_ONCE)])),
        lambda: runner.run(_at_once(*[rivals(8) for _ in range(_AT_ONCE)])),
        rounds=9,
    )
    cpu = Pairs([each.cpu for each in mine], [each.cpu for each in others], 8 * _AT_ONCE)
    yield cpu.row(f"CPU per {name}, {_AT_ONCE} in flight", _RIVAL, most=many)
    if name == "`send_message`":
        wall = Pairs([each.wall for each in mine], [each.wall for each in others])
        yield wall.row(f"wall time of 400 sends, {_AT_ONCE} in flight", _RIVAL, most=1.0)


def rows() -> Iterator[Row]:
    """Measure."""
    with running() as server, asyncio.Runner() as runner:
        url = f"{server.base_url}/messages"
        client, rival = unthrottled(base_url=server.base_url), httpx.AsyncClient()
        faster = unthrottled(base_url=server.base_url, transport=AiohttpTransport())
        bare, close = runner.run(_bare_aiohttp(url))
        for name, ours, most in (
            ("`send_message`", partial(_ours, client), (0.85, 0.35)),
            ("`send_message` over aiohttp", partial(_ours, faster), (0.36, 0.12)),
            ("send with aiohttp and no SDK", bare, None),
        ):
            yield from _rows_of(runner, name, ours, partial(_httpx, rival, url), most)
        for each in (client.aclose, faster.aclose, rival.aclose, close):
            runner.run(_closed(each))


async def _closed(close: Close) -> None:
    await close()


if __name__ == "__main__":
    report(rows())
