"""The documented API in samples, held against the client and against the fake alike.

The two are written from the same pages and share values, so either could hide the other's
mistake. The samples in `wire/` are written down by hand from those pages, as the bytes have
it: the client has to produce these requests and to read these answers, and the fake has to
take these requests and to answer in this shape.
"""

import json
import pkgutil
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import attrs
import pytest

import ziett_async
from tests.support.samples import REMITTER
from ziett_async import (
    ApiError,
    AsyncZiett,
    CallInfo,
    InvalidResponse,
    Operation,
    OutcomeUnknown,
    Request,
    Response,
    RetryPolicy,
    SaveContact,
    Unlimited,
    api,
)
from ziett_async.testing import CampaignRecord, Dialect, FakeZiett, Fault, MessageRecord, Quota

WIRE = Path(__file__).parent
ID = REMITTER
BASE_URL = "https://api.ziett.co/c/v1"
#: What the client sends in every request, beside what the samples have.
ALWAYS = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": "ziett-async",
}
#: Objects whose inside no page describes.
OPAQUE = {"contact", "campaign", "data"}


@attrs.frozen(kw_only=True)
class Sample:
    """One exchange."""

    operation: str
    name: str
    #: The arguments of the client's method.
    call: dict[str, Any]
    request: dict[str, Any]
    response: dict[str, Any]
    #: How the fake has to be prepared to answer so.
    given: dict[str, Any] = attrs.field(factory=dict[str, Any])
    #: What the answer becomes; one of the two.
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    @property
    def body(self) -> bytes:
        """The answer's body."""
        text = self.response.get("text")
        return (json.dumps(self.response["body"]) if text is None else text).encode()


def samples() -> list[Sample]:
    """Read all of them."""
    found: list[Sample] = []
    for path in sorted(WIRE.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for name, sample in document["samples"].items():
            found.append(Sample(**{"operation": document["operation"], "name": name, **sample}))
    return found


SAMPLES = samples()
ALL = pytest.mark.parametrize("sample", SAMPLES, ids=[f"{s.operation}: {s.name}" for s in SAMPLES])


@attrs.define
class Line:
    """A transport that notes what is sent and has one answer to everything."""

    answer: Response
    sent: list[Request] = attrs.field(factory=list[Request])

    async def send(self, request: Request) -> Response:
        """Note, and answer."""
        self.sent.append(request)
        return self.answer

    async def aclose(self) -> None:
        """Do nothing."""


def argument(name: str, value: object) -> object:
    """Return an argument as a program would give it."""
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if "datetime" in fields:
        return datetime.fromisoformat(fields["datetime"])
    return SaveContact(**fields) if name == "save_contact" and fields.get("email") else fields


def client_of(line: Line) -> AsyncZiett:
    """Return a client whose every call is one attempt over a line."""
    retry = RetryPolicy(attempts=1)
    return AsyncZiett(
        "zk_test_wire", base_url=BASE_URL, transport=line, limiter=Unlimited(), retry=retry
    )


async def ask(sample: Sample) -> tuple[Request, object]:
    """Make a sample's call; return the one request it makes, and what comes of it."""
    headers = tuple(sample.response["headers"].items())
    line = Line(Response(sample.response["status"], headers, sample.body))
    arguments = {name: argument(name, value) for name, value in sample.call.items()}
    async with client_of(line) as client:
        method = getattr(client, sample.operation)
        try:
            outcome = await method(**arguments)
        except (ApiError, OutcomeUnknown) as error:
            outcome = error
    (request,) = line.sent
    return request, outcome


def plain(value: object) -> object:
    """Return a value as JSON has it, without what is not the server's and what is not there."""
    if attrs.has(type(value)):
        fields = attrs.asdict(cast("Any", value), recurse=False)
        said = {name: plain(each) for name, each in fields.items() if type(each) is not CallInfo}
        return said if said.get("extra") else {**said, "extra": None}
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {name: plain(each) for name, each in items}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in cast("Sequence[object]", value)]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID | Decimal) else value


def without_nulls(value: object) -> object:
    """Leave out what is null: a sample's result names only what its answer held."""
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {name: without_nulls(each) for name, each in items if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in cast("list[object]", value)]
    return value


