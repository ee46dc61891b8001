"""ControlRequest: one request to the control API, and what its handlers read from it."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import attrs

from ziett_async._fake.dialect import parse_uuid
from ziett_async._fake.parsing.body import json_object
from ziett_async._fake.parsing.query import QueryString
from ziett_async._fake.responses import Refusal, invalid
from ziett_async._wire import Response


@attrs.frozen(repr=False)
class ControlRequest:
    """One request to the control API: the parameter of its path, if any, its query and body."""

    parameter: str
    query: str
    body: bytes

    @property
    def document(self) -> Mapping[str, object]:
        """The body's JSON object; an empty body is an empty object."""
        return json_object(self.body or b"{}")

    @property
    def limit(self) -> int:
        """How many entries to return at most."""
        search = QueryString(self.query)
        limit = search.integer("limit", 100, least=1, most=1000)
        search.raise_if_invalid()
        return limit

    @property
    def message_id(self) -> UUID:
        """The message that the path names."""
        found = parse_uuid(self.parameter)
        if found is None:
            raise invalid({"message_id": "must be a UUID"})
        return found


Handler = Callable[[ControlRequest], Response]


def check_method(method: str, methods: Sequence[str]) -> None:
    """Refuse a method that a path does not have."""
    if method not in methods:
        allowed = sorted({*methods, "HEAD"} if "GET" in methods else methods)
        raise Refusal(405, "Method not allowed", headers=(("allow", ", ".join(allowed)),))
