"""Tally: what became of a run's messages, for people, for programs, and as an exit code."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from ziett_async import OutcomeUnknown, SendOutcome, SqliteJournal, ZiettError
from ziett_async.bulk.journal import Record
from ziett_async.cli._failures import DONE, SOME_FAILED, UNKNOWN
from ziett_async.cli._output import Column, show_record, table, write
from ziett_async.cli._values import json_line

#: How many failures are shown.
_EXAMPLES = 20


class HistoryJournal(SqliteJournal):
    """A journal that knows what had been accepted before this run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        #: The ids that the service gave.
        self.accepted_before = set[str]()

    async def read(self, row: int, count: int) -> Sequence[Record]:
        """Return the next records; a run reads each before it writes it."""
        records = await super().read(row, count)
        self.accepted_before.update(each.accepted_id for each in records if each.accepted_id)
        return records


@attrs.frozen
class Failure:
    """A message that was not accepted."""

    #: Where its row stands in the file, from 1.
    row: int
    error: ZiettError


_FAILURES = (
    Column[Failure]("Row", lambda failure: str(failure.row)),
    Column[Failure]("Error", lambda failure: str(failure.error), is_folded=True),
)


@attrs.define
class Tally:
    """What became of a run's messages up to now."""

    #: Rows by the numbers of their messages.
    rows: Mapping[str, int]
    #: How many rows of the file get no message.
    rejected: int
    #: The ids of what earlier runs sent: this set grows during the run.
    accepted_before: set[str]
    accepted: int = 0
    #: How many of these an earlier run sent.
    before: int = 0
    failures: list[Failure] = attrs.field(factory=list[Failure])

    def add(self, outcome: SendOutcome, *, as_json: bool) -> None:
        """Count an outcome, and print it where programs read."""
        row = self.rows[outcome.message.target_e164]
        if outcome.accepted is not None:
            self.accepted += 1
            self.before += str(outcome.accepted.message_id) in self.accepted_before
        if outcome.error is not None:
            self.failures.append(Failure(row, outcome.error))
        if as_json:
            write(json_line(_object(row, outcome)))

    @property
    def exit_code(self) -> int:
        """How the command ends if nothing else ends it."""
        if any(isinstance(failure.error, OutcomeUnknown) for failure in self.failures):
            return UNKNOWN
        return SOME_FAILED if self.failures or self.rejected else DONE

    def describe(self) -> str:
        """Return how far the run is."""
        return f"{self.accepted} of {len(self.rows)} messages are accepted"


def show_tally(tally: Tally) -> None:
    """Print what became of the messages, at most some of the failures; nothing if none began."""
    if not (tally.accepted or tally.failures):
        return
    unknown = sum(isinstance(failure.error, OutcomeUnknown) for failure in tally.failures)
    again = any(failure.error.is_retryable for failure in tally.failures)
    left = len(tally.rows) - tally.accepted - len(tally.failures)
    fields = {
        "accepted": tally.accepted,
        "failed": len(tally.failures) - unknown,
        "unknown": unknown,
        "not begun": left,
        "rejected": tally.rejected,
    }
    shown = {name: str(count) for name, count in fields.items() if count or name == "accepted"}
    if tally.before:
        shown["accepted"] += f", {_part(tally)} in an earlier run"
    if again or left:
        shown["next"] = "the same command tries again what was not accepted, and nothing twice"
    show_record(shown, None, as_json=False)
    if tally.failures:
        _show_failures(tally.failures[:_EXAMPLES])


def _part(tally: Tally) -> str:
    return "all of them" if tally.before == tally.accepted else f"{tally.before} of them"


def _show_failures(failures: Sequence[Failure]) -> None:
    with table(_FAILURES, as_json=False) as show:
        for failure in failures:
            show(failure)


def _object(row: int, outcome: SendOutcome) -> dict[str, object]:
    held: dict[str, object] = {"row": row, "number": outcome.message.target_e164}
    if outcome.accepted is not None:
        return {**held, "status": "accepted", "message_id": outcome.accepted.message_id}
    status = "unknown" if isinstance(outcome.error, OutcomeUnknown) else "failed"
    return {**held, "status": status, "error": str(outcome.error)}
