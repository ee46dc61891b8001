"""Every public argument, and every kind of wrong value: an error of ours, before any I/O."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from importlib import import_module
from math import inf, nan
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, cast, get_args, get_type_hints
from uuid import UUID

import pytest

from tests.support.samples import CONTENT, NUMBER, REMITTER
from ziett_async import (
    AcceptedMessage,
    ApiError,
    AsyncZiett,
    Bucket,
    ConfigurationError,
    DeadlineExceeded,
    InvalidRequest,
    Message,
    Operation,
    Order,
    Pages,
    Request,
    Response,
    Unlimited,
)
from ziett_async.testing import FakeTransport

pytestmark = pytest.mark.anyio

#: Django has no types.
SafeString: Callable[[str], str] = import_module("django.utils.safestring").SafeString

KEY = "zk_test_x"
PROBE = Operation("probe", "POST", "/probe", AcceptedMessage, Bucket.SEND)
PATHS = Operation("probe", "GET", "/probe/{name}", Message, Bucket.READ)


class Foreign(str, Enum):  # noqa: UP042 - as before Python 3.11: its `str` is another word
    """An enumeration of another program."""

    WORD = "x"


class Recorder(FakeTransport):
    """Remembers what it was asked to send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Response:
        """Take note of a request and answer it."""
        self.sent.append(request)
        return await super().send(request)


def words() -> Iterator[str]:
    """Yield one string."""
    yield "x"


#: Values by what they are. They are made anew for each use, as a generator is used up.
POOL: dict[str, Callable[[], object]] = {
    "None": lambda: None,
    "5": lambda: 5,
    "0": lambda: 0,
    "-1": lambda: -1,
    "True": lambda: True,
    "False": lambda: False,
    "1.5": lambda: 1.5,
    "nan": lambda: nan,
    "inf": lambda: inf,
    "huge": lambda: 10**5000,
    "''": lambda: "",
    "'x'": lambda: "x",
    "'5'": lambda: "5",
    "line end": lambda: "x\n",
    "half a pair": lambda: "\ud800",
    "bytes": lambda: b"x",
    "no bytes": lambda: b"",
    "[]": list,
    "[10]": lambda: [10],
    "['\\ud800']": lambda: ["\ud800"],
    "[None]": lambda: [None],
    "[[]]": lambda: [list[object]()],
    "()": lambda: (),
    "(1, 2)": lambda: (1, 2),
    "{}": dict,
    "{5: 5}": lambda: {5: 5},
    "{'x': []}": lambda: {"x": []},
    "proxy": lambda: MappingProxyType(dict[str, object]()),
    "{'x'}": lambda: {"x"},
    "generator": words,
    "object": object,
    "class": lambda: FakeTransport,
    "foreign": lambda: Foreign.WORD,
    "order": lambda: Order.ASC,
    "naive": lambda: datetime(2025, 7, 14),  # noqa: DTZ001 - naive on purpose
    "date": lambda: datetime(2025, 7, 14, tzinfo=UTC).date(),
    "decimal": lambda: Decimal("1.5"),
    "ellipsis": lambda: ...,
    "function": lambda: words,
}

NOTHING = {"None"}
TEXT = {"'x'", "'5'", "foreign", "order"}
SECONDS = {"5", "1.5"}
WORDS = {*NOTHING, *TEXT, "{'x'}", "generator", "{'x': []}"}

#: What is no mistake, as it is documented; of all that is not named here, nothing.
FINE: Mapping[str, set[str]] = {
    "content": {*TEXT, "line end"},
    "remitter_id": NOTHING,
    "save_contact": NOTHING,
    "idempotency_key": {*NOTHING, *TEXT},
    "timeout": {*NOTHING, *SECONDS},
    "name": {*NOTHING, *TEXT, "line end"},
    "country_alpha2": NOTHING,
    "country": NOTHING,
    "journal": {*NOTHING, *TEXT, "line end"},
    "run": {*NOTHING, *TEXT, "line end"},
    "concurrency": {"5"},
    "page": {*NOTHING, "5"},
    "size": {*NOTHING, "5"},
    "order": {*NOTHING, "order"},
    "order_by": NOTHING,
    "created_at__ge": NOTHING,
    "created_at__le": NOTHING,
    "q": {*NOTHING, *TEXT, "line end"},
    "status": NOTHING,
    "contact_id": NOTHING,
    "sms_remitter_id": NOTHING,
    "tag_id": NOTHING,
    "error_code": {*WORDS, "line end"},
    "channel_destination": {*WORDS, "line end"},
    "trigger_source": NOTHING,
    # Of `call`.
    "path": {*NOTHING, "{}", "proxy"},
    "query": {"[]", "()"},
    "body": {*NOTHING, "{}", "{5: 5}", "{'x': []}"},
    # Of the client.
    "api_key": TEXT,
    "base_url": NOTHING,
    "transport": NOTHING,
    "limiter": NOTHING,
    "retry": NOTHING,
    "attempt_timeout": SECONDS,
    "default_remitter_id": NOTHING,
    "default_country": NOTHING,
    "allowed_recipients": {*NOTHING, "[]", "()", "{}", "proxy"},
    "clock": NOTHING,
}
#: In a filter None leaves it out; as an argument of its own it is no value.
FILTERS_ONLY = {"channel_type", "campaign_id"}

