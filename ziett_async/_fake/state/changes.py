"""ChangeLog: every change of the store, in order, for readers that each keep a position.

It is append-only, so a reader that comes late misses nothing and readers do not know of each
other. It grows with the store: an entry holds the row as it became, and shares with the next
version of that row all that has stayed the same. `FakeZiett.clear` begins another log.
"""

from collections.abc import Sequence
from uuid import UUID

import attrs

from ziett_async._fake.state.records import CampaignRecord, Change, ContactRecord, MessageRecord


@attrs.frozen
class DeletedMessage:
    """A message is no longer in the store."""

    id: UUID


ChangedRow = MessageRecord | CampaignRecord | ContactRecord | DeletedMessage


class ChangeLog:
    """The rows that were added, changed or deleted, each as it became."""

    def __init__(self) -> None:
        self._entries: list[ChangedRow] = []

    @property
    def position(self) -> int:
        """The position of the next entry: how many there are."""
        return len(self._entries)

    def append(self, row: ChangedRow) -> None:
        """Add a row as it is now."""
        self._entries.append(row)

    def since(self, position: int) -> Sequence[ChangedRow]:
        """Return the entries from a position on, in order."""
        return self._entries[position:]


def with_history(record: MessageRecord) -> MessageRecord:
    """Return a message that was changed by hand, with the change in its history."""
    change = Change(record.status, record.updated_at, record.error_code)
    last = record.history[-1] if record.history else None
    if last and (last.status, last.error_code) == (change.status, change.error_code):
        return record
    return attrs.evolve(record, history=(*record.history, change))
