"""The desk behind a connection: who answers requests, and with what."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs

from ziett_async._fake.faults import Exchange
from ziett_async._fake.responses import Refusal
from ziett_async._wire import Headers, Request, Response

#: Sends some bytes of a stream on their way at once.
Send = Callable[[bytes], Awaitable[None]]


@attrs.frozen(repr=False)
class StreamingResponse:
    """An answer without an end: `feed` sends until it returns or the client has gone.

    When the client goes, `feed` is cancelled. The connection is closed afterwards.
    """

    status: int
    headers: Headers
    feed: Callable[[Send], Awaitable[None]]


Answer = Exchange | StreamingResponse


class Application(Protocol):
    """Whoever answers; it never waits."""

    def answer(self, request: Request) -> Answer:
        """Answer a request, whose `url` is the target as it came."""
        ...

    def refuse(self, refusal: Refusal) -> Response:
        """Put a refusal into words."""
        ...

    def latency(self, request: Request) -> float:
        """Return seconds there and back, for this request."""
        ...