@ALL
@pytest.mark.anyio
async def test_the_client_makes_this_request(sample: Sample) -> None:
    """Method, path, parameters in any order, headers and JSON: these and nothing else."""
    request, _ = await ask(sample)
    documented = sample.request
    address, _, query = request.url.partition("?")
    assert (request.method, address) == (documented["method"], BASE_URL + documented["path"])
    parameters = [tuple(pair) for pair in documented["query"]]
    assert sorted(parse_qsl(query, strict_parsing=bool(query))) == sorted(parameters)
    headers = {name.lower(): value for name, value in documented["headers"].items()}
    assert dict(request.headers) == {**headers, **ALWAYS}
    assert len(request.headers) == len(headers) + len(ALWAYS)
    body = json.loads(request.body) if request.body else None
    assert body == documented["body"]


@ALL
@pytest.mark.anyio
async def test_the_client_reads_this_answer(sample: Sample) -> None:
    """Into these values, or into this error with these facts."""
    _, outcome = await ask(sample)
    if sample.error is None:
        assert without_nulls(plain(outcome)) == without_nulls(sample.result)
        return
    expected = dict(sample.error)
    assert type(outcome) is getattr(ziett_async, expected.pop("type"))
    assert {name: plain(getattr(outcome, name)) for name in expected} == expected


#: What the published pages print, letter by letter.
PUBLISHED: dict[str, dict[str, Any]] = {
    name: body
    for name, body in json.loads((WIRE / "published/answers.json").read_bytes()).items()
    if name != "_about"
}
#: The two of them that belong to no operation's own page.
CONVENTIONS = {"conventions.entry": "get_message", "conventions.list": "list_messages"}
#: What the client calls the fields of a message, whatever a page calls them.
NAMES = {
    "sms_remitter_id": "remitter_id",
    "e164_format": "target_e164",
    "to": "target_e164",
    "body": "content",
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "send_message": {"remitter_id": ID, "target_e164": "+244990090990", "content": "x"},
    "get_message": {"message_id": ID},
    "send_batch_campaign": {
        "remitter_id": ID,
        "recipients": ["+244990090990", "+244990090991"],
        "content": "x",
    },
    "get_campaign": {"campaign_id": ID},
    "list_campaign_messages": {"campaign_id": ID},
}


def operation_of(name: str) -> str:
    """Return which operation a published answer answers."""
    return CONVENTIONS.get(name.partition(" ")[0]) or name.partition(".")[0]


