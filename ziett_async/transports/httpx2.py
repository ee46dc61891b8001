"""Requests over HTTP/1.1 with httpx2, the maintained fork of httpx: an extra of that name."""

from types import ModuleType
from typing import ClassVar

from ziett_async._extras import needs_extra
from ziett_async.transports._connections import Body, HttpxLikeTransport

with needs_extra("Httpx2Transport", "httpx2"):
    import httpx2


class _Body(Body, httpx2.AsyncByteStream):
    pass


class Httpx2Transport(HttpxLikeTransport):
    """A `PooledTransport` that speaks HTTP with httpx2."""

    _library: ClassVar[ModuleType] = httpx2
    _body = _Body
