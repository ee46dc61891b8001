"""The clock guard: notices that a store's clock was set forward, which the store itself cannot.

Between two answers the store's clock may advance by as much as passed here between asking for
the first and receiving the second, on a clock that cannot be set. If it advanced by more, what
the store takes for a whole window was shorter.
"""

from ziett_async.limits.distributed._store import Answer

#: Seconds, and seconds per second, by which two honest clocks may differ.
_TOLERANCE, _DRIFT = 0.1, 0.0005


class ClockGuard:
    """Compares the clock of one bucket's store with this process's monotonic clock."""

    __slots__ = ("_answer", "_asked")

    def __init__(self) -> None:
        self._asked = 0.0
        self._answer: Answer | None = None

    def accepts(self, answer: Answer, asked: float, received: float) -> bool:
        """Return whether the store's clock can be right; both times are of this process."""
        last, passed = self._answer, received - self._asked
        self._asked, self._answer = asked, answer
        if last is None:
            return True
        # What was forgotten since was forgotten after the last answer: the clock counts from there.
        start = last.now if answer.forgotten == last.forgotten else answer.forgotten
        return answer.now - start <= passed * (1 + _DRIFT) + _TOLERANCE
