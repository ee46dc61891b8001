"""Requests to an emulator as bytes, and by the standard library."""

import json
import socket
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from ziett_async.testing.emulator import Emulator

KEY = b"x-api-key: zk_test_x\r\n"


LIST = b"GET /c/v1/messages HTTP/1.1\r\nhost: localhost\r\n" + KEY


POST = (
    b"POST /c/v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" + KEY
)


def connect(emulator: Emulator) -> socket.socket:
    """Open a connection with a timeout."""
    return socket.create_connection(("127.0.0.1", emulator.port), timeout=10)


def answer(end: socket.socket, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    """Read one response and no further bytes."""
    response = HTTPResponse(end, method=method)
    response.begin()
    return response, response.read()


def talk(emulator: Emulator, sent: bytes) -> tuple[int, Any]:
    """Send bytes and a FIN; return the status and the JSON of the response."""
    with connect(emulator) as end:
        end.sendall(sent)
        end.shutdown(socket.SHUT_WR)
        response, body = answer(end)
        return response.status, json.loads(body)


def ask(emulator: Emulator, method: str, path: str, **headers: str) -> tuple[HTTPResponse, bytes]:
    """Send a request with Python's own client."""
    client = HTTPConnection("127.0.0.1", emulator.port, timeout=10)
    client.request(method, path, headers={"x-api-key": "zk_test_x", **headers})
    response = client.getresponse()
    body = response.read()
    client.close()
    return response, body


def seen(emulator: Emulator) -> list[Any]:
    """Return the request log."""
    requests: list[Any] = json.loads(ask(emulator, "GET", "/_emulator/requests")[1])["requests"]
    return requests
