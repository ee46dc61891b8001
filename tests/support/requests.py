"""Requests to a fake, and bodies that it accepts."""

import json

from tests.support.samples import NUMBER, REMITTER
from ziett_async._wire import Headers, Request


def request_of(
    method: str,
    path: str,
    body: object = None,
    *,
    api_key: str | None = "zk_test_x",
    key: str | None = None,
    headers: Headers = (("Content-Type", "application/json"),),
    timeout: float | None = None,
) -> Request:
    """Return a request: `request_of("POST", "/messages", message(), key="a")`."""
    if api_key is not None:
        headers = (*headers, ("X-API-KEY", api_key))
    if key is not None:
        headers = (*headers, ("Idempotency-Key", key))
    content = b"" if body is None else json.dumps(body).encode()
    return Request(method, f"https://api.ziett.co/c/v1{path}", headers, content, timeout)


def message(**changes: object) -> dict[str, object]:
    """Return a valid body for `POST /messages`, with changes."""
    return {
        "remitter_id": REMITTER,
        "channel_type": "SMS",
        "target_e164": NUMBER,
        "content": "Your code is 482910.",
        **changes,
    }


def batch(**changes: object) -> dict[str, object]:
    """Return a valid body for `POST /campaigns/batch`, with changes."""
    return {
        "remitter_id": REMITTER,
        "channel_type": "SMS",
        "content": "Hello",
        "recipients": ["923 456 789", "+351912345678", "244911000000"],
        **changes,
    }
