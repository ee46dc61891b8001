"""Requests over HTTP/1.1 on lanes of one connection each, with httpx or its fork.

httpx's connection pool costs time quadratic in what is in flight, and in httpx 0.28 a
request that is cancelled in the moment it is given a connection keeps its place for ever.
So nothing queues inside a pool here. A lane is an `AsyncHTTPTransport` of exactly one
connection and carries one request at a time; free lanes are handed out last in, first out;
a lane on which a request was cancelled or broke is thrown away, and so is one that was told
more than it asked for. The library's client, with its redirects, cookies, environment and
logging of URLs, is not involved.
"""

import re
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import cache, lru_cache
from time import monotonic
from types import ModuleType
from typing import Any, ClassVar

import anyio

from ziett_async._wire import Request, Response, SendFailed

#: Seconds after which a free lane is not used again; servers drop idle ones about then.
_KEEPALIVE = 30.0
#: Parsed URLs a transport remembers: to parse one costs more than to send it.
_MOST_URLS = 64


@cache
def shared_tls_context(library: ModuleType) -> ssl.SSLContext:
    """Return the one TLS context of all transports: reading the certificates takes 16 ms."""
    settings: Any = library.create_ssl_context(trust_env=False)
    # Where SSLKEYLOGFILE says so, Python writes down what decrypts the key.
    settings.keylog_filename = None
    context: ssl.SSLContext = settings
    return context


