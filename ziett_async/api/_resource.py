"""Resource: what the parts of the API have in common."""

from collections.abc import Collection
from uuid import UUID

from ziett_async import _validation as check
from ziett_async._operation import Operation
from ziett_async._session import Session
from ziett_async._validation import Fields
from ziett_async.errors import RecipientNotAllowed


class Resource:
    """A part of the API; the client combines them all."""

    _session: Session

    def _remitter(self, fields: Fields, given: UUID | str | None) -> str | None:
        """Return the sender of a message: the given one, or the client's."""
        if given is None and self._session.defaults.remitter_id is not None:
            return self._session.defaults.remitter_id
        return fields.check("remitter_id", check.remitter, given)

    def _path(self, operation: Operation[object], **ids: UUID | str) -> dict[str, str]:
        """Return the ids of a path, each a UUID in its canonical form."""
        fields = Fields(operation.name)
        path = {name: str(fields.check(name, check.uuid, value)) for name, value in ids.items()}
        fields.raise_if_invalid()
        return path

    def _allow(self, operation: Operation[object], numbers: Collection[str | None]) -> None:
        """Refuse a call with a recipient, in E.164, that is not on the client's allow-list."""
        allowed = self._session.defaults.allowed_recipients
        if allowed is None:
            return
        if refused := sum(number not in allowed for number in numbers):
            raise RecipientNotAllowed(operation.name, refused)
