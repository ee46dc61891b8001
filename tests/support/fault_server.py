"""A server on loopback that fails as scripted: a FakeZiett answers, and a script spoils it.

The script is a queue. Each request, or each connection where the fault comes before one,
takes the next entry: an `Act` of this module, or a `Fault` of the fake, which happens here
on the socket. A script that is not used up fails the test.
"""

import gzip
import socket
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from hashlib import sha256
from math import inf
from typing import Any

import anyio
import attrs
import trustme
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream

from ziett_async import Request, Response
from ziett_async.emulator._tcp import HOST, Peer, accept, listen
from ziett_async.testing import Ending, Exchange, FakeZiett, Fault

#: What a connection that went wrong raises here; it is what was wanted.
_GONE = (OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


@cache
def _authority() -> trustme.CA:
    """Return a certificate authority that only these tests know."""
    return trustme.CA()


def authority_pem() -> bytes:
    """Return its certificate."""
    pem: bytes = _authority().cert_pem.bytes()
    return pem


@cache
def server_tls() -> ssl.SSLContext:
    """Return the server's side of TLS, with a certificate for loopback."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate: Any = _authority().issue_cert(HOST)
    certificate.configure_cert(context)
    return context


@cache
def client_tls(*, trusts: bool = True) -> ssl.SSLContext:
    """Return the client's side of TLS, which trusts that certificate or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusts:
        authority: Any = _authority()
        authority.configure_trust(context)
    return context


@attrs.frozen
class Heard:
    """One request as it was read from the socket."""

    #: Seconds on the fake's clock.
    at: float
    method: str
    #: `/c/v1/messages`, with the query.
    target: str
    #: The idempotency key.
    key: str | None
    #: SHA-256 of the body.
    digest: str


class _Wire(ByteStream):
    """A peer as anyio's TLS wants it."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    async def receive(self, max_bytes: int = 65536) -> bytes:  # noqa: ARG002 - a chunk will do
        data = await self.peer.receive()
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        await self.peer.send(item)

    async def send_eof(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        self.peer.close()


class Talk:
    """One connection, as an act plays on it."""

    def __init__(self, server: "FaultServer", peer: Peer, stream: ByteStream) -> None:
        self.server = server
        self.peer = peer
        self._stream = stream
        self._buffer = bytearray()
        self.is_over = False

    async def more(self) -> bool:
        """Wait for the first bytes of a request; False when the client has left."""
        while not self._buffer:
            try:
                self._buffer += await self._stream.receive()
            except _GONE:
                return False
        return True

    async def read(self) -> Request:
        """Read a request, whole, and note that it came."""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += await self._stream.receive()
        head, _, _ = bytes(self._buffer).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = tuple((name.lower(), value.strip()) for name, value in pairs)
        length, begin = int(dict(headers).get("content-length", "0")), len(head) + 4
        while len(self._buffer) < begin + length:
            self._buffer += await self._stream.receive()
        body = bytes(self._buffer[begin : begin + length])
        del self._buffer[: begin + length]
        self.server.note(method, target, dict(headers).get("idempotency-key"), body)
        return Request(method, target, headers, body)

    async def execute(self) -> Response:
        """Read a request and carry it out."""
        return self.server.fake.handle(await self.read())

    async def send(self, data: bytes) -> None:
        """Send some bytes."""
        await self._stream.send(data)

    def reset(self) -> None:
        """Break the connection with a RST."""
        self.is_over = True
        self.peer.reset()

    async def finish(self) -> None:
        """Say that nothing more comes, and listen on: half a close."""
        self.is_over = True
        await self.peer.finish()

    async def stall(self) -> None:
        """Say nothing until the client has had enough."""
        self.is_over = True
        await self.peer.gone()


@attrs.frozen
class Act:
    """One thing that goes wrong once, on a socket."""

    #: What a test's name and a failed script call it.
    label: str
    play: Callable[[Talk], Awaitable[None]] = attrs.field(repr=False)
    #: Whether it comes before a request, and before TLS.
    at_connect: bool = False

    def __str__(self) -> str:
        return self.label


#: An entry of a script.
Mishap = Act | Fault


class FaultServer:
    """Listens on loopback for as long as `serving` lasts."""

    def __init__(self, fake: FakeZiett, tls: ssl.SSLContext | None = None) -> None:
        self.fake = fake
        self.heard: list[Heard] = []
        #: Connections that are open, and that ever were.
        self.open = self.accepted = 0
        self._tls = tls
        self._script: deque[Mishap] = deque()
        self._listener = listen(0)

    @property
    def url(self) -> str:
        """The address: `http://127.0.0.1:8420`."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{HOST}:{self._listener.getsockname()[1]}"

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator["FaultServer"]:
        """Serve while the block runs; afterwards nothing is left."""
        failure: Exception | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._serve)
                try:
                    yield self
                except Exception as error:  # noqa: BLE001 - the block's, not the group's
                    failure = error
                tasks.cancel_scope.cancel()
        finally:
            self._listener.close()
        if failure is not None:
            raise failure

    @contextmanager
    def script(self, *mishaps: Mishap) -> Generator[None]:
        """Queue what a block of code must meet, in this order."""
        self._script.extend(mishaps)
        yield
        unused = [*map(str, self._script), *map(str, self.fake.faults.pending)]
        assert not unused, f"never happened: {', '.join(unused)}"

    def refuse_connections(self) -> None:
        """Refuse every new connection from now on."""
        self._listener.shutdown(socket.SHUT_RDWR)

    def forget_script(self) -> None:
        """Remove faults that have not happened."""
        self._script.clear()

    def note(self, method: str, target: str, key: str | None, body: bytes) -> None:
        """Enter a request into the ledger."""
        digest = sha256(body).hexdigest()
        self.heard.append(Heard(self.fake.clock.monotonic(), method, target, key, digest))

    async def _serve(self) -> None:
        async with anyio.create_task_group() as tasks:
            while True:
                tasks.start_soon(self._converse, await accept(self._listener))

    async def _converse(self, peer: Peer) -> None:
        self.open += 1
        self.accepted += 1
        try:
            await self._play(peer)
        except (*_GONE, ssl.SSLError):
            pass
        finally:
            peer.close()
            self.open -= 1

    async def _play(self, peer: Peer) -> None:
        wire = _Wire(peer)
        first = self._script[0] if self._script else None
        if isinstance(first, Act) and first.at_connect:
            self._script.popleft()
            return await first.play(Talk(self, peer, wire))
        stream: ByteStream = wire
        if self._tls:
            stream = await TLSStream.wrap(wire, server_side=True, ssl_context=self._tls)
        talk = Talk(self, peer, stream)
        while not talk.is_over and await talk.more():
            mishap = self._script.popleft() if self._script else serve
            if isinstance(mishap, Fault):
                self.fake.faults.add(mishap)
                mishap = serve
            await mishap.play(talk)
        return None