#: What is read as the call goes on: a wrong entry of a run is an outcome, not a refusal.
READ_LATER = {
    ("send_many", "messages"),
    ("send_campaign", "recipients"),
    ("wait_until_final", "message_ids"),
    ("watch_messages", "message_ids"),
}

#: What a call needs besides the argument that is looked at.
REQUIRED: Mapping[str, Mapping[str, object]] = {
    "send_message": {"target_e164": NUMBER, "content": CONTENT},
    "send_batch_campaign": {"recipients": [NUMBER, NUMBER], "content": CONTENT},
    "get_message": {"message_id": REMITTER},
    "get_campaign": {"campaign_id": REMITTER},
    "list_campaign_messages": {"campaign_id": REMITTER},
    "iter_campaign_messages": {"campaign_id": REMITTER},
    "call": {"operation": PROBE},
    "send_many": {"messages": [{"target_e164": NUMBER, "content": CONTENT}]},
    "send_campaign": {"recipients": [NUMBER, NUMBER], "content": CONTENT},
    "wait_until_final": {"message_ids": REMITTER},
    "watch_messages": {"message_ids": REMITTER},
}
METHODS = [
    name
    for name, _ in inspect.getmembers(AsyncZiett, inspect.isfunction)
    if name[0] != "_" and name != "aclose"
]


def arguments_of(method: str) -> list[tuple[str, bool]]:
    """Return what a method takes, and which of it are filters."""
    function = getattr(AsyncZiett, method)
    parameters = [*inspect.signature(function).parameters.values()][1:]
    plain = [(each.name, False) for each in parameters if each.kind is not each.VAR_KEYWORD]
    if len(plain) == len(parameters):
        return plain
    # What it returns is imported with its first use.
    (filters,) = get_args(get_type_hints(function, localns={"Pages": Pages})["filters"])
    return plain + [(name, True) for name in get_type_hints(filters)]


ARGUMENTS = [
    (method, *each)
    for method in METHODS
    for each in arguments_of(method)
    if (method, each[0]) not in READ_LATER
]
SETTINGS = [*inspect.signature(AsyncZiett).parameters]


async def made(call: object) -> None:
    """Make a call to its end, or take one step of a loop; a refusal counts as done."""
    try:
        if inspect.isawaitable(call):
            await cast("Awaitable[object]", call)
        else:
            await anext(aiter(cast("AsyncIterator[object]", call)), None)
    except (ApiError, DeadlineExceeded):
        pass


def is_fine(name: str, value: str, *, is_filter: bool) -> bool:
    """Tell whether the documentation lets an argument have such a value."""
    return value in FINE.get(name, set[str]()) or (
        is_filter and name in FILTERS_ONLY and value == "None"
    )


def test_all_that_is_public_is_looked_at() -> None:
    """The arguments come from the signatures: a new one without a rule here is found."""
    names = {name for _, name, _ in ARGUMENTS} | set(SETTINGS)
    assert set(FINE) | FILTERS_ONLY <= names
    assert {"send_message", "call", "iter_campaign_messages"} < set(METHODS)
    assert ("list_messages", "campaign_id", True) in ARGUMENTS


