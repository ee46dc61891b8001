"""Naive rivals, which must fail the tests that the package passes."""

from uuid import uuid4

import attrs

from ziett_async import Request, Response, Transport


class KeyPerAttempt:
    """The naive client, as a transport: every attempt has a key of its own."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Response:
        """Send it under a new key."""
        headers = [(n, uuid4().hex if n == "idempotency-key" else v) for n, v in request.headers]
        return await self._inner.send(attrs.evolve(request, headers=tuple(headers)))

    async def aclose(self) -> None:
        """Close the other one."""
        await self._inner.aclose()
