"""Caller: where the calls of one blocking client are made, and when they may be."""

import asyncio
import warnings
from contextlib import suppress

from anyio.lowlevel import current_token

from ziett_async._client import AsyncZiett
from ziett_async.blocking._portal import Portal, process
from ziett_async.errors import ConfigurationError

_CLOSED = "the client is closed; make calls inside its `with`, or before close()"
_IN_A_LOOP = (
    "an event loop runs in this thread, and a blocking call would stop it: use"
    " ziett_async.AsyncZiett here, and await its calls"
)


class Caller:
    """Makes the calls of one client; it lives as long as the client, or a loop of it."""

    def __init__(self, client: AsyncZiett) -> None:
        self.client = client
        self._is_closed = False
        process.clients.add(client)

    def portal(self) -> Portal:
        """Return where to make a call.

        Raises:
            ConfigurationError: this thread runs an event loop, the client is closed, or the
                process is ending.

        """
        require_no_event_loop()
        if self._is_closed:
            raise ConfigurationError(_CLOSED)
        return process.portal()

    def close(self) -> None:
        """Close the client; again, where that was interrupted."""
        require_no_event_loop()
        self._is_closed = True
        process.close(self.client)

    def __repr__(self) -> str:
        return repr(self.client).replace(AsyncZiett.__name__, "Ziett")

    def __del__(self) -> None:
        if not (self._is_closed or process.is_ending):
            process.close_soon(self.client)
            message = f"unclosed client {self!r}; use `with`, or close()"
            warnings.warn(message, ResourceWarning, source=self, stacklevel=2)


def require_no_event_loop() -> None:
    """Raise `ConfigurationError` where an event loop runs in this thread."""
    # anyio, which finds trio's, finds none of asyncio's in a callback.
    for running in (asyncio.get_running_loop, current_token):
        with suppress(RuntimeError):
            running()
            raise ConfigurationError(_IN_A_LOOP)
