"""How many arrivals a window of time holds."""

from collections.abc import Sequence


def crowd(arrivals: Sequence[float], per: float) -> int:
    """Return the most arrivals in any window of `per`, not counting its first instant."""
    first = most = 0
    for last, arrival in enumerate(arrivals):
        while arrivals[first] + per <= arrival:
            first += 1
        most = max(most, last - first + 1)
    return most
