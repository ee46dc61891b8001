"""What every room of the API stands on: one way to make a call, and the client's defaults."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import TypeVar
from uuid import UUID

import attrs

from ziett_async import _validation as check
from ziett_async._operation import Operation, Query
from ziett_async._phone import to_e164
from ziett_async._validation import Fields
from ziett_async.errors import RecipientNotAllowed

T = TypeVar("T")


@attrs.frozen(eq=False, repr=False)
class Defaults:
    """What a client fills in where a call says nothing."""

    remitter_id: str | None = None
    #: Two letters; the country of numbers without a country code.
    country: str | None = None
    #: E.164 numbers, the only ones this client may send to; None allows all.
    allowed_recipients: Collection[str] | None = None


class Room(ABC):
    """A part of the API; the client is all of them."""

    _defaults: Defaults

    @abstractmethod
    async def call(
        self,
        operation: Operation[T],
        *,
        path: Mapping[str, str] | None = None,
        query: Query = (),
        body: object = None,
        timeout: float | None = None,
        idempotency_key: str | UUID | None = None,
    ) -> T:
        """Carry out one use of an operation."""

    def _remitter(self, fields: Fields, given: UUID | str | None) -> str | None:
        """Return the sender of a message: the given one, or the client's."""
        if given is None and self._defaults.remitter_id is not None:
            return self._defaults.remitter_id
        return fields.check("remitter_id", check.remitter, given)

    def _path(self, operation: Operation[object], **ids: UUID | str) -> dict[str, str]:
        """Return the ids of a path, each a UUID in its canonical form."""
        fields = Fields(operation.name)
        path = {name: str(fields.check(name, check.uuid, value)) for name, value in ids.items()}
        fields.raise_if_invalid()
        return path

    def _allow(
        self, operation: Operation[object], recipients: Collection[str], country: str | None = None
    ) -> None:
        """Refuse a call whose recipients are not all on the client's list, if it has one."""
        allowed = self._defaults.allowed_recipients
        if allowed is None:
            return
        numbers = [to_e164(each, country or "") for each in recipients]
        if refused := sum(number not in allowed for number in numbers):
            raise RecipientNotAllowed(operation.name, refused)
