"""A request that has found its route: what a handler gets to see of it."""

from collections.abc import Callable, Mapping
from urllib.parse import unquote
from uuid import UUID

import attrs

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.responses import invalid
from ziett_async._fake.state.store import Store
from ziett_async._wire import Response


@attrs.frozen(repr=False, kw_only=True)
class MatchedRequest:
    """One request, authenticated and within its quota."""

    #: The path_parameters of the path, still quoted.
    arguments: Mapping[str, str]
    query: str
    body: bytes
    idempotency_key: str | None

    def uuid(self, name: str, dialect: Dialect) -> UUID:
        """Return an id from the path; one that the dialect does not accept is a 422."""
        found = dialect.parse_id(unquote(self.arguments[name]))
        if found is None:
            raise invalid({name: dialect.id_problem})
        return found


#: Carries out what has been checked.
Action = Callable[[], Response]
#: Checks a matched, refusing it if need be, and returns what is left to do.
Handler = Callable[[Store, MatchedRequest], Action]
