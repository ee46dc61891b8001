"""The calls of `send_many`: how a message is read, sent and looked up."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import attrs

from ziett_async._operation import Priority
from ziett_async._session import Session
from ziett_async._validation import Fields
from ziett_async.api._lists import MESSAGE_RULES
from ziett_async.api.messages import LIST_MESSAGES, SEND_MESSAGE
from ziett_async.bulk.keys import derive_key, part_text
from ziett_async.bulk.lookup import list_day
from ziett_async.bulk.plan import Many, Options, Plan
from ziett_async.bulk.values import NewMessage, SendOutcome
from ziett_async.errors import InvalidRequest, RecipientNotAllowed, ZiettError
from ziett_async.models import AcceptedMessage, Message, SaveContact

#: Checks a message and returns its request's body: what `send_message` uses.
ToBody = Callable[[NewMessage], Mapping[str, object]]
#: Raises `RecipientNotAllowed` for a body.
Allow = Callable[[Mapping[str, object]], None]

_FIELDS = attrs.fields_dict(NewMessage)


class MessageJob:
    """One message of a run."""

    def __init__(
        self, to_body: ToBody, allow: Allow, priority: Priority, run: str, row: int, given: object
    ) -> None:
        self._priority = priority
        self.refused: ZiettError | None = None
        self.key = ""
        self._message, wrong = read_message(given)
        if wrong:
            self.refused = InvalidRequest(SEND_MESSAGE.name, wrong)
            return
        try:
            self._body = to_body(self._message)
            # Before it is refused for a setting, as the key tells which message it is.
            self.key = self._key(run, row)
            allow(self._body)
        except (InvalidRequest, RecipientNotAllowed) as error:
            self.refused = error

    def _key(self, run: str, row: int) -> str:
        reference = self._message.reference
        place = ("row", str(row)) if reference is None else ("reference", _reference(reference))
        number, content = self._body["target_e164"], self._body["content"]
        return derive_key(run, *place, str(number), str(content))

    async def send(self, session: Session, begun_at: float | None) -> AcceptedMessage:
        """Send it."""
        return await session.call(
            SEND_MESSAGE,
            body=self._body,
            idempotency_key=self.key,
            priority=self._priority,
            begun_at=begun_at,
        )

    async def find(self, session: Session, begun_at: float) -> Sequence[AcceptedMessage]:
        """Return the messages of the day after `begun_at` that look like this one."""
        number = str(self._body["target_e164"]).removeprefix("+")
        page = await list_day(
            session, LIST_MESSAGES, MESSAGE_RULES, number, begun_at, self._priority
        )
        if page is None:
            return ()
        found = (each.id for each in page.entries if self._is(each))
        return [AcceptedMessage(each, self.key, page.call) for each in found]

    def _is(self, message: Message) -> bool:
        sender = message.remitter_id
        return (
            message.target_e164 == self._body["target_e164"]
            and message.content == self._body["content"]
            and (sender is None or str(sender) == self._body["remitter_id"])
        )

    def outcome(self, answer: AcceptedMessage | ZiettError) -> SendOutcome:
        """Return what became of it."""
        message, reference = self._message, self._message.reference
        if isinstance(answer, ZiettError):
            return SendOutcome(message, reference, error=answer)
        return SendOutcome(message, reference, accepted=answer)


def plan(options: Options, to_body: ToBody, allow: Allow) -> Plan[AcceptedMessage, SendOutcome]:
    """Return the plan of a `send_many`."""
    return Plan(
        options,
        operation=SEND_MESSAGE.name,
        accepted=AcceptedMessage,
        gather=_as_they_are,
        fingerprint=fingerprint,
        job=partial(MessageJob, to_body, allow, options.priority),
    )


async def _as_they_are(messages: Many[object]) -> Many[object]:
    return messages


def read_message(given: object) -> tuple[NewMessage, dict[str, str]]:
    """Return a message from a mapping of its fields, and what is wrong with those."""
    if isinstance(given, NewMessage):
        return given, {}
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        wrong = {"message": f"must be a NewMessage or a mapping of its fields, got {kind}"}
        return NewMessage("", ""), wrong
    values = cast("Mapping[object, Any]", given)
    known: dict[str, Any] = {name: values[name] for name in _FIELDS if name in values}
    wrong = {str(name): "is not a field of NewMessage" for name in values if name not in _FIELDS}
    return NewMessage(known.pop("target_e164", ""), known.pop("content", ""), **known), wrong


def fingerprint(given: object) -> bytes:
    """Return a digest of a message as it was given, the same in every process and version.

    Fields with their default values are left out, so that a new field changes no digest.
    """
    message, wrong = read_message(given)
    values = {name: getattr(message, name) for name in sorted(_FIELDS)}
    given_fields = {name: each for name, each in values.items() if each != _FIELDS[name].default}
    return sha256(
        json.dumps([given_fields, wrong], skipkeys=True, default=_plain).encode()
    ).digest()


def _plain(value: object) -> object:
    """Return a value as JSON has it; else the name of its type."""
    if isinstance(value, SaveContact):
        return attrs.asdict(value, recurse=False)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    return UUID.__str__(value) if isinstance(value, UUID) else type(value).__name__


def _reference(value: object) -> str:
    """Return a reference as its text.

    Raises:
        InvalidRequest: it cannot be part of a key.

    """
    fields = Fields(SEND_MESSAGE.name)
    text = fields.check("reference", part_text, value)
    fields.raise_if_invalid()
    return str(text)
