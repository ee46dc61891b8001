"""Journal: a file of JSON lines to which one emulator at a time adds.

A line is written before its change happens, without the newline that makes it count, and is
completed or taken back afterwards. So a disk that is full is noticed while nothing has happened
yet, and what ends the program in between leaves a line without its newline. That, and the NULs
that a power failure leaves where data had not reached the disk, is cut off at the next start.
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

#: How every line begins that a journal has written, and so what is left of a torn one.
_LINE_START = re.compile(rb"\[(\d|$)")

#: What comes of a line of another kind, or of one that other options had made possible.
_REPLAY_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Journal:
    """One open file. All that writes raises OSError."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self._path = path
        self._file = file
        #: Where the last whole line ends.
        self._end = 0

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Generator["Journal"]:
        """Open a file, made if need be, and keep other emulators out during the block.

        Raises:
            ValueError: it is not a regular file.
            OSError: it cannot be opened, or another emulator has it.

        """
        # The texts of messages are in it: for its owner only.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        # Not buffered: a buffer would keep what did not fit on the disk, and write it later.
        with FileIO(descriptor, "r+") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                message = f"{path} is not a regular file; name another"
                raise ValueError(message)
            _lock(path, file)
            yield cls(path, file)

    def replay(self, handle: Callable[[bytes], None]) -> None:
        """Have each line read, cut off an incomplete one at the end, and go on from there.

        Raises:
            ValueError: a line cannot be read or is of another kind; the file stays as it is.

        """
        reader, rest = BufferedReader(self._file), b""
        for number, line in enumerate(reader, 1):
            if not line.endswith(b"\n"):
                rest = line
            try:
                _handle_line(line, handle)
            except _REPLAY_ERRORS as error:
                message = (
                    f"{self._path}, line {number}: cannot happen again: {error}. Start with the"
                    " options that it was written with, cut the file before this line, or name"
                    " another file"
                )
                raise ValueError(message) from error
            self._end += len(line) - len(rest)
        reader.detach()
        if rest:
            logger.warning(
                "%s: cut off %d bytes at its end: an incomplete line", self._path, len(rest)
            )
        self._cut_tail()
        # It may be older than this rule, or a copy.
        self._path.chmod(0o600)

    @contextmanager
    def appending(self, document: object) -> Generator[Callable[[], None]]:
        """Add a line if it is confirmed within the block, else nothing; yields what confirms."""
        line = json.dumps(document).encode()

        def confirm() -> None:
            self._write(b"\n", self._end + len(line))
            self._end += len(line) + 1

        try:
            # The NUL holds the newline's place, so that confirming takes no space.
            self._write(line + b"\0", self._end)
            yield confirm
        finally:
            self._cut_tail()

    def truncate(self) -> None:
        """Forget every line."""
        self._end = 0
        self._cut_tail()

    def _cut_tail(self) -> None:
        """Cut off what stands behind the last whole line."""
        self._file.truncate(self._end)

    def _write(self, data: bytes, at: int) -> None:
        self._file.seek(at)
        while data:
            data = data[self._file.write(data) :]


def _handle_line(line: bytes, handle: Callable[[bytes], None]) -> None:
    """Have a whole line read; refuse an incomplete one that no journal can have begun."""
    if line.endswith(b"\n"):
        handle(line)
    elif (begun := line.rstrip(b"\0")) and not _LINE_START.match(begun):
        message = "it is no line of a state file"
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
