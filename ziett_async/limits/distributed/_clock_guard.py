"""The clock guard: notices that a store's clock was set forward, which the store itself cannot.

Between two answers the store's clock may advance by as much as passed here between asking for
the first and receiving the second, on a clock that cannot be set. If it advanced by more, what
the store takes for a whole window was shorter. The first process to notice tells the store by
how much; from then on each answer says so, and the others know that it was dealt with.
"""

from ziett_async.limits.distributed._store import Answer

#: Seconds, and seconds per second, by which two honest clocks may differ.
_TOLERANCE, _DRIFT = 0.1, 0.0005


class ClockGuard:
    """Compares the clock of one bucket's store with this process's monotonic clock."""

    __slots__ = ("_answer", "_asked")

    def __init__(self) -> None:
        self._asked = 0.0
        #: The last one that was accepted; of a new process there is none to compare with.
        self._answer: Answer | None = None

    def unexplained(self, answer: Answer, asked: float, received: float) -> float:
        """Return by how much the store's clock is ahead of what can be; 0.0 is an honest one.

        Both times are of this process. Only an honest answer is compared with later.
        """
        last, passed = self._answer, received - self._asked
        if last is not None:
            advanced = answer.now - last.now - (answer.jumped - last.jumped)
            if advanced > passed * (1 + _DRIFT) + _TOLERANCE:
                return advanced - passed
        self._asked, self._answer = asked, answer
        return 0.0
