"""A server in a process of its own, so that no socket of it is open in the tests' process.

It answers each request with that request's body: an answer that is another caller's shows.
"""

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from uuid import uuid4

import anyio

from ziett_async import Request, Transport


@contextmanager
def echoing() -> Generator[str]:
    """Serve while the block runs; yields the URL."""
    server = subprocess.Popen([sys.executable, __file__], stdout=subprocess.PIPE, text=True)  # noqa: S603 - this file
    try:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/"
    finally:
        server.kill()
        server.communicate()


async def echoes(transport: Transport, url: str, *, at_once: int = 5, times: int = 3) -> None:
    """Send, several at once and several times, and check that each caller has its own answer."""

    async def send() -> None:
        for _ in range(times):
            body = uuid4().hex.encode()
            response = await transport.send(Request("POST", url, (), body, timeout=3.0))
            assert (response.status, response.body) == (200, body)

    async with anyio.create_task_group() as tasks:
        for _ in range(at_once):
            tasks.start_soon(send)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer), suppress(EOFError, OSError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            body = await reader.readexactly(length)
            await asyncio.sleep(0.002)  # so that the requests of several callers overlap
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (length, body))


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
