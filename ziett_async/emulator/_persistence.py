"""PersistentZiett: a `FakeZiett` whose state survives a restart.

Its journal has one line for each command that changed the state, with its time. The service is
deterministic, so replaying the commands at these times gives the same messages with the same ids
and deliveries, the same contacts, balance and idempotency keys. The journal is written before a
command is carried out, so that a full disk prevents it; the store's log of changes comes after.
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
from ziett_async.emulator._clock import LAST_MOMENT, AdjustableClock
from ziett_async.emulator._journal import Journal

#: The headers of a request that the service reads.
_HEADERS = {"x-api-key", "idempotency-key", "content-type"}


class PersistentZiett(FakeZiett):
    """A `FakeZiett` on an `AdjustableClock` that persists its state during `persisted_in`.

    It persists what `exchange`, `deliver`, `delete_message`, `top_up`, `use_dialect` and `clear`
    change, but not what `add_message` and `put` do, nor scripted faults.
    """

    _journal: Journal | None = None

    @contextmanager
    def persisted_in(self, path: Path) -> Generator[None]:
        """Restore the state from a file, created if missing, and persist it during the block.

        One service at a time uses the file, and each has the options of the one that wrote it.
        A command that cannot be written is not carried out: it raises a `Refusal`, a 507.

        Raises:
            ValueError: a line of the file cannot be replayed.
            OSError: the file cannot be read or written, or another emulator has locked it.

        """
        with Journal.open(path) as journal:
            journal.replay(self._replay_line)
            # Errors are not in the file, so with the seed their ids would come a second time.
            self._trace_ids = TraceIds(None)
            self._journal = journal
            try:
                yield
            finally:
                self._journal = None

    def exchange(self, request: Request) -> Exchange:
        """Answer as a `FakeZiett` does, and journal a request that was carried out."""
        if request.method != "POST":
            return super().exchange(request)
        with self._journaled("request", _to_json(request)) as commit:
            exchange = super().exchange(request)
            arrival = self.latest
            # The status of the service's answer, which a fault may have replaced.
            if exchange.executed and arrival and (arrival.status or 500) < 400:
                commit()
        return exchange

    def deliver(
        self, message_id: UUID | str, status: str = "DELIVERED", error_code: str | None = None
    ) -> MessageRecord:
        """Set a message's status now; from then on it only changes by hand."""
        with self._journaled("deliver", [str(message_id), status, error_code]) as commit:
            record = super().deliver(message_id, status, error_code)
            commit()
        return record

    def delete_message(self, message_id: UUID | str) -> None:
        """Delete a message.

        Raises:
            KeyError: there is no such message.

        """
        with self._journaled("delete", str(message_id)) as commit:
            super().delete_message(message_id)
            commit()

    def top_up(self, amount: Decimal | int) -> None:
        """Add an amount to the balance."""
        with self._journaled("top_up", str(amount)) as commit:
            super().top_up(amount)
            commit()

    def use_dialect(self, name: str) -> None:
        """Respond in another dialect from now on."""
        with self._journaled("use_dialect", name) as commit:
            super().use_dialect(name)
            commit()

    def clear(self) -> None:
        """Reset everything but the clock."""
        with self._lock, _full_disk_is_refused():
            if self._journal is not None:
                self._journal.truncate()
            super().clear()

    @property
    def _adjustable_clock(self) -> AdjustableClock:
        if not isinstance(self.clock, AdjustableClock):
            message = (
                "a PersistentZiett needs an AdjustableClock, which can be stopped at past moments"
            )
            raise TypeError(message)
        return self.clock

    @contextmanager
    def _journaled(self, command: str, arguments: object) -> Generator[Callable[[], None]]:
        """Stop the clock while a command is carried out; it is journaled once it is committed."""
        with self._lock, self._adjustable_clock.stopped() as at:
            if self._journal is None:
                yield lambda: None
                return
            with (
                _full_disk_is_refused(),
                self._journal.appending([at, command, arguments]) as commit,
            ):
                yield commit

    def _replay_line(self, line: bytes) -> None:
        at, command, arguments = json.loads(line)
        if not 0 <= at <= LAST_MOMENT:
            message = f"{at} is not a time in seconds since 1970"
            raise ValueError(message)
        # The machine's calendar may have been set back since.
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
        elif command == "delete":
            super().delete_message(arguments)
        elif command == "use_dialect":
            super().use_dialect(arguments)
        else:
            super().top_up(Decimal(arguments))


@contextmanager
def _full_disk_is_refused() -> Generator[None]:
    try:
        yield
    except OSError as error:
        message = f"Nothing was done, as the state file cannot be written: {error.strerror}"
        raise Refusal(507, message, code="INSUFFICIENT_STORAGE") from error


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
