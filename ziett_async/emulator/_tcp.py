"""TCP on loopback, down to the reset: sockets that wait with anyio, on asyncio and trio.

Plain sockets and not anyio's streams, because on asyncio a stream says goodbye with a FIN
whatever it is told, and a connection that breaks does not say goodbye.
"""

import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import anyio

#: Where it listens: nobody else's machine gets here.
HOST = "127.0.0.1"

#: Seconds that a client is given to read the last answer and close, too.
CLOSING = 2.0

_CHUNK = 1 << 16
#: Seconds until the next try when the machine has no socket left to accept with.
_BREATH = 0.05
_AT_ONCE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)

_names: Any = anyio
Wait = Callable[[socket.socket], Awaitable[None]]
# anyio before 4.7 calls them otherwise.
_readable: Wait = getattr(_names, "wait_readable", None) or _names.wait_socket_readable
_writable: Wait = getattr(_names, "wait_writable", None) or _names.wait_socket_writable


def listen(port: int) -> socket.socket:
    """Return a socket that listens on loopback; port 0 is a free one. Raises OSError."""
    listener = socket.create_server((HOST, port), backlog=1024)
    listener.settimeout(0.0)
    return listener


def is_free(port: int) -> bool:
    """Return whether a port can be listened on now."""
    try:
        listen(port).close()
    except OSError:
        return False
    return True


async def accept(listener: socket.socket) -> "Peer":
    """Wait for the next client."""
    while True:
        await _readable(listener)
        try:
            return Peer(listener.accept()[0])
        except (BlockingIOError, ConnectionAbortedError):
            continue  # It has left again.
        except OSError:
            await anyio.sleep(_BREATH)


class Peer:
    """The other end of one connection. All that is awaited here raises OSError."""

    def __init__(self, end: socket.socket) -> None:
        end.settimeout(0.0)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._end = end

    async def receive(self) -> bytes:
        """Return the next bytes; none when the client has finished. Others get a turn."""
        while True:
            await _readable(self._end)
            try:
                return self._end.recv(_CHUNK)
            except BlockingIOError:
                continue  # Somebody else has read them.

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._end.send(rest) :]
            except BlockingIOError:
                await _writable(self._end)

    async def gone(self) -> None:
        """Wait until the client has closed; what it says before is not listened to."""
        while await self.receive():
            pass

    async def finish(self, within: float = CLOSING) -> None:
        """Close once the client has, or after some seconds: over unread bytes it is a reset."""
        with closing(self), anyio.move_on_after(within):
            self._end.shutdown(socket.SHUT_WR)
            await self.gone()

    def reset(self) -> None:
        """Break the connection: the client gets a RST and no goodbye."""
        self._end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._end.close()

    def close(self) -> None:
        """Close it now; a second time does nothing."""
        self._end.close()
