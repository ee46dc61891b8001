"""Requests to a fake, and bodies that it accepts."""

import json
from collections.abc import Callable

import pytest

from tests.support.samples import REMITTER
from ziett_async._wire import Headers, Request, Response
from ziett_async.testing import FakeZiett


def _request(  # noqa: PLR0913 (each is a part of a request)
    method: str,
    path: str,
    body: object = None,
    *,
    api_key: str | None = "zk_test_x",
    key: str | None = None,
    headers: Headers = (("Content-Type", "application/json"),),
    raw: bytes | None = None,
    timeout: float | None = None,
) -> Request:
    if api_key is not None:
        headers = (*headers, ("X-API-KEY", api_key))
    if key is not None:
        headers = (*headers, ("Idempotency-Key", key))
    content = b"" if body is None else json.dumps(body).encode()
    url = f"https://api.ziett.co/c/v1{path}"
    return Request(method, url, headers, content if raw is None else raw, timeout)


def _message(**changes: object) -> dict[str, object]:
    return {
        "remitter_id": REMITTER,
        "channel_type": "SMS",
        "target_e164": "+244923456789",
        "content": "Your code is 482910.",
        **changes,
    }


def _batch(**changes: object) -> dict[str, object]:
    return {
        "remitter_id": REMITTER,
        "channel_type": "SMS",
        "content": "Hello",
        "recipients": ["923 456 789", "+351912345678", "244911000000"],
        **changes,
    }


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """Make a request: method, path, body, and `key=`, `api_key=`, `raw=`, `timeout=`."""
    return _request


@pytest.fixture
def ask() -> Callable[..., Response]:
    """Send a request to a fake: `ask(fake, "GET", "/messages")`."""

    def send(fake: FakeZiett, method: str, path: str, *args: object, **kwargs: object) -> Response:
        make: Callable[..., Request] = _request
        return fake.handle(make(method, path, *args, **kwargs))

    return send


@pytest.fixture
def message() -> Callable[..., dict[str, object]]:
    """Make a valid body for `POST /messages`, with changes."""
    return _message


@pytest.fixture
def batch() -> Callable[..., dict[str, object]]:
    """Make a valid body for `POST /campaigns/batch`, with changes."""
    return _batch
