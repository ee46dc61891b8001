"""The arithmetic of one bucket: whether an attempt may start now, and when one may at the earliest.

A token of each rate is taken when an attempt starts, and comes back `per` seconds after the
attempt has ended. Of a rate's `limit` tokens each is therefore in one of three places: free,
in flight, or on its way back. Every attempt holds one token of every rate, so one count of
attempts in flight and one list of the moments at which attempts ended serve all rates: a
rate has `limit - in_flight` tokens that are not in flight, and these belong to the last
`limit - in_flight` of the `ends`, which are sorted because the attempts end in that order. One
of them is free when the first of these ends lies `per` seconds back, or when there are fewer.

Why no window of `per` seconds sees more than `limit` arrivals: an attempt arrives at the
server between its start and its end. Take any `limit + 1` attempts; two of them, i before j,
had the same token. So arrival(j) >= start(j) >= end(i) + per >= arrival(i) + per, and no
half-open window `(t, t + per]` holds both. Nothing about latency or about the server's own
algorithm was used, only that nothing of an attempt arrives after it has ended. Where several
rates hold together an attempt starts when each of them has a free token, so the argument
applies to each of them alone.

Bulk attempts are under rates of their own as well: those of the bucket less the reserve. A bulk
attempt takes a token of both, which makes some attempts start later and none sooner. So bulk
attempts alone may use all but the reserve, however many urgent ones there are beside them; and
as they never hold more, an urgent attempt finds a free token of a rate whenever fewer urgent
ones than the reserve have one that is not free.

Nothing here reads a clock, waits or locks: the time is an argument.
"""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from math import ceil, inf
from sys import float_info, maxsize

import attrs

from ziett_async._operation import Priority
from ziett_async._repr import Value

#: Seconds added to a sleep that ends when a deadline is checked, so that the check decides.
GRAIN = 0.001
#: The longest pause in seconds, whatever the server asks for.
LONGEST_PAUSE = 600.0
#: Tokens that are put into `spare` at once.
BATCH = 32


def _check_limit(_: object, __: object, limit: int) -> None:
    if type(limit) is not int or limit < 1:
        message = f"limit: must be a whole number of at least 1, got {limit!r}"
        raise ValueError(message)


def _check_per(_: object, __: object, per: float) -> None:
    if type(per) not in {int, float} or not 0 < per <= float_info.max:
        message = f"per: must be a finite number of seconds above 0, got {per!r}"
        raise ValueError(message)


@attrs.frozen(repr=False)
class Rate(Value):
    """At most `limit` attempts in any window of `per` seconds: `Rate(120, per=60.0)`.

    Raises:
        ValueError: a field is out of range; the message names it.

    """

    #: Attempts, 1 or more: `120`.
    limit: int = attrs.field(validator=_check_limit)
    #: Seconds, above 0 and finite: `60.0`.
    per: float = attrs.field(default=60.0, validator=_check_per)


def for_bulk(limit: int, reserve: float) -> int:
    """Return a limit without the reserved share of it, which is rounded up; 1 always remains."""
    # Floating point may put the product this little above a whole number: do not round that up.
    return max(1, limit - ceil(limit * (reserve - 1e-12)))


_URGENT = Priority.URGENT


