"""SqliteJournal: a journal in a file.

What each setting is for. WAL and `synchronous=FULL`: a commit is one append to a file and one
fsync, and has reached the disk when it returns. `locking_mode=EXCLUSIVE`: from the first
statement until it is closed no other connection can use the file, in this process or another;
the operating system lifts that lock however a process ends. As a side effect there is no file
of shared memory. The file is created by its owner's rights alone, before SQLite opens it, and
SQLite gives its write-ahead log the rights of the file.
"""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

from anyio.to_thread import run_sync

from ziett_async.bulk.journal import Header, Record
from ziett_async.errors import ConfigurationError

T = TypeVar("T")

#: "ZAJ1": what marks a file as one of these journals.
_APPLICATION_ID = 0x5A414A31
#: Raised with each change to the tables; a journal of a newer one is refused.
_SCHEMA_VERSION = 1
_SCHEMA = f"""
CREATE TABLE header (operation TEXT NOT NULL, run TEXT NOT NULL, digest TEXT);
CREATE TABLE records (
    row INTEGER PRIMARY KEY, key TEXT NOT NULL, begun_at REAL, accepted_id TEXT, facts TEXT
);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_SCHEMA_VERSION};
"""
_READ = "SELECT * FROM records WHERE row >= ? ORDER BY row LIMIT ?"
_WRITE = "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)"


class SqliteJournal:
    """A journal in an SQLite file: `journal=SqliteJournal("run.db")`, or just its path.

    The file holds keys, which are digests, the ids and times of what was sent, and the
    server's refusals: no number and no text. Only its owner may read it.

    Args:
        path: the file, created if it is missing; its folder has to be there.

    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        self._connection: sqlite3.Connection | None = None
        #: A connection is for one thread at a time. asyncio may cancel a task, at the end of
        #: its loop even in a shielded scope, while the thread that it waits for goes on.
        self._lock = Lock()

    async def open(self, header: Header) -> Header:
        """Open it for one run alone; return the header it holds, or keep this one if none.

        Raises:
            ConfigurationError: another run has it open, it is no journal or a damaged one, of
                a newer version, or it cannot be written.

        """
        return await self._in_thread(lambda: self._open(header))

    async def read(self, row: int, count: int) -> Sequence[Record]:
        """Return the next `count` records from a row on, in order of their rows."""
        rows = await self._in_thread(lambda: self._opened.execute(_READ, (row, count)).fetchall())
        return [Record(*each) for each in rows]

    async def write(self, records: Sequence[Record]) -> None:
        """Insert or replace records, all of them or none; durable when it returns."""
        values = [(r.row, r.key, r.begun_at, r.accepted_id, r.facts) for r in records]

        def write() -> None:
            with self._opened as transaction:
                transaction.executemany(_WRITE, values)

        await self._in_thread(write)

    async def has_accepted(self, accepted_id: str) -> bool:
        """Return whether a record has this `accepted_id`."""
        asked = "SELECT EXISTS (SELECT * FROM records WHERE accepted_id = ?)"
        found = await self._in_thread(
            lambda: self._opened.execute(asked, (accepted_id,)).fetchone()
        )
        return bool(found[0])

    async def aclose(self) -> None:
        """Close it, so that another run may open it; a second time does nothing."""
        try:
            await self._in_thread(self._close)
        finally:
            # At the end of its loop asyncio cancels this, too, and another run may come at once.
            with self._lock:
                self._close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def work_alone() -> T:
            with self._lock:
                return work()

        try:
            return await run_sync(work_alone)
        except (sqlite3.Error, OSError) as error:
            message = f"journal {self._path}: {_explain(error)}"
            raise ConfigurationError(message) from error

    @property
    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            message = "it is not open"
            raise sqlite3.ProgrammingError(message)
        return self._connection

    def _open(self, header: Header) -> Header:
        if self._connection is not None:
            message = "database is locked"
            raise sqlite3.OperationalError(message)
        # SQLite would create it with the rights that the umask leaves. One that is there is not
        # opened: closing it again would lift the locks that this process has on it.
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._connection = sqlite3.connect(
            self._path, timeout=0, isolation_level="IMMEDIATE", check_same_thread=False
        )
        try:
            return _prepare(self._connection, self._path, header)
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _prepare(connection: sqlite3.Connection, path: Path, header: Header) -> Header:
    """Lock the file, check what it is, and make it a journal if it is empty."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    # Before anything is written: it may be something else than a journal.
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and application != _APPLICATION_ID:
        message = "it is a database but not a journal; name another file"
        raise sqlite3.DatabaseError(message)
    if version > _SCHEMA_VERSION:
        message = "a newer version of ziett_async wrote it; update the package"
        raise sqlite3.DatabaseError(message)
    path.chmod(0o600)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    with connection:
        # Takes the lock for good, also in a journal that has all it needs.
        connection.execute("BEGIN IMMEDIATE")
        if tables:
            # A write, so that a disk that is full or read-only shows before anything is sent.
            connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        else:
            _create_tables(connection, header)
    return Header(*connection.execute("SELECT * FROM header").fetchone())


def _create_tables(connection: sqlite3.Connection, header: Header) -> None:
    for statement in filter(str.strip, _SCHEMA.split(";")):
        connection.execute(statement)
    row = (header.operation, header.run, header.digest)
    connection.execute("INSERT INTO header VALUES (?, ?, ?)", row)


#: What sqlite3's messages begin with, and what to do about it.
_ADVICE = {
    "database is locked": "another run has it open; wait for its end, or name another file",
    "unable to open database file": "it cannot be opened as a file; name another",
    "file is not a database": "it is no journal; name another file",
    "database disk image is malformed": "it is damaged; put a copy of it back, or name another"
    " file: the same messages in the same order still get the same keys",
    "database or disk is full": "the disk is full; free some space and start again, nothing is"
    " sent twice",
    "disk I/O error": "the disk is full or failing; look after it and start again, nothing is"
    " sent twice",
    "attempt to write a readonly database": "it cannot be written; check its rights",
}


def _explain(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return f"cannot be opened ({error.strerror}); check the folder and its rights"
    return _ADVICE.get(str(error), str(error))