@pytest.mark.promise("A wrong argument is an error of the package, before any I/O")
@pytest.mark.parametrize(("method", "name", "is_filter"), ARGUMENTS)
async def test_a_wrong_argument_is_an_invalid_request(
    method: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_filter: bool
) -> None:
    """Each value either is what is documented, or is refused by its name with nothing sent."""
    monkeypatch.chdir(tmp_path)
    transport = Recorder()
    async with AsyncZiett(
        KEY, transport=transport, limiter=Unlimited(), default_remitter_id=REMITTER
    ) as client:
        for label, make in POOL.items():
            arguments = {**REQUIRED.get(method, {}), name: make()}
            transport.sent.clear()
            if is_fine(name, label, is_filter=is_filter):
                await made(getattr(client, method)(**arguments))
                # A journal that two of the values name has nothing left to send.
                assert transport.sent or name == "journal", label
                continue
            with pytest.raises(InvalidRequest) as caught:
                await made(getattr(client, method)(**arguments))
            assert {field.partition(".")[0] for field in caught.value.fields} == {name}, label
            assert transport.sent == [], label


@pytest.mark.promise("A wrong argument is an error of the package, before any I/O")
@pytest.mark.parametrize("name", SETTINGS)
async def test_a_wrong_setting_is_a_configuration_error(name: str) -> None:
    """Each value either is what is documented, or no client is built, and its name is said."""
    for label, make in POOL.items():
        settings: dict[str, Any] = {"api_key": KEY, "limiter": Unlimited(), name: make()}
        if is_fine(name, label, is_filter=False):
            await AsyncZiett(**settings).aclose()
            continue
        with pytest.raises(ConfigurationError) as caught:
            AsyncZiett(**settings)
        assert str(caught.value).startswith(f"{name}: "), label


@pytest.mark.parametrize(
    "given",
    [
        {"path": {"name": value}}
        for value in ("", ".", "..", 7, None, b"x", ["x"], "\ud800", Order, object())
    ]
    + [{"path": None}, {"path": {}}, {"path": {"id": "x"}}, {"path": {7: "x", "name": "x"}}]
    + [
        {"path": {"name": "x"}, "query": query}
        for query in (
            "ab",
            ["ab"],
            [("a", 1)],
            [("a", None)],
            [("a", b"x")],
            [(b"a", "x")],
            [("", "x")],
            [("a", "x", "y")],
            [("a",)],
            {"a": "x"},
            [("a", "\ud800")],
            [("a", 0)],
            [("a", False)],
        )
    ],
)
async def test_what_cannot_be_filled_in_is_refused(given: dict[str, Any]) -> None:
    """Inside a path or a query, too; the parameter's name is said."""
    transport = Recorder()
    async with AsyncZiett(KEY, transport=transport) as client:
        with pytest.raises(InvalidRequest) as caught:
            await client.call(PATHS, **given)
    assert set(caught.value.fields) == {[*given][-1]}
    assert transport.sent == []


async def test_a_query_may_have_an_empty_value() -> None:
    """An empty value is a parameter's without one, and goes out as it is."""
    transport = Recorder()
    async with AsyncZiett(KEY, transport=transport) as client:
        with pytest.raises(ApiError):
            await client.call(PATHS, path={"name": "x"}, query=(("a", ""), ("b", "x")))
    assert transport.sent[0].url.endswith("/probe/x?a=&b=x")


class Odd(str):
    """A string that has overridden every method that shows what it is."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        message = "a string of another class was asked what it is"
        raise AssertionError(message)

    __str__ = __format__ = __len__ = __iter__ = __getitem__ = __contains__ = __bool__ = _refuse  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    __add__ = __radd__ = __mod__ = __repr__ = __reduce__ = _refuse  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    encode = upper = lower = replace = split = strip = lstrip = join = format = translate = _refuse  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]


class Key(StrEnum):
    """A program's own keys."""

    ORDER = "order-1042"


