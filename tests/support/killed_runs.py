"""Runs in processes of their own that are killed: at the n-th event, or at any moment.

Nothing of the package knows of it: the events are the calls of its two ports, the journal and
the transport, each just before it and just after it. The processes are forked from a server
that has imported what they need, so that one takes some ten milliseconds to start.
"""

import base64
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Self
from uuid import uuid4

import anyio
import attrs

from tests.support.samples import API_KEY, REMITTER
from ziett_async import (
    AsyncZiett,
    NewMessage,
    Rate,
    Request,
    Response,
    SendOutcome,
    SqliteJournal,
    TokenBucketLimiter,
)
from ziett_async.bulk.journal import Header, Record
from ziett_async.transports import HttpxTransport

CONTENT = "Olá"


class Doom:
    """Kills this process at its n-th event; 0 is never."""

    def __init__(self, at: int) -> None:
        self._left = at

    def event(self) -> None:
        """Count down."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class DoomedTransport(HttpxTransport):
    """Two events for each attempt."""

    def __init__(self, doom: Doom) -> None:
        super().__init__()
        self._doom = doom

    async def send(self, request: Request) -> Response:
        """Send, between two events."""
        self._doom.event()
        response = await super().send(request)
        self._doom.event()
        return response


class DoomedJournal(SqliteJournal):
    """Two events for each call that reads or writes."""

    def __init__(self, path: Path, doom: Doom) -> None:
        super().__init__(path)
        self._doom = doom

    async def open(self, header: Header) -> Header:
        """Open it, between two events."""
        self._doom.event()
        found = await super().open(header)
        self._doom.event()
        return found

    async def read(self, row: int, count: int) -> Sequence[Record]:
        """Read, between two events."""
        self._doom.event()
        records = await super().read(row, count)
        self._doom.event()
        return records

    async def write(self, records: Sequence[Record]) -> None:
        """Write, between two events."""
        self._doom.event()
        await super().write(records)
        self._doom.event()

    async def aclose(self) -> None:
        """Close it, between two events."""
        self._doom.event()
        await super().aclose()
        self._doom.event()


@attrs.frozen
class Task:
    """One run of some numbers, in a file of its own."""

    base_url: str
    path: Path
    numbers: Sequence[str]
    concurrency: int = 4
    as_stream: bool = False


Design = Callable[[Task, Doom], None]


def _client(task: Task, doom: Doom) -> AsyncZiett:
    return AsyncZiett(
        API_KEY,
        base_url=task.base_url,
        transport=DoomedTransport(doom),
        limiter=TokenBucketLimiter(send=Rate(10_000, per=1.0)),
        default_remitter_id=REMITTER,
    )


def ours(task: Task, doom: Doom) -> None:
    """Do it with `send_many` and its journal."""

    async def stream() -> AsyncIterator[NewMessage]:
        for number in task.numbers:
            yield NewMessage(number, CONTENT)

    async def run() -> None:
        messages = [NewMessage(number, CONTENT) for number in task.numbers]
        many = stream() if task.as_stream else messages
        outcomes = list[SendOutcome]()
        async with _client(task, doom) as client:
            journal = DoomedJournal(task.path, doom)
            async for each in client.send_many(many, journal=journal, concurrency=task.concurrency):
                outcomes.append(each)
        assert {each.message.target_e164 for each in outcomes} == set(task.numbers)
        assert all(each.accepted for each in outcomes)

    anyio.run(run)


def fresh_keys(task: Task, doom: Doom) -> None:
    """Do it as a naive design does: a new key in each process, done is marked afterwards."""
    _naive(task, doom, marks_first=False)


def marked_first(task: Task, doom: Doom) -> None:
    """Do it as another naive design does: done is marked before it is sent."""
    _naive(task, doom, marks_first=True)


def _naive(task: Task, doom: Doom, *, marks_first: bool) -> None:
    async def run() -> None:
        async with _client(task, doom) as client, anyio.create_task_group() as tasks:
            slots = anyio.Semaphore(task.concurrency)
            for number in set(task.numbers) - _marked(task):
                await slots.acquire()
                tasks.start_soon(send, client, slots, number)

    async def send(client: AsyncZiett, slots: anyio.Semaphore, number: str) -> None:
        if marks_first:
            mark(number)
        await client.send_message(number, content=CONTENT, idempotency_key=uuid4())
        if not marks_first:
            mark(number)
        slots.release()

    def mark(number: str) -> None:
        doom.event()
        with task.path.open("a") as file:
            file.write(json.dumps(number) + "\n")
            file.flush()
            os.fsync(file.fileno())
        doom.event()

    anyio.run(run)


def _marked(task: Task) -> set[str]:
    if not task.path.exists():
        return set()
    return set(map(json.loads, task.path.read_text().splitlines()))


DESIGNS: dict[str, Design] = {"ours": ours, "fresh": fresh_keys, "marked": marked_first}


@attrs.frozen
class Life:
    """What a process does: it finishes what was begun before, and is killed over something else.

    That is at the n-th event of the second task, or so many seconds after its start.
    """

    design: str
    finish: Task | None
    begin: Task | None
    at: int = 0
    after: float = 0.0

    def live(self) -> None:
        """Do it."""
        design = DESIGNS[self.design]
        if self.finish is not None:
            design(self.finish, Doom(0))
        if self.begin is not None:
            if self.after:
                threading.Timer(self.after, os.kill, (os.getpid(), signal.SIGKILL)).start()
            design(self.begin, Doom(self.at))


class Processes:
    """Forks a process for each life from one that has lived the first one itself.

    So it has imported everything, and starting a process takes some ten milliseconds.
    """

    def __init__(self, first: Task) -> None:
        self._first = Life("ours", first, None)

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, "-m", __name__],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.live(self._first)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate(timeout=10)

    def live(self, life: Life) -> int:
        """Return the exit code of a process, below 0 for a signal."""
        orders, answers = self._server.stdin, self._server.stdout
        assert orders is not None
        assert answers is not None
        orders.write(base64.b64encode(pickle.dumps(life)) + b"\n")
        orders.flush()
        return int(answers.readline())


def _serve() -> None:
    """Live the life of the first line, and in processes of their own those of the others."""
    for number, line in enumerate(sys.stdin.buffer):
        life: Life = pickle.loads(base64.b64decode(line))  # noqa: S301 - it is ours
        code = 0
        if number:
            code = _fork(life)
        else:
            life.live()
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _fork(life: Life) -> int:
    """Return the exit code of a process that lives it."""
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    code = 1
    try:
        life.live()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()
