"""RequestLog: the last requests that an emulator received, each with its response."""

from collections import deque
from collections.abc import Sequence

import attrs

from ziett_async._fake.faults import Exchange
from ziett_async._wire import Request
from ziett_async.emulator.control.request_facts import RequestFacts

#: Bytes of a body that are kept.
_MAX_BODY = 8192


@attrs.frozen(repr=False, kw_only=True)
class Entry:
    """One request and its response; long bodies are cut off."""

    #: Counted from 1.
    number: int
    #: Seconds since 1970 on the service's clock.
    at: float
    request: Request
    exchange: Exchange
    #: From its arrival to the end of its answer, on the machine's clock.
    seconds: float
    #: Read before the bodies were cut off.
    facts: RequestFacts
    #: Whether the request's body was cut off.
    is_cut: bool


class RequestLog:
    """The last `max_entries` requests."""

    def __init__(self, max_entries: int = 500) -> None:
        self._entries: deque[Entry] = deque(maxlen=max_entries)
        #: How many requests there have been.
        self.count = 0

    def append(self, at: float, request: Request, exchange: Exchange, seconds: float) -> None:
        """Add a request, its outcome, and the seconds that it took."""
        self.count += 1
        facts, is_cut = RequestFacts.of(request, exchange), len(request.body) > _MAX_BODY
        if is_cut:
            request = attrs.evolve(request, body=request.body[:_MAX_BODY])
        response = exchange.response
        if response is not None and len(response.body) > _MAX_BODY:
            response = attrs.evolve(response, body=response.body[:_MAX_BODY])
            exchange = attrs.evolve(exchange, response=response)
        self._entries.append(
            Entry(
                number=self.count,
                at=at,
                request=request,
                exchange=exchange,
                seconds=seconds,
                facts=facts,
                is_cut=is_cut,
            )
        )

    def since(self, number: int = 0) -> Sequence[Entry]:
        """Return the requests that came after the one with this number, in order."""
        if number >= self.count:
            return []
        return [entry for entry in self._entries if entry.number > number]

    def clear(self) -> None:
        """Remove all entries; numbers continue."""
        self._entries.clear()
