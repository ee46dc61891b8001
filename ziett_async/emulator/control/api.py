"""ControlApi: the control API under `/_emulator`, and the inbox at `/`.

It offers to tests in any language what a `FakeZiett` offers to tests in Python.
"""

from functools import partial
from typing import Protocol, runtime_checkable
from urllib.parse import unquote

import attrs

from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.faults import Exchange
from ziett_async._fake.parsing.query import QueryString
from ziett_async._fake.responses import Refusal, invalid, json_response
from ziett_async._wire import Request, Response
from ziett_async.emulator._application import StreamingResponse
from ziett_async.emulator._clock import LAST_MOMENT
from ziett_async.emulator._origin import check_type
from ziett_async.emulator.control import commands
from ziett_async.emulator.control.events import EventStream
from ziett_async.emulator.control.request import ControlRequest, Handler, check_method
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.request_views import fault_view
from ziett_async.emulator.control.views import Views
from ziett_async.emulator.inbox.page import inbox

_BASE = "/_emulator"
_SECURITY_HEADERS = (
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
)
_ATTACHMENT = (("content-disposition", 'attachment; filename="ziett-messages.json"'),)
_EVENT_STREAM_HEADERS = (("content-type", "text/event-stream"), *_SECURITY_HEADERS)


@runtime_checkable
class SupportsAdvance(Protocol):
    """A clock that can be set forward."""

    def advance(self, seconds: float) -> None:
        """Set it forward by `seconds`."""
        ...


class ControlApi:
    """Answers the requests for the inbox and the control API of one emulator."""

    def __init__(self, service: FakeZiett, log: RequestLog) -> None:
        self._service = service
        self._log = log
        self._views = Views(service, log)
        self._routes: dict[str, dict[str, Handler]] = {
            "health": {"GET": _health},
            "state": {"GET": self._state},
            "messages": {"GET": self._messages},
            "messages/*": {"GET": self._message, "POST": self._set_status, "DELETE": self._delete},
            "campaigns": {"GET": self._campaigns},
            "export": {"GET": self._export},
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
        return path in {"/", "/favicon.ico", _BASE} or path.startswith(f"{_BASE}/")

    def answer(self, request: Request) -> Exchange | StreamingResponse:
        """Answer a request that it owns.

        Raises:
            Refusal: there is no such path or method, or a field is wrong.

        """
        path, _, query = request.url.partition("?")
        method = "GET" if request.method == "HEAD" else request.method
        if path == "/":
            check_method(method, ["GET"])
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
            check_method(method, ["GET"])
            stream = EventStream(self._service, self._views, self._log)
            return StreamingResponse(200, _EVENT_STREAM_HEADERS, stream.feed)
        name, _, parameter = path.partition("/")
        handlers = self._routes.get(f"{name}/*" if parameter else name)
        if handlers is None:
            raise Refusal(404, "No such path", code="NOT_FOUND")
        check_method(method, list(handlers))
        if method == "POST":
            check_type(request)
        response = handlers[method](ControlRequest(unquote(parameter), query, request.body))
        return Exchange(attrs.evolve(response, headers=response.headers + _SECURITY_HEADERS))

    def _state(self, request: ControlRequest) -> Response:
        return json_response(200, self._views.state(request.limit))

    def _messages(self, request: ControlRequest) -> Response:
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

    def _message(self, request: ControlRequest) -> Response:
        message_id = request.message_id
        found = [each for each in self._service.messages if each.id == message_id]
        if not found:
            raise _not_found()
        return json_response(200, self._views.messages(found)[0])

    def _delete(self, request: ControlRequest) -> Response:
        deleted = self._message(request)
        self._service.delete_message(request.message_id)
        return deleted

    def _campaigns(self, request: ControlRequest) -> Response:
        newest = self._service.campaigns[: -request.limit - 1 : -1]
        return json_response(200, {"campaigns": self._views.campaigns(newest)})

    def _export(self, _: ControlRequest) -> Response:
        document = json_response(200, {"messages": self._views.messages(self._service.messages)})
        return attrs.evolve(document, headers=document.headers + _ATTACHMENT)

    def _set_status(self, request: ControlRequest) -> Response:
        status, error_code = commands.read_status(request.document)
        try:
            record = self._service.deliver(request.message_id, status, error_code)
        except KeyError:
            raise _not_found() from None
        return json_response(200, self._views.messages([record])[0])

    def _requests(self, request: ControlRequest) -> Response:
        return json_response(200, {"requests": self._views.requests(request.limit)})

    def _add_faults(self, request: ControlRequest) -> Response:
        faults = commands.read_faults(request.document)
        self._service.faults.add(*faults)
        return json_response(201, {"faults": [fault_view(each) for each in faults]})

    def _clear_faults(self, _: ControlRequest) -> Response:
        self._service.faults.clear()
        return self._part("faults")

    def _top_up(self, request: ControlRequest) -> Response:
        self._service.top_up(commands.read_amount(request.document, self._service.balance))
        return self._part("balance")

    def _use_dialect(self, request: ControlRequest) -> Response:
        self._service.use_dialect(commands.read_dialect(request.document))
        return self._part("dialect")

    def _advance(self, request: ControlRequest) -> Response:
        seconds, clock = commands.read_seconds(request.document), self._service.clock
        if not isinstance(clock, SupportsAdvance):
            raise Refusal(409, "The service's clock cannot be set forward")
        if clock.time() + seconds > LAST_MOMENT:
            raise invalid({"seconds": "would be after the year 9999"})
        clock.advance(seconds)
        return self._part("now")

    def _reset(self, request: ControlRequest) -> Response:
        commands.read_nothing(request.document)
        self._service.clear()
        self._log.clear()
        return json_response(200, self._views.state(1))

    def _show(self, name: str, _: ControlRequest) -> Response:
        return self._part(name)

    def _part(self, name: str) -> Response:
        return json_response(200, {name: self._views.account()[name]})


def _health(_: ControlRequest) -> Response:
    return json_response(200, {"status": "ok"})


def _not_found() -> Refusal:
    return Refusal(404, "Message not found")
