"""What a run would send: each contact's message, its parts, and the rows that get none."""

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import attrs

from ziett_async import NewMessage, SmsParts, sms_parts
from ziett_async import _validation as check
from ziett_async._validation import Invalid
from ziett_async.cli._audience import Audience, Rejected, count_reasons, show_rejected
from ziett_async.cli._output import show_record, write
from ziett_async.cli._progress import duration
from ziett_async.cli._values import json_line
from ziett_async.cli.tables.template import Template

#: How many rows are named that have an empty cell.
_EXAMPLES = 10


@attrs.frozen
class PlannedMessage:
    """A contact's message."""

    #: Where its row stands in the file, from 1.
    row: int
    message: NewMessage
    parts: SmsParts
    #: The columns of the template that are empty in the row.
    empty: Sequence[str]


@attrs.frozen
class Draft:
    """What a run would send."""

    audience: Audience
    messages: Sequence[PlannedMessage]
    rejected: Sequence[Rejected]


def make_draft(audience: Audience, template: Template, remitter: str, longest: int) -> Draft:
    """Return what would be sent; a text of no character, or of more than `longest`, is rejected."""
    planned, rejected = list[PlannedMessage](), list(audience.rejected)
    for contact in audience.accepted:
        content = template.fill(contact.row)
        try:
            check.text(content, longest)
        except Invalid as invalid:
            rejected.append(Rejected(contact.row.place, contact.number, "content", str(invalid)))
            continue
        # By its number, and not its row: a corrected file sends nothing twice.
        message = NewMessage(
            contact.number, content, remitter_id=remitter, reference=contact.number
        )
        empty = [audience.table.columns[column] for column in template.empty(contact.row)]
        planned.append(PlannedMessage(contact.row.place, message, sms_parts(content), empty))
    return Draft(audience, planned, sorted(rejected, key=lambda each: each.row))


def show_draft(draft: Draft, options: Namespace, requests: int, per_minute: float) -> None:
    """Print what would be sent, and the rows that are rejected.

    `requests` is how many it takes, of which `per_minute` are made.
    """
    if options.json:
        _write_rows(draft)
        return
    journal = f"{options.journal}" + (", goes on with it" if options.journal.exists() else "")
    minutes = duration(60 * requests / per_minute)
    show_record(
        {
            "file": f"{options.file}: {draft.audience.table.kind}",
            "numbers": f"column {draft.audience.column}",
            "accepted": str(len(draft.messages)),
            "rejected": count_reasons(draft.rejected),
            "parts": _describe_parts(draft.messages),
            "requests": f"{requests}, {minutes} at the limit",
            "empty": _describe_empty(draft.messages),
            "journal": journal,
            "first text": draft.messages[0].message.content if draft.messages else "",
        },
        None,
        as_json=False,
    )
    show_rejected(draft.rejected)


def _describe_parts(messages: Sequence[PlannedMessage]) -> str:
    """Return how many parts there are, and what makes some texts need the larger alphabet."""
    parts = sum(planned.parts.parts for planned in messages)
    not_gsm = [planned.parts.not_gsm for planned in messages if planned.parts.not_gsm]
    if not not_gsm:
        return str(parts)
    because = Counter(chain.from_iterable(not_gsm))
    shown = " ".join(character for character, _ in because.most_common(_EXAMPLES))
    verb = "is" if len(not_gsm) == 1 else "are"
    return f"{parts}; {len(not_gsm)} of the texts {verb} UCS-2 because of: {shown}"


def _describe_empty(messages: Sequence[PlannedMessage]) -> str:
    """Return which placeholders are empty, and in which rows."""
    rows: dict[str, list[int]] = {}
    for planned in messages:
        for column in planned.empty:
            rows.setdefault(column, []).append(planned.row)
    return "; ".join(f"{{{column}}} in {_rows(places)}" for column, places in rows.items())


def _rows(places: Sequence[int]) -> str:
    shown = ", ".join(map(str, places[:_EXAMPLES]))
    more = f" and {len(places) - _EXAMPLES} more" if len(places) > _EXAMPLES else ""
    return f"row {shown}" if len(places) == 1 else f"rows {shown}{more}"


def _write_rows(draft: Draft) -> None:
    for planned in draft.messages:
        message, parts = planned.message, planned.parts
        held = {"row": planned.row, "number": message.target_e164, "content": message.content}
        write(json_line({**held, "parts": parts.parts, "encoding": parts.encoding}))
    for rejected in draft.rejected:
        write(json_line({**attrs.asdict(rejected), "status": "rejected"}))
