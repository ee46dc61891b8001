"""Requests over a pool of connections for each event loop, whatever library speaks HTTP.

A connection belongs to the event loop that opened it and to the process that did. So there
is a pool for each pair of those: another loop, in another thread or after the first one has
ended, opens connections of its own, and so does a child after `fork()`, which would otherwise
write into the same TCP streams as its parent and read its answers. Within a pool, free
connections are used last in, first out.
"""

import ssl
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from contextlib import suppress
from functools import lru_cache, partial
from os import getpid
from sys import float_info
from time import monotonic
from typing import Any, Protocol

import anyio
from anyio.lowlevel import current_token

from ziett_async._wire import Request, Response, SendFailed

#: Seconds after which a free connection is not used again; servers close idle ones by then.
_KEEPALIVE = 30.0
#: Parsed URLs that a transport caches: parsing one costs more than sending it.
_MAX_URLS = 64

#: A process by its id, and the event loop: asyncio's own, or trio's token.
Owner = tuple[int, Any]


class Sending:
    """A request, and whether sending it has begun, from when on it may reach the server."""

    __slots__ = ("is_begun", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.is_begun = False


class Connection(Protocol):
    """One connection, carrying one request at a time."""

    #: Whether another request may travel here.
    is_clean: bool
    #: When the last answer was complete, on Python's monotonic clock.
    free_since: float

    async def exchange(self, sending: Sending, max_bytes: int) -> Response | SendFailed:
        """Send, and read the whole answer, or at most `max_bytes` of its body."""
        ...

    async def aclose(self) -> None:
        """Close the connection, even if the task is being cancelled."""
        ...

    def drop(self, *, loop_is_gone: bool) -> None:
        """Close the socket of a free connection without an await, and send nothing on it."""
        ...


class Pool:
    """The connections of one event loop in one process."""

    def __init__(self, owner: Owner, max_connections: int) -> None:
        self._pid, self._loop = owner
        #: The event loop's own clock: to ask anyio for it costs more than to read it.
        self.time = getattr(self._loop, "time", anyio.current_time)
        #: A slot for each connection that may be in use.
        self.slots = anyio.Semaphore(max_connections, fast_acquire=True)
        #: Free connections by origin, the longest free first.
        self.free: defaultdict[str, deque[Connection]] = defaultdict(deque)

    def is_gone(self) -> bool:
        """Return whether its event loop is closed, or is one of the process before `fork()`."""
        return not self._call_soon(int)

    async def aclose(self) -> None:
        """Close the free connections, in their event loop if it can still run.

        Those of a loop that runs in another thread are closed there soon after.
        """
        if self._loop is current_token().native_token:
            for connection in self._take():
                await connection.aclose()
        elif not self._call_soon(partial(self._drop, loop_is_gone=False)):
            self._drop(loop_is_gone=True)

    def _take(self) -> list[Connection]:
        """Return the free connections, which then are no longer in the pool."""
        taken = [connection for free in self.free.values() for connection in free]
        self.free.clear()
        return taken

    def _drop(self, *, loop_is_gone: bool) -> None:
        for connection in self._take():
            connection.drop(loop_is_gone=loop_is_gone)

    def _call_soon(self, function: Any) -> bool:  # noqa: ANN401 - asyncio and trio type it differently
        """Have its event loop call a function; return False if it no longer can."""
        if self._pid == getpid():
            call = getattr(self._loop, "run_sync_soon", None) or self._loop.call_soon_threadsafe
            with suppress(RuntimeError):  # trio's RunFinishedError is one
                call(function)
                return True
        return False


def _check_integer(name: str, value: int) -> None:
    if type(value) is not int or value < 1:
        message = f"{name}: must be an integer of at least 1, got {value!r}"
        raise ValueError(message)


def _check_seconds(name: str, value: float) -> None:
    if type(value) not in {int, float} or not 0 <= value <= float_info.max:
        message = f"{name}: must be a number of seconds of at least 0, got {value!r}"
        raise ValueError(message)


def _check_context(context: object) -> None:
    if context is not None and not isinstance(context, ssl.SSLContext):
        message = f"ssl_context: must be an ssl.SSLContext, got {type(context).__name__}"
        raise ValueError(message)


class PooledTransport(ABC):
    """HTTP/1.1 with keep-alive.

    It follows no redirect, reads no environment, keeps no cookie, asks for no content
    encoding and undoes none, and reads at most `max_response_bytes` of an answer.

    It can be used from several event loops, one after another or at the same time in several
    threads, and before and after `fork()`: each loop of each process has its own connections.
    """

    def __init__(
        self,
        *,
        max_connections: int = 500,
        connect_timeout: float = 5.0,
        keepalive: float = _KEEPALIVE,
        max_response_bytes: int = 8 * 1024 * 1024,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Make a transport; nothing is opened before the first request.

        Args:
            max_connections: the most in use at once in an event loop. The default is more than
                the default limiter allows to be in flight (490), so no request waits for one.
                With a lower number a request may wait for one; that counts against its
                `timeout`, and a request that times out there has not reached the server.
            connect_timeout: seconds for TCP, and the same again for TLS.
            keepalive: idle seconds after which a connection is not used again; it is closed
                with the next request.
            max_response_bytes: the most bytes of a response's body; a longer one fails.
            ssl_context: replaces the shared one, which trusts the authorities that the library
                does (certifi's list, with httpx); `ssl.create_default_context()` trusts those
                of this machine.

        Raises:
            ValueError: an argument is out of range; the message names it.

        """
        _check_integer("max_connections", max_connections)
        _check_integer("max_response_bytes", max_response_bytes)
        _check_seconds("connect_timeout", connect_timeout)
        _check_seconds("keepalive", keepalive)
        _check_context(ssl_context)
        self._max_connections = max_connections
        self._connect_timeout = connect_timeout
        self._keepalive = keepalive
        self._max_bytes = max_response_bytes
        self._ssl_context = ssl_context
        self._url = lru_cache(maxsize=_MAX_URLS)(self._parse_url)
        self._pools: dict[Owner, Pool] = {}
        self._is_closed = False

    async def send(self, request: Request) -> Response:
        """Send one request and return its answer; see `Transport.send`."""
        if self._is_closed:
            message = "the transport is closed"
            raise SendFailed(message, reached=False)
        answer, sending = None, Sending(request)
        pool = self._pools.get(self._owner()) or await self._open_pool()
        end = None if request.timeout is None else pool.time() + request.timeout
        with anyio.move_on_at(end):
            await pool.slots.acquire()
            try:
                answer = await self._exchange(pool, sending)
            finally:
                pool.slots.release()
        if isinstance(answer, Response):
            return answer
        # Raised out here it has no context: the library's errors would keep the
        # frames, and with them the headers, of the request.
        late = "no answer in time" if sending.is_begun else "not sent in time"
        raise answer or SendFailed(late, reached=sending.is_begun, timed_out=True)

    async def aclose(self) -> None:
        """Close all connections; those in use are closed when their request has ended.

        Those of an event loop that runs in another thread are closed there soon after.
        """
        self._is_closed = True
        await self._close_pools(list(self._pools))

    def _owner(self) -> Owner:
        """Return this process and the running event loop."""
        return getpid(), current_token().native_token

    async def _open_pool(self) -> Pool:
        """Open the pool of the running event loop, and close those whose event loop is gone."""
        owner = self._owner()
        pool = self._pools[owner] = Pool(owner, self._max_connections)
        await self._close_pools([owner for owner, pool in [*self._pools.items()] if pool.is_gone()])
        return pool

    async def _close_pools(self, owners: list[Owner]) -> None:
        for owner in owners:
            # Another thread may be closing the same ones.
            if (pool := self._pools.pop(owner, None)) is not None:
                await pool.aclose()

    async def _exchange(self, pool: Pool, sending: Sending) -> Response | SendFailed:
        url = sending.request.url
        free = pool.free["/".join(url.split("/", 3)[:3])]
        connection = free.pop() if free else self._new_connection(tls=url.startswith("https:"))
        try:
            return await connection.exchange(sending, self._max_bytes)
        finally:
            if connection.is_clean and not self._is_closed:
                free.append(connection)
            else:
                await connection.aclose()
            while free and free[0].free_since < monotonic() - self._keepalive:
                await free.popleft().aclose()

    @abstractmethod
    def _parse_url(self, url: str) -> Any:  # noqa: ANN401 - the library's
        """Return a URL as the library wants it, quoted as it is."""
        ...

    @abstractmethod
    def _new_connection(self, *, tls: bool) -> Connection:
        """Return a connection that opens with its first request."""
        ...
