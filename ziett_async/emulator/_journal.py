"""Journal: a write-ahead log of JSON lines in a file, for one emulator at a time.

A line is written before its change is made, without the newline that commits it, and is
committed or removed afterwards. So a full disk is noticed while nothing has changed yet, and a
program that ends in between leaves a line without its newline. Such a line, and the NULs that a
power failure leaves where data had not reached the disk, are cut off at the next start.
"""

import json
import logging
import os
import re
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from io import BufferedReader, FileIO
from pathlib import Path

logger = logging.getLogger("ziett_async")

#: The start of every line of a journal, and so of an incomplete one.
_LINE_START = re.compile(rb"\[(\d|$)")

#: The errors of a line of another format, or of one that was written with other options.
_REPLAY_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Journal:
    """One open file. Methods that write raise OSError."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        #: The offset after the last complete line.
        self._end = 0

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Generator["Journal"]:
        """Open a file, created if missing, and lock it against other emulators during the block.

        Raises:
            ValueError: it is not a regular file.
            OSError: it cannot be opened, or another emulator has locked it.

        """
        # It holds the texts of messages, so only its owner may read it.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        # Unbuffered: a buffer would keep what did not fit on the disk, and write it later.
        with FileIO(descriptor, "r+") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                message = f"{path} is not a regular file; name another"
                raise ValueError(message)
            _lock(path, file)
            yield cls(path, file)

    def replay(self, handle: Callable[[bytes], None]) -> None:
        """Call `handle` with each line, cut off an incomplete one at the end, and continue there.

        Raises:
            ValueError: a line cannot be replayed; the file stays as it is.

        """
        reader, rest = BufferedReader(self._file), b""
        for number, line in enumerate(reader, 1):
            if not line.endswith(b"\n"):
                rest = line
            try:
                _handle_line(line, handle)
            except _REPLAY_ERRORS as error:
                message = (
                    f"{self._path}, line {number}: cannot be replayed: {error}. Start with the"
                    " options that it was written with, cut the file before this line, or name"
                    " another file"
                )
                raise ValueError(message) from error
            self._end += len(line) - len(rest)
        reader.detach()
        if rest:
            fields = {"ziett_path": str(self._path), "ziett_bytes": len(rest)}
            message = "%s: cut off an incomplete line at its end, %d bytes"
            logger.warning(message, self._path, len(rest), extra=fields)
        self._cut_tail()
        # It may be a copy, or older than the mode above.
        self._path.chmod(0o600)

    @contextmanager
    def appending(self, document: object) -> Generator[Callable[[], None]]:
        """Append a line if the block commits it, else nothing; yields the function that commits."""
        line = json.dumps(document).encode()

        def commit() -> None:
            self._write(b"\n", self._end + len(line))
            self._end += len(line) + 1

        try:
            # The NUL reserves the newline's byte, so that committing needs no more space.
            self._write(line + b"\0", self._end)
            yield commit
        finally:
            self._cut_tail()

    def truncate(self) -> None:
        """Remove every line."""
        self._end = 0
        self._cut_tail()

    def _cut_tail(self) -> None:
        """Cut off everything after the last complete line."""
        self._file.truncate(self._end)

    def _write(self, data: bytes, at: int) -> None:
        self._file.seek(at)
        while data:
            data = data[self._file.write(data) :]


def _handle_line(line: bytes, handle: Callable[[bytes], None]) -> None:
    """Call `handle` with a complete line; refuse an incomplete one that is not a journal's."""
    if line.endswith(b"\n"):
        handle(line)
    elif (rest := line.rstrip(b"\0")) and not _LINE_START.match(rest):
        message = "it is not a line of a state file"
        raise ValueError(message)


def _lock(path: Path, file: FileIO) -> None:
    """Lock the file until it is closed, however the program ends; on Windows do nothing."""
    with suppress(ModuleNotFoundError):
        fcntl = import_module("fcntl")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{path} is in use by another emulator"
            raise BlockingIOError(message) from None
