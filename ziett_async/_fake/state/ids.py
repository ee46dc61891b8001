"""Ids and timestamps, which depend only on a clock and a seed."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from ziett_async._clock import Clock
from ziett_async._fake.dialect import Dialect

_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62
_MILLISECOND, _MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class IdFactory:
    """Makes the ids and timestamps of a service."""

    def __init__(self, clock: Clock, dialect: Dialect, *, seed: int, distinct: bool) -> None:
        # These ids have to be repeatable, not unpredictable.
        self._random = Random(seed)  # noqa: S311
        self._clock = clock
        #: The dialect of every response from now on.
        self.dialect = dialect
        self._distinct = distinct
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time of the clock, at the precision of the dialect."""
        return self.dialect.to_precision(datetime.fromtimestamp(self._clock.time(), UTC))

    def next_timestamp(self) -> datetime:
        """Return the next `created_at`: now, or just after the last one if they are distinct."""
        step = _MILLISECOND if self.dialect.timestamps == "milliseconds" else _MICROSECOND
        just_after = self.dialect.to_precision(self._last) + step
        self._last = max(self.now(), just_after) if self._distinct else self.now()
        return self._last

    def uuid(self, moment: datetime) -> UUID:
        """Return a UUID of version 7 for a moment."""
        milliseconds = (moment - _EPOCH) // _MILLISECOND
        bits = self._random.getrandbits(74)
        high, low = bits >> 62, bits & (1 << 62) - 1
        return UUID(int=milliseconds << 80 | high << 64 | low | _VERSION_AND_VARIANT)


class TraceIds:
    """Identifiers of requests: 32 hexadecimal digits, without repetition.

    They are random 128-bit numbers, from the seed but independent of all other ids, or
    unpredictable if the seed is None.
    """

    def __init__(self, seed: int | None) -> None:
        # They identify requests and protect nothing.
        self._random = Random(None if seed is None else f"trace {seed}")  # noqa: S311

    def next(self) -> str:
        """Return the next identifier."""
        return f"{self._random.getrandbits(128):032x}"