class Body:
    """A request's body, once, which knows whether anybody began to send it, and tells.

    No generator: one that a cancelled request leaves half way has nothing to be closed.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.is_begun = False
        #: Called when somebody begins: in that moment its connection is there.
        self.on_begin: Callable[[], None] = lambda: None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.is_begun:
            raise StopAsyncIteration
        self.is_begun = True
        self.on_begin()
        return self._content


class _Lane:
    """One connection, carrying one request at a time."""

    def __init__(
        self, library: ModuleType, context: ssl.SSLContext | None, keepalive: float
    ) -> None:
        self._library = library
        self._transport = library.AsyncHTTPTransport(
            verify=context,
            trust_env=False,
            limits=library.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=keepalive
            ),
        )
        #: The connection before TLS: until that is agreed on, only this lane knows of it.
        self._tcp: Any = None
        #: The connection that a request travels on, as httpcore has it.
        self._connection: Any = None
        #: Whether another request may travel here.
        self.is_clean = False
        self.free_since = 0.0

    async def exchange(self, request: Any, most: int) -> Response | SendFailed:  # noqa: ANN401
        """Send, and read the whole answer, or at most so many bytes of its body."""
        self.is_clean = False
        request.stream.on_begin = self._look
        if request.url.scheme == "https":
            request.extensions["trace"] = self._notice
        try:
            answer = await self._transport.handle_async_request(request)
        except self._library.TransportError as error:
            return self._failure(error, request.url.netloc.decode())
        body = bytearray()
        try:
            async for chunk in answer.stream:
                body += chunk
                if len(body) > most:
                    # Leaving the loop would leave httpcore's generators half way. On a
                    # closed connection their next read fails, which ends them and the loop.
                    await answer.stream.aclose()
        except self._library.TransportError:
            if len(body) <= most:
                return SendFailed(_CUT, reached=True, status=answer.status_code)
        if len(body) > most:
            message = f"the answer is longer than {most} bytes"
            return SendFailed(message, reached=True, status=answer.status_code)
        await answer.stream.aclose()
        self.is_clean = not self._was_told_more(answer)
        self.free_since = monotonic()
        return Response(answer.status_code, tuple(answer.headers.multi_items()), bytes(body))

    async def aclose(self) -> None:
        """Close the connection, even if the task is being cancelled."""
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()
            if self._tcp is not None:
                # httpcore forgets a connection whose TLS handshake is cancelled.
                await self._tcp.aclose()

    async def _notice(self, event: str, details: Any) -> None:  # noqa: ANN401
        if event == "connection.connect_tcp.complete":
            self._tcp = details["return_value"]

    def _look(self) -> None:
        """Find the connection that the request now travels on."""
        with suppress(AttributeError, IndexError):  # see `_unread`
            self._connection = self._transport._pool.connections[0]  # noqa: SLF001

    def _unread(self) -> bytes | None:
        """Return what came on the connection and is no part of an answer, or not yet.

        httpcore shows it in no other way than by its own attributes; where those lead
        nowhere it is not known, which is None.
        """
        try:
            unread: bytes = self._connection._connection._h11_state.trailing_data[0]  # noqa: SLF001
        except AttributeError:
            return None
        return unread

    def _was_told_more(self, answer: Any) -> bool:  # noqa: ANN401
        """Tell whether more than the answer came: the next request would be given that.

        httpcore looks at the socket before it uses a connection again. What has left the
        socket already lies with TLS or is unread; where that is not known, the lane is not
        used again.
        """
        stream = answer.extensions.get("network_stream")
        tls = None if stream is None else stream.get_extra_info("ssl_object")
        return (tls is not None and _holds_more(tls)) or self._unread() != b""

    def _failure(self, error: Exception, host: str) -> SendFailed:
        """Return what there is to say when no answer came, or only a part of its head."""
        if begun := _STATUS.match(self._unread() or b""):
            return SendFailed(_CUT_HEAD, reached=True, status=int(begun[1]))
        name = type(error).__name__
        is_connecting = name in _BEFORE_SENDING
        # What is said after connecting may quote the answer; what the system says before
        # that cannot.
        details = f" to {host}: {_told(error)}" if is_connecting else ""
        return SendFailed(
            f"{_REASONS.get(name, name)}{details}",
            reached=not is_connecting,
            timed_out=isinstance(error, self._library.TimeoutException),
        )


def _holds_more(tls: Any) -> bool:  # noqa: ANN401
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        pass
    return True


class LaneTransport:
    """HTTP/1.1 with keep-alive, for one event loop; `library` is httpx or its fork.

    It follows no redirect, reads no environment, keeps no cookie, asks for no content
    encoding and undoes none, and reads at most `max_response_bytes` of an answer.
    """

    _library: ClassVar[ModuleType]
    #: `Body`, as the library wants it to be typed.
    _body: ClassVar[type[Body]]

    def __init__(
        self,
        *,
        max_connections: int = 100,
        connect_timeout: float = 5.0,
        keepalive: float = _KEEPALIVE,
        max_response_bytes: int = 8 * 1024 * 1024,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Make a transport; nothing is opened before the first request.

        At most `max_connections` are in use at once, and further requests wait for one.
        `connect_timeout` is in seconds, for TCP and for TLS each; `keepalive` is after how many
        idle seconds a connection is not used again, and closed with the next request.
        `ssl_context` replaces the shared one,
        which trusts whom the library trusts (certifi's list, with httpx):
        `ssl.create_default_context()` trusts whom this machine does.
        """
        self._turns = anyio.Semaphore(max_connections, fast_acquire=True)
        self._extensions = {"timeout": {"connect": connect_timeout}}
        self._keepalive = keepalive
        self._most = max_response_bytes
        self._ssl_context = ssl_context
        self._url = lru_cache(maxsize=_MOST_URLS)(self._library.URL)
        #: Free lanes by scheme, the longest free first.
        self._free: defaultdict[str, deque[_Lane]] = defaultdict(deque)
        self._is_closed = False

    async def send(self, request: Request) -> Response:
        """Send one request and return its answer; see `Transport.send`."""
        if self._is_closed:
            message = "the transport is closed"
            raise SendFailed(message, reached=False)
        answer, body = None, self._body(request.body)
        with anyio.move_on_after(request.timeout):
            try:
                async with self._turns:
                    answer = await self._on_a_lane(self._translated(request, body))
            except (UnicodeError, self._library.InvalidURL):
                # A header that is not ASCII, an address longer than the library takes, or a host
                # with a part of 64 letters, for which Python asks no resolver.
                answer = SendFailed("the address or a header cannot be sent", body.is_begun)
        if isinstance(answer, Response):
            return answer
        # Raised out here it has no context: the library's errors would bring along the
        # frames, and with them the headers, of the request.
        late = "no answer in time" if body.is_begun else "not sent in time"
        raise answer or SendFailed(late, reached=body.is_begun, timed_out=True)

    async def aclose(self) -> None:
        """Close all connections; those in use are closed when their request has ended."""
        self._is_closed = True
        for lanes in list(self._free.values()):
            while lanes:
                await lanes.pop().aclose()

    async def _on_a_lane(self, request: Any) -> Response | SendFailed:  # noqa: ANN401
        free = self._free[request.url.scheme]
        lane = free.pop() if free else self._new_lane(request.url.scheme)
        try:
            return await lane.exchange(request, self._most)
        finally:
            if lane.is_clean and not self._is_closed:
                free.append(lane)
            else:
                await lane.aclose()
            while free and free[0].free_since < monotonic() - self._keepalive:
                await free.popleft().aclose()

    def _new_lane(self, scheme: str) -> _Lane:
        if scheme == "http":
            return _Lane(self._library, None, self._keepalive)
        context = self._ssl_context or shared_tls_context(self._library)
        return _Lane(self._library, context, self._keepalive)

    def _translated(self, request: Request, body: Body) -> Any:  # noqa: ANN401
        url = self._url(request.url)
        length = str(len(request.body))
        headers = [("host", url.netloc.decode()), *request.headers, ("content-length", length)]
        return self._library.Request(
            request.method, url, headers=headers, stream=body, extensions=self._extensions
        )


def _told(error: BaseException | None) -> str:
    """Return the first words in a chain of errors: trio's own says nothing, its cause does."""
    if error is None:
        return "no reason given"
    return str(error) or _told(error.__cause__ or error.__context__)


#: The first line of an answer, as far as it says what the answer is.
_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5][0-9]{2})[ \r\n]")
_CUT = "the connection broke before the answer was complete"
_CUT_HEAD = "the answer was cut in its headers, or there is no end to them"
_BEFORE_SENDING = {"ConnectError", "ConnectTimeout"}
_REASONS = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "ReadError": "the connection broke before an answer came",
    "RemoteProtocolError": "the connection was closed before an answer came, or it is not HTTP",
    "WriteError": "the connection broke while the request was sent",
}
