"""Emulator: a `FakeZiett` behind real HTTP, for programs in any language."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from ipaddress import ip_address
from time import perf_counter
from types import TracebackType
from typing import Self

import anyio
from anyio.from_thread import start_blocking_portal

from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.faults import Exchange
from ziett_async._fake.responses import Refusal, error_response
from ziett_async._wire import Request, Response
from ziett_async.emulator._application import StreamingResponse
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator._http import serve_connection
from ziett_async.emulator._origin import check_sender
from ziett_async.emulator._tcp import HOST, accept, listen
from ziett_async.emulator.control.api import ControlApi
from ziett_async.emulator.control.request_log import RequestLog

logger = logging.getLogger("ziett_async")


class Emulator:
    """Serves one `FakeZiett` over HTTP/1.1 for as long as a `with` block lasts.

    ```python
    async with Emulator() as emulator:
        async with AsyncZiett("zk_test_x", base_url=emulator.base_url) as client:
            page = await client.list_messages()
    ```

    `async with` serves from the current event loop, asyncio or trio; `with` from a thread of
    its own, for synchronous programs. On leaving, every connection, task and thread ends.
    Scripted faults happen on the socket: a reset is a RST, a stalled response never comes. One
    fault differs from memory: a server that listens cannot refuse a single connection, so
    `Fault.refuse()` is a reset, too, and the client has to treat the outcome as unknown.

    Its `/` is a page that shows the messages sent; the control API under `/_emulator` offers
    what the methods of a `FakeZiett` do. It refuses API keys that begin with `zk_live_`.

    Args:
        service: the service behind it; by default a `FakeZiett` on the machine's clock.
        port: 0, the default, takes a free one.
        host: the IP address to listen on, by default loopback. On any other, such as `0.0.0.0`
            in a container, whatever reaches it can read the messages, without a password.
        latency: seconds for the round trip, or a function that returns them for each request;
            they pass in real time, as a fault's delay does, whatever clock the service reads.

    Raises:
        OSError: on entering, when the port is taken or the address is not this machine's.
        ValueError: `host` is not an IP address.

    """

    def __init__(
        self,
        service: FakeZiett | None = None,
        *,
        port: int = 0,
        host: str = HOST,
        latency: float | Callable[[], float] = 0.0,
    ) -> None:
        #: The service behind it.
        self.service = FakeZiett(clock=AdjustableClock()) if service is None else service
        self._wanted_port = port
        self._host = ip_address(host)
        self._latency = latency
        self._log = RequestLog()
        self._control = ControlApi(self.service, self._log)

    @property
    def port(self) -> int:
        """The port on which it listens.

        Raises:
            RuntimeError: the emulator is not running.

        """
        listener = getattr(self, "_listener", None)
        if listener is None or listener.fileno() < 0:
            message = "the emulator is not running: use it inside `with Emulator() as emulator:`"
            raise RuntimeError(message)
        return int(listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The address of the inbox, without a trailing slash: `http://127.0.0.1:8420`.

        Where it listens on every address of the machine, this is the one on loopback.
        """
        host, is_ipv6 = self._host, self._host.version == 6
        if host.is_unspecified:
            host = ip_address("::1" if is_ipv6 else HOST)
        return f"http://{f'[{host}]' if is_ipv6 else host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The API's address, for a client: `http://127.0.0.1:8420/c/v1`."""
        return f"{self.url}/c/v1"

    async def __aenter__(self) -> Self:
        self._listener = listen(self._wanted_port, str(self._host))
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._serve)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tasks.cancel_scope.cancel()
        try:
            # Without the block's own error, which the group would wrap.
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._listener.close()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            stack.enter_context(portal.wrap_async_context_manager(self))
            self._thread = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.close()

    async def _serve(self) -> None:
        while True:
            self._tasks.start_soon(serve_connection, await accept(self._listener), self)

    def admit(self, request: Request) -> float:
        """Return the latency of a request, in seconds: none for the inbox and the control API.

        Raises:
            Refusal: its sender may not use the emulator.

        """
        check_sender(request, on_loopback=self._host.is_loopback)
        if self._control.owns(request):
            return 0.0
        return self._latency() if callable(self._latency) else self._latency

    def answer(self, request: Request, latency: float) -> Exchange | StreamingResponse:
        """Answer an admitted request, by the control API if it owns the path, else the service."""
        try:
            if self._control.owns(request):
                return self._control.answer(request)
            return self._call_service(request, latency)
        except Refusal as refusal:
            return Exchange(self.error_response(refusal))
        except Exception as error:
            fields = {"ziett_error": type(error).__name__, "ziett_method": request.method}
            logger.exception("the emulator could not answer %r", request, extra=fields)
            return Exchange(self.error_response(Refusal(500, "The emulator failed; see its log")))

    def error_response(self, refusal: Refusal) -> Response:
        """Return the documented error object for a request that the service does not answer."""
        moment = datetime.fromtimestamp(self.service.clock.time(), UTC)
        trace_id = self.service.new_trace_id()
        return error_response(refusal, trace_id, moment.isoformat(timespec="microseconds"))

    def _call_service(self, request: Request, latency: float) -> Exchange:
        """Pass a request to the service, and log it with its response and how long that takes."""
        began = perf_counter()
        try:
            _check_key(request)
            exchange = self.service.exchange(request)
        except Refusal as refusal:
            exchange = Exchange(self.error_response(refusal), executed=False)
        seconds = perf_counter() - began + latency + exchange.delay
        self._log.append(self.service.clock.time(), request, exchange, seconds)
        return exchange


def _check_key(request: Request) -> None:
    keys = (value for name, value in request.headers if name == "x-api-key")
    if any(key.strip().lower().startswith("zk_live_") for key in keys):
        message = "This is an emulator: it refuses live keys; use one that begins with zk_test_"
        raise Refusal(401, message)
