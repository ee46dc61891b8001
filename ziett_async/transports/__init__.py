"""Ways to carry a request: over HTTP with httpx, or anything with the same two methods."""

from typing import TYPE_CHECKING

from ziett_async.transports._base import Transport

if TYPE_CHECKING:
    from ziett_async.transports.httpx import HttpxTransport

__all__ = ["HttpxTransport", "Transport"]


def __getattr__(name: str) -> object:
    # httpx is the largest import by far, and a program on another transport never needs it.
    if name == "HttpxTransport":
        from ziett_async.transports.httpx import HttpxTransport  # noqa: PLC0415

        return HttpxTransport
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
