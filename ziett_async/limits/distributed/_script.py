"""A store whose steps are one script on its server, which is given what it must know each time."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache

from ziett_async._operation import Priority
from ziett_async.limits._bucket import for_bulk
from ziett_async.limits.distributed._store import GRACE, Answer, Terms


class ScriptedStore(ABC):
    """The steps of `Store`, whose numbers are whole microseconds."""

    @abstractmethod
    async def run(
        self, command: str, bucket: str, permit: str, settings: Sequence[int], words: Sequence[str]
    ) -> Sequence[int]:
        """Run the script; return whether it granted a permit, and the other fields of an `Answer`.

        Args:
            command: the name of a method of `Store`.
            bucket: whose tokens they are.
            permit: an id; empty where the command is about none.
            settings: how long a permit lasts, how long a quarantine does, how long one at which
                nothing is known of other processes does, after how long a waiter that does not
                come back is dead; and of each rate its limit, its period, its limit for bulk.
            words: what else the command needs.

        """

    async def acquire(
        self, bucket: str, terms: Terms, permit: str, priority: Priority, *, asked_before: bool
    ) -> Answer:
        """Grant a permit, or keep a place for it."""
        return await self._step("acquire", bucket, terms, permit, priority, int(asked_before))

    async def release(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """End the attempt of a permit."""
        return await self._step("release", bucket, terms, permit)

    async def withdraw(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """Forget a permit that no attempt was made with, and its place."""
        return await self._step("withdraw", bucket, terms, permit)

    async def pause(self, bucket: str, terms: Terms, seconds: float) -> Answer:
        """Start no attempt for so many seconds."""
        return await self._step("pause", bucket, terms, "", _microseconds(seconds))

    async def distrust(self, bucket: str, terms: Terms, jumped: float, by: float) -> Answer:
        """Record that the clock was set and forget everything, unless that was done."""
        words = _microseconds(jumped), _microseconds(by)
        return await self._step("distrust", bucket, terms, "", *words)

    async def _step(
        self, command: str, bucket: str, terms: Terms, permit: str, *words: str | int
    ) -> Answer:
        reply = await self.run(command, bucket, permit, _settings(terms), [*map(str, words)])
        granted, now, until, jumped, is_identified = reply
        return Answer(bool(granted), now / 1e6, until / 1e6, jumped / 1e6, bool(is_identified))


@lru_cache(maxsize=64)  # made anew for each step, it is a fiftieth of what a permit costs
def _settings(terms: Terms) -> Sequence[int]:
    unknown = terms.quarantine if terms.distrusts_new_store else 0
    settings = [_microseconds(each) for each in (terms.lease, terms.quarantine, unknown, GRACE)]
    for rate in terms.rates:
        settings += rate.limit, _microseconds(rate.per), for_bulk(rate.limit, terms.reserve)
    return settings


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