class Pool:
    """The tokens of rates that hold together."""

    __slots__ = ("ends", "in_flight", "rates")

    def __init__(self, rates: Sequence[tuple[int, float]]) -> None:
        #: `(limit, per)` of each.
        self.rates = rates
        #: Attempts that have started and not ended.
        self.in_flight: int = 0
        #: When attempts ended, earliest first; no rate needs more of them than its limit.
        self.ends = deque[float](maxlen=min(maxsize, max(limit for limit, _ in rates)))

    def has(self, now: float, count: int = 1) -> bool:
        """Return whether every rate has so many free tokens."""
        ends = self.ends
        for limit, per in self.rates:
            # The last of the `count` attempts gets a token if one of these is free.
            idle = limit - self.in_flight - count + 1
            if idle <= 0 or (idle <= len(ends) and now < ends[-idle] + per):
                return False
        return True

    def give_back(self, now: float) -> None:
        """End an attempt: its token of each rate may be taken again in `per` seconds."""
        self.in_flight -= 1
        self.ends.append(now)

    def start(self, now: float, ahead: int, paused_until: float) -> float:
        """Return when an attempt with `ahead` others before it can start, at the earliest."""
        return max(
            max(self._start(now, ahead % limit, limit, per), paused_until) + ahead // limit * per
            for limit, per in self.rates
        )

    def _start(self, now: float, place: int, limit: int, per: float) -> float:
        idle = max(limit - self.in_flight, 0)
        returning = min(idle, len(self.ends))
        place -= idle - returning
        if place < 0:
            return now
        if place < returning:
            return max(now, self.ends[place - returning] + per)
        return now + per


class Tokens(Pool):
    """The tokens of one bucket. All times are seconds on one clock that never goes back."""

    __slots__ = ("_bulk", "paused_until", "spare")

    def __init__(self, rates: Sequence[Rate], reserve: float = 0.0) -> None:
        # What is in `spare` is in flight.
        super().__init__([(rate.limit, rate.per) for rate in rates])
        #: Those that bulk attempts hold as well.
        self._bulk = Pool([(for_bulk(rate.limit, reserve), rate.per) for rate in rates])
        #: No attempt starts before this moment.
        self.paused_until = -inf
        #: Tokens taken for urgent attempts that are yet to start: each `pop` starts one.
        self.spare: list[None] = []

    def take(self, now: float, priority: Priority = _URGENT, count: int = 1) -> bool:
        """Start attempts if every rate has a token for each; return whether they started."""
        if now < self.paused_until or not self.has(now, count):
            return False
        if priority is not _URGENT:
            if not self._bulk.has(now, count):
                return False
            self._bulk.in_flight += count
        self.in_flight += count
        return True

    def give_back_bulk(self, now: float) -> None:
        """End a bulk attempt."""
        self.give_back(now)
        self._bulk.give_back(now)

    def stock(self, now: float) -> None:
        """Take a batch of tokens for `spare`, if that many are free."""
        if self.take(now, count=BATCH):
            self.spare += [None] * BATCH

    def take_back(self) -> None:
        """Empty `spare`: its tokens are as free as they were."""
        while self.spare:
            # Other threads pop meanwhile: each token is either theirs or comes back.
            with suppress(IndexError):
                self.spare.pop()
                self.in_flight -= 1

    def used(self, now: float) -> float:
        """Return the share of the tokens that is not free, of the rate that is used most."""
        in_flight = self.in_flight - len(self.spare)
        return max(
            (in_flight + sum(now < end + per for end in self.ends)) / limit
            for limit, per in self.rates
        )

    def pause(self, until: float) -> bool:
        """Start no attempt before a moment; return False if a pause lasts as long anyway."""
        if until > self.paused_until:
            self.paused_until = until
            return True
        return False

    def earliest(
        self, now: float, ahead: int, priority: Priority = _URGENT, bulk_ahead: int = 0
    ) -> float:
        """Return the earliest moment at which an attempt with `ahead` others before it can start.

        A lower bound: what is in flight is taken to end now, as does, when its turn comes,
        each attempt ahead. `bulk_ahead` of those ahead are bulk, which counts for a bulk attempt.
        """
        start = self.start(now, ahead, self.paused_until)
        if priority is _URGENT:
            return start
        return max(start, self._bulk.start(now, bulk_ahead, self.paused_until))

    def recheck_in(self, now: float, deadline: float) -> float:
        """Return after how many seconds to look whether a deadline will be missed.

        What is in flight moves `earliest` along with `now`, `per` ahead of it. So a look
        is worthwhile when `per` is left, for each of the rates, and at the deadline.
        """
        left = deadline - now
        checks = [left - per + GRAIN for _, per in self.rates if left >= per]
        return min(checks, default=left)