def written(response: Response, length: int | None = None) -> bytes:
    """Return an answer as bytes; `length` is what it says of its body's."""
    length = len(response.body) if length is None else length
    lines = [f"HTTP/1.1 {response.status} X", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.body


async def _serve(talk: Talk) -> None:
    """Let the fake decide, a fault of its own included, and act that out."""
    exchange: Exchange = talk.server.fake.exchange(await talk.read())
    if exchange.delay == inf:
        return await talk.stall()
    await anyio.sleep(exchange.delay)
    if exchange.response is None or exchange.ending is Ending.RESET:
        return talk.reset()
    data = written(exchange.response)
    if exchange.ending is Ending.TRUNCATED:
        await talk.send(data[: len(data) - len(exchange.response.body) + exchange.cut])
        return await talk.finish()
    return await talk.send(data)


serve = Act("served", _serve)


# Before a request is there.


async def _hang_up(talk: Talk) -> None:
    talk.reset()


async def _break_handshake(talk: Talk) -> None:
    await talk.more()
    talk.reset()


async def _close_handshake(talk: Talk) -> None:
    await talk.more()
    await talk.finish()


async def _speak_plainly(talk: Talk) -> None:
    await talk.more()
    await talk.send(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    await talk.finish()


hang_up = Act("reset as soon as it is connected", _hang_up, at_connect=True)
stall_handshake = Act("TLS handshake stalls", Talk.stall, at_connect=True)
break_handshake = Act("TLS handshake reset", _break_handshake, at_connect=True)
close_handshake = Act("TLS handshake closed", _close_handshake, at_connect=True)
speak_plainly = Act("plain text instead of TLS", _speak_plainly, at_connect=True)
stall_unread = Act("stall before it is read", Talk.stall)
reset_unread = Act("reset before it is read", _hang_up)
close_unread = Act("closed before it is read", Talk.finish)


# After it was read.


async def _half_close(talk: Talk) -> None:
    await talk.read()
    await talk.finish()


async def _half_close_executed(talk: Talk) -> None:
    await talk.execute()
    await talk.finish()


def _says(label: str, data: bytes) -> Act:
    """Execute, send just this, close."""

    async def play(talk: Talk) -> None:
        await talk.execute()
        await talk.send(data)
        await talk.finish()

    return Act(label, play)


half_close = Act("half close, not executed", _half_close)
half_close_executed = Act("half close, executed", _half_close_executed)
not_http = _says("not HTTP", b"220 smtp.example ESMTP\r\n\r\n")
cut_interim = _says("cut in an interim answer", b"HTTP/1.1 100 Continue\r\nx-more: ")


def cut_at(count: int, *, resets: bool = False) -> Act:
    """Execute, send so many bytes of the answer, close or reset."""

    async def play(talk: Talk) -> None:
        data = written(await talk.execute())
        await talk.send(data[:count])
        if resets:
            return talk.reset()
        return await talk.finish()

    return Act(f"{'reset' if resets else 'cut'} at byte {count}", play)


async def _endless_head(talk: Talk) -> None:
    head, _, _ = written(await talk.execute()).partition(b"\r\n\r\n")
    await talk.send(head + b"\r\nx-more: and more" * (10 << 16))
    await talk.finish()


endless_head = Act("10 MB of headers", _endless_head)


def reset_in_body(count: int) -> Act:
    """Execute, send so many bytes of the body, reset."""

    async def play(talk: Talk) -> None:
        response = await talk.execute()
        data = written(response)
        await talk.send(data[: len(data) - len(response.body) + count])
        talk.reset()

    return Act(f"reset at byte {count} of the body", play)


async def _gateway_error_then_gone(talk: Talk) -> None:
    await talk.execute()
    talk.server.refuse_connections()
    await talk.send(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    await talk.finish()


gateway_error_then_gone = Act(
    "502 after it was executed, then no connection", _gateway_error_then_gone
)


def drip(*, body_only: bool) -> Act:
    """Execute, send one byte every 0.2 s."""

    async def dribble(talk: Talk) -> None:
        response = await talk.execute()
        data = written(response)
        begin = len(data) - len(response.body) if body_only else 0
        await talk.send(data[:begin])
        for index in range(begin, len(data)):
            await talk.send(data[index : index + 1])
            await anyio.sleep(0.2)

    async def play(talk: Talk) -> None:
        async with anyio.create_task_group() as tasks:

            async def listen_too() -> None:
                # A client that has had enough may leave with a reset.
                with anyio.move_on_after(60), suppress(OSError):
                    await talk.peer.gone()
                tasks.cancel_scope.cancel()

            tasks.start_soon(listen_too)
            await dribble(talk)
            tasks.cancel_scope.cancel()

    return Act(f"a byte every 0.2 s{' of the body' if body_only else ''}", play)


def altered(label: str, alter: Callable[[Response], Response]) -> Act:
    """Execute, answer something else."""

    async def play(talk: Talk) -> None:
        await talk.send(written(alter(await talk.execute())))

    return Act(label, play)


def body_of(label: str, make: Callable[[bytes], bytes], encoding: str | None = None) -> Act:
    """Execute, answer with another body."""

    def alter(response: Response) -> Response:
        headers = response.headers
        if encoding:
            headers = (*headers, ("content-encoding", encoding))
        return Response(response.status, headers, make(response.body))

    return altered(label, alter)


def chunked_without_end() -> Act:
    """Execute, answer in chunks of which the last never comes."""

    async def play(talk: Talk) -> None:
        response = await talk.execute()
        head = f"HTTP/1.1 {response.status} X\r\ntransfer-encoding: chunked\r\n\r\n"
        chunk = b"%x\r\n%s\r\n" % (len(response.body), response.body)
        await talk.send(head.encode() + chunk)
        await talk.finish()

    return Act("chunks without an end", play)


#: Bytes in one record of TLS.
RECORD = 16384


def unsolicited(
    second: Callable[[], Response], *, later: float | None, fills_record: bool = False
) -> Act:
    """Serve, and send a response without a request: in the same segment, or seconds later.

    Where the answer itself `fills_record`, TLS has the other one in a record of its own.
    """

    async def play(talk: Talk) -> None:
        answer, more = await talk.execute(), written(second())
        if fills_record:
            padding = RECORD - len(written(answer)) - len("x-padding: \r\n")
            headers = (*answer.headers, ("x-padding", "x" * padding))
            answer = attrs.evolve(answer, headers=headers)
        data = written(answer)
        if later is None:
            return await talk.send(data + more)
        await talk.send(data)
        await anyio.sleep(later)
        return await talk.send(more)

    label = "in the same segment" if later is None else "a moment later"
    return Act(f"unsolicited answer {label}{', in its own record' if fills_record else ''}", play)


@cache
def bomb(size: int) -> bytes:
    """Return so many zeros as gzip packs them."""
    return gzip.compress(bytes(size))


class ClosedPort:
    """A port that refuses connections, and that no other program gets meanwhile."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind((HOST, 0))
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Give it back."""
        self._socket.close()
