"""Turns at the limiter and pauses between attempts: what closing the client ends at once.

Closing may happen in another event loop or thread than the waits that it ends, so each is
kept with the function that reaches its loop from anywhere.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import current_token

T = TypeVar("T")

CallSoon = Callable[[Callable[[], object]], object]


class ClientClosed(Exception):
    """The client was closed while a call waited."""

    def __str__(self) -> str:
        return "the client was closed while the call waited"


def call_soon() -> CallSoon:
    """Return what calls a function in the running event loop, soon and from any thread."""
    loop: Any = current_token().native_token
    call: CallSoon = getattr(loop, "run_sync_soon", None) or loop.call_soon_threadsafe
    return call


class Waits:
    """The waits of one client's calls."""

    def __init__(self) -> None:
        self.is_closed = False
        #: Each with what calls a function in its event loop, from any thread.
        self.scopes: dict[anyio.CancelScope, CallSoon] = {}

    async def wait(self, waiting: Awaitable[T]) -> T:
        """Wait for something; raises `ClientClosed` as soon as the client is closed."""
        with anyio.CancelScope() as scope:
            self.scopes[scope] = call_soon()
            try:
                return await waiting
            finally:
                del self.scopes[scope]
        raise ClientClosed

    def close(self) -> None:
        """End every wait; there are no more after it."""
        self.is_closed = True
        for scope, reach in list(self.scopes.items()):
            with suppress(RuntimeError):  # Its event loop was closed: nothing waits there.
                reach(scope.cancel)
