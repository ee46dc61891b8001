"""A process that is suspended between its permit and its request, and the limiter it breaks."""

import os
import signal
from subprocess import Popen
from typing import Any
from uuid import uuid4

import anyio
import attrs

from ziett_async import Bucket, Permit, Priority
from ziett_async.limits.distributed._store import Terms
from ziett_async.limits.redis import RedisStore


class AgelessLimiter:
    """The naive design that uses a permit, however long ago it was asked for."""

    def __init__(self, store: Any, terms: Terms) -> None:  # noqa: ANN401 - a client
        self._store, self._terms = RedisStore(store), terms

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Ask until a permit is granted."""
        del timeout
        permit, is_first = uuid4().hex, True
        while True:
            answer = await self._store.acquire(
                bucket, self._terms, permit, priority, asked_before=not is_first
            )
            if answer.granted:
                return _AgelessPermit(self._store, bucket, self._terms, permit)
            is_first = False
            await anyio.sleep(answer.until - answer.now)

    async def pause(self, bucket: Bucket, seconds: float) -> None:
        """Do nothing."""


@attrs.frozen
class _AgelessPermit:
    store: RedisStore
    bucket: str
    terms: Terms
    permit: str

    async def release(self) -> None:
        """Release it."""
        await self.store.release(self.bucket, self.terms, self.permit)


class SuspendingClient:
    """A client of `redis.asyncio` whose process is suspended at the first permit it receives."""

    def __init__(self, client: Any, seconds: float) -> None:  # noqa: ANN401 - a client
        self._client, self._seconds = client, seconds

    def __getattr__(self, name: str) -> object:
        """Do all else as the client does."""
        return getattr(self._client, name)

    async def evalsha(self, digest: str, numkeys: int, *arguments: object) -> Any:  # noqa: ANN401 - a reply
        """Run a script that the server has."""
        return self._suspend_at_permit(await self._client.evalsha(digest, numkeys, *arguments))

    async def eval(self, script: str, numkeys: int, *arguments: object) -> Any:  # noqa: ANN401 - a reply
        """Load and run a script."""
        return self._suspend_at_permit(await self._client.eval(script, numkeys, *arguments))

    def _suspend_at_permit(self, reply: Any) -> Any:  # noqa: ANN401 - a reply
        if reply[0] and self._seconds:
            go_on = f"sleep {self._seconds}; kill -CONT {os.getpid()}"
            self._seconds = 0.0
            Popen(["/bin/sh", "-c", go_on])  # noqa: S603 - our own words
            os.kill(os.getpid(), signal.SIGSTOP)
        return reply
