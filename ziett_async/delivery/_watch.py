"""What a caller waits with: until messages are final, or for each change of their status."""

from collections.abc import AsyncIterator, Iterable
from math import inf
from uuid import UUID

import attrs

from ziett_async._session import Session
from ziett_async.delivery._waiter import Waiter
from ziett_async.delivery._watcher import Reader, Watcher
from ziett_async.models import Message


@attrs.frozen(eq=False, repr=False)
class Watch:
    """Messages that are waited for, for `timeout` seconds; each loop over it starts anew."""

    _session: Session
    _reader: Reader
    _ids: Iterable[UUID]
    _timeout: float | None

    async def until_final(self) -> dict[UUID, Message]:
        """Return all messages by their ids, once they are final."""
        watcher, waiter = self.begin("wait_until_final", every_status=False)
        try:
            await watcher.serve(waiter)
        finally:
            watcher.leave(waiter)
        return waiter.messages()

    def __aiter__(self) -> AsyncIterator[Message]:
        return _Changes(self)

    def begin(self, operation: str, *, every_status: bool) -> tuple[Watcher, Waiter]:
        """Begin to wait, in the running event loop."""
        watcher = Watcher.here(self._session, self._reader)
        now = self._session.pipeline.clock.monotonic()
        end = inf if self._timeout is None else now + self._timeout
        ids = tuple(dict.fromkeys(self._ids))
        waiter = Waiter(operation, ids, end, every_status)
        watcher.join(waiter)
        return watcher, waiter


class _Changes:
    """Requests are made within a step, this loop's own or another caller's; none between them."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        #: None before the first step, which belongs to an event loop.
        self._begun: tuple[Watcher, Waiter] | None = None

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        if self._begun is None:
            self._begun = self._watch.begin("watch_messages", every_status=True)
        watcher, waiter = self._begun
        await watcher.serve(waiter)
        if waiter.changes:
            return waiter.changes.popleft()
        raise StopAsyncIteration
