"""The arithmetic of one bucket: who may start now, and when the next one may at the earliest.

A token is taken when an attempt starts and comes back `per` seconds after the attempt has
ended. Of the `limit` tokens each is therefore in one of three places: free, in flight, or
on its way back, in `returns`, which is sorted because the attempts end in that order.

Why no window of `per` seconds sees more than `limit` arrivals: an attempt arrives at the
server between its start and its end. Take any `limit + 1` attempts; two of them, i before j,
had the same token. So arrival(j) >= start(j) >= end(i) + per >= arrival(i) + per, and no
half-open window `(t, t + per]` holds both. Nothing about latency or about the server's own
algorithm was used, only that nothing of an attempt arrives after it has ended.

Nothing here reads a clock, waits or locks: every method is told what time it is.
"""

from collections import deque
from math import inf, isfinite

import attrs

from ziett_async._value import Value

#: Seconds added to a nap that ends when a deadline is in doubt, so that the doubt is over.
_GRAIN = 0.001


def _check_limit(_: object, __: object, limit: int) -> None:
    if type(limit) is not int or limit < 1:
        message = f"limit: must be a whole number of at least 1, got {limit!r}"
        raise ValueError(message)


def _check_per(_: object, __: object, per: float) -> None:
    if type(per) not in {int, float} or not isfinite(per) or per <= 0:
        message = f"per: must be a finite number of seconds above 0, got {per!r}"
        raise ValueError(message)


@attrs.frozen(repr=False)
class Rate(Value):
    """So many attempts in any window of so many seconds: `Rate(120, per=60.0)`.

    Raises `ValueError`, which names the field, when one is out of range.
    """

    #: Attempts, 1 or more: `120`.
    limit: int = attrs.field(validator=_check_limit)
    #: Seconds, above 0 and finite: `60.0`.
    per: float = attrs.field(default=60.0, validator=_check_per)


@attrs.define(eq=False, repr=False)
class Tokens:
    """The tokens of one bucket. All times are seconds on one clock that never goes back."""

    limit: int
    per: float
    #: Attempts that have started and not ended.
    in_flight: int = 0
    #: When the tokens that were given back may be taken again, earliest first.
    returns: deque[float] = attrs.field(factory=deque[float])
    #: Nobody starts before this moment.
    paused_until: float = -inf

    def take(self, now: float) -> bool:
        """Start an attempt if there is a token for it; say whether there was."""
        if now < self.paused_until:
            return False
        returns = self.returns
        if self.in_flight + len(returns) == self.limit:
            if not returns or now < returns[0]:
                return False
            returns.popleft()
        self.in_flight += 1
        return True

    def give_back(self, now: float) -> None:
        """End an attempt: its token may be taken again in `per` seconds."""
        if not self.in_flight:
            message = "release() without an acquire() that returned"
            raise RuntimeError(message)
        self.in_flight -= 1
        self.returns.append(now + self.per)

    def pause(self, until: float) -> None:
        """Let nobody start before a moment; a pause that lasts longer stays as it is."""
        self.paused_until = max(self.paused_until, until)

    def earliest(self, now: float, ahead: int) -> float:
        """Return the earliest moment at which the one with so many ahead of it can start.

        A lower bound: what is in flight is taken to end now, as does, when its turn comes,
        the attempt of each one ahead.
        """
        rounds, place = divmod(ahead, self.limit)
        place -= self.limit - self.in_flight - len(self.returns)
        if place < 0:
            start = now
        elif place < len(self.returns):
            start = max(now, self.returns[place])
        else:
            start = now + self.per
        return max(start, self.paused_until) + rounds * self.per

    def patience(self, now: float, deadline: float) -> float:
        """Return for how many seconds time alone cannot prove that a deadline will be missed.

        What is in flight moves `earliest` along with `now`, a whole number of `per` ahead
        of it, so it can pass the deadline only when such a number of `per` is left.
        """
        left = deadline - now
        return left if left == inf else min(left, left % self.per + _GRAIN)
