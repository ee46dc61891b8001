"""LastingZiett: a `FakeZiett` that takes up where it left off.

Its file is a journal: one JSON line for each thing that changed something, with its moment.
The service is deterministic, so letting the same things happen again in the same moments gives
the same messages with the same ids and fates, the same contacts, balance and keys. Lines are
only ever added, so that whatever ends the program, a whole line stays whole; a last one that
was cut short is forgotten.
"""

import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from ziett_async._wire import Request
from ziett_async.testing._desk_clock import DeskClock
from ziett_async.testing._fake import FakeZiett
from ziett_async.testing._faults import Exchange
from ziett_async.testing._records import MessageRecord
from ziett_async.testing._stamps import TraceIds

#: What of a request's headers the service goes by.
_HEADERS = {"x-api-key", "idempotency-key", "content-type"}


class LastingZiett(FakeZiett):
    """A `FakeZiett` on a `DeskClock` that keeps its state in a file while told to.

    Kept is what came by `exchange`, `deliver`, `top_up`, `use_dialect` and `clear`. Rows put in
    by hand and scripted faults are not, and neither are requests that only read.
    """

    _journal: IO[bytes] | None = None

    @contextmanager
    def kept_in(self, path: Path) -> Generator[None]:
        """Take up the state in a file, made if need be, and keep it there during the block.

        The file is for one service at a time, which is set up as the one that wrote it was.

        Raises:
            ValueError: what the file tells cannot happen again.
            OSError: the file cannot be read or written, or another emulator has it.

        """
        # The texts of messages are in it: nobody else's business.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with open(descriptor, "r+b") as journal:  # noqa: PTH123 (a Path cannot open it so)
            _claim(path, journal)
            self._take_up(path, journal)
            # Errors are not in the file, so the seed would give theirs out a second time.
            self._trace_ids = TraceIds(None)
            self._journal = journal
            try:
                yield
            finally:
                self._journal = None

    def exchange(self, request: Request) -> Exchange:
        """Answer as a `FakeZiett`, and note what was carried out."""
        with self._lock, self._desk.standing_still() as at:
            exchange = super().exchange(request)
            response, changes = exchange.response, request.method == "POST" and exchange.executed
            if changes and response is not None and response.status < 400:
                self._note(at, "request", _written(request))
        return exchange

    def deliver(
        self, message_id: UUID | str, status: str = "DELIVERED", error_code: str | None = None
    ) -> MessageRecord:
        """Give a message a status now; from then on it changes by hand only."""
        with self._lock, self._desk.standing_still() as at:
            record = super().deliver(message_id, status, error_code)
            self._note(at, "deliver", [str(message_id), status, error_code])
        return record

    def top_up(self, amount: Decimal | int) -> None:
        """Put money on the account."""
        with self._lock, self._desk.standing_still() as at:
            super().top_up(amount)
            self._note(at, "top_up", str(amount))

    def use_dialect(self, name: str) -> None:
        """Answer as other pages do from now on."""
        with self._lock, self._desk.standing_still() as at:
            super().use_dialect(name)
            self._note(at, "use_dialect", name)

    def clear(self) -> None:
        """Begin anew: only the clock keeps its time."""
        with self._lock:
            super().clear()
            if self._journal is not None:
                self._journal.seek(0)
                self._journal.truncate()

    @property
    def _desk(self) -> DeskClock:
        if not isinstance(self.clock, DeskClock):
            message = "a LastingZiett needs a DeskClock, which can be set to moments gone by"
            raise TypeError(message)
        return self.clock

    def _note(self, at: float, what: str, how: object) -> None:
        if self._journal is not None:
            self._journal.write(json.dumps([at, what, how]).encode() + b"\n")
            self._journal.flush()

    def _take_up(self, path: Path, journal: IO[bytes]) -> None:
        end = 0
        for number, line in enumerate(journal, 1):
            if not line.endswith(b"\n"):
                break
            try:
                self._again(*json.loads(line))
            except (ArithmeticError, KeyError, TypeError, ValueError) as error:
                message = f"{path}, line {number}: cannot happen again: {error}"
                raise ValueError(message) from error
            end += len(line)
        journal.seek(end)
        journal.truncate()

    def _again(self, at: float, what: str, how: Any) -> None:  # noqa: ANN401 (it is JSON)
        # A calendar that was set back since: the past stays the past.
        self._desk.advance(max(0.0, at - self._desk.monotonic()))
        with self._desk.standing_still(at):
            if what == "request":
                status = super().handle(_read(how)).status
                if status >= 400:
                    message = f"the answer is {status} now; was it written with other options?"
                    raise ValueError(message)
            elif what == "deliver":
                super().deliver(*how)
            elif what == "use_dialect":
                super().use_dialect(how)
            else:
                super().top_up(Decimal(how))


def _claim(path: Path, journal: IO[bytes]) -> None:
    """Lock the file until it is closed, however the program ends; on Windows do nothing."""
    with suppress(ModuleNotFoundError):
        fcntl = import_module("fcntl")
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{path} is in use by another emulator"
            raise BlockingIOError(message) from None


def _written(request: Request) -> Mapping[str, object]:
    return {
        "url": request.url,
        "headers": [pair for pair in request.headers if pair[0].lower() in _HEADERS],
        "body": request.body.decode(errors="surrogateescape"),
    }


def _read(written: Mapping[str, Any]) -> Request:
    headers = tuple((str(name), str(value)) for name, value in written["headers"])
    body = written["body"].encode(errors="surrogateescape")
    return Request("POST", written["url"], headers, body)
