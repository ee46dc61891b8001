"""A run of so many rows in a process of its own, which prints how much memory it took.

`python -m tests.support.long_list JOURNAL ROWS`: kilobytes at the hundredth part of the rows and at
the end, and how many were accepted.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import anyio

from tests.support.samples import API_KEY, REMITTER
from ziett_async import AsyncZiett, NewMessage, Rate, Request, Response, TokenBucketLimiter


class Accepting:
    """A transport that accepts every message and keeps none."""

    def __init__(self) -> None:
        self._count = 0

    async def send(self, request: Request) -> Response:
        """Answer with another id each time."""
        assert request.method == "POST"
        self._count += 1
        body = f'{{"message_id": "{UUID(int=self._count)}"}}'
        return Response(202, (("content-type", "application/json"),), body.encode())

    async def aclose(self) -> None:
        """Do nothing."""


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in kilobytes."""
    [line] = [
        line
        for line in Path("/proc/self/status").read_text("ascii").splitlines()
        if line.startswith("VmHWM:")
    ]
    return int(line.split()[1])


def rows(count: int) -> Iterator[NewMessage]:
    """Yield the messages one by one, as from a file."""
    return (
        NewMessage(f"+24492{index:07}", f"Olá, a sua factura é a {index}.")
        for index in range(count)
    )


async def run(journal: str, count: int) -> None:
    """Send them and print what it took."""
    accepted = 0
    # Its tokens come and go as in any bucket, but each is back in a microsecond.
    limiter = TokenBucketLimiter(send=Rate(1000, per=1e-6))
    async with AsyncZiett(
        API_KEY, transport=Accepting(), limiter=limiter, default_remitter_id=REMITTER
    ) as client:
        async for outcome in client.send_many(rows(count), journal=journal):
            accepted += outcome.accepted is not None
            if accepted == count // 100:
                print(peak_memory())  # noqa: T201 - the test reads it
    print(peak_memory(), accepted)  # noqa: T201


if __name__ == "__main__":
    anyio.run(run, sys.argv[1], int(sys.argv[2]))
