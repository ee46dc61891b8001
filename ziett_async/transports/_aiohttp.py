"""aiohttp's pool, made to hold one connection and to show what becomes of it."""

import asyncio
import select
import ssl
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from ziett_async.transports._pool import Sending

#: How much of an answer is kept, to know its status when its headers are cut.
_STATUS_LINE = len(b"HTTP/1.1 200 ")
#: Seconds after which aiohttp would close a free connection, and wait for the server to agree.
_NEVER = 1e9


class _Protocol(ResponseHandler):
    """aiohttp's connection, which keeps the first bytes of an answer."""

    head = b""

    def data_received(self, data: bytes) -> None:
        self.head = (self.head + data[:_STATUS_LINE])[:_STATUS_LINE]
        super().data_received(data)

    def is_clean(self) -> bool:
        """Return whether it is open and nothing came behind an answer, not even a part of one.

        What came together with the answer is in the parser, which returns it at an end.
        """
        parser: Any = self._parser
        is_clean = False
        with suppress(Exception):  # an error there is a part as well
            is_clean = self.is_connected() and not self.should_close and parser.feed_eof() is None
        return is_clean


class Connector(aiohttp.TCPConnector):
    """aiohttp's pool, of one connection, which notes when a request gets it."""

    #: The request that waits for its connection.
    sending: "Sending | None" = None
    #: The connection of the last request, and asyncio's transport below it.
    protocol: Any = None
    transport: Any = None

    def keep_heads(self) -> None:
        """Have connections keep how their answers begin."""
        self._factory: Any = partial(_Protocol, loop=asyncio.get_running_loop())

    async def connect(
        self, req: aiohttp.ClientRequest, traces: "list[Trace]", timeout: aiohttp.ClientTimeout
    ) -> "Connection":
        """Give a request its connection, on which it then is."""
        if self.sending is None:
            # One whose connection broke: aiohttp sends a GET again by itself.
            raise aiohttp.ServerDisconnectedError
        connection = await super().connect(req, traces, timeout)
        self.protocol, self.transport = connection.protocol, connection.transport
        self.sending.is_begun = True
        # A free connection would keep the key, and the text.
        self.sending = None
        return connection

    def retire(self, *, is_old: bool) -> None:
        """Close a free connection that the next request cannot use.

        One that has received more than the answer is such a one, even if it is only a part of
        another: the next request would get that as its own. aiohttp looks for whole answers, and
        when a request has ended, but not when one begins.
        """
        if self.transport is None or self.transport.is_closing():
            return
        sock = self.transport.get_extra_info("socket")
        has_received = self.protocol.head or self.protocol.should_close or _is_readable(sock)
        if is_old or has_received:
            self.abort()

    def abort(self) -> None:
        """Close the connection at once, without a word of TLS, if there is one."""
        with suppress(AttributeError):  # Python 3.11.2 has it for one of TLS that is closed
            self.transport.abort()

    def forget_connections(self) -> None:
        """Leave none to be missed, or closed politely."""
        self._conns.clear()

    def tcp(self) -> Any:  # noqa: ANN401 - asyncio's, or another event loop's
        """Return the transport that carries TLS, or the only one where there is none."""
        return getattr(getattr(self.transport, "_ssl_protocol", None), "_transport", self.transport)


def new_connector(context: ssl.SSLContext | bool) -> Connector:  # noqa: FBT001 - as aiohttp has it
    """Return a pool of one connection; True as `context` is aiohttp's own, or for plain text."""
    connector = Connector(
        keepalive_timeout=_NEVER,
        # It would be another one where aiodns is installed.
        resolver=aiohttp.ThreadedResolver(),
        use_dns_cache=False,
        ssl=context,
    )
    connector.keep_heads()
    return connector


def _is_readable(sock: Any) -> bool:  # noqa: ANN401 - asyncio's, or another event loop's
    """Return whether bytes, or the end, have come that the event loop has not read yet."""
    try:
        poll = select.poll()
    except AttributeError:  # Windows has none, and no limit to what its `select` can look at.
        return bool(select.select([sock], [], [], 0)[0])
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
