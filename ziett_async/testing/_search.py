"""Reading a query string as the API documents it, naming every bad parameter at once."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs
from uuid import UUID

from ziett_async.testing._answers import invalid
from ziett_async.testing._forms import parse_uuid

#: As long as anybody may ask for; Python refuses to read some thousand digits.
_INTEGER = re.compile(r"-?[0-9]{1,100}")


class Search:
    """A query string being read; unknown parameters are ignored."""

    def __init__(self, query: str) -> None:
        self._values = parse_qs(query, keep_blank_values=True)
        self.errors: dict[str, str] = {}

    def one(self, name: str) -> str | None:
        """Return a parameter's last value, or None."""
        return self._values.get(name, [None])[-1]

    def integer(self, name: str, default: int, least: int, most: int | None = None) -> int:
        """Return an integer within its bounds."""
        text = self.one(name)
        if text is None:
            return default
        value = int(text) if _INTEGER.fullmatch(text) else None
        if value is None or value < least or (most is not None and value > most):
            upper = "" if most is None else f" and at most {most}"
            self.errors[name] = f"must be an integer of at least {least}{upper}"
        return value or default

    def choice(self, name: str, accepted: Sequence[str]) -> str:
        """Return one of the accepted values; the first is the default."""
        value = self.one(name)
        if value is not None and value not in accepted:
            self.errors[name] = f"must be one of: {', '.join(accepted)}"
        return accepted[0] if value is None else value

    def choices(self, name: str, accepted: Sequence[str]) -> frozenset[str]:
        """Return every value of a repeatable parameter."""
        values = frozenset(self._values.get(name, ()))
        if not values <= set(accepted):
            self.errors[name] = f"must be one of: {', '.join(accepted)}"
        return values

    def texts(self, name: str) -> frozenset[str]:
        """Return every value of a repeatable parameter that may be anything."""
        return frozenset(self._values.get(name, ()))

    def uuids(self, name: str) -> frozenset[UUID]:
        """Return every value of a repeatable parameter of ids."""
        found = [parse_uuid(value) for value in self._values.get(name, ())]
        if None in found:
            self.errors[name] = "must be a UUID"
        return frozenset(value for value in found if value is not None)

    def moment(self, name: str) -> datetime | None:
        """Return an ISO 8601 moment; one without an offset is in UTC."""
        text = self.one(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.errors[name] = "must be an ISO 8601 datetime"
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def close(self) -> None:
        """Refuse the request if any parameter was bad."""
        if self.errors:
            raise invalid(self.errors)
