"""The steps of a store on one bucket, for tests that set its clock."""

import attrs

from tests.support.stores import TimedStore
from ziett_async import Priority, Rate
from ziett_async.limits.distributed._store import Answer, Terms

#: One rate, without a quarantine.
ONE = Terms([Rate(2, per=10.0)], 0.0, 3.0, distrusts_new_store=False)


@attrs.define
class Script:
    """A store, and the bucket and terms that it is used with."""

    store: TimedStore
    url: str
    name: str
    terms: Terms

    async def acquire(
        self, permit: str, priority: Priority = Priority.URGENT, *, asked_before: bool = False
    ) -> Answer:
        """Ask for a permit."""
        return await self.store.acquire(
            self.name, self.terms, permit, priority, asked_before=asked_before
        )

    async def release(self, permit: str) -> Answer:
        """Release it."""
        return await self.store.release(self.name, self.terms, permit)

    async def wait_of(self, permit: str, priority: Priority = Priority.URGENT) -> float:
        """Ask for a permit that is not granted; return in how many seconds to ask again."""
        answer = await self.acquire(permit, priority)
        assert not answer.granted
        return answer.until - self.store.now
