"""A client that knows HTTP, the description in `openapi.yaml`, and nothing of the SDK."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import attrs

from tests.support import description
from tests.support.requests import batch, message
from tests.support.samples import API_KEY, OTHER_ID
from tests.support.services import Service
from ziett_async import ManualClock, Request
from ziett_async.testing import Ending, FakeZiett

Json = Mapping[str, Any]
#: Parameters of a query; a tuple repeats its parameter.
Query = Mapping[str, object]

#: Where a service in memory is, as far as its requests say.
IN_MEMORY = "https://api.ziett.co/c/v1"


@attrs.frozen
class HttpResponse:
    """A response as it was received."""

    status: int
    #: By their names in lower case.
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The JSON object in the body."""
        found: Json = json.loads(self.body)
        return found

    @property
    def code(self) -> str:
        """The code of the error object."""
        return str(self.json["code"])

    @property
    def fields(self) -> Mapping[str, str]:
        """The invalid fields of a 422, each with its message."""
        assert (self.status, self.code) == (422, "VALIDATION_ERROR")
        found: Mapping[str, str] = self.json["fields"]
        return found


@attrs.frozen
class ServiceClient:
    """A client of one fake, in memory or over a socket."""

    service: Service

    @property
    def fake(self) -> FakeZiett:
        """The fake, for what no request can read or change."""
        return self.service.fake

    @property
    def clock(self) -> ManualClock:
        """The fake's clock."""
        return self.service.clock

    def call(
        self,
        operation: str,
        body: object = None,
        *,
        path_id: object = OTHER_ID,
        query: Query | None = None,
        api_key: str | None = API_KEY,
        key: str | None = None,
    ) -> HttpResponse:
        """Call an operation, and check the response against the description.

        Args:
            operation: its name: `send_message`.
            body: sent as JSON, or as it is if it is bytes; a POST has a valid one by default.
            path_id: the id in the path, by default one that nothing has.
            query: parameters; a tuple repeats its parameter.
            api_key: None sends none.
            key: the idempotency key.

        """
        described = description.OPERATIONS[operation]
        if described.method == "POST" and body is None:
            body = message() if operation == "send_message" else batch()
        headers = {} if body is None else {"Content-Type": "application/json"}
        if api_key is not None:
            headers["X-API-KEY"] = api_key
        if key is not None:
            headers["Idempotency-Key"] = key
        path = described.path.format(message_id=path_id, campaign_id=path_id)
        if query:
            path += f"?{urlencode(query, doseq=True)}"
        content = body if isinstance(body, bytes) else b"" if body is None else encoded(body)
        response = self.request(described.method, path, headers, content)
        description.check(operation, response.status, response.headers, response.body)
        return response

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpResponse:
        """Send a request as it is; `target` is what follows the base URL.

        Raises:
            ConnectionError: the connection was refused, or closed instead of a response.

        """
        fields = dict(headers or {})
        if self.service.base_url is None:
            return _in_memory(
                self.fake, Request(method, IN_MEMORY + target, tuple(fields.items()), body)
            )
        return _over_http(self.service.base_url, method, target, fields, body)

    def send(self, **changes: object) -> str:
        """Send a message, and return its id."""
        response = self.call("send_message", message(**changes))
        assert response.status == 202
        return str(response.json["message_id"])

    def send_batch(self, **changes: object) -> str:
        """Send a campaign, and return its id."""
        response = self.call("send_batch_campaign", batch(**changes))
        assert response.status == 202
        return str(response.json["campaign_id"])

    def get(self, operation: str, path_id: object = OTHER_ID, **query: object) -> Json:
        """Return what an operation reads: `get("list_messages", size=2)`."""
        response = self.call(operation, path_id=path_id, query=query)
        assert response.status == 200
        return response.json

    def messages(self, **query: object) -> Json:
        """Return a page of messages."""
        return self.get("list_messages", **query)

    def message(self, message_id: object) -> Json:
        """Return a message."""
        return self.get("get_message", message_id)


def encoded(body: object) -> bytes:
    """Return a body as JSON."""
    return json.dumps(body).encode()


def ids(page: Json) -> list[str]:
    """Return the ids on a page."""
    return [entry["id"] for entry in page["entries"]]


def _in_memory(fake: FakeZiett, request: Request) -> HttpResponse:
    exchange = fake.exchange(request)
    if exchange.response is None or exchange.ending is not Ending.ANSWERED:
        raise ConnectionError(exchange.ending)
    headers = {name.lower(): value for name, value in exchange.response.headers}
    return HttpResponse(exchange.response.status, headers, exchange.response.body)


def _over_http(
    base_url: str, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> HttpResponse:
    base = urlsplit(base_url)
    connection = HTTPConnection(f"{base.hostname}:{base.port}", timeout=10.0)
    try:
        connection.request(method, base.path + target, body or None, dict(headers))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return HttpResponse(response.status, names, response.read())
    finally:
        connection.close()
