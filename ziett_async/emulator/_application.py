"""Application: what an HTTP connection calls, synchronously; and the response without an end."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs

from ziett_async._fake.faults import Exchange
from ziett_async._fake.responses import Refusal
from ziett_async._wire import Headers, Request, Response

#: Sends some bytes of a stream at once.
Send = Callable[[bytes], Awaitable[None]]


@attrs.frozen(repr=False)
class StreamingResponse:
    """A response whose body `feed` sends until it returns or the client disconnects.

    When the client disconnects, `feed` is cancelled. The connection is closed afterwards.
    """

    status: int
    headers: Headers
    feed: Callable[[Send], Awaitable[None]]


class Application(Protocol):
    """What an HTTP connection calls: the emulator. A request's `url` is the target as sent."""

    def admit(self, request: Request) -> float:
        """Return the latency of a request: seconds for the round trip.

        Raises:
            Refusal: its sender may not use the emulator.

        """
        ...

    def answer(self, request: Request, latency: float) -> Exchange | StreamingResponse:
        """Answer a request that was admitted with a latency, which the connection waits for."""
        ...

    def error_response(self, refusal: Refusal) -> Response:
        """Return the error object for a refusal."""
        ...
