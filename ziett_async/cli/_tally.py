"""Tally: what became of a run's messages, for people, for programs, and as an exit code."""

from collections.abc import Mapping, Sequence

import attrs

from ziett_async import OutcomeUnknown, SendOutcome, ZiettError
from ziett_async.cli._failures import DONE, SOME_FAILED, UNKNOWN
from ziett_async.cli._output import Column, show_record, table, write
from ziett_async.cli._values import json_line

#: How many failures are shown.
_EXAMPLES = 20


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
    accepted: int = 0
    failures: list[Failure] = attrs.field(factory=list[Failure])

    def add(self, outcome: SendOutcome, *, as_json: bool) -> None:
        """Count an outcome, and print it where programs read."""
        row = self.rows[outcome.message.target_e164]
        if outcome.error is None:
            self.accepted += 1
        else:
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
    if again or left:
        shown["next"] = "the same command tries again what was not accepted, and nothing twice"
    show_record(shown, None, as_json=False)
    if tally.failures:
        _show_failures(tally.failures[:_EXAMPLES])


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