def published_value(body: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts of a published object under the client's names, and nothing else."""
    said: dict[str, Any] = {}
    for name, value in body.items():
        if name.endswith("_at"):
            said[name] = value and datetime.fromisoformat(value).isoformat()
        elif name == "entries":
            said[name] = [published_value(entry, names) for entry in value]
        else:
            said[names.get(name, name)] = value.upper() if name == "status" else value
    return said


@pytest.mark.promise("Every published answer becomes a value: nothing lost, nothing invented")
@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.anyio
async def test_every_published_answer_becomes_a_value(name: str) -> None:
    """Whatever generation it is of: nothing of it is lost, and nothing is invented."""
    body, operation = PUBLISHED[name], operation_of(name)
    line = Line(Response(202 if "send" in name else 200, (), json.dumps(body).encode()))
    async with client_of(line) as client:
        value = await getattr(client, operation)(**ARGUMENTS.get(operation, {}))
    found = cast("dict[str, Any]", without_nulls(plain(value)))
    found.pop("idempotency_key", None)
    expected = published_value(body, NAMES if "message" in operation else {})
    if name == "send_message.202.seen":
        expected["extra"] = {"status": expected.pop("status")}
    assert found == without_nulls(expected)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.anyio
async def test_rows_without_a_time_cannot_be_walked_exactly(order: str) -> None:
    """The conventions page abridges its rows: a loop by `created_at` raises, others return them."""
    body = PUBLISHED["conventions.list (abridged on the page)"]
    line = Line(Response(200, (), json.dumps({**body, "pages": 2}).encode()))
    async with client_of(line) as client:
        with pytest.raises(InvalidResponse, match="a row has no created_at, without which"):
            _ = [message async for message in client.iter_messages(order=order)]
        loop = client.iter_messages(order=order, order_by="updated_at")
        rows = [message.status.value async for message in loop]
    assert rows == ["DELIVERED", "FAILED"] * 2


@ALL
def test_the_fake_answers_so(sample: Sample) -> None:
    """It takes the documented request, and its answer has the documented status and shape."""
    fake = prepared(sample)
    request = to_request(sample)
    for _ in range(sample.given.get("before", 0)):
        fake.handle(request)
    answer = fake.exchange(request).response
    assert answer is not None
    assert answer.status == sample.response["status"], answer.body
    names = {name.lower() for name, _ in answer.headers}
    assert {"content-type", "retry-after"} & {
        name.lower() for name in sample.response["headers"]
    } <= names
    if "text" in sample.response:
        assert answer.header("content-type") == "text/html"
        return
    documented, given = sample.response["body"], json.loads(answer.body)
    assert differences(documented, given) == []
    if sample.error is not None:
        said = ("code", "message", "status", "service", "fields")
        assert {name: given.get(name) for name in said} == {
            name: documented.get(name) for name in said
        }
    elif "entries" in documented:
        assert numbers_of(given) == numbers_of(documented)


def numbers_of(page: Mapping[str, Any]) -> list[object]:
    """Return what a page holds, by id, and its numbers."""
    ids: list[object] = [entry["id"] for entry in page["entries"]]
    return [*ids, page["total"], page["page"], page["size"], page["pages"]]


def to_request(sample: Sample) -> Request:
    """Return a sample's request as bytes, made without the client."""
    documented = sample.request
    url = (
        f"{BASE_URL}{documented['path']}?{urlencode([tuple(pair) for pair in documented['query']])}"
    )
    body = b"" if documented["body"] is None else json.dumps(documented["body"]).encode()
    headers = tuple(documented["headers"].items())
    return Request(documented["method"], url.rstrip("?"), headers, body)


def prepared(sample: Sample) -> FakeZiett:
    """Return a fake that holds what the sample's answer shows."""
    given = sample.given
    limits = {bucket: Quota(limit) for bucket, limit in given.get("limits", {}).items()}
    fake = FakeZiett(
        keys=given.get("keys"),
        balance=given.get("balance", 1000),
        dialect=Dialect(**given.get("dialect", {})),
        limits=limits,
        delivery=None,
    )
    if "fault" in given:
        fake.faults.add(Fault.status(given["fault"]))
    if "campaign_id" in given:
        fake.put(campaign({"id": given["campaign_id"]}))
    body: Any = sample.response.get("body") or {}
    for entry in body.get("entries", [body] if "id" in body else []):
        fake.put(campaign(entry) if "total_estimated_recipients" in entry else message(entry))
    return fake


def campaign(entry: Mapping[str, Any]) -> CampaignRecord:
    """Return the row of a campaign that an answer shows."""
    return CampaignRecord(
        id=UUID(entry["id"]),
        remitter_id=UUID(entry.get("sms_remitter_id", entry["id"])),
        content=entry.get("content", "Olá"),
        name=entry.get("name"),
        status=entry.get("status", "SENDING"),
        error_code=entry.get("error_code"),
        trigger_source=entry.get("trigger_source", "API"),
        recipients=entry.get("total_estimated_recipients", 2),
        created_at=datetime.fromisoformat(entry.get("created_at", "2025-07-14T10:30:00Z")),
        updated_at=datetime.fromisoformat(entry.get("updated_at", "2025-07-14T10:30:00Z")),
    )


def message(entry: Mapping[str, Any]) -> MessageRecord:
    """Return the row of a message that an answer shows."""
    first: dict[str, str] = {
        name: next(entry[each] for each in names if each in entry)
        for name, names in {
            "remitter_id": ("remitter_id", "sms_remitter_id"),
            "target_e164": ("target_e164", "e164_format", "to"),
            "content": ("content", "body"),
        }.items()
    }
    return MessageRecord(
        id=UUID(entry["id"]),
        remitter_id=UUID(first["remitter_id"]),
        target_e164=first["target_e164"],
        content=first["content"],
        status=entry["status"].upper(),
        error_code=entry["error_code"],
        channel_type=entry["channel_type"],
        channel_destination=entry["channel_destination"],
        campaign_id=entry["campaign_id"] and UUID(entry["campaign_id"]),
        contact_id=entry["contact_id"] and UUID(entry["contact_id"]),
        created_at=datetime.fromisoformat(entry["created_at"]),
        updated_at=datetime.fromisoformat(entry["updated_at"]),
    )


def differences(documented: object, given: object, path: str = "$") -> list[str]:
    """Say where two JSON values differ in shape: keys, types, and the form of strings."""
    if documented is None or given is None:
        return []
    if form(documented) != form(given):
        return [f"{path}: {form(documented)} documented, {form(given)} given"]
    if isinstance(documented, dict) and isinstance(given, dict):
        ours, theirs = cast("dict[str, object]", documented), cast("dict[str, object]", given)
        found = [f"{path}.{name}: only in one" for name in sorted(ours.keys() ^ theirs.keys())]
        for name in sorted((ours.keys() & theirs.keys()) - OPAQUE):
            found += differences(ours[name], theirs[name], f"{path}.{name}")
        return found
    if isinstance(documented, list) and isinstance(given, list):
        pairs = zip(cast("list[object]", documented), cast("list[object]", given), strict=True)
        return [text for i, pair in enumerate(pairs) for text in differences(*pair, f"{path}[{i}]")]
    return []


def form(value: object) -> str:
    """Name the type of a JSON value; of a string what it is, and how a date is written."""
    if not isinstance(value, str):
        return type(value).__name__
    if re.fullmatch("[0-9a-f]{32}", value):
        return "trace"
    try:
        return f"uuid {UUID(value).variant}"
    except ValueError:
        pass
    if len(value) >= 20 and value[4] == "-" and value[10] == "T":
        return f"date like {''.join('9' if each.isdigit() else each for each in value)}"
    whole, dot, rest = value.partition(".")
    return f"decimal .{len(rest)}" if dot and whole.isdigit() and rest.isdigit() else "text"


def operations() -> dict[str, Operation[Any]]:
    """Return every Operation constant of the package, by its name."""
    found: dict[str, Operation[Any]] = {}
    for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Operation):
                found[value.name] = value
    return found


