"""A client of the standard library, which knows HTTP and nothing of Ziett."""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import attrs

from tests.support import description as document
from tests.support.samples import REMITTER
from ziett_async import ManualClock
from ziett_async.testing import Dialect, FakeZiett

KEY = "zk_test_fidelity"
UNKNOWN_ID = "019b4b56-e704-7c30-83a0-000000000000"

Query = Sequence[tuple[str, object]]
Json = Mapping[str, Any]

JSON = "application/json"


def read(**settings: Any) -> Dialect:  # noqa: ANN401 (any of a dialect's)
    """Return a reading of the documentation: `read(name="reference")`."""
    return Dialect(**settings)


def message(**changes: object) -> dict[str, object]:
    """Return a valid body for `POST /messages`, with changes; None leaves a field out."""
    body: dict[str, object] = {
        "remitter_id": REMITTER,
        "channel_type": "SMS",
        "target_e164": "+244990090990",
        "content": "Your code is 482910.",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def batch(**changes: object) -> dict[str, object]:
    """Return a valid body for `POST /campaigns/batch`, with changes."""
    body: dict[str, object] = {
        "remitter_id": REMITTER,
        "channel_type": "SMS",
        "content": "Open on Sunday",
        "recipients": ["923 456 789", "+351912345678"],
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


@attrs.frozen
class Answer:
    """What came back."""

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


@attrs.frozen
class Wire:
    """The way to one emulator. Every answer that comes over it is held to the description."""

    fake: FakeZiett
    clock: ManualClock
    base_url: str

    def ask(
        self,
        name: str,
        body: object = None,
        *,
        of: str = UNKNOWN_ID,
        query: Query = (),
        api_key: str | None = KEY,
        key: str | None = None,
    ) -> Answer:
        """Ask for an operation; `of` is the id in its path."""
        operation = document.OPERATIONS[name]
        path = operation.path.replace("{message_id}", of).replace("{campaign_id}", of)
        if operation.method == "POST" and body is None:
            body = message() if name == "send_message" else batch()
        headers = {} if body is None else {"Content-Type": JSON}
        if api_key is not None:
            headers["X-API-KEY"] = api_key
        if key is not None:
            headers["Idempotency-Key"] = key
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        answer = self.send(operation.method, f"{path}?{urlencode(query)}", headers, data)
        document.check(name, answer.status, answer.headers, answer.body)
        return answer

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
    ) -> Answer:
        """Send a request as it is; `target` is what follows the base URL."""
        base = urlsplit(self.base_url)
        connection = HTTPConnection(f"{base.hostname}:{base.port}", timeout=10.0)
        try:
            connection.request(method, base.path + target, body, dict(headers or {}))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def list(self, **query: object) -> Json:
        """Return a page of messages; a tuple repeats its parameter."""
        pairs = list[tuple[str, object]]()
        for name, value in query.items():
            several = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
            pairs += [(name, each) for each in several]
        answer = self.ask("list_messages", query=pairs)
        assert answer.status == 200
        return answer.json
