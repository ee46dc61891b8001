"""The control API under `/_emulator`, and the inbox at `/`: an emulator's rooms beside the API.

Whatever a test in Python does with a `FakeZiett`, a test in any other language does by it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable
from urllib.parse import unquote
from uuid import UUID

import attrs

from ziett_async._wire import Request, Response
from ziett_async.testing import _orders
from ziett_async.testing._answers import Document, Refusal, answer
from ziett_async.testing._desk import Answer, Stream
from ziett_async.testing._fake import FakeZiett
from ziett_async.testing._faults import Exchange
from ziett_async.testing._forms import json_object, parse_uuid
from ziett_async.testing._inbox import inbox
from ziett_async.testing._log import Log
from ziett_async.testing._origin import check_host, check_origin, check_type
from ziett_async.testing._search import Search
from ziett_async.testing._views import Views, fault_view, request_view
from ziett_async.testing._watch import Watch

_BASE = "/_emulator"
_GUARDS = (
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
)
_EVENTS = (("content-type", "text/event-stream"), *_GUARDS)
#: Seconds since 1970 that a calendar of four digits still shows.
_LAST_MOMENT = 253_000_000_000


@runtime_checkable
class Movable(Protocol):
    """A clock that can be put forward."""

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...


@attrs.frozen(repr=False)
class _Ask:
    """One request to the control API: the blank of its path, if any, its query and body."""

    blank: str
    query: str
    body: bytes

    @property
    def document(self) -> Mapping[str, object]:
        return json_object(self.body or b"{}")

    @property
    def limit(self) -> int:
        """How many rows are wanted."""
        search = Search(self.query)
        limit = search.integer("limit", 100, least=1, most=1000)
        search.close()
        return limit


Handler = Callable[[_Ask], Response]


class Control:
    """The rooms of one emulator; `room` answers, `witness` is told what the API answered."""

    def __init__(self, service: FakeZiett) -> None:
        self._service = service
        self._log = Log()
        self._views = Views(service, self._log)
        self._routes: Mapping[str, Mapping[str, Handler]] = {
            "state": {"GET": self._state},
            "messages": {"GET": self._messages},
            "messages/*": {"GET": self._message, "POST": self._mark},
            "requests": {"GET": self._requests},
            "limits": {"GET": self._account_of("limits")},
            "faults": {
                "GET": self._account_of("faults"),
                "POST": self._add_faults,
                "DELETE": self._clear_faults,
            },
            "balance": {"GET": self._account_of("balance"), "POST": self._top_up},
            "clock": {"GET": self._account_of("now"), "POST": self._advance},
            "reset": {"POST": self._reset},
        }

    def room(self, request: Request) -> Answer | None:
        """Answer what is for the inbox or the control API."""
        path, _, query = request.url.partition("?")
        method = "GET" if request.method == "HEAD" else request.method
        if path == "/":
            check_host(request)
            _allow(method, ["GET"])
            return Exchange(inbox())
        if path != _BASE and not path.startswith(f"{_BASE}/"):
            return None
        try:
            return self._attend(request, method, path.removeprefix(_BASE).lstrip("/"), query)
        except Refusal as refusal:
            refusal.service = "emulator"
            raise

    def witness(self, request: Request, exchange: Exchange) -> None:
        """Take note of a request to the API and its answer."""
        self._log.note(self._service.clock.time(), request, exchange, self._service.latest)

    def _attend(self, request: Request, method: str, path: str, query: str) -> Answer:
        check_host(request)
        check_origin(request)
        if path == "events":
            _allow(method, ["GET"])
            return Stream(200, _EVENTS, Watch(self._service, self._views, self._log).feed)
        name, _, blank = path.partition("/")
        handlers = self._routes.get(f"{name}/*" if blank else name)
        if handlers is None:
            raise Refusal(404, "No such path", code="NOT_FOUND")
        _allow(method, list(handlers))
        if method == "POST":
            check_type(request)
        response = handlers[method](_Ask(unquote(blank), query, request.body))
        return Exchange(attrs.evolve(response, headers=response.headers + _GUARDS))

    def _state(self, ask: _Ask) -> Response:
        return answer(200, self._views.state(ask.limit))

    def _messages(self, ask: _Ask) -> Response:
        number, limit = Search(ask.query).one("to"), ask.limit
        records = self._service.messages if number is None else self._inbox(number)
        found = self._views.messages(records[: -limit - 1 : -1])
        return answer(200, {"messages": found, "total": len(records)})
