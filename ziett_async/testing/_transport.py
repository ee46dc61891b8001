"""FakeTransport: calls a `FakeZiett` without a network."""

from collections.abc import Callable
from math import inf

from anyio.lowlevel import checkpoint

from ziett_async._clock import Clock
from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.faults import Ending, Exchange
from ziett_async._wire import Request, Response, SendFailed


class FakeTransport:
    """A transport in memory: `AsyncZiett(api_key="zk_test_x", transport=FakeTransport())`.

    Half of the latency passes before a request arrives, half after its answer has left.
    Time passes on the service's clock, and a request's `timeout` is measured on it too. A
    send that is cancelled before the request arrives has not happened.

    Args:
        service: what answers; by default a `FakeZiett` of its own.
        latency: seconds for the round trip, or a function that returns them for each request.

    Raises:
        TypeError: the service is not a `FakeZiett`.

    """

    def __init__(
        self,
        service: FakeZiett | None = None,
        *,
        latency: float | Callable[[], float] = 0.0,
    ) -> None:
        #: What answers.
        self.service = FakeZiett() if service is None else _checked(service)
        self._latency = latency
        self._closed = False

    @property
    def clock(self) -> Clock:
        """The service's clock."""
        return self.service.clock

    async def send(self, request: Request) -> Response:
        """Pass a request to the service and return its answer.

        Raises:
            SendFailed: a fault lost the answer, the request timed out, or the transport is
                closed.
        """
        if self._closed:
            message = "the transport is closed"
            raise SendFailed(message, reached=False)
        await checkpoint()
        half = (self._latency() if callable(self._latency) else self._latency) / 2
        left = inf if request.timeout is None else request.timeout
        await self._pass(half, left)
        exchange = self.service.exchange(request)
        await self._pass(exchange.delay + half, left - half)
        return _outcome(exchange)

    async def aclose(self) -> None:
        """Close it; closing again does nothing."""
        self._closed = True
        await checkpoint()

    async def _pass(self, seconds: float, left: float) -> None:
        if seconds > left:
            await self.clock.sleep(left)
            message = "the attempt timed out"
            raise SendFailed(message, reached=True, timed_out=True)
        if seconds:
            await self.clock.sleep(seconds)


def _checked(service: object) -> FakeZiett:
    if not isinstance(service, FakeZiett):
        # Not its value, which may well be a key.
        message = f"FakeTransport takes a FakeZiett, not a value of type {type(service).__name__}"
        raise TypeError(message)
    return service


def _outcome(exchange: Exchange) -> Response:
    if exchange.ending is Ending.REFUSED:
        message = "connection refused"
        raise SendFailed(message, reached=False)
    if exchange.ending is not Ending.ANSWERED or exchange.response is None:
        begun = exchange.response if exchange.ending is Ending.TRUNCATED else None
        message = f"no whole answer: {exchange.ending.value}"
        raise SendFailed(message, reached=True, status=begun.status if begun else None)
    return exchange.response
