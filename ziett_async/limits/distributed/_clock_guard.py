"""The clock guard: notices that a store's clock was set, which the store itself may not.

Between two answers the store's clock has to advance by what passed here, on a clock that cannot
be set: by no more than from asking for the first to receiving the second, and by no less than
from receiving the first to asking for the second. If it advanced by more, what the store takes
for a whole window was shorter; if by less, that can still be so when it is set right again. The
first process to notice tells the store by how much; from then on each answer says so, and the
others know that it was dealt with.
"""

from ziett_async.limits.distributed._store import Answer

#: Seconds, and seconds per second, by which two honest clocks may differ.
_TOLERANCE, _DRIFT = 0.1, 0.0005


class ClockGuard:
    """Compares the clock of one bucket's store with this process's monotonic clock."""

    __slots__ = ("_answer", "_asked", "_received")

    def __init__(self) -> None:
        #: The last one that was honest; of a new process there is none to compare with.
        self._answer: Answer | None = None
        self._asked = self._received = 0.0

    def unexplained(self, answer: Answer, asked: float, received: float) -> float:
        """Return by how much the store's clock was set; 0.0 is an honest answer.

        Both times are of this process. Only an honest answer is compared with later.
        """
        last = self._answer
        if last is not None:
            advanced = answer.now - last.now - (answer.jumped - last.jumped)
            most, least = received - self._asked, asked - self._received
            slack = _TOLERANCE + most * _DRIFT
            if advanced > most + slack:
                return advanced - most
            if advanced < least - slack:
                return advanced - least
        self._answer, self._asked, self._received = answer, asked, received
        return 0.0
