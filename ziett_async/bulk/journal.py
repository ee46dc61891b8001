"""Journal: the port for the durable records of a run. RunJournal: how a run uses one.

A run writes a record before it sends a message for the first time, and again when it knows what
became of it. A record is written whole each time, so a journal needs no rule of its own: the
last record of a row counts. Only the run of the header may write while it is open.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import anyio
import attrs

from ziett_async._repr import Value
from ziett_async.errors import ConfigurationError

_OTHER_MESSAGES = (
    "journal: it belongs to other messages, as the one in row {} shows; name another file, or"
    " remove it if that run is over"
)
_TOO_FEW_MESSAGES = (
    "journal: it holds more than these {} messages; start the run with all of them, or name"
    " another file"
)

#: Records that are read at once.
_AT_ONCE = 500


@attrs.frozen(repr=False)
class Header(Value):
    """Which run a journal belongs to."""

    #: `send_many` or `send_campaign`.
    operation: str
    #: The name of the run, which is part of every key.
    run: str
    #: A digest of the messages where they were a sequence; None for a stream.
    digest: str | None


@attrs.frozen(repr=False)
class Record(Value):
    """What is known of one message; it holds neither its number nor its text."""

    #: Its place in the list, the first is 0.
    row: int
    #: Its idempotency key, by which a changed message shows.
    key: str
    #: When it may have been sent for the first time, in seconds since 1970; None is not yet.
    begun_at: float | None
    #: What it was accepted as.
    accepted_id: str | None = None
    #: How the call went, or the refusal, as JSON; None while it is not settled.
    facts: str | None = None


class Journal(Protocol):
    """Keeps the records of one run, at most one record of a row.

    Any exception of a method ends the run before anything else is sent; a `ConfigurationError`
    says what to do about it. Methods are called one at a time.
    """

    async def open(self, header: Header) -> Header:
        """Open it for one run alone; return the header it holds, or keep this one if none.

        Raises:
            ConfigurationError: another run has it open, or it is unusable.

        """
        ...

    async def read(self, row: int, count: int) -> Sequence[Record]:
        """Return the next `count` records from a row on, in order of their rows."""
        ...

    async def write(self, records: Sequence[Record]) -> None:
        """Insert or replace records, all of them or none; durable when it returns."""
        ...

    async def has_accepted(self, accepted_id: str) -> bool:
        """Return whether a record has this `accepted_id`."""
        ...

    async def aclose(self) -> None:
        """Close it, so that another run may open it."""
        ...


def require_same_run(found: Header, wanted: Header, run: str | None) -> None:
    """Refuse the journal of another run, or of another list.

    `run` is the name that was asked for. A stream has no digest; a list that differs from the
    one of its journal shows in the keys.

    Raises:
        ConfigurationError: it is one.

    """
    if found.operation != wanted.operation:
        wrong = f"it belongs to {found.operation}"
    elif run is not None and found.run != run:
        wrong = "it belongs to a run of another name"
    elif None not in {found.digest, wanted.digest} and found.digest != wanted.digest:
        wrong = "it belongs to another list of messages"
    else:
        return
    message = f"journal: {wrong}; name another file, or remove it if that run is over"
    raise ConfigurationError(message)


@attrs.define(eq=False)
class _Batch:
    """Records that become durable in one commit."""

    records: list[Record] = attrs.field(factory=list[Record])
    error: Exception | None = None

    async def commit(self, journal: Journal) -> None:
        """Write them; an error is kept for every caller that waits for them."""
        try:
            await journal.write(self.records)
        except Exception as error:  # noqa: BLE001 - a user's journal may raise anything
            self.error = error


class RunJournal:
    """A run's use of its journal, or of none: one call at a time, and many records in one commit.

    While a commit is under way, records gather for the next one; each caller returns when its
    own is durable. A run writes only rows whose record has been asked for here, so that what is
    read ahead is never out of date.
    """

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._turn = anyio.Lock()
        self._next = _Batch()
        self._ahead = deque[Record]()
        self._is_read = journal is None
        self._is_open = False

    async def open(self, header: Header) -> Header:
        """Open the journal; return the header it holds, or without a journal this one."""
        if self._journal is None:
            return header
        # Also while it is being opened: when that is cancelled, it may have happened.
        self._is_open = True
        try:
            return await self._journal.open(header)
        except Exception:
            self._is_open = False
            raise

    async def record_of(self, row: int, key: str) -> Record:
        """Return the record of a row, a new one if it has none; rows come in their order.

        Raises:
            ConfigurationError: the row holds another message.

        """
        record = await self._find(row)
        if record is not None and record.key != key:
            raise ConfigurationError(_OTHER_MESSAGES.format(row))
        return record or Record(row, key, None)

    async def require_end(self, rows: int) -> None:
        """Refuse a journal of more rows than these.

        Raises:
            ConfigurationError: it has more.

        """
        if await self._find(rows) is not None or self._ahead:
            raise ConfigurationError(_TOO_FEW_MESSAGES.format(rows))

    async def _find(self, row: int) -> Record | None:
        if not self._ahead and not self._is_read and self._journal is not None:
            async with self._turn:
                self._ahead.extend(await self._journal.read(row, _AT_ONCE))
            self._is_read = not self._ahead
        if self._ahead and self._ahead[0].row == row:
            return self._ahead.popleft()
        return None

    async def write(self, record: Record) -> None:
        """Make a record durable."""
        if self._journal is None:
            return
        batch = self._next
        batch.records.append(record)
        async with self._turn:
            if batch is self._next:
                self._next = _Batch()
                await batch.commit(self._journal)
        if batch.error is not None:
            raise batch.error

    async def has_accepted(self, accepted_id: str) -> bool:
        """Return whether another record has this `accepted_id`."""
        async with self._turn:
            return self._journal is not None and await self._journal.has_accepted(accepted_id)

    async def aclose(self) -> None:
        """Close the journal if it was opened, also while the task is being cancelled."""
        if self._journal is not None and self._is_open:
            with anyio.CancelScope(shield=True):
                await self._journal.aclose()
