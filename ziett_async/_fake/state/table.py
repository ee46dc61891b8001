"""Tables indexed by id and time, so that a page of a large table is cheap."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from math import inf
from typing import Generic, Protocol, TypeVar
from uuid import UUID


class Row(Protocol):
    """What a row needs to be found and sorted."""

    @property
    def id(self) -> UUID:
        """Its identifier."""
        ...

    @property
    def created_at(self) -> datetime:
        """When it was accepted."""
        ...

    @property
    def updated_at(self) -> datetime:
        """When it last changed."""
        ...


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """Rows in order of acceptance, indexed by id and by `created_at`.

    Rows with the same `created_at` are in order of acceptance.
    """

    def __init__(self) -> None:
        self._rows: dict[UUID, R] = {}
        self._ordinals: dict[UUID, int] = {}
        # Parallel lists, sorted: the time and ordinal of each row, and its id.
        self._timeline: list[tuple[datetime, float]] = []
        self._ids: list[UUID] = []

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def get(self, row_id: UUID) -> R | None:
        """Return a row, or None."""
        return self._rows.get(row_id)

    def __getitem__(self, row_id: UUID) -> R:
        return self._rows[row_id]

    def put(self, row: R) -> None:
        """Add a row, or replace the one with the same id, keeping its position."""
        old = self._rows.get(row.id)
        self._ordinals.setdefault(row.id, len(self._ordinals))
        self._rows[row.id] = row
        if old is None:
            self._add_to_timeline(row)
        elif old.created_at != row.created_at:
            self._remove_from_timeline(old)
            self._add_to_timeline(row)

    def remove(self, row_id: UUID) -> None:
        """Delete a row.

        Raises:
            KeyError: there is no such row.

        """
        self._remove_from_timeline(self._rows.pop(row_id))

    def ids_between(self, oldest: datetime | None, newest: datetime | None) -> Sequence[UUID]:
        """Return the ids of rows with `created_at` within the inclusive bounds, oldest first."""
        timeline = self._timeline
        start = 0 if oldest is None else bisect_left(timeline, (oldest, -inf))
        stop = len(timeline) if newest is None else bisect_right(timeline, (newest, inf))
        return self._ids[start:stop]

    def _add_to_timeline(self, row: R) -> None:
        moment = (row.created_at, float(self._ordinals[row.id]))
        index = bisect_left(self._timeline, moment)
        self._timeline.insert(index, moment)
        self._ids.insert(index, row.id)

    def _remove_from_timeline(self, row: R) -> None:
        index = bisect_left(self._timeline, (row.created_at, self._ordinals[row.id]))
        del self._timeline[index], self._ids[index]