Wrap = Callable[[str], Any]
LISTED = {
    "q": "923",
    "order": "asc",
    "status": "FAILED",
    "channel_type": "SMS",
    "sms_remitter_id": REMITTER,
}
#: Every text that a program gives: what the calls are made with, each time in another class.
TEXTS: dict[str, Callable[[AsyncZiett, Wrap], object]] = {
    "send_message": lambda client, text: client.send_message(
        text(NUMBER),
        content=text(CONTENT),
        remitter_id=text(REMITTER),
        channel_type=text("sms"),
        save_contact={
            "name": text("Ana"),
            "email": text("ana@example.ao"),
            "tags": [text("Premium")],
        },
        idempotency_key=text("order-1042"),
    ),
    "a tag": lambda client, text: client.send_message(
        NUMBER,
        content=CONTENT,
        save_contact={"name": "Ana", "tags": text("Premium")},
        idempotency_key="k",
    ),
    "a local number": lambda client, text: client.send_message(
        text("923 456 789"), content=CONTENT, idempotency_key="k"
    ),
    "send_batch_campaign": lambda client, text: client.send_batch_campaign(
        [text("923 456 789"), text(NUMBER)],
        content=text(CONTENT),
        remitter_id=text(REMITTER),
        name=text("July"),
        country_alpha2=text("AO"),
        channel_type=text("SMS"),
        idempotency_key=text("order-1042"),
    ),
    "get_message": lambda client, text: client.get_message(text(REMITTER)),
    "get_campaign": lambda client, text: client.get_campaign(text(REMITTER)),
    "list_messages": lambda client, text: client.list_messages(
        **{name: text(value) for name, value in LISTED.items()},
        contact_id=[text(REMITTER)],
        campaign_id=text(REMITTER),
        order_by=text("updated_at"),
    ),
    "iter_messages": lambda client, text: client.iter_messages(
        **{name: text(value) for name, value in LISTED.items()}
    ),
    "list_campaigns": lambda client, text: client.list_campaigns(
        tag_id=text(REMITTER),
        error_code=[text("NOT_FOUND"), text("y")],
        trigger_source=text("api"),
        status=text("FAILED"),
    ),
    "list_campaign_messages": lambda client, text: client.list_campaign_messages(text(REMITTER)),
    "iter_campaign_messages": lambda client, text: client.iter_campaign_messages(text(REMITTER)),
    "call": lambda client, text: client.call(
        PATHS, path={text("name"): text("a/b")}, query=[(text("a"), text("b"))]
    ),
}


async def wire(ask: Callable[[AsyncZiett, Wrap], object], text: Wrap) -> list[Request]:
    """Return what goes out when the texts of a call, and of its client, are of a class."""
    transport = Recorder()
    client = AsyncZiett(
        text(KEY),
        base_url=text("https://example.com"),
        transport=transport,
        limiter=Unlimited(),
        default_remitter_id=text(REMITTER),
        default_country=text("AO"),
        allowed_recipients=[text(NUMBER)],
    )
    async with client:
        await made(ask(client, text))
    return transport.sent


@pytest.mark.promise("A string of another class is sent as its characters")
@pytest.mark.parametrize("ask", TEXTS.values(), ids=TEXTS)
async def test_a_string_of_another_class_is_its_characters(
    ask: Callable[[AsyncZiett, Wrap], object],
) -> None:
    """Whatever its class has overridden, the same bytes go out, in plain strings."""
    (plain,) = await wire(ask, str)
    (sent,) = await wire(ask, Odd)
    assert (sent.method, sent.url, sent.headers, sent.body) == (
        plain.method,
        plain.url,
        plain.headers,
        plain.body,
    )
    assert {
        type(each) for each in [sent.url, *[text for pair in sent.headers for text in pair]]
    } == {str}


@pytest.mark.promise("A string of another class is sent as its characters")
@pytest.mark.parametrize(
    "key",
    [SafeString("order-1042"), Key.ORDER, Odd("order-1042")],
    ids=["SafeString", "StrEnum", "Odd"],
)
async def test_a_key_of_another_class_is_a_key(key: str) -> None:
    """Django's templates and enumerations make strings of their own; one message, one answer."""
    transport = FakeTransport()
    async with AsyncZiett(KEY, transport=transport, default_remitter_id=REMITTER) as client:
        first = await client.send_message(NUMBER, content=CONTENT, idempotency_key=key)
        again = await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-1042")
    assert first.message_id == again.message_id
    assert type(first.idempotency_key) is str
    assert len(transport.service.messages) == 1


class OddUUID(UUID):
    """A UUID that writes itself in another way."""

    def __str__(self) -> str:
        return "0"


class Size(int, Enum):
    """An enumeration of numbers, whose `str` is a name."""

    BIG = 150


async def test_numbers_and_ids_of_another_class_are_what_they_are() -> None:
    """They go out as their base class writes them."""
    transport = Recorder()
    async with AsyncZiett(
        KEY, transport=transport, default_remitter_id=OddUUID(REMITTER)
    ) as client:
        await client.list_messages(size=Size.BIG, contact_id=OddUUID(REMITTER))
        accepted = await client.send_message(
            NUMBER, content=CONTENT, idempotency_key=OddUUID(REMITTER)
        )
    assert transport.sent[0].url.endswith(f"?page=1&size=150&contact_id={REMITTER}")
    assert accepted.idempotency_key == REMITTER
    assert transport.service.messages[0].remitter_id == UUID(REMITTER)
