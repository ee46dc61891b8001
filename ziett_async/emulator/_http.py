"""HTTP/1.1 on the server's side of one connection: h11 between its socket and the application."""

import logging
from contextlib import suppress
from http import HTTPStatus

import anyio
import attrs

from ziett_async._extras import needs_extra
from ziett_async._fake.faults import Ending, Exchange
from ziett_async._fake.parsing.body import MOST_BYTES
from ziett_async._fake.responses import Refusal
from ziett_async._wire import Request, Response
from ziett_async.emulator._application import Application, StreamingResponse
from ziett_async.emulator._tcp import CLOSING, Peer

with needs_extra("Emulator", "emulator"):
    import h11

logger = logging.getLogger("ziett_async")

_FRAMING = {"content-length", "transfer-encoding"}
_WITHOUT_BODY = {204, 304}
_REASON_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


@attrs.frozen
class TimeLimits:
    """Time limits of a connection in seconds; without them stalled clients would keep sockets."""

    #: For a whole request, and for the first byte on a new connection.
    request: float = 10.0
    #: Between a response and the next request.
    idle: float = 120.0
    #: For the client to read the last response and close.
    closing: float = CLOSING


_DEFAULT_LIMITS = TimeLimits()


async def serve_connection(
    peer: Peer, application: Application, limits: TimeLimits = _DEFAULT_LIMITS
) -> None:
    """Answer the requests of a connection, one after another, until either side closes it."""
    connection = _Connection(peer, application, limits)
    try:
        while await connection.serve_one():
            pass
        await peer.finish(limits.closing)
    except OSError:
        pass  # The connection is gone: the client left, or was reset.
    except Exception as error:
        logger.exception("a response broke off", extra={"ziett_error": type(error).__name__})
        peer.reset()
    finally:
        peer.close()


class _Connection:
    """One connection and the state of its HTTP."""

    def __init__(self, peer: Peer, application: Application, limits: TimeLimits) -> None:
        self._peer = peer
        self._application = application
        self._time_limits = limits
        #: Seconds within which the first byte of the next request must arrive.
        self._first_byte_limit = limits.request
        self._http = h11.Connection(h11.SERVER)
        self._method = ""

    async def serve_one(self) -> bool:
        """Answer one request; return whether another may follow on this connection."""
        application = self._application
        try:
            request = await self._read()
            if request is None:
                return False
            latency = application.admit(request)
        except h11.RemoteProtocolError as error:
            code = HTTPStatus(error.error_status_hint).name
            refusal = Refusal(error.error_status_hint, f"This is not HTTP: {error}", code=code)
            return await self._send(application.error_response(refusal))
        except Refusal as refusal:
            return await self._send(application.error_response(refusal))
        await _delay(latency / 2)
        answer = application.answer(request, latency)
        await _delay(latency / 2)
        if isinstance(answer, StreamingResponse):
            return await self._send_stream(answer)
        return await self._send_exchange(answer)

    async def _read(self) -> Request | None:
        """Return the next request with its body, or None where the client has finished."""
        self._method = ""  # A malformed request is no HEAD, whatever the one before it was.
        if not await self._wait_for_request():
            return None
        with anyio.move_on_after(self._time_limits.request):
            return await self._read_whole()
        message = f"The request was not complete after {self._time_limits.request:g} seconds"
        raise Refusal(408, message, code="REQUEST_TIMEOUT")

    async def _wait_for_request(self) -> bool:
        """Wait for the first bytes of a request; return False if none came in time."""
        pipelined, _ = self._http.trailing_data
        if pipelined:
            return True
        with anyio.move_on_after(self._first_byte_limit):
            self._http.receive_data(await self._peer.receive())
            return True
        return False

    async def _read_whole(self) -> Request | None:
        head, body = await self._next_event(), bytearray()
        if not isinstance(head, h11.Request):
            return None
        headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers)
        self._method = head.method.decode()
        announced = next((value for name, value in headers if name == "content-length"), "0")
        while int(announced) <= MOST_BYTES and len(body) <= MOST_BYTES:
            event = await self._next_event()
            if not isinstance(event, h11.Data):
                return Request(self._method, head.target.decode(), headers, bytes(body))
            body += event.data
        raise Refusal(413, f"The body is longer than {MOST_BYTES} bytes")

    async def _next_event(self) -> object:
        """Return the next event; send `100 Continue` to a client that waits for it."""
        http = self._http
        while (event := http.next_event()) is h11.NEED_DATA:
            if http.they_are_waiting_for_100_continue:
                proceed = h11.InformationalResponse(status_code=100, headers=[])
                await self._peer.send(http.send(proceed))
            http.receive_data(await self._peer.receive())
        return event

    async def _send_exchange(self, answer: Exchange) -> bool:
        if answer.ending is Ending.STALLED:
            await self._peer.gone()
            return False
        await _delay(answer.delay)
        if answer.response is None or answer.ending in {Ending.RESET, Ending.REFUSED}:
            self._peer.reset()
            return False
        return await self._send(
            answer.response, answer.cut if answer.ending is Ending.TRUNCATED else None
        )

    async def _send(self, response: Response, cut: int | None = None) -> bool:
        """Send a response, at most `cut` bytes of its body; return whether another may follow."""
        http = self._http
        try:
            data = self._serialize(response, cut)
        except h11.LocalProtocolError as error:
            refusal = Refusal(500, f"The response is not HTTP: {error}")
            data = self._serialize(self._application.error_response(refusal), None)
        await self._peer.send(data)
        if cut is not None or not http.our_state is http.their_state is h11.DONE:
            return False
        http.start_next_cycle()
        self._first_byte_limit = self._time_limits.idle
        return True

    def _serialize(self, response: Response, cut: int | None) -> bytes:
        status, body = response.status, response.body
        headers = [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in response.headers
            if name.lower() not in _FRAMING
        ]
        has_body = self._method != "HEAD" and status not in _WITHOUT_BODY
        if body or has_body:
            headers.append((b"content-length", b"%d" % len(body)))
        elif length := response.header("content-length"):
            # A response to HEAD has the length of the body that the service left out.
            headers.append((b"content-length", length.encode("latin-1", "replace")))
        head = h11.Response(
            status_code=status, headers=headers, reason=_REASON_PHRASES.get(status, b"")
        )
        sent = self._http.send(head) or b""
        if has_body:
            sent += self._http.send(h11.Data(data=body[:cut])) or b""
        if cut is None:
            sent += self._http.send(h11.EndOfMessage()) or b""
        return sent

    async def _send_stream(self, stream: StreamingResponse) -> bool:
        http, peer = self._http, self._peer
        headers = [*stream.headers, ("connection", "close")]
        await peer.send(http.send(h11.Response(status_code=stream.status, headers=headers)))
        if self._method == "HEAD":
            return False

        async def send(data: bytes) -> None:
            await peer.send(http.send(h11.Data(data=data)))

        async def feed(scope: anyio.CancelScope) -> None:
            with suppress(OSError):
                await stream.feed(send)
                await peer.send(http.send(h11.EndOfMessage()))
            scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed, tasks.cancel_scope)
            with suppress(OSError):
                await peer.gone()
            tasks.cancel_scope.cancel()
        return False


async def _delay(seconds: float) -> None:
    if seconds > 0:
        await anyio.sleep(seconds)
