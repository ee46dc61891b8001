"""Waits for the limiter and between attempts, all of which closing the client ends at once.

The client may be closed from another event loop or thread than those of its waits, so each wait
is kept with the function that schedules calls in its own event loop.
"""

from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar
from weakref import WeakSet

import anyio

from ziett_async._loops import CallSoon, call_soon_here

T = TypeVar("T")


class ClientClosed(Exception):
    """The client was closed while a call waited."""

    def __str__(self) -> str:
        return "the client was closed while the call waited"


class Waits:
    """The waits of one client's calls."""

    def __init__(self) -> None:
        self.is_closed = False
        #: Each with the function that schedules calls in its event loop, from any thread.
        self.scopes: dict[anyio.CancelScope, CallSoon] = {}
        self._parts = WeakSet[Waits]()

    def part(self) -> "Waits":
        """Return waits that are closed with these, or before them and alone."""
        part = Waits()
        part.is_closed = self.is_closed
        self._parts.add(part)
        return part

    def check_open(self) -> None:
        """Raise `ClientClosed` if the client is closed."""
        if self.is_closed:
            raise ClientClosed

    async def wait(self, waiting: Awaitable[T]) -> T:
        """Wait for something.

        Raises:
            ClientClosed: as soon as the client is closed.

        """
        with anyio.CancelScope() as scope:
            self.scopes[scope] = call_soon_here()
            if self.is_closed:  # Another thread may have closed it since it was looked at.
                scope.cancel()
            try:
                return await waiting
            finally:
                del self.scopes[scope]
        raise ClientClosed

    def close(self) -> None:
        """End every wait, and allow no more."""
        self.is_closed = True
        for scope, reach in list(self.scopes.items()):
            with suppress(RuntimeError):  # Its event loop was closed: nothing waits there.
                reach(scope.cancel)
        for part in tuple(self._parts):
            part.close()
