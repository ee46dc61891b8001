"""One connection of HTTP/1.1, with httpx or its fork, carrying one request at a time.

httpx's connection pool takes time quadratic in the requests in flight, and in httpx 0.28 a
request that is cancelled just as it gets a connection keeps its slot for ever.
So nothing queues inside a pool of the library: each connection here is an
`AsyncHTTPTransport` of exactly one. A connection on which a request was cancelled or broke
is not used again, and neither is one that has delivered more than the answer. The library's
client, with its redirects, cookies, environment and logging of URLs, is not involved.
"""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import cache
from time import monotonic
from types import ModuleType
from typing import Any, ClassVar

import anyio

from ziett_async._wire import Response, SendFailed
from ziett_async.transports import _failures as failures
from ziett_async.transports._pool import PooledTransport, Sending


@cache
def shared_tls_context(library: ModuleType) -> ssl.SSLContext:
    """Return the one TLS context of all transports: reading the certificates takes 16 ms."""
    settings: Any = library.create_ssl_context(trust_env=False)
    # With SSLKEYLOGFILE set, Python would write the session's secrets to a file.
    settings.keylog_filename = None
    context: ssl.SSLContext = settings
    return context


class Body:
    """A request body that records when sending begins.

    Not a generator: a cancelled request would leave one half way, and not close it.
    """

    #: Called when sending begins, by when the connection exists.
    on_begin: Callable[[], None]

    def __init__(self, sending: Sending) -> None:
        self._sending = sending

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._sending.is_begun:
            raise StopAsyncIteration
        self._sending.is_begun = True
        self.on_begin()
        return self._sending.request.body


