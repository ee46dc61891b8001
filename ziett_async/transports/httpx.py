"""Requests over HTTP/1.1 with httpx, the default."""

from types import ModuleType
from typing import ClassVar

import httpx

from ziett_async.transports._connections import Body
from ziett_async.transports._pool import PooledTransport


class _Body(Body, httpx.AsyncByteStream):
    pass


class HttpxTransport(PooledTransport):
    """A `PooledTransport` that speaks HTTP with httpx."""

    _library: ClassVar[ModuleType] = httpx
    _body = _Body
