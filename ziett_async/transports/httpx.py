"""Requests over HTTP/1.1 with httpx, the default."""

from types import ModuleType
from typing import ClassVar

import httpx

from ziett_async.transports._connections import Body, HttpxLikeTransport


class _Body(Body, httpx.AsyncByteStream):
    pass


class HttpxTransport(HttpxLikeTransport):
    """A `PooledTransport` that speaks HTTP with httpx."""

    _library: ClassVar[ModuleType] = httpx
    _body = _Body
