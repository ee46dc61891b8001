"""How much the emulator answers, against an endpoint of uvicorn and starlette that does nothing.

Both run in processes of their own. What they are asked comes from bare sockets, a few at a time,
so that it is the servers that are measured. Each request is a whole send: the emulator checks
its key, validates it, remembers its idempotency key and keeps the message, while the endpoint
reads the JSON and answers the same bytes every time.
"""

import json
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from threading import Event

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks._measure import Row, alternate, report
from benchmarks._samples import BODY, KEY
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import FakeZiett
from ziett_async.testing.emulator import Emulator

_REQUESTS, _ROUNDS = 1008, 7
_HOST = "127.0.0.1"
_BODY = json.dumps(BODY).encode()
_HEAD = (
    f"POST /c/v1/messages HTTP/1.1\r\nhost: {_HOST}\r\nx-api-key: {KEY}\r\n"
    f"content-type: application/json\r\ncontent-length: {len(_BODY)}\r\nidempotency-key: "
).encode()
_NUMBERS = count()


def _emulate(ours: Connection) -> None:
    """Serve a Ziett without limits, for as long as the process lasts."""
    with Emulator(FakeZiett(clock=AdjustableClock(), limits={})) as emulator:
        ours.send(emulator.port)
        Event().wait()


async def _accept(request: Request) -> JSONResponse:
    """Read what an endpoint has to, and answer."""
    await request.json()
    return JSONResponse({"message_id": "019b4b57-0a1c-7d2e-8000-000000000000"}, 202)


def _serve(ours: Connection) -> None:
    """Serve that one endpoint, for as long as the process lasts."""
    # Not `create_server`: only where TCP is named does asyncio send small answers at once.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind((_HOST, 0))
    listener.listen()
    ours.send(listener.getsockname()[1])
    app = Starlette(routes=[Route("/c/v1/messages", _accept, methods=["POST"])])
    # h11 and asyncio's own loop are what `pip install uvicorn` gives, and what the emulator has.
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        access_log=False,
        log_level="error",
        timeout_keep_alive=600,
    )
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _running(serve: Callable[[Connection], None]) -> Generator[int]:
    """Run a server in a process of its own; yields its port."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _ask(connections: Sequence[socket.socket]) -> None:
    """Send over all of them, read all answers, and so on."""
    for _ in range(_REQUESTS // len(connections)):
        for each in connections:
            each.sendall(_HEAD + b"%032d\r\n\r\n" % next(_NUMBERS) + _BODY)
        for each in connections:
            _read(each)


def _read(connection: socket.socket) -> None:
    answer = connection.recv(4096)
    # Its JSON object ends it, which may come in a piece of its own.
    while not answer.endswith(b"}"):
        if not (more := connection.recv(4096)):
            raise ValueError(answer)
        answer += more
    if not answer.startswith(b"HTTP/1.1 202"):
        raise ValueError(answer)


def rows() -> Iterator[Row]:
    """Measure."""
    with _running(_emulate) as emulator, _running(_serve) as endpoint, ExitStack() as stack:
        for at_once in (1, 16):
            mine, others = (
                [
                    stack.enter_context(socket.create_connection((_HOST, port)))
                    for _ in range(at_once)
                ]
                for port in (emulator, endpoint)
            )
            costs = alternate(partial(_ask, mine), partial(_ask, others), rounds=_ROUNDS)
            ours, rivals = ([_REQUESTS / each.wall for each in some] for some in costs)
            shares = [mine / other for mine, other in zip(ours, rivals, strict=True)]
            yield Row(
                f"answers per second of the emulator, {at_once} in flight",
                "a bare endpoint of uvicorn (h11) and starlette",
                measured=f"{median(shares):.2f}",
                spread=f"{min(shares):.2f}-{max(shares):.2f}",
                reach="≥ 0.3",
                is_ok=median(shares) >= 0.3,
                costs=f"{median(ours):.0f} / {median(rivals):.0f} /s",
            )


if __name__ == "__main__":
    report(rows())
