"""A client, its server and all that is between them, held to the invariants at the end."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

import anyio
import attrs
import pytest

from tests.support import checks as check
from tests.support.checks import Entry, Sending
from tests.support.fault_server import FaultServer, Mishap, client_tls, server_tls
from tests.support.samples import REMITTER
from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    Bucket,
    Clock,
    ManualClock,
    Message,
    OutcomeUnknown,
    Rate,
    RetryPolicy,
    SystemClock,
    TokenBucketLimiter,
    Transport,
)
from ziett_async.testing import Arrival, FakeTransport, FakeZiett, Fault, Idempotency, Quota
from ziett_async.transports._pool import Pool, PooledTransport
from ziett_async.transports.aiohttp import AiohttpTransport
from ziett_async.transports.httpx import HttpxTransport
from ziett_async.transports.httpx2 import Httpx2Transport

T = TypeVar("T")

Way = Literal["memory", "httpx", "httpx2", "aiohttp"]
WAYS: tuple[Way, ...] = ("memory", "httpx", "httpx2", "aiohttp")
SOCKETS: tuple[Way, ...] = ("httpx", "httpx2", "aiohttp")
KINDS: dict[Way, type[PooledTransport]] = {
    "httpx": HttpxTransport,
    "httpx2": Httpx2Transport,
    "aiohttp": AiohttpTransport,
}

API_KEY = "zk_test_hush5f3a9c"
#: What all numbers begin with, and a word that all contents hold.
PREFIX, WORD = "+24492355", "kizomba"

ATTEMPTS = 3
LIMITS = {"send": (120, 60.0), "list": (60, 60.0), "read": (300, 60.0)}


@attrs.frozen(kw_only=True)
class Setting:
    """How a run is set up."""

    tls: Literal["none", "trusted", "untrusted"] = "none"
    #: Seconds for one attempt, in a run on sockets.
    attempt_timeout: float = 5.0
    #: Seconds for a call, unless it says otherwise; None is what suits the run.
    timeout: float | None = None
    limits: Mapping[str, tuple[int, float]] = attrs.field(factory=lambda: dict(LIMITS))
    #: What the client knows of the time; None is the server's clock.
    clock: Callable[[Clock], Clock] = lambda clock: clock
    #: Seconds of backoff; None is what suits the run.
    retry: RetryPolicy | None = None
    base_url: str | None = None
    max_connections: int = 10
    keys: Mapping[str, tuple[str, ...]] | None = None
    idempotency: Idempotency = attrs.field(factory=Idempotency)
    #: Whether a caller may use one key for two payloads: then the ledger is not checked.
    is_unruly: bool = False
    #: Seconds there and back, in memory.
    latency: float = 0.05


class Run:
    """One run: a client over one way, with the server's records open."""

    def __init__(
        self,
        client: AsyncZiett,
        ports: tuple[Transport, TokenBucketLimiter, Clock],
        fake: FakeZiett,
        server: FaultServer | None,
        setting: Setting,
    ) -> None:
        self.client = client
        #: The client's own; the clock is what it knows of the time.
        self.transport, self.limiter, self.client_clock = ports
        self.fake = fake
        self._server = server
        self.setting = setting
        self.sendings: list[Sending] = []
        self.errors: list[BaseException] = []
        #: Seconds that each read took, and that it was given.
        self._reads: list[tuple[float, float]] = []
        #: What the last walk has yielded.
        self.yielded: list[UUID] = []
        self._numbers = count(1001)
        self._rows: list[UUID] = []
        self.timeout = setting.timeout or (5.0 if server else 600.0)

    @property
    def server(self) -> FaultServer:
        """The server, in a run on sockets."""
        assert self._server is not None
        return self._server

    @property
    def pools(self) -> list[Pool]:
        """The connections of this event loop; none in memory."""
        transport: Any = self.transport
        return [*getattr(transport, "_pools", {}).values()]

    def is_left(self) -> bool:
        """Return whether the server has no connection any more."""
        return self._server is None or not self._server.open

    @property
    def clock(self) -> Clock:
        """The server's clock."""
        return self.fake.clock

    @property
    def accepted(self) -> int:
        """How many messages the server has accepted."""
        return len([row for row in self.fake.messages if row.id not in self._rows])

    @property
    def entries(self) -> list[Entry]:
        """The server's ledger: every request that it read."""
        if self._server is None:
            return [_from_arrival(arrival) for arrival in self.fake.requests]
        return [
            Entry(heard.at, _bucket(heard.method, heard.target), heard.key, heard.digest)
            for heard in self._server.heard
        ]

    def script(self, *mishaps: Mishap) -> AbstractContextManager[None]:
        """Queue what a block of code must meet, in this order."""
        if self._server is not None:
            return self._server.script(*mishaps)
        faults = [mishap for mishap in mishaps if isinstance(mishap, Fault)]
        assert len(faults) == len(mishaps), "only a socket can do that"
        return self.fake.script(*faults)

    async def send(
        self, *, key: str | None = None, number: str | None = None, timeout: float | None = None
    ) -> AcceptedMessage:
        """Send one message to a number of its own, and note what came of it."""
        number = number or self.number()
        given = self.timeout if timeout is None else timeout
        sending = Sending(number, content_for(number), given, key=key)
        self.sendings.append(sending)
        since, begun = self.clock.monotonic(), self.client_clock.time()
        try:
            accepted = await self.client.send_message(
                number, content=sending.content, idempotency_key=key, timeout=given
            )
        except Exception as error:
            sending.error = error
            sending.key = getattr(error, "idempotency_key", None)
            if isinstance(error, OutcomeUnknown):
                check.check_safe_until(error, begun)
            self.errors.append(error)
            raise
        finally:
            sending.elapsed = self.clock.monotonic() - since
        sending.message_id, sending.key = accepted.message_id, accepted.idempotency_key
        return accepted

    def number(self) -> str:
        """Return a number that no other message of the run has."""
        return f"{PREFIX}{next(self._numbers)}"

    def stock(self, rows: int = 5) -> list[UUID]:
        """Put messages into the list, the newest first in what is returned."""
        for _ in range(rows):
            number = self.number()
            row = self.fake.add_message(target_e164=number, content=content_for(number))
            self._rows.insert(0, row.id)
        return self._rows

    async def get(self, message_id: UUID | None = None) -> Message:
        """Read the newest message of the stock."""
        message_id = message_id or self._rows[0]
        return await self._read(self.client.get_message(message_id, timeout=self.timeout))

    async def walk(self) -> list[UUID]:
        """Walk the whole list, two at a time."""
        self.yielded = []
        pages = aiter(self.client.iter_messages(size=2, q=PREFIX[1:], timeout=self.timeout).pages())
        while (page := await self._read(anext(pages, None))) is not None:
            self.yielded += [message.id for message in page.entries]
        return self.yielded

    def forget_script(self) -> None:
        """Remove faults that have not happened."""
        self.fake.faults.clear()
        if self._server is not None:
            self._server.forget_script()

    async def drop_connections(self) -> None:
        """Close every connection that is free, so that the next call opens one."""
        for pool in self.pools:
            await pool.aclose()

    async def _read(self, call: Awaitable[T]) -> T:
        """Make one call that reads, and note what came of it."""
        since = self.clock.monotonic()
        try:
            return await call
        except Exception as error:
            self.errors.append(error)
            raise
        finally:
            self._reads.append((self.clock.monotonic() - since, self.timeout))

    async def settle(self, log: str) -> None:
        """Check every invariant while the client is open."""
        rows = [row for row in self.fake.messages if row.id not in self._rows]
        if not self.setting.is_unruly:
            check.check_messages(rows, self.sendings)
            check.check_ledger(self.entries, self.sendings, ATTEMPTS)
            check.check_worlds(rows, self.sendings)
        check.check_windows(self.entries, self.setting.limits)
        calls = [(sending.elapsed, sending.timeout) for sending in self.sendings]
        check.check_in_time(calls + self._reads, slack=0.3 if self._server else 1e-6)
        numbers = [sending.number[1:] for sending in self.sendings]
        secrets = [API_KEY, WORD, PREFIX[1:], *numbers]
        check.check_discreet([log, repr(self.client), *self._printed()], secrets)
        for error in self.errors:
            check.check_error(error)
            assert not check.keys_in_frames(error, API_KEY)
        self._check_limiter()
        await self._check_connections()

    def _printed(self) -> list[str]:
        return [text for error in self.errors for text in check.texts_of(error)]

    def _check_limiter(self) -> None:
        limiter: Any = self.limiter
        for bucket in Bucket:
            queue = limiter._queues[bucket]
            queue.tokens.take_back()
            assert queue.tokens.in_flight == 0, f"{bucket}: a token is still in flight"
            assert not queue.loops, f"{bucket}: a call still waits"

    async def _check_connections(self) -> None:
        if (server := self._server) is not None:
            free = sum(len(each) for pool in self.pools for each in pool.free.values())
            slots = [pool.slots.value for pool in self.pools]
            assert all(value == self.setting.max_connections for value in slots), "a slot is lost"
            await eventually(lambda: server.open <= free, "a connection that no pool knows")


