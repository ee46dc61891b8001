"""How a finished call changes its record, and what a record means when a run is started again.

A record begins with `begun_at`, which is durable before the first byte is sent. An error that
rules out that anything was sent takes it back. What was accepted, and a refusal that is final,
settle a record. Everything else leaves it as it is, to be made again with the same key.
"""

from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import attrs

from ziett_async._unsettled_keys import KEY_LIFETIME
from ziett_async.bulk.facts import call_facts, refusal_facts, to_call, to_refusal
from ziett_async.bulk.journal import Record
from ziett_async.errors import ApiError, OutcomeUnknown, Trail, ZiettError
from ziett_async.models import AcceptedCampaign, AcceptedMessage

A = TypeVar("A", AcceptedMessage, AcceptedCampaign)

_HOUR = 60 * 60.0
#: Seconds after its first use for which a key is used again: an hour less than the server
#: keeps it, as clocks differ and a call takes its time.
KEY_IS_SAFE = KEY_LIFETIME - _HOUR


def is_safe(begun_at: float | None, now: float) -> bool:
    """Return whether a call may be made with a key that was first used then.

    If `begun_at` lies more than an hour ahead, the clock was set back and the key's age is
    unknown.
    """
    return begun_at is None or -_HOUR <= now - begun_at < KEY_IS_SAFE


def id_of(accepted: AcceptedMessage | AcceptedCampaign) -> str:
    """Return the id that the server gave."""
    if isinstance(accepted, AcceptedMessage):
        return str(accepted.message_id)
    return str(accepted.campaign_id)


def record_after(
    record: Record,
    answer: AcceptedMessage | AcceptedCampaign | ZiettError,
    begun_before: float | None,
) -> Record:
    """Return the record of a call that has ended; the same one while its outcome is unknown.

    `begun_before` is the `begun_at` that an earlier run left: a call that certainly sent nothing
    tells nothing of that one.
    """
    if not isinstance(answer, ZiettError):
        facts = call_facts(answer.call)
        return attrs.evolve(record, accepted_id=id_of(answer), facts=facts)
    if answer.may_have_been_sent:
        return record
    is_final = not (answer.is_retryable or answer.affects_all_calls)
    if is_final and isinstance(answer, ApiError):
        return attrs.evolve(record, facts=refusal_facts(answer))
    return attrs.evolve(record, begun_at=begun_before)


def recorded_answer(record: Record, operation: str, kind: type[A]) -> A | ApiError | None:
    """Return what a record says became of its call; None while it is not settled."""
    if record.facts is None:
        return None
    if record.accepted_id is None:
        return to_refusal(record.facts, operation, record.key)
    return kind(UUID(record.accepted_id), record.key, to_call(record.facts))


#: Why a call that may have been made is not made again.
TOO_OLD = (
    f"its key may be more than {int(KEY_IS_SAFE / _HOUR)} hours old, so it is not sent again, and"
    " the list does not prove that it was accepted"
)
NOT_ALLOWED = "its recipients are not all allowed any more, so it is not sent again"


def unresolved_error(operation: str, key: str, begun_at: float, reason: str) -> OutcomeUnknown:
    """Return the error of a call that an earlier run began, and that is not made again."""
    message = f"{reason}; look for it in the list, and send it in another run if it is missing"
    until = datetime.fromtimestamp(begun_at + KEY_LIFETIME, UTC)
    return OutcomeUnknown(Trail(operation, (), key), message, until)
