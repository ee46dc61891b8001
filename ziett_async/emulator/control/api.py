"""The control API under `/_emulator`, and the inbox at `/`: an emulator's rooms beside the API.

Whatever a test in Python does with a `FakeZiett`, a test in any other language does by it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, runtime_checkable
from urllib.parse import unquote
from uuid import UUID

import attrs

from ziett_async._fake.dialect import parse_uuid
from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.faults import Exchange
from ziett_async._fake.parsing.body import json_object
from ziett_async._fake.parsing.query import QueryString
from ziett_async._fake.responses import Refusal, answer, invalid
from ziett_async._wire import Request, Response
from ziett_async.emulator._answers import Answer, Stream
from ziett_async.emulator._origin import check_type
from ziett_async.emulator.control import commands as _orders
from ziett_async.emulator.control.events import EventStream
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.views import Views, fault_view
from ziett_async.emulator.inbox.page import inbox

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
    """One request to the control API: the parameter of its path, if any, its query and body."""

    parameter: str
    query: str
    body: bytes

    @property
    def document(self) -> Mapping[str, object]:
        return json_object(self.body or b"{}")

    @property
    def limit(self) -> int:
        """How many rows are wanted."""
        search = QueryString(self.query)
        limit = search.integer("limit", 100, least=1, most=1000)
        search.close()
        return limit


Handler = Callable[[_Ask], Response]


class Control:
    """The rooms of one emulator; `room` answers, `witness` is told what the API answered."""

    def __init__(self, service: FakeZiett) -> None:
        self._service = service
        self._log = RequestLog()
        self._views = Views(service, self._log)
        self._routes: Mapping[str, Mapping[str, Handler]] = {
            "state": {"GET": self._state},
            "messages": {"GET": self._messages},
            "messages/*": {"GET": self._message, "POST": self._mark},
            "requests": {"GET": self._requests},
            "limits": {"GET": partial(self._show, "limits")},
            "faults": {
                "GET": partial(self._show, "faults"),
                "POST": self._add_faults,
                "DELETE": self._clear_faults,
            },
            "balance": {"GET": partial(self._show, "balance"), "POST": self._top_up},
            "dialect": {"GET": partial(self._show, "dialect"), "POST": self._use_dialect},
            "clock": {"GET": partial(self._show, "now"), "POST": self._advance},
            "reset": {"POST": self._reset},
        }

    def knows(self, request: Request) -> bool:
        """Return whether a request is for the inbox or the control API."""
        path = request.url.partition("?")[0]
        return path in {"/", _BASE} or path.startswith(f"{_BASE}/")

    def room(self, request: Request) -> Answer | None:
        """Answer what is for the inbox or the control API."""
        if not self.knows(request):
            return None
        path, _, query = request.url.partition("?")
        method = "GET" if request.method == "HEAD" else request.method
        if path == "/":
            _allow(method, ["GET"])
            return Exchange(inbox())
        try:
            return self._attend(request, method, path.removeprefix(_BASE).lstrip("/"), query)
        except Refusal as refusal:
            refusal.service = "emulator"
            raise

    def overseen(self, api: Callable[[Request], Exchange]) -> Callable[[Request], Exchange]:
        """Return the API with its requests and answers noted for the inbox."""

        def answered(request: Request) -> Exchange:
            exchange = api(request)
            self._log.note(self._service.clock.time(), request, exchange, exchange.arrival)
            return exchange

        return answered

    def _attend(self, request: Request, method: str, path: str, query: str) -> Answer:
        if path == "events":
            _allow(method, ["GET"])
            return Stream(200, _EVENTS, EventStream(self._service, self._views, self._log).feed)
        name, _, parameter = path.partition("/")
        handlers = self._routes.get(f"{name}/*" if parameter else name)
        if handlers is None:
            raise Refusal(404, "No such path", code="NOT_FOUND")
        _allow(method, list(handlers))
        if method == "POST":
            check_type(request)
        response = handlers[method](_Ask(unquote(parameter), query, request.body))
        return Exchange(attrs.evolve(response, headers=response.headers + _GUARDS))

    def _state(self, ask: _Ask) -> Response:
        return answer(200, self._views.state(ask.limit))

    def _messages(self, ask: _Ask) -> Response:
        search, limit = QueryString(ask.query), ask.limit
        number, wanted = search.one("to"), search.one("q") or ""
        found = [
            each
            for each in reversed(self._service.messages)
            if number in (None, each.target_e164)
            and (wanted in each.content or wanted in each.target_e164 or wanted == str(each.id))
        ]
        messages = self._views.messages(found[:limit])
        return answer(200, {"messages": messages, "messages_in_all": len(found)})

    def _message(self, ask: _Ask) -> Response:
        message_id = _id(ask.parameter)
        found = [each for each in self._service.messages if each.id == message_id]
        if not found:
            raise Refusal(404, "Message not found")
        return answer(200, self._views.messages(found)[0])

    def _mark(self, ask: _Ask) -> Response:
        status, error_code = _orders.read_outcome(ask.document)
        try:
            record = self._service.deliver(_id(ask.parameter), status, error_code)
        except KeyError:
            raise Refusal(404, "Message not found") from None
        return answer(200, self._views.messages([record])[0])

    def _requests(self, ask: _Ask) -> Response:
        return answer(200, {"requests": self._views.requests(ask.limit)})

    def _add_faults(self, ask: _Ask) -> Response:
        faults = _orders.read_faults(ask.document)
        self._service.faults.add(*faults)
        return answer(201, {"faults": [fault_view(each) for each in faults]})

    def _clear_faults(self, _: _Ask) -> Response:
        self._service.faults.clear()
        return self._part("faults")

    def _top_up(self, ask: _Ask) -> Response:
        self._service.top_up(_orders.read_amount(ask.document, self._service.balance))
        return self._part("balance")

    def _use_dialect(self, ask: _Ask) -> Response:
        self._service.use_dialect(_orders.read_dialect(ask.document))
        return self._part("dialect")

    def _advance(self, ask: _Ask) -> Response:
        seconds, clock = _orders.read_seconds(ask.document), self._service.clock
        if not isinstance(clock, Movable):
            raise Refusal(409, "The service's clock is not one that can be put forward")
        if clock.time() + seconds > _LAST_MOMENT:
            raise invalid({"seconds": "would be after the last year of four digits"})
        clock.advance(seconds)
        return self._part("now")

    def _reset(self, ask: _Ask) -> Response:
        _orders.read_nothing(ask.document)
        self._service.clear()
        self._log.clear()
        return answer(200, self._views.state(1))

    def _show(self, name: str, _: _Ask) -> Response:
        return self._part(name)

    def _part(self, name: str) -> Response:
        return answer(200, {name: self._views.account()[name]})


def _id(parameter: str) -> UUID:
    found = parse_uuid(parameter)
    if found is None:
        raise invalid({"message_id": "must be a UUID"})
    return found


def _allow(method: str, methods: Sequence[str]) -> None:
    if method not in methods:
        allowed = sorted({*methods, "HEAD"} if "GET" in methods else methods)
        raise Refusal(405, "Method not allowed", headers=(("allow", ", ".join(allowed)),))
