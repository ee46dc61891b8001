"""HTTP/1.1 for one client at a time: h11 between a connection and whoever answers."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol

import anyio
import attrs
import h11

from ziett_async._wire import Headers, Request, Response
from ziett_async.testing._answers import Refusal
from ziett_async.testing._faults import Ending, Exchange
from ziett_async.testing._forms import MOST_BYTES
from ziett_async.testing._tcp import Peer

logger = logging.getLogger("ziett_async")

_FRAMING = {"content-length", "transfer-encoding"}
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}

#: Sends some bytes of a stream on their way at once.
Send = Callable[[bytes], Awaitable[None]]


@attrs.frozen(repr=False)
class Stream:
    """An answer without an end: `feed` sends until it returns or the client has gone.

    When the client goes, `feed` is cancelled. The connection is closed afterwards.
    """

    status: int
    headers: Headers
    feed: Callable[[Send], Awaitable[None]]


Answer = Exchange | Stream


class Desk(Protocol):
    """Whoever answers; it never waits."""

    def answer(self, request: Request) -> Answer:
        """Answer a request, whose `url` is the target as it came."""
        ...

    def refuse(self, refusal: Refusal) -> Response:
        """Put a refusal into words."""
        ...

    def latency(self) -> float:
        """Return seconds there and back, for the next request."""
        ...


async def converse(peer: Peer, desk: Desk) -> None:
    """Answer a client's requests, one after another, until one of the two has enough."""
    try:
        conversation = _Conversation(peer, desk)
        while await conversation.turn():
            pass
    except OSError:
        peer.close()  # The client has gone, which is its right.
    except Exception:
        logger.exception("an answer broke off")
        peer.reset()
    finally:
        peer.close()


class _Conversation:
    """One connection and how far it has come."""

    def __init__(self, peer: Peer, desk: Desk) -> None:
        self._peer = peer
        self._desk = desk
        self._http = h11.Connection(h11.SERVER)

    async def turn(self) -> bool:
        """Answer one request; return whether there may be another."""
        try:
            request = await self._read()
        except h11.RemoteProtocolError as error:
            hint = error.error_status_hint
            request = Refusal(hint, f"Not HTTP as it should be: {error}", code=_CODES.get(hint, ""))
        except Refusal as refusal:
            request = refusal
        if request is None:
            return False
        ...