def test_every_operation_has_a_sample() -> None:
    """A new endpoint is not done before its request and its answer are written down."""
    written = {sample.operation for sample in SAMPLES if sample.error is None}
    assert set(operations()) == written


def test_every_documented_error_has_a_sample() -> None:
    """All codes of the API page, and the statuses that only proxies give."""
    codes = {(sample.error["status"], sample.error["code"]) for sample in SAMPLES if sample.error}
    assert codes == {
        (401, "AUTH_INVALID_API_KEY"),
        (402, "BILLING_INSUFFICIENT_FUNDS"),
        (403, "AUTH_INVALID_SCOPE"),
        (404, "NOT_FOUND"),
        (404, "RESOURCE_NOT_FOUND"),
        (422, "VALIDATION_ERROR"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (500, "INTERNAL_SERVER_ERROR"),
        (502, None),
        (503, None),
        (504, None),
    }


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"id": "x", "more": 1}, ["$.more: only in one"]),
        ({"id": 7}, ["$.id: text documented, int given"]),
        ({"id": None}, []),
        (
            {"id": "2025-07-14T10:30:00.000Z"},
            ["$.id: text documented, date like 9999-99-99T99:99:99.999Z given"],
        ),
        ({"id": "15.000000"}, ["$.id: text documented, decimal .6 given"]),
        ({"id": "4bf92f3577b34da6a3ce929d0e0e4736"}, ["$.id: text documented, trace given"]),
    ],
)
def test_a_difference_in_shape_is_found(given: dict[str, object], found: list[str]) -> None:
    """The comparison sees keys, types and forms, so its silence means something."""
    assert differences({"id": "x"}, given) == found
