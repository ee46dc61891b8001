"""The port: where the tokens of all processes are, and what a process asks of it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import attrs

from ziett_async._operation import Priority
from ziett_async._repr import Value
from ziett_async.limits._bucket import Rate

#: The largest limit, and the longest `per` and `longest_attempt` in seconds: a script counts in
#: microseconds, and has whole numbers of up to 53 bits.
MOST_ATTEMPTS, MOST_SECONDS = 1_000_000_000, 100_000_000
#: Seconds after a process asked for a permit in which its attempt must start.
START_WITHIN = 1.0
#: Seconds after the moment at which a waiting process should ask again, after which it is
#: taken for dead.
GRACE = 0.5


@attrs.frozen(repr=False, eq=False)
class Terms(Value):
    """What a store must know of a bucket; each is equal to itself alone."""

    rates: Sequence[Rate]
    #: The share of every rate that bulk attempts leave to urgent ones.
    reserve: float
    #: Seconds from the start of an attempt to its end, at the most: `15.0`.
    longest_attempt: float
    #: Whether no attempt starts for `quarantine` seconds where a store has nothing of a bucket.
    distrusts_new_store: bool = True

    @property
    def lease(self) -> float:
        """Seconds after which a permit's attempt has ended, whatever became of its process."""
        return START_WITHIN + self.longest_attempt

    @property
    def quarantine(self) -> float:
        """Seconds after which all attempts of now are out of every window."""
        return self.lease + max(rate.per for rate in self.rates)


class Answer(NamedTuple):
    """What a store says after each step. Times are seconds on its own clock."""

    granted: bool
    now: float
    #: When to ask again; of other steps than `acquire`, before when no attempt starts.
    until: float
    #: By how much its clock is known to have been set in all, forward less back.
    jumped: float
    #: Whether it can tell a server from the one that took its place.
    is_identified: bool


class Store(Protocol):
    """Keeps the tokens of buckets; each method is one atomic step.

    A store counts permits held and the moments at which attempts ended, as `Tokens` does, on
    its own clock; those of bulk attempts also by themselves, so it keeps the priority of each
    permit. It begins each step by ending the attempts whose permits have expired, and
    by checking that it is the server it was, that nothing it counts has been lost and that
    its clock has not gone back by more than 0.1 seconds, which it subtracts from `jumped`; if
    not it forgets the bucket, and no attempt starts for `terms.quarantine` seconds.

    A step that raises `LimiterUnavailable` is not tried again; after any other exception it is.
    """

    #: What it is called in errors: `redis`.
    name: str

    async def acquire(
        self, bucket: str, terms: Terms, permit: str, priority: Priority, *, asked_before: bool
    ) -> Answer:
        """Grant a permit, or keep a place for it until `GRACE` seconds after `until`.

        One that is held already is granted, and lasts as long as a new one: the answer to an
        earlier step was lost.
        """
        ...

    async def release(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """End the attempt of a permit; of one that is not held, nothing."""
        ...

    async def withdraw(self, bucket: str, terms: Terms, permit: str) -> Answer:
        """Forget a permit that no attempt was made with, and its place."""
        ...

    async def pause(self, bucket: str, terms: Terms, seconds: float) -> Answer:
        """Start no attempt for so many seconds; never shorten a pause."""
        ...

    async def distrust(self, bucket: str, terms: Terms, jumped: float, by: float) -> Answer:
        """Record that the clock was set by so much more than `jumped`, and forget all.

        No attempt starts for a quarantine. Where the store knows more than `jumped` by now,
        another process has noticed the same, and nothing happens.
        """
        ...
