"""A query string, read as the API documents it; all invalid parameters are reported at once."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs
from uuid import UUID

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.responses import INVALID_TIMESTAMP, accepted_values, invalid

#: Bounded, since `int` raises for more than 4300 digits.
_INTEGER = re.compile(r"-?[0-9]{1,100}")


class QueryString:
    """A query string whose parameters are read one by one; unknown ones are ignored.

    Invalid parameters are collected in `errors`; `raise_if_invalid` refuses the request for them.
    """

    def __init__(self, query: str) -> None:
        self._values = parse_qs(query, keep_blank_values=True)
        self.errors: dict[str, str] = {}

    def one(self, name: str) -> str | None:
        """Return the last value of a parameter, or None."""
        return self._values.get(name, [None])[-1]

    def integer(self, name: str, default: int, least: int, most: int | None = None) -> int:
        """Return an integer within its bounds."""
        text = self.one(name)
        if text is None:
            return default
        value = int(text) if _INTEGER.fullmatch(text) else None
        if value is None:
            self.errors[name] = "must be an integer"
        elif value < least:
            self.errors[name] = f"Ensure this value is greater than or equal to {least}."
        elif most is not None and value > most:
            self.errors[name] = f"Ensure this value is less than or equal to {most}."
        return value or default

    def choice(self, name: str, accepted: Sequence[str]) -> str:
        """Return one of the accepted values; the first is the default."""
        value = self.one(name)
        if value is not None and value not in accepted:
            self.errors[name] = accepted_values(accepted)
        return accepted[0] if value is None else value

    def choices(
        self, name: str, accepted: Sequence[str], *, lower_case: bool = False
    ) -> frozenset[str]:
        """Return the values of a filter, also those in lower case if that is allowed."""
        given = self.texts(name)
        values = frozenset(
            each.upper() if lower_case and each.islower() else each for each in given
        )
        if not values <= set(accepted):
            self.errors[name] = accepted_values(accepted)
        return values

    def texts(self, name: str) -> frozenset[str]:
        """Return the values of a filter that accepts any text; empty ones are ignored."""
        return frozenset(filter(None, self._values.get(name, ())))

    def uuids(self, name: str, dialect: Dialect) -> frozenset[UUID]:
        """Return the values of a filter of ids, which the dialect has to accept."""
        found = [dialect.parse_id(value) for value in self.texts(name)]
        if None in found:
            self.errors[name] = dialect.id_problem
        return frozenset(value for value in found if value is not None)

    def timestamp(self, name: str) -> datetime | None:
        """Return an ISO 8601 timestamp, in UTC if it has no offset; None if empty or absent."""
        text = self.one(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.errors[name] = INVALID_TIMESTAMP
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def raise_if_invalid(self) -> None:
        """Refuse the request if a parameter was invalid.

        Raises:
            Refusal: 422, with every invalid parameter.

        """
        if self.errors:
            raise invalid(self.errors)
