"""Ids and moments made from a clock and a seed, and from nothing else."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from ziett_async._clock import Clock
from ziett_async._fake.dialect import Dialect

_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62
_MILLISECOND, _MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class IdFactory:
    """The service's date stamp and numbering machine."""

    def __init__(self, clock: Clock, dialect: Dialect, *, seed: int, distinct: bool) -> None:
        # Repeatable is what these ids have to be, and unpredictable what they need not.
        self._random = Random(seed)  # noqa: S311
        self._clock = clock
        #: The dialect of every answer from now on.
        self.dialect = dialect
        self._distinct = distinct
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the calendar time, as finely as the dialect shows it."""
        return self.dialect.to_precision(datetime.fromtimestamp(self._clock.time(), UTC))

    def next(self) -> datetime:
        """Return a `created_at`: now, or just after the last one where those are distinct."""
        step = _MILLISECOND if self.dialect.timestamps == "milliseconds" else _MICROSECOND
        just_after = self.dialect.to_precision(self._last) + step
        self._last = max(self.now(), just_after) if self._distinct else self.now()
        return self._last

    def uuid(self, moment: datetime) -> UUID:
        """Return a version 7 id of that moment."""
        milliseconds = (moment - _EPOCH) // _MILLISECOND
        noise = self._random.getrandbits(74)
        high, low = noise >> 62, noise & (1 << 62) - 1
        return UUID(int=milliseconds << 80 | high << 64 | low | _VERSION_AND_VARIANT)


class TraceIds:
    """Identifiers of requests: 32 hexadecimal digits, none of which comes twice.

    They are drawn from 2**128, by the seed and apart from all other ids, or unpredictably
    where the seed is None.
    """

    def __init__(self, seed: int | None) -> None:
        # They identify requests, and protect nothing.
        self._random = Random(None if seed is None else f"trace {seed}")  # noqa: S311

    def next(self) -> str:
        """Return the next one."""
        return f"{self._random.getrandbits(128):032x}"
