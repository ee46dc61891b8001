"""Emulator: a `FakeZiett` behind real HTTP on loopback, for programs in any language."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import anyio
from anyio.from_thread import start_blocking_portal

from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.faults import Exchange
from ziett_async._fake.responses import Refusal, refuse
from ziett_async._wire import Request, Response
from ziett_async.emulator._application import Answer
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator._http import serve_connection
from ziett_async.emulator._origin import check_sender
from ziett_async.emulator._tcp import HOST, accept, listen
from ziett_async.emulator.control.api import Control

logger = logging.getLogger("ziett_async")

#: Answers a request, raises `Refusal`, or returns None: that is not for it.
Room = Callable[[Request], Answer | None]


class Emulator:
    """Serves one `FakeZiett` over HTTP/1.1 for as long as a `with` block lasts.

    ```python
    async with Emulator() as emulator:
        async with AsyncZiett("zk_test_x", base_url=emulator.base_url) as client:
            page = await client.list_messages()
    ```

    `async with` serves from the event loop you are in, asyncio or trio; `with` from a thread
    of its own, for synchronous programs. Either way nothing is left of it afterwards.
    Scripted faults happen on the socket: a reset is a RST, a stalled answer never comes. The
    one difference to memory: nobody who listens can refuse a single request, so
    `Fault.refuse()` is a reset, too, and the client has to take the outcome for unknown.

    Its `/` is a page with the messages that were sent, and what a `FakeZiett` can be told, it
    can be told under `/_emulator`. It listens on loopback only and refuses keys that begin
    with `zk_live_`.

    Args:
        service: who answers; by default a `FakeZiett` on the machine's clock.
        port: 0, the default, takes a free one.
        latency: seconds there and back, or a function that says so for each request; real
            ones, as a fault's delay is, whatever clock the service reads.
        rooms: asked in order before the API is, for paths that are not the API's.

    Raises:
        OSError: on entering, when the port is taken.

    """

    def __init__(
        self,
        service: FakeZiett | None = None,
        *,
        port: int = 0,
        latency: float | Callable[[], float] = 0.0,
        rooms: Sequence[Room] = (),
    ) -> None:
        #: Who answers.
        self.service = FakeZiett(clock=AdjustableClock()) if service is None else service
        self._wanted_port = port
        self._latency = latency
        self._control = Control(self.service)
        self._rooms = [*rooms, self._control.room, self._control.overseen(self._api)]

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The address of the whole, without a slash at the end: `http://127.0.0.1:8420`."""
        return f"http://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        """The API's address, for a client: `http://127.0.0.1:8420/c/v1`."""
        return f"{self.url}/c/v1"

    async def __aenter__(self) -> Self:
        self._listener = listen(self._wanted_port)
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
            # The block's own error is not the group's business, and stays as it is.
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

    def answer(self, request: Request) -> Answer:
        """Answer a request: the first room that knows it, or the API."""
        try:
            check_sender(request)
            answers = (room(request) for room in self._rooms)
            return next(answer for answer in answers if answer is not None)
        except Refusal as refusal:
            return Exchange(self.refuse(refusal))
        except Exception:
            logger.exception("the emulator could not answer %r", request)
            return Exchange(self.refuse(Refusal(500, "The emulator failed; its log says how")))

    def refuse(self, refusal: Refusal) -> Response:
        """Return the documented error object for what never comes to the service."""
        moment = datetime.fromtimestamp(self.service.clock.time(), UTC)
        trace_id = self.service.new_trace_id()
        return refuse(refusal, trace_id, moment.isoformat(timespec="microseconds"))

    def latency(self, request: Request) -> float:
        """Return the latency of a request; whoever looks on takes no part in it."""
        if self._control.knows(request):
            return 0.0
        with suppress(Refusal):
            check_sender(request)
            return self._latency() if callable(self._latency) else self._latency
        return 0.0

    def _api(self, request: Request) -> Exchange:
        try:
            _check_keys(request)
            return self.service.exchange(request)
        except Refusal as refusal:
            return Exchange(self.refuse(refusal), executed=False)


def _check_keys(request: Request) -> None:
    keys = (value for name, value in request.headers if name == "x-api-key")
    if any(key.strip().lower().startswith("zk_live_") for key in keys):
        message = "This is an emulator: it refuses live keys; use one that begins with zk_test_"
        raise Refusal(401, message)