class Connection:
    """One connection, carrying one request at a time."""

    #: Whether another request may travel here.
    is_clean: bool
    free_since: float

    def __init__(
        self,
        library: ModuleType,
        to_httpx: Callable[[Sending], Any],
        context: ssl.SSLContext | None,
        keepalive: float,
    ) -> None:
        self._library = library
        self._to_httpx = to_httpx
        self._transport = library.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            limits=library.Limits(max_connections=1, keepalive_expiry=keepalive),
        )
        #: The stream before TLS: until the handshake ends only this object knows of it.
        self._tcp: Any = None
        #: The stream of the last answer, as httpcore shows it.
        self._stream: Any = None
        #: The connection that a request travels on, as httpcore has it.
        self._connection: Any = None

    async def exchange(self, sending: Sending, max_bytes: int) -> Response | SendFailed:
        """Send, and read the whole answer, or at most `max_bytes` of its body."""
        self.is_clean = False
        try:
            return await self._exchange(self._to_httpx(sending), max_bytes)
        except (UnicodeError, self._library.InvalidURL):
            # A header that is not ASCII, an address longer than the library takes, or a host
            # with a part of 64 letters, for which Python asks no resolver.
            return failures.unsendable(reached=sending.is_begun)

    async def _exchange(self, request: Any, max_bytes: int) -> Response | SendFailed:  # noqa: ANN401 - the library's
        request.stream.on_begin = self._remember_connection
        if request.url.scheme == "https":
            request.extensions["trace"] = self._trace_tcp
        try:
            answer = await self._transport.handle_async_request(request)
        except self._library.TransportError as error:
            return self._failure(error, request.url.netloc.decode())
        body = bytearray()
        try:
            async for chunk in answer.stream:
                body += chunk
                if len(body) > max_bytes:
                    # Leaving the loop would leave httpcore's generators half way. On a
                    # closed connection their next read fails, which ends them and the loop.
                    await answer.stream.aclose()
        except self._library.TransportError:
            if len(body) <= max_bytes:
                return failures.cut_in_body(answer.status_code)
        if len(body) > max_bytes:
            return failures.too_long(answer.status_code, max_bytes)
        await answer.stream.aclose()
        self._stream = answer.extensions.get("network_stream")
        self.is_clean = not self._has_excess_data()
        self.free_since = monotonic()
        return Response(answer.status_code, tuple(answer.headers.multi_items()), bytes(body))

    async def aclose(self) -> None:
        """Close the connection, even if the task is being cancelled."""
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()
            if self._tcp is not None:
                # httpcore forgets a connection whose TLS handshake is cancelled.
                await self._tcp.aclose()

    def drop(self, *, loop_is_gone: bool) -> None:
        """Close the socket of a free connection without an await, and send nothing on it.

        For event loops other than the running one. Where the loop is closed, or was
        inherited through `fork()`, no callback of it runs any more; asyncio's transport then
        gets the call that would close its socket directly. The attributes are those of the
        libraries; where one is missing, the socket is left to the garbage collector.
        """
        with suppress(AttributeError):
            stream = self._stream._stream  # noqa: SLF001 - below httpcore's, anyio's or trio's
            stream = getattr(stream, "transport_stream", stream)  # below TLS
            if (transport := getattr(stream, "_transport", None)) is None:
                socket.close(stream.socket.detach())
            elif loop_is_gone:
                transport._call_connection_lost(None)  # noqa: SLF001 - nothing public does it
            else:
                transport.abort()

    async def _trace_tcp(self, event: str, details: Any) -> None:  # noqa: ANN401 - the library's
        if event == "connection.connect_tcp.complete":
            self._tcp = details["return_value"]

    def _remember_connection(self) -> None:
        """Find the connection that the request now travels on."""
        with suppress(AttributeError, IndexError):  # see `_trailing_data`
            self._connection = self._transport._pool.connections[0]  # noqa: SLF001 - see there

    def _trailing_data(self) -> bytes | None:
        """Return what the connection received that is not, or not yet, part of an answer.

        Only private attributes of httpcore show it; None where they are missing.
        """
        try:
            unread: bytes = self._connection._connection._h11_state.trailing_data[0]  # noqa: SLF001 - see above
        except AttributeError:
            return None
        return unread

    def _has_excess_data(self) -> bool:
        """Return whether more than the answer came, which the next request would get as its own.

        httpcore looks at the socket before it uses a connection again. What has left the
        socket is already with TLS or unread; where that is not known, the connection is not
        used again.
        """
        tls = None if self._stream is None else self._stream.get_extra_info("ssl_object")
        return (tls is not None and _has_unread_record(tls)) or self._trailing_data() != b""

    def _failure(self, error: Exception, host: str) -> SendFailed:
        timed_out = isinstance(error, self._library.TimeoutException)
        if isinstance(error, (self._library.ConnectError, self._library.ConnectTimeout)):
            return failures.not_connected(error, host, timed_out=timed_out)
        return failures.without_answer(error, self._trailing_data() or b"", timed_out=timed_out)


def _has_unread_record(tls: Any) -> bool:  # noqa: ANN401 - the library's
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        pass
    return True


class HttpxLikeTransport(PooledTransport):
    """A `PooledTransport` on httpx or its fork."""

    _library: ClassVar[ModuleType]
    #: `Body`, as the library wants it to be typed.
    _body: ClassVar[type[Body]]

    def _parse_url(self, url: str) -> Any:  # noqa: ANN401 - the library's
        return self._library.URL(url)

    def _new_connection(self, *, tls: bool) -> Connection:
        context = (self._ssl_context or shared_tls_context(self._library)) if tls else None
        return Connection(self._library, self._to_httpx, context, self._keepalive)

    def _to_httpx(self, sending: Sending) -> Any:  # noqa: ANN401 - the library's
        request = sending.request
        url = self._url(request.url)
        length = str(len(request.body))
        headers = [("host", url.netloc.decode()), *request.headers, ("content-length", length)]
        return self._library.Request(
            request.method,
            url,
            headers=headers,
            stream=self._body(sending),
            extensions={"timeout": {"connect": self._connect_timeout}},
        )
