"""A server in a process of its own, so small that it costs the client nothing.

It answers every POST with the same 202 and every GET with the next of a few pages, all rows of
which have a contact where the query asks for `contacts`. With a
latency it also judges: each POST arrives at a random moment of its latency, and arrivals
beyond the limit, in a fixed or in a sliding window, are counted.
"""

import asyncio
import random
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection

import attrs

from benchmarks._samples import ACCEPTED, different_pages, entry, with_contact

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = (
    "HTTP/1.1 {status}\r\ndate: Mon, 14 Jul 2025 10:30:00 GMT\r\nserver: nginx\r\n"
    "content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
)
#: Seconds between a request and its answer, at least and at most.
Latency = tuple[float, float]
#: Those with a contact in some rows, and those with one in all.
Pages = tuple[Iterator[bytes], ...]


@attrs.frozen
class Server:
    """The way to a running server."""

    base_url: str
    _pipe: Connection

    def arrivals(self) -> Sequence[float]:
        """Return when POSTs have arrived, in seconds on the server's clock, in order."""
        self._pipe.send("arrivals")
        arrived: list[float] = self._pipe.recv()
        return arrived


@contextmanager
def running(latency: Latency | None = None) -> Generator[Server, None, None]:
    """Run a server on a free port of loopback for as long as the block lasts."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, latency), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Server(f"http://127.0.0.1:{ours.recv()}", ours)
    finally:
        ours.close()
        process.join(5)
        process.kill()


class _Answering(asyncio.Protocol):
    """One connection; requests come one after the other, as httpx sends them."""

    def __init__(self, pages: Pages, latency: Latency | None, arrivals: list[float]) -> None:
        self._pages, self._latency, self._arrivals = pages, latency, arrivals
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not separator or len(body) < (int(length[1]) if length else 0):
            return
        self._buffer = b""
        if head.startswith(b"GET"):
            self._transport.write(next(self._pages[b"contacts" in head]))
        elif self._latency is None:
            self._transport.write(_ACCEPTED)
        else:
            self._answer_late(random.uniform(*self._latency))  # noqa: S311 - no secret

    def _answer_late(self, latency: float) -> None:
        loop = asyncio.get_running_loop()
        arrival = random.uniform(0, latency)  # noqa: S311 - no secret
        loop.call_later(arrival, lambda: self._arrivals.append(loop.time()))
        loop.call_later(latency, self._transport.write, _ACCEPTED)


def _http(status: str, body: bytes) -> bytes:
    return _HEAD.format(status=status, length=len(body)).encode() + body


_ACCEPTED = _http("202 Accepted", ACCEPTED[0])


def _serve(pipe: Connection, latency: Latency | None) -> None:
    asyncio.run(_until_closed(pipe, latency))


async def _until_closed(pipe: Connection, latency: Latency | None) -> None:
    loop, closed, arrivals = asyncio.get_running_loop(), asyncio.Event(), list[float]()
    pages = tuple(
        cycle([_http("200 OK", page) for page in different_pages(12, row)])
        for row in (entry, with_contact)
    )
    server = await loop.create_server(
        lambda: _Answering(pages, latency, arrivals), "127.0.0.1", 0, backlog=512
    )

    def asked() -> None:
        try:
            pipe.recv()
            pipe.send(arrivals)
        except EOFError:
            closed.set()
            loop.remove_reader(pipe.fileno())

    loop.add_reader(pipe.fileno(), asked)
    pipe.send(server.sockets[0].getsockname()[1])
    await closed.wait()
