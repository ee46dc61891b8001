"""Clients for benchmarks: the real limiter, but never a wait; and transports without a network."""

from collections.abc import Iterable
from itertools import cycle

from benchmarks._samples import ACCEPTED, KEY, REMITTER
from ziett_async import (
    AcceptedMessage,
    AsyncZiett,
    Rate,
    Request,
    Response,
    SaveContact,
    TokenBucketLimiter,
    Transport,
)

_HEADERS = (
    ("date", "Mon, 14 Jul 2025 10:30:00 GMT"),
    ("server", "nginx"),
    ("content-type", "application/json"),
)
#: Its tokens come and go as in any bucket, but each is back in a microsecond.
UNTHROTTLED = Rate(1000, per=1e-6)


class Memory:
    """A transport that answers at once: POSTs with new ids, GETs with one page after another."""

    def __init__(self, pages: Iterable[bytes] = ()) -> None:
        self._pages = cycle(pages)
        self._accepted = cycle(ACCEPTED)

    async def send(self, request: Request) -> Response:
        """Answer."""
        if request.method == "POST":
            return Response(202, _HEADERS, next(self._accepted))
        return Response(200, _HEADERS, next(self._pages))

    async def aclose(self) -> None:
        """Do nothing."""


def unthrottled(
    *, transport: Transport | None = None, base_url: str = "http://127.0.0.1"
) -> AsyncZiett:
    """Return an ordinary client that the rate limits never make wait."""
    limiter = TokenBucketLimiter(send=UNTHROTTLED, list=UNTHROTTLED)
    return AsyncZiett(KEY, base_url=base_url, transport=transport, limiter=limiter)


async def send(client: AsyncZiett) -> AcceptedMessage:
    """Send the documentation's example."""
    return await client.send_message(
        remitter_id=REMITTER,
        target_e164="+244990090990",
        content="Your code is 482910.",
        save_contact=SaveContact(name="Ana", email="ana@example.ao", tags=["Premium"]),
    )