#: Opens a run: `run_over("httpx", Setting(tls="trusted"))`.
Open = Callable[..., AbstractAsyncContextManager[Run]]


def content_for(number: str) -> str:
    """Return a text that no other number gets."""
    return f"Your {WORD} code is {number[-4:]}482910."


async def eventually(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait, but not for long, until something holds that other tasks bring about."""
    with anyio.move_on_after(1.0):
        while not holds():  # noqa: ASYNC110 - no event is set for a closed socket
            await anyio.sleep(0.001)
    assert holds(), otherwise


def _bucket(method: str, target: str) -> str:
    if method == "POST":
        return "send"
    return "list" if target.partition("?")[0].endswith("/messages") else "read"


def _from_arrival(arrival: Arrival) -> Entry:
    return Entry(arrival.at, arrival.bucket or "none", arrival.idempotency_key, arrival.body_digest)


def open_files() -> set[str]:
    """Return what this process has open, by number and name."""
    found: set[str] = set()
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(f"{link.name} {link.readlink()}")
    return {name for name in found if "/proc/" not in name}


@asynccontextmanager
async def open_run(
    way: Way, caplog: pytest.LogCaptureFixture, setting: Setting
) -> AsyncGenerator[Run]:
    """Make a run, lend it, check every invariant, and that nothing is left of it."""
    caplog.set_level(logging.DEBUG)
    files, tasks = open_files(), len(anyio.get_running_tasks())
    with anyio.fail_after(20):
        async with AsyncExitStack() as stack:
            run = await _start_run(way, setting, stack)
            yield run
            await run.settle(caplog.text)
            await run.client.aclose()
            await eventually(run.is_left, "a connection outlived the client")
    await eventually(lambda: open_files() <= files, "a file is still open")
    assert len(anyio.get_running_tasks()) == tasks, "a task is still running"


async def _start_run(way: Way, setting: Setting, stack: AsyncExitStack) -> Run:
    clock: Clock = ManualClock() if way == "memory" else SystemClock()
    fake = FakeZiett(
        clock=clock,
        keys=setting.keys,
        limits={bucket: Quota(limit, per=per) for bucket, (limit, per) in setting.limits.items()},
        idempotency=setting.idempotency,
    )
    server, transport = None, transport_for(way, fake, setting)
    if way != "memory":
        tls = None if setting.tls == "none" else server_tls()
        server = await stack.enter_async_context(FaultServer(fake, tls).serving())
    seen = setting.clock(clock)
    rates: dict[str, Any] = {
        bucket: Rate(limit, per=per) for bucket, (limit, per) in setting.limits.items()
    }
    limiter = TokenBucketLimiter(clock=seen, **rates)
    client = AsyncZiett(
        API_KEY,
        base_url=setting.base_url or (f"{server.url}/c/v1" if server else None),
        transport=transport,
        limiter=limiter,
        retry=setting.retry or (RetryPolicy(base=0.004, cap=0.01) if server else RetryPolicy()),
        attempt_timeout=setting.attempt_timeout if server else 15.0,
        default_remitter_id=REMITTER,
        clock=seen,
    )
    await stack.enter_async_context(client)
    return Run(client, (transport, limiter, seen), fake, server, setting)


def transport_for(way: Way, fake: FakeZiett, setting: Setting) -> Transport:
    """Return the way from a client to the server."""
    if way == "memory":
        return FakeTransport(fake, latency=setting.latency)
    context = None if setting.tls == "none" else client_tls(trusts=setting.tls == "trusted")
    return KINDS[way](ssl_context=context, max_connections=setting.max_connections)


def over(
    mishaps: Iterable[Mishap], ways: Sequence[Way] = WAYS, in_memory: Iterable[Fault] = ()
) -> pytest.MarkDecorator:
    """Parametrise a test with `way` and `mishap`: each mishap over each way that can have it.

    Those `in_memory` need no socket: nothing about them depends on how they travel.
    """
    cases = [
        (way, mishap)
        for mishap in mishaps
        for way in ways
        if way != "memory" or isinstance(mishap, Fault)
    ]
    cases += [("memory", fault) for fault in in_memory]
    return pytest.mark.parametrize(
        ("way", "mishap"), [pytest.param(*case, id=f"{case[0]}: {case[1].label}") for case in cases]
    )
