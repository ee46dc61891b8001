"""Requests over HTTP/1.1 with httpx, on lanes of one connection each.

httpx's connection pool costs time quadratic in what is in flight, and in httpx 0.28 a
request that is cancelled in the moment it is given a connection keeps its place for ever.
So nothing queues inside a pool here. A lane is an `httpx.AsyncHTTPTransport` of exactly one
connection and carries one request at a time; free lanes are handed out last in, first out;
a lane on which a request was cancelled or broke is thrown away. httpx's client, with its
redirects, cookies, environment and logging of URLs, is not involved.
"""

import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from functools import cache, lru_cache
from time import monotonic
from typing import cast

import anyio
import httpx

from ziett_async._wire import Request, Response, SendFailed

#: Seconds after which a free lane is closed; servers and proxies drop idle ones about then.
_KEEPALIVE = 30.0


class _TooLong(httpx.TransportError):
    """The answer is longer than it may be."""


# Parsing a URL costs more than sending it does; most calls of a client go to the same few.
_parsed = lru_cache(maxsize=64)(httpx.URL)


@cache
def _shared_tls_context() -> ssl.SSLContext:
    """Return the one TLS context of all transports: reading the certificates takes 16 ms."""
    return httpx.create_ssl_context(trust_env=False)


@cache
def _no_tls_context() -> ssl.SSLContext:
    """Return a context that trusts nobody, for lanes that never speak TLS."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _Body(httpx.AsyncByteStream):
    """A request's body, which knows whether anybody began to send it."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.is_begun = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_begun = True
        yield self._content


class _Lane:
    """One connection, carrying one request at a time."""

    def __init__(self, context: ssl.SSLContext) -> None:
        limits = httpx.Limits(
            max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEPALIVE
        )
        self._transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)
        self.free_since = 0.0

    async def exchange(self, request: httpx.Request, most: int) -> Response:
        """Send, and read the whole answer; raises `_TooLong` after `most` bytes of it."""
        answer = await self._transport.handle_async_request(request)
        stream, body = cast("httpx.AsyncByteStream", answer.stream), bytearray()
        try:
            async for chunk in stream:
                body += chunk
                if len(body) > most:
                    # Leaving the loop would leave httpcore's generators half way. On a
                    # closed connection their next read fails, which ends them and the loop.
                    await stream.aclose()
        except httpx.ReadError:
            if len(body) > most:
                raise _TooLong(request.method) from None
            raise
        await stream.aclose()
        return Response(answer.status_code, tuple(answer.headers.multi_items()), bytes(body))

    async def aclose(self) -> None:
        """Close the connection, even if the task is being cancelled."""
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()


class HttpxTransport:
    """The default transport: HTTP/1.1 with keep-alive, for one event loop.

    It follows no redirect, reads no environment, keeps no cookie, asks for no content
    encoding and undoes none, and reads at most `max_response_bytes` of an answer.
    """

    def __init__(
        self,
        *,
        max_connections: int = 100,
        connect_timeout: float = 5.0,
        max_response_bytes: int = 8 * 1024 * 1024,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Make a transport; nothing is opened before the first request.

        At most `max_connections` are open at once, and further requests wait for one.
        `connect_timeout` is in seconds, for TCP and for TLS each. `ssl_context` replaces the
        shared one, which trusts certifi's certificates: `ssl.create_default_context()`
        trusts the machine's.
        """
        self._turns = anyio.Semaphore(max_connections, fast_acquire=True)
        self._extensions = {"timeout": {"connect": connect_timeout}}
        self._most = max_response_bytes
        self._ssl_context = ssl_context
        #: Free lanes by scheme, the longest free first.
        self._free: defaultdict[str, deque[_Lane]] = defaultdict(deque)
        self._is_closed = False

    async def send(self, request: Request) -> Response:
        """Send one request and return its answer; see `Transport.send`."""
        failure, body = None, _Body(request.body)
        with anyio.move_on_after(request.timeout):
            try:
                async with self._turns:
                    return await self._on_a_lane(self._to_httpx(request, body))
            except httpx.TransportError as error:
                failure = _failure(error)
        # Raised out here it has no context: httpx's errors would bring along the frames, and
        # with them the headers, of the request.
        raise failure or SendFailed("no answer in time", reached=body.is_begun, timed_out=True)

    async def aclose(self) -> None:
        """Close all connections; those in use are closed when their request has ended."""
        self._is_closed = True
        for lanes in self._free.values():
            while lanes:
                await lanes.pop().aclose()

    async def _on_a_lane(self, request: httpx.Request) -> Response:
        free = self._free[request.url.scheme]
        lane = free.pop() if free else self._new_lane(request.url.scheme)
        try:
            response = await lane.exchange(request, self._most)
        except BaseException:
            await lane.aclose()
            raise
        lane.free_since = monotonic()
        free.append(lane)
        while free and (self._is_closed or free[0].free_since < lane.free_since - _KEEPALIVE):
            await free.popleft().aclose()
        return response

    def _new_lane(self, scheme: str) -> _Lane:
        if scheme == "http":
            return _Lane(_no_tls_context())
        return _Lane(self._ssl_context or _shared_tls_context())

    def _to_httpx(self, request: Request, body: _Body) -> httpx.Request:
        url = _parsed(request.url)
        length = str(len(request.body))
        headers = [("host", url.netloc.decode()), *request.headers, ("content-length", length)]
        return httpx.Request(
            request.method, url, headers=headers, stream=body, extensions=self._extensions
        )


def _failure(error: httpx.TransportError) -> SendFailed:
    is_connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    # What is said after connecting may quote the answer; what the system says before cannot.
    reason = f"{_REASONS.get(type(error), type(error).__name__)}"
    if is_connecting and str(error):
        reason = f"{reason}: {error}"
    is_timeout = isinstance(error, httpx.TimeoutException)
    return SendFailed(reason, reached=not is_connecting, timed_out=is_timeout)


_REASONS: dict[type[httpx.TransportError], str] = {
    httpx.ConnectError: "no connection",
    httpx.ConnectTimeout: "no connection in time",
    httpx.ReadError: "the connection broke before the answer was complete",
    httpx.RemoteProtocolError: "the answer is not HTTP, or was cut short",
    httpx.WriteError: "the connection broke while the request was sent",
    _TooLong: "the answer is longer than the transport takes",
}
