"""ControlApi: the control API under `/_emulator`, and the inbox at `/`.

It offers to tests in any language what a `FakeZiett` offers to tests in Python.
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
from ziett_async._fake.responses import Refusal, invalid, json_response
from ziett_async._wire import Request, Response
from ziett_async.emulator._application import StreamingResponse
from ziett_async.emulator._clock import LAST_MOMENT
from ziett_async.emulator._origin import check_type
from ziett_async.emulator.control import commands
from ziett_async.emulator.control.events import EventStream
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.views import Views, fault_view
from ziett_async.emulator.inbox.page import inbox

_BASE = "/_emulator"
_SECURITY_HEADERS = (
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
)
_EVENT_STREAM_HEADERS = (("content-type", "text/event-stream"), *_SECURITY_HEADERS)


@runtime_checkable
class SupportsAdvance(Protocol):
    """A clock that can be set forward."""

    def advance(self, seconds: float) -> None:
        """Set it forward by `seconds`."""
        ...


@attrs.frozen(repr=False)
class _ControlRequest:
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


Handler = Callable[[_ControlRequest], Response]


class ControlApi:
    """Answers the requests for the inbox and the control API of one emulator."""

    def __init__(self, service: FakeZiett, log: RequestLog) -> None:
        self._service = service
        self._log = log
        self._views = Views(service, log)
        self._routes: Mapping[str, Mapping[str, Handler]] = {
            "state": {"GET": self._state},
            "messages": {"GET": self._messages},
            "messages/*": {"GET": self._message, "POST": self._set_status},
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

    def owns(self, request: Request) -> bool:
        """Return whether a request is for the inbox or the control API."""
        path = request.url.partition("?")[0]
        return path in {"/", _BASE} or path.startswith(f"{_BASE}/")

    def answer(self, request: Request) -> Exchange | StreamingResponse:
        """Answer a request that it owns.

        Raises:
            Refusal: there is no such path or method, or a field is wrong.

        """
        path, _, query = request.url.partition("?")
        method = "GET" if request.method == "HEAD" else request.method
        if path == "/":
            _allow(method, ["GET"])
            return Exchange(inbox())
        try:
            return self._dispatch(request, method, path.removeprefix(_BASE).lstrip("/"), query)
        except Refusal as refusal:
            refusal.service = "emulator"
            raise

    def _dispatch(
        self, request: Request, method: str, path: str, query: str
    ) -> Exchange | StreamingResponse:
        if path == "events":
            _allow(method, ["GET"])
            stream = EventStream(self._service, self._views, self._log)
            return StreamingResponse(200, _EVENT_STREAM_HEADERS, stream.feed)
        name, _, parameter = path.partition("/")
        handlers = self._routes.get(f"{name}/*" if parameter else name)
        if handlers is None:
            raise Refusal(404, "No such path", code="NOT_FOUND")
        _allow(method, list(handlers))
        if method == "POST":
            check_type(request)
        response = handlers[method](_ControlRequest(unquote(parameter), query, request.body))
        return Exchange(attrs.evolve(response, headers=response.headers + _SECURITY_HEADERS))

    def _state(self, request: _ControlRequest) -> Response:
        return json_response(200, self._views.state(request.limit))

    def _messages(self, request: _ControlRequest) -> Response:
        search, limit = QueryString(request.query), request.limit
        number, wanted = search.one("to"), search.one("q") or ""
        found = [
            each
            for each in reversed(self._service.messages)
            if number in (None, each.target_e164)
            and (wanted in each.content or wanted in each.target_e164 or wanted == str(each.id))
        ]
        messages = self._views.messages(found[:limit])
        return json_response(200, {"messages": messages, "messages_in_all": len(found)})

    def _message(self, request: _ControlRequest) -> Response:
        message_id = _message_id(request.parameter)
        found = [each for each in self._service.messages if each.id == message_id]
        if not found:
            raise Refusal(404, "Message not found")
        return json_response(200, self._views.messages(found)[0])

    def _set_status(self, request: _ControlRequest) -> Response:
        status, error_code = commands.read_status(request.document)
        try:
            record = self._service.deliver(_message_id(request.parameter), status, error_code)
        except KeyError:
            raise Refusal(404, "Message not found") from None
        return json_response(200, self._views.messages([record])[0])

    def _requests(self, request: _ControlRequest) -> Response:
        return json_response(200, {"requests": self._views.requests(request.limit)})

    def _add_faults(self, request: _ControlRequest) -> Response:
        faults = commands.read_faults(request.document)
        self._service.faults.add(*faults)
        return json_response(201, {"faults": [fault_view(each) for each in faults]})

    def _clear_faults(self, _: _ControlRequest) -> Response:
        self._service.faults.clear()
        return self._part("faults")

    def _top_up(self, request: _ControlRequest) -> Response:
        self._service.top_up(commands.read_amount(request.document, self._service.balance))
        return self._part("balance")

    def _use_dialect(self, request: _ControlRequest) -> Response:
        self._service.use_dialect(commands.read_dialect(request.document))
        return self._part("dialect")

    def _advance(self, request: _ControlRequest) -> Response:
        seconds, clock = commands.read_seconds(request.document), self._service.clock
        if not isinstance(clock, SupportsAdvance):
            raise Refusal(409, "The service's clock cannot be set forward")
        if clock.time() + seconds > LAST_MOMENT:
            raise invalid({"seconds": "would be after the year 9999"})
        clock.advance(seconds)
        return self._part("now")

    def _reset(self, request: _ControlRequest) -> Response:
        commands.read_nothing(request.document)
        self._service.clear()
        self._log.clear()
        return json_response(200, self._views.state(1))

    def _show(self, name: str, _: _ControlRequest) -> Response:
        return self._part(name)

    def _part(self, name: str) -> Response:
        return json_response(200, {name: self._views.account()[name]})


def _message_id(parameter: str) -> UUID:
    found = parse_uuid(parameter)
    if found is None:
        raise invalid({"message_id": "must be a UUID"})
    return found


def _allow(method: str, methods: Sequence[str]) -> None:
    if method not in methods:
        allowed = sorted({*methods, "HEAD"} if "GET" in methods else methods)
        raise Refusal(405, "Method not allowed", headers=(("allow", ", ".join(allowed)),))
