"""Requests over HTTP/1.1 with aiohttp, on asyncio: an extra of that name."""

import asyncio
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from itertools import chain
from time import monotonic
from typing import Any
from weakref import WeakValueDictionary

import anyio

from ziett_async._extras import needs_extra
from ziett_async._wire import Headers, Response, SendFailed
from ziett_async.transports import _failures as failures
from ziett_async.transports._pool import Owner, PooledTransport, Sending

with needs_extra("AiohttpTransport", "aiohttp"):
    import aiohttp
    import certifi
    from yarl import URL

    from ziett_async.transports._aiohttp import Connector, new_connector

__all__ = ["AiohttpTransport"]

#: What aiohttp would add to a request that does not have it.
_ADDED = frozenset({"user-agent", "accept", "accept-encoding", "content-type"})
#: Seconds that are over before anything can be done in them.
_NO_TIME = 1e-9


@cache
def shared_tls_context() -> ssl.SSLContext:
    """Return the one TLS context of all transports, which trusts certifi's authorities."""
    # aiohttp's own asks the environment for more of them.
    context = ssl.create_default_context(cafile=certifi.where())
    # With SSLKEYLOGFILE set, Python would write the session's secrets to a file.
    settings: Any = context
    settings.keylog_filename = None
    return context


class _Connection:
    """One connection, carrying one request at a time: a session of aiohttp's of its own."""

    def __init__(
        self,
        connector: Connector,
        parse_url: Callable[[str], URL],
        connect_timeout: float,
        keepalive: float,
    ) -> None:
        self._connector = connector
        self._parse_url = parse_url
        self._keepalive = keepalive
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            # aiohttp takes 0 for any time.
            timeout=aiohttp.ClientTimeout(sock_connect=connect_timeout or _NO_TIME),
        )
        #: Whether another request may travel here.
        self.is_clean = False
        self.free_since = 0.0
        _connections[id(self)] = self

    async def exchange(self, sending: Sending, max_bytes: int) -> Response | SendFailed:
        """Send, and read the whole answer, or at most `max_bytes` of its body."""
        request, self.is_clean = sending.request, False
        if not _can_be_sent(request.headers):
            return failures.unsendable(reached=False)
        self._connector.retire(is_old=self.free_since < monotonic() - self._keepalive)
        self._connector.sending = sending
        try:
            answer = await self._session.request(
                request.method,
                self._parse_url(request.url),
                headers=request.headers,
                data=request.body or None,
                skip_auto_headers=_ADDED.difference([name for name, _ in request.headers]) or None,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return self._failure(error, sending)
        try:
            body = await _read(answer, max_bytes)
        except Exception:  # noqa: BLE001 - whatever it is, the answer is not complete
            return failures.cut_in_body(answer.status)
        finally:
            answer.close()
        if len(body) > max_bytes:
            return failures.too_long(answer.status, max_bytes)
        protocol = self._connector.protocol
        self.is_clean = protocol.is_clean()
        protocol.head = b""
        self.free_since = monotonic()
        return Response(answer.status, _headers(answer), body)

    async def aclose(self) -> None:
        """Close the connection, even if the task is being cancelled."""
        with anyio.CancelScope(shield=True):
            self._connector.abort()
            await self._session.close()

    def set_reading(self, *, reads: bool) -> None:
        """Have an event loop that rests read the connection, or not, while it is free."""
        if self.is_clean and not self._loop.is_running():
            with suppress(AttributeError, RuntimeError):  # it is closed, or not asyncio's own
                tcp = self._connector.tcp()
                (tcp.resume_reading if reads else tcp.pause_reading)()

    def drop(self, *, loop_is_gone: bool) -> None:
        """Close the socket of a free connection without an await, and send nothing on it.

        See the connection of httpx, in `_connections`; the attributes are aiohttp's and asyncio's.
        """
        with suppress(AttributeError, RuntimeError):
            self._session.detach()
            self._connector.forget_connections()
            if loop_is_gone:
                self._connector.tcp()._call_connection_lost(None)  # noqa: SLF001 - nothing public does it
            else:
                self._connector.abort()

    def _failure(self, error: BaseException, sending: Sending) -> SendFailed:
        if sending.is_begun:
            return failures.without_answer(error, self._connector.protocol.head)
        if not isinstance(error, OSError | aiohttp.ClientConnectionError):
            # An address that is none, or a host with a part of 64 letters.
            return failures.unsendable(reached=False)
        host = sending.request.url.split("/")[2]
        timed_out = isinstance(error, TimeoutError)
        return failures.not_connected(error.__cause__ or error, host, timed_out=timed_out)


#: Every connection, by its id.
_connections = WeakValueDictionary[int, _Connection]()


def _set_reading(*, reads: bool) -> None:
    for connection in filter(None, [ref() for ref in _connections.valuerefs()]):
        connection.set_reading(reads=reads)


# What an event loop waits for in the kernel is the parent's and the child's alike: a child that
# goes on with it would have the parent's connections there, which only the parent can take out.
getattr(os, "register_at_fork", dict)(  # Windows has no fork
    before=partial(_set_reading, reads=False), after_in_parent=partial(_set_reading, reads=True)
)


def _can_be_sent(headers: Headers) -> bool:
    text = "".join(chain.from_iterable(headers))
    return text.isascii() and text.isprintable()


async def _read(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Return the whole body; of one that is too long, more than `max_bytes` of it."""
    body, content = bytearray(), answer.content
    while len(body) <= max_bytes and not content.at_eof():
        body += await content.readany()
    return bytes(body)


def _headers(answer: aiohttp.ClientResponse) -> Headers:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers
    )


class AiohttpTransport(PooledTransport):
    """A `PooledTransport` that speaks HTTP with aiohttp, on asyncio; on trio nothing is sent.

    It keeps the promises of `HttpxTransport`, and costs a fraction of its CPU time. Its
    `connect_timeout` is for TCP and TLS together, for each address of the host.

    Every connection is a session of aiohttp's of its own: aiohttp's pool does not look whether a
    free connection has received more than the answer, and its client repeats a GET by itself.
    """

    def _owner(self) -> Owner:
        try:
            return os.getpid(), asyncio.get_running_loop()
        except RuntimeError:
            message = "aiohttp needs asyncio, and this event loop is trio's: use HttpxTransport"
            raise SendFailed(message, reached=False) from None

    def _parse_url(self, url: str) -> URL:
        return URL(url, encoded=True)

    def _new_connection(self, *, tls: bool) -> _Connection:
        context = (self._ssl_context or shared_tls_context()) if tls else True
        connector = new_connector(context)
        return _Connection(connector, self._url, self._connect_timeout, self._keepalive)
