"""Ids and moments made from a clock and a seed, and from nothing else."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from ziett_async._clock import Clock
from ziett_async.testing._dialect import Dialect

_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62
_STEP = {"milliseconds": timedelta(milliseconds=1)}
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stamps:
    """The service's date stamp and numbering machine."""

    def __init__(self, clock: Clock, dialect: Dialect, *, seed: int, distinct: bool) -> None:
        # Repeatable is what these ids have to be, and unpredictable what they need not.
        self._random = Random(seed)  # noqa: S311
        self._clock = clock
        self._dialect = dialect
        self._step = _STEP.get(dialect.timestamps, _MICROSECOND) if distinct else timedelta()
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the calendar time, as finely as the dialect shows it."""
        return self._dialect.keep(datetime.fromtimestamp(self._clock.time(), UTC))

    def next(self) -> datetime:
        """Return a `created_at`: now, or just after the last one where those are distinct."""
        self._last = max(self.now(), self._last + self._step) if self._step else self.now()
        return self._last

    def uuid(self, moment: datetime) -> UUID:
        """Return a version 7 id of that moment."""
        milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
        noise = self._random.getrandbits(74)
        high, low = noise >> 62, noise & (1 << 62) - 1
        return UUID(int=milliseconds << 80 | high << 64 | low | _VERSION_AND_VARIANT)
