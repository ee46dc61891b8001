"""TCP, down to the reset: plain sockets that wait with anyio, on asyncio and trio.

anyio's streams cannot reset a connection: on asyncio they always close it with a FIN.
"""

import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import closing
from ipaddress import ip_address
from typing import Any

import anyio

#: The address it listens on unless another is given; other machines cannot reach it.
HOST = "127.0.0.1"

#: Seconds for the client to read the last response and close.
CLOSING = 2.0

_CHUNK = 1 << 16
#: Seconds until the next attempt when no file descriptor is left to accept with.
_RETRY = 0.05
_LINGER_ZERO = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)

_names: Any = anyio
Wait = Callable[[socket.socket], Awaitable[None]]
# anyio before 4.7 has them under other names.
_readable: Wait = getattr(_names, "wait_readable", None) or _names.wait_socket_readable
_writable: Wait = getattr(_names, "wait_writable", None) or _names.wait_socket_writable


def listen(port: int, host: str = HOST) -> socket.socket:
    """Return a socket that listens on an IP address; port 0 is a free one.

    Raises:
        OSError: the port is in use.

    """
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=1024)
    listener.settimeout(0.0)
    return listener


def is_free(port: int, host: str = HOST) -> bool:
    """Return whether a port of an address is free now."""
    try:
        listen(port, host).close()
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
            continue  # The client has closed it again.
        except OSError:
            await anyio.sleep(_RETRY)


class Peer:
    """The client's end of one connection. Every method that waits raises OSError."""

    def __init__(self, end: socket.socket) -> None:
        end.settimeout(0.0)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._end = end

    async def receive(self) -> bytes:
        """Return the next bytes, empty after the client's last; always lets other tasks run."""
        while True:
            await _readable(self._end)
            try:
                return self._end.recv(_CHUNK)
            except BlockingIOError:
                continue  # Another reader was quicker.

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._end.send(rest) :]
            except BlockingIOError:
                await _writable(self._end)

    async def gone(self) -> None:
        """Wait until the client has closed; discard what it sends before."""
        while await self.receive():
            pass

    async def finish(self, within: float = CLOSING) -> None:
        """Close once the client has, or after some seconds: closing over unread bytes resets."""
        with closing(self), anyio.move_on_after(within):
            self._end.shutdown(socket.SHUT_WR)
            await self.gone()

    def reset(self) -> None:
        """Reset the connection: the client gets a RST instead of a FIN."""
        self._end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._end.close()

    def close(self) -> None:
        """Close now; a second call does nothing."""
        self._end.close()
