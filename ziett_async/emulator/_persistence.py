"""PersistentZiett: a `FakeZiett` that takes up where it left off.

Its journal has one line for each thing that changed something, with its moment. The service is
deterministic, so letting the same things happen again in the same moments gives the same messages
with the same ids and fates, the same contacts, balance and keys.
"""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.faults import Exchange
from ziett_async._fake.responses import Refusal
from ziett_async._fake.state.ids import TraceIds
from ziett_async._fake.state.records import MessageRecord
from ziett_async._wire import Request
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator._journal import Journal

#: What of a request's headers the service goes by.
_HEADERS = {"x-api-key", "idempotency-key", "content-type"}
#: Seconds since 1970 that a calendar of four digits still shows.
_LAST_MOMENT = 253_000_000_000


class PersistentZiett(FakeZiett):
    """A `FakeZiett` on a `AdjustableClock` that keeps its state in a file while told to.

    Kept is what came by `exchange`, `deliver`, `top_up`, `use_dialect` and `clear`. Table put in
    by hand and scripted faults are not, and neither are requests that only read.
    """

    _journal: Journal | None = None

    @contextmanager
    def persisted_in(self, path: Path) -> Generator[None]:
        """Take up the state in a file, made if need be, and keep it there during the block.

        The file is for one service at a time, which is set up as the one that wrote it was.
        Nothing happens that cannot be written: it raises a `Refusal`, a 507.

        Raises:
            ValueError: what the file tells cannot happen again.
            OSError: the file cannot be read or written, or another emulator has it.

        """
        with Journal.open(path) as journal:
            journal.replay(self._replay_line)
            # Errors are not in the file, so the seed would give theirs out a second time.
            self._trace_ids = TraceIds(None)
            self._journal = journal
            try:
                yield
            finally:
                self._journal = None

    def exchange(self, request: Request) -> Exchange:
        """Answer as a `FakeZiett`, and note what was carried out."""
        if request.method != "POST":
            return super().exchange(request)
        with self._journaled("request", _to_json(request)) as confirm:
            exchange = super().exchange(request)
            arrival = self.latest
            # The service's own status: a fault may have put another in its place.
            if exchange.executed and arrival and (arrival.status or 500) < 400:
                confirm()
        return exchange

    def deliver(
        self, message_id: UUID | str, status: str = "DELIVERED", error_code: str | None = None
    ) -> MessageRecord:
        """Give a message a status now; from then on it changes by hand only."""
        with self._journaled("deliver", [str(message_id), status, error_code]) as confirm:
            record = super().deliver(message_id, status, error_code)
            confirm()
        return record

    def top_up(self, amount: Decimal | int) -> None:
        """Put money on the account."""
        with self._journaled("top_up", str(amount)) as confirm:
            super().top_up(amount)
            confirm()

    def use_dialect(self, name: str) -> None:
        """Answer as other pages do from now on."""
        with self._journaled("use_dialect", name) as confirm:
            super().use_dialect(name)
            confirm()

    def clear(self) -> None:
        """Begin anew: only the clock keeps its time."""
        with self._lock:
            super().clear()
            if self._journal is not None:
                self._journal.truncate()

    @property
    def _adjustable_clock(self) -> AdjustableClock:
        if not isinstance(self.clock, AdjustableClock):
            message = (
                "a PersistentZiett needs an AdjustableClock, which can be set to moments gone by"
            )
            raise TypeError(message)
        return self.clock

    @contextmanager
    def _journaled(self, command: str, arguments: object) -> Generator[Callable[[], None]]:
        """Let something happen in one moment; it is in the journal once it is confirmed."""
        with self._lock, self._adjustable_clock.stopped() as at:
            if self._journal is None:
                yield lambda: None
                return
            try:
                with self._journal.appending([at, command, arguments]) as confirm:
                    yield confirm
            except OSError as error:
                message = f"Nothing was done, as the state file cannot be written: {error.strerror}"
                raise Refusal(507, message, code="INSUFFICIENT_STORAGE") from error

    def _replay_line(self, line: bytes) -> None:
        at, command, arguments = json.loads(line)
        if not 0 <= at <= _LAST_MOMENT:
            message = f"{at} is no moment in seconds since 1970"
            raise ValueError(message)
        # A calendar that was set back since: the past stays the past.
        self._adjustable_clock.advance(max(0.0, at - self._adjustable_clock.monotonic()))
        with self._adjustable_clock.stopped(at):
            self._replay(command, arguments)

    def _replay(self, command: str, arguments: Any) -> None:  # noqa: ANN401 (it is JSON)
        if command == "request":
            status = super().handle(_from_json(arguments)).status
            if status >= 400:
                message = f"the answer is {status} now; was it written with other options?"
                raise ValueError(message)
        elif command == "deliver":
            super().deliver(*arguments)
        elif command == "use_dialect":
            super().use_dialect(arguments)
        else:
            super().top_up(Decimal(arguments))


def _to_json(request: Request) -> Mapping[str, object]:
    return {
        "url": request.url,
        "headers": [pair for pair in request.headers if pair[0].lower() in _HEADERS],
        "body": request.body.decode(errors="surrogateescape"),
    }


def _from_json(document: Mapping[str, Any]) -> Request:
    headers = tuple((str(name), str(value)) for name, value in document["headers"])
    body = document["body"].encode(errors="surrogateescape")
    return Request("POST", document["url"], headers, body)
