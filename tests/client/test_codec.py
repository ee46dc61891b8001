"""JSON to models and back: exact about types, tolerant of news, silent about values."""

import copy
import importlib.util
import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import REMITTER, attempts
from ziett_async._codec import Undecodable, chunks_function, decode, encode, structure
from ziett_async.models import (
    AcceptedCampaign,
    AcceptedMessage,
    CallInfo,
    Campaign,
    CampaignStatus,
    ChannelType,
    ErrorCode,
    Message,
    MessageStatus,
    OpenEnum,
    Page,
    Sender,
    TriggerSource,
)

Json = dict[str, object]

#: What `JSONEncoder` encodes with, in CPython.
C_ENCODER = getattr(json.encoder, "c_make_encoder", None)

ID = REMITTER
OTHER = "0197f0e4-0000-7000-8000-000000000001"
NUMBER = "+244990090990"
CALL = CallInfo(attempts(1, 200), 0.25)
NOW = "2025-07-14T10:30:00.000000+00:00"
LATER = "2025-07-14T10:31:00.123456+00:00"
SENDER: Json = {"id": ID, "name": "ZIETT"}
ENTRY: Json = {
    "id": ID,
    "remitter_id": OTHER,
    "channel_type": "SMS",
    "target_e164": NUMBER,
    "content": "Your code is 482910.",
    "status": "SENT",
    "created_at": NOW,
    "updated_at": LATER,
}
MESSAGE: Json = {
    **ENTRY,
    "channel_destination": "UNITEL",
    "campaign_id": ID,
    "contact_id": ID,
    "error_code": "RATE_LIMIT_EXCEEDED",
    "organization_id": ID,
    "billing_account_id": ID,
    "sms_remitter": SENDER,
    "external_id": "ext-1",
    "provider_name": "provider",
    "provider_id": "p-1",
    "trigger_source": "API",
    "cost": "15.000000",
    "is_refunded": False,
    "contact": {"id": ID, "tags": ["Premium"]},
    "campaign": {"id": ID},
}
CAMPAIGN: Json = {
    "id": ID,
    "status": "SENDING",
    "created_at": NOW,
    "updated_at": LATER,
    "name": "July",
    "organization_id": ID,
    "billing_account_id": ID,
    "trigger_source": "API_CLIENT",
    "file_metadata_id": ID,
    "channel_type": "SMS",
    "sms_remitter_id": ID,
    "sms_remitter": SENDER,
    "content": "Olá",
    "total_estimated_recipients": 2,
    "scheduled_at": NOW,
    "processed_at": NOW,
    "completed_at": NOW,
    "error_code": "INTERNAL_SERVER_ERROR",
    "status_note": "sending",
    "data": {"a": 1},
}
READ = Message(
    id=UUID(ID),
    remitter_id=UUID(OTHER),
    channel_type=ChannelType.SMS,
    target_e164=NUMBER,
    content="Your code is 482910.",
    status=MessageStatus.SENT,
    created_at=datetime(2025, 7, 14, 10, 30, tzinfo=UTC),
    updated_at=datetime(2025, 7, 14, 10, 31, 0, 123456, tzinfo=UTC),
    channel_destination="UNITEL",
    campaign_id=UUID(ID),
    contact_id=UUID(ID),
    error_code=ErrorCode.RATE_LIMIT_EXCEEDED,
    organization_id=UUID(ID),
    billing_account_id=UUID(ID),
    sms_remitter=Sender(UUID(ID), "ZIETT"),
    external_id="ext-1",
    provider_name="provider",
    provider_id="p-1",
    trigger_source=TriggerSource.API,
    cost=Decimal("15.000000"),
    is_refunded=False,
    contact={"id": ID, "tags": ["Premium"]},
    campaign={"id": ID},
)
ACCEPTED_MESSAGE: Json = {"message_id": ID, "idempotency_key": "key-1", "call": CALL}
ACCEPTED_CAMPAIGN: Json = {
    "campaign_id": ID,
    "idempotency_key": "key-1",
    "call": CALL,
    "message": "Campaign queued",
}
PAGE: Json = {
    "entries": [ENTRY, MESSAGE],
    "total": 2,
    "page": 1,
    "size": 30,
    "pages": 1,
    "call": CALL,
}
#: Every model an answer can be, as complete as the server makes it.
WHOLE: list[tuple[type[Any], Json]] = [
    (Message, MESSAGE),
    (Campaign, CAMPAIGN),
    (AcceptedMessage, ACCEPTED_MESSAGE),
    (AcceptedCampaign, ACCEPTED_CAMPAIGN),
    (Page[Message], PAGE),
    (Page[Campaign], {**PAGE, "entries": [CAMPAIGN]}),
]
each_kind = pytest.mark.parametrize(
    ("kind", "whole"),
    WHOLE,
    ids=["message", "campaign", "accepted message", "accepted campaign", "messages", "campaigns"],
)
#: One value of every JSON type; the string is none that has a form.
ANYTHING: dict[str, object] = {
    "null": None,
    "a boolean": True,
    "an integer": 244990090990,
    "a number": 24499.25,
    "a string": f"call {NUMBER}",
    "an array": [NUMBER],
    "an object": {NUMBER: NUMBER},
}
#: What an annotation is called in an error, and which JSON type it takes.
EXPECTED: dict[object, tuple[str, str]] = {
    str: ("a string", "a string"),
    int: ("an integer", "an integer"),
    bool: ("a boolean", "a boolean"),
    UUID: ("a UUID", "a string"),
    datetime: ("an aware date-time", "a string"),
    Decimal: ("a decimal string", "a string"),
    Sender: ("an object", "an object"),
    Mapping[str, object]: ("an object", "an object"),
    **dict.fromkeys(OpenEnum.__subclasses__(), ("a string", "a string")),
}
#: Where strings of every content are right.
FREE: tuple[object, ...] = (str, *OpenEnum.__subclasses__())


def types_of(kind: type[Any]) -> dict[str, tuple[object, bool]]:
    """Return the type without None of each field the server fills, and whether it may be None."""
    origin: type[Any] = get_origin(kind) or kind
    hints = get_type_hints(origin).items()
    fields = {name: hint for name, hint in hints if name not in {"call", "extra"}}
    return {name: optional(hint) for name, hint in fields.items()}


def optional(hint: object) -> tuple[object, bool]:
    """Return an annotation without its None, and whether it had one."""
    if not isinstance(hint, UnionType):
        return hint, False
    (inner,) = (each for each in get_args(hint) if each is not NoneType)
    return inner, True


def wrong_values(kind: type[Any]) -> Iterator[tuple[str, object, str]]:
    """Return field, value and complaint for every type that each field is not."""
    for name, (hint, may_be_null) in types_of(kind).items():
        expected, taken = EXPECTED.get(hint, ("an array", "an array"))
        for got, value in ANYTHING.items():
            if got != taken and not (value is None and may_be_null):
                yield name, value, f"expected {expected}, got {got}"
        if taken == "a string" and hint not in FREE:
            yield name, ANYTHING["a string"], f"expected {expected}, got another string"


WRONG = [
    pytest.param(kind, {**whole, name: value}, f"{name}: {complaint}", id=f"{i}-{name}-{complaint}")
    for i, (kind, whole) in enumerate(WHOLE)
    for name, value, complaint in wrong_values(kind)
]


def refusal(payload: object, kind: type[Any]) -> str:
    """Return what is said about a payload that is not the model."""
    with pytest.raises(Undecodable) as caught:
        structure(payload, kind)
    assert NUMBER not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def structure_first() -> Any:  # noqa: ANN401 - generic, and typed in its module
    """Return `structure` as a new process has it: no kind has been read, nothing is cached."""
    spec = importlib.util.find_spec("ziett_async._structuring")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def structure(payload: object, kind: type[Any]) -> object:
        return module.structure_function(kind)(payload)

    return structure


@pytest.mark.parametrize(("kind", "payload", "words"), WRONG)
def test_every_wrong_type_of_every_field_is_named(
    kind: type[Any], payload: Json, words: str
) -> None:
    """A field of another type than its annotation is an error with its path, not its value."""
    assert refusal(payload, kind) == words


@pytest.mark.parametrize(("name", "value", "words"), [*wrong_values(Message)])
def test_the_path_goes_through_a_page(name: str, value: object, words: str) -> None:
    """In a list the path has the index of the entry."""
    page = {**PAGE, "entries": [ENTRY, MESSAGE, ENTRY, {**MESSAGE, name: value}]}
    assert refusal(page, Page[Message]) == f"entries[3].{name}: {words}"


@each_kind
def test_a_missing_field_is_named_unless_it_is_optional(kind: type[Any], whole: Json) -> None:
    """What every published answer has must be there; what may be left out is None."""
    for name, (_, may_be_null) in types_of(kind).items():
        payload = {key: value for key, value in whole.items() if key != name}
        if may_be_null:
            assert getattr(structure(payload, kind), name) is None
        else:
            assert refusal(payload, kind) == f"{name}: missing"


def test_a_message_has_an_id_a_number_and_a_status() -> None:
    """No published answer leaves these out; of the others any may, and a wrong one is named."""
    least: Json = {"id": ID, "target_e164": NUMBER, "status": "delivered"}
    message = structure(least, Message)
    assert (message.id, message.target_e164, message.status) == (UUID(ID), NUMBER, "DELIVERED")
    others = {each.name for each in attrs.fields(Message)} - {"id", "target_e164", "status"}
    assert [getattr(message, name) for name in others - {"extra"}] == [None] * (len(others) - 1)
    for name, value, words in wrong_values(Message):
        assert refusal({**least, name: value}, Message) == f"{name}: {words}"
    page = {**PAGE, "entries": [least, {**least, "created_at": 5}]}
    words = "entries[1].created_at: expected an aware date-time, got an integer"
    assert refusal(page, Page[Message]) == words


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({**MESSAGE, "sms_remitter": {"id": ID}}, "sms_remitter.name: missing"),
        (
            {**MESSAGE, "sms_remitter": {**SENDER, "id": 7}},
            "sms_remitter.id: expected a UUID, got an integer",
        ),
        ({**MESSAGE, "created_at": "2025-07-14T10:30:00"}, "created_at"),
        ({**MESSAGE, "created_at": "2025-07-14"}, "created_at"),
        ({**MESSAGE, "created_at": "2025-02-30T10:30:00Z"}, "created_at"),
        ({**MESSAGE, "created_at": "1752489000"}, "created_at"),
        ({**MESSAGE, "created_at": "\ud800"}, "created_at"),
        ({**MESSAGE, "cost": "NaN"}, "cost"),
        ({**MESSAGE, "cost": "Infinity"}, "cost"),
        ({**MESSAGE, "cost": "1,5"}, "cost"),
        ({**MESSAGE, "cost": ""}, "cost"),
        ({**MESSAGE, "id": ID[:-1]}, "id"),
        ({**MESSAGE, "id": "x" * 32}, "id"),
        ({**MESSAGE, "is_refunded": "false"}, "is_refunded: expected a boolean, got a string"),
        (
            {**MESSAGE, "sms_remitter": {**SENDER, "name": None}},
            "sms_remitter.name: expected a string, got null",
        ),
        ({**MESSAGE, "target_e164": None}, "target_e164: expected a string, got null"),
        ({**MESSAGE, "is_refunded": 0}, "is_refunded: expected a boolean, got an integer"),
        (5, "expected an object, got an integer"),
        ([MESSAGE], "expected an object, got an array"),
        (None, "expected an object, got null"),
        (NUMBER, "expected an object, got a string"),
        ((), "expected an object, got something else"),
    ],
)
def test_what_is_almost_right_is_not_bent(payload: object, words: str) -> None:
    """There is no coercion, and a string without the form that its field has is refused."""
    assert refusal(payload, Message).startswith(words)


@pytest.mark.parametrize("entries", ["", "ab", {}, {"0": ENTRY}, None, 1])
def test_entries_are_an_array(entries: object) -> None:
    """Nothing else that can be looped over is taken for a page's entries."""
    words = refusal({**PAGE, "entries": entries}, Page[Message])
    assert words.startswith("entries: expected an array, got")


@pytest.mark.parametrize(
    ("entry", "words"),
    [(None, "null"), ([], "an array"), ("x", "a string"), (1.5, "a number")],
)
def test_an_entry_is_an_object(entry: object, words: str) -> None:
    """The error of a page names the entry that is something else."""
    page = {**PAGE, "entries": [ENTRY, entry]}
    assert refusal(page, Page[Message]) == f"entries[1]: expected an object, got {words}"


def test_a_whole_message_is_read_as_it_is() -> None:
    """Every documented field arrives, in its type."""
    assert structure(MESSAGE, Message) == READ


def test_the_first_answer_is_read_like_any(structure_first: Any) -> None:  # noqa: ANN401 - as the fixture
    """What is made once, when a process reads its first answer of a kind, is as exact."""
    assert structure_first(MESSAGE, Message) == READ
    older = {**MESSAGE, "to": NUMBER, "body": READ.content, "target_e164": None, "content": None}
    assert structure_first(older, Message) == READ
    assert structure_first({**MESSAGE, "status": "HELD"}, Message).status == "HELD"
    assert structure_first(ACCEPTED_MESSAGE, AcceptedMessage).call is CALL
    for kind, whole in WHOLE:
        assert is_true(structure_first(whole, kind))


def test_only_messages_have_older_names(structure_first: Any) -> None:  # noqa: ANN401 - the same
    """A field that another kind happens to call so is not taken for one of ours."""
    campaign = {key: value for key, value in CAMPAIGN.items() if key != "content"}
    assert structure_first({**campaign, "body": "Olá"}, Campaign).content is None


def test_one_object_serves_all_rows_of_a_sender(structure_first: Any) -> None:  # noqa: ANN401 - the same
    """Ids that come again are kept, for speed; a row's own id and its contact's are not."""
    [one, other] = (structure_first(MESSAGE, Message) for _ in range(2))
    assert one.remitter_id is other.remitter_id
    assert one.sms_remitter.id is other.sms_remitter.id
    assert one.id is not other.id
    assert one.contact_id is not other.contact_id
    [one, other] = (structure_first(ACCEPTED_MESSAGE, AcceptedMessage) for _ in range(2))
    assert one.message_id is not other.message_id


def test_the_first_answer_is_refused_like_any(structure_first: Any) -> None:  # noqa: ANN401 - the same
    """So is what is made once, when a process reads its first answer that is wrong."""
    for kind, payload, words in (wrong.values for wrong in WRONG):
        with pytest.raises(Undecodable) as caught:
            structure_first(payload, kind)
        assert str(caught.value) == words


def test_an_id_is_any_other_uuid() -> None:
    """What is made without `UUID(...)`, for speed, equals what is made with it in every way."""
    made, read = UUID(ID), structure(MESSAGE, Message).id
    assert (read, read.is_safe, hash(read), repr(read)) == (
        made,
        made.is_safe,
        hash(made),
        repr(made),
    )


@pytest.mark.parametrize("text", [f"{{{ID}}}", f"urn:uuid:{ID}"], ids=["braces", "urn"])
def test_an_id_is_written_as_the_api_does(text: str) -> None:
    """Python's `UUID` reads more than that."""
    assert UUID(text) == UUID(ID)
    with pytest.raises(Undecodable, match=r"^id: expected a UUID"):
        structure({**MESSAGE, "id": text}, Message)


@each_kind
def test_what_was_read_is_what_a_constructor_makes(kind: type[Any], whole: Json) -> None:
    """The shorter way to make a value leaves no trace: it is as frozen, and of the same class."""
    read, of = structure(whole, kind), cast("type[Any]", get_origin(kind) or kind)
    made = attrs.evolve(read)
    assert type(read) is type(made) is of
    assert read == made == copy.copy(read)
    assert read == pickle.loads(pickle.dumps(read))  # noqa: S301 - its own pickle
    assert repr(read) == repr(made)
    for each in attrs.fields(of):
        with pytest.raises(FrozenInstanceError):
            setattr(read, each.name, None)
        with pytest.raises(FrozenInstanceError):
            delattr(read, each.name)


def test_an_id_is_frozen() -> None:
    """As any UUID."""
    read = structure(MESSAGE, Message).id
    with pytest.raises(TypeError, match="immutable"):
        setattr(read, "int", 5)  # noqa: B010 - a type checker would refuse the assignment


def test_a_page_is_read_as_it_is() -> None:
    """The envelope and its entries, in order, and the facts of the call."""
    page = structure(PAGE, Page[Message])
    assert page.entries == (structure(ENTRY, Message), structure(MESSAGE, Message))
    assert (page.total, page.page, page.size, page.pages) == (2, 1, 30, 1)
    assert page.call is CALL
    assert structure({**PAGE, "entries": []}, Page[Message]).entries == ()


@each_kind
def test_unknown_keys_are_kept_aside(kind: type[Any], whole: Json) -> None:
    """A field that the API adds is in `extra` and changes nothing else, whatever its name."""
    news: Json = {"status_v2": 1, "class": {}, "self": None, "": [], "__class__": "x", "_id": ID}
    news["extra"] = {"extra": 5}
    value = structure({**news, **whole}, kind)
    assert value == structure(whole, kind)
    assert value.extra == news
    assert list(value.extra) == list(news)


@each_kind
def test_nothing_is_kept_aside_of_what_is_known(kind: type[Any], whole: Json) -> None:
    """Without a new key every value has the same empty mapping, which costs none anything."""
    others = dict.fromkeys(("sms_remitter_id", "e164_format", "to", "body"), NUMBER)
    known = {**others, **whole} if kind is Message else whole
    assert structure(known, kind).extra is structure(SENDER, Sender).extra
    assert structure(known, kind).extra == {}


def test_entries_and_senders_have_their_own_unknown_keys() -> None:
    """What is new about an entry is with the entry, and what is new about a page with the page."""
    entry = {**MESSAGE, "sms_remitter": {**SENDER, "since": 2020}, "parts": 2}
    page = structure({**PAGE, "entries": [ENTRY, entry], "next": "x"}, Page[Message])
    assert page.extra == {"next": "x"}
    assert [each.extra for each in page.entries] == [{}, {"parts": 2}]
    sender = page.entries[1].sms_remitter
    assert sender is not None
    assert sender.extra == {"since": 2020}


def test_a_wrong_field_beside_unknown_keys_is_named() -> None:
    """Unknown keys do not hide what is wrong with the others."""
    words = "created_at: expected an aware date-time, got an integer"
    assert refusal({**MESSAGE, "parts": 2, "created_at": 5}, Message) == words


@each_kind
def test_null_is_none_where_a_field_is_optional(kind: type[Any], whole: Json) -> None:
    """A field that may be absent may be null as well."""
    nulls = dict.fromkeys(name for name, (_, may_be_null) in types_of(kind).items() if may_be_null)
    value = structure({**whole, **nulls}, kind)
    assert all(getattr(value, name) is None for name in nulls)


@pytest.mark.parametrize(
    ("name", "older"),
    [
        ("remitter_id", "sms_remitter_id"),
        ("target_e164", "e164_format"),
        ("target_e164", "to"),
        ("content", "body"),
    ],
)
def test_older_names_are_read(name: str, older: str) -> None:
    """Each generation of the documentation has its names; all mean the same field."""
    without = {key: value for key, value in MESSAGE.items() if key != name}
    renamed = {**without, older: MESSAGE[name]}
    assert structure(renamed, Message) == structure(MESSAGE, Message)
    assert structure({**renamed, name: None}, Message) == structure(MESSAGE, Message)
    # The newest name has the last word, and a null none at all.
    assert structure({**MESSAGE, older: 5}, Message) == structure(MESSAGE, Message)
    nulls = dict.fromkeys(["sms_remitter_id", "e164_format", "body"])
    assert structure({**MESSAGE, **nulls}, Message) == structure(MESSAGE, Message)
    assert refusal({**without, older: 5}, Message).startswith(f"{name}: expected")
    if name == "target_e164":
        assert refusal({**without, older: None}, Message) == f"{name}: missing"
    else:
        assert getattr(structure({**without, older: None}, Message), name) is None


def test_the_first_older_name_that_says_something_is_read() -> None:
    """A null under one older name does not hide the number under another."""
    entry = {key: value for key, value in ENTRY.items() if key != "target_e164"}
    message = structure({**entry, "e164_format": None, "to": NUMBER, "body": "old"}, Message)
    assert message.target_e164 == NUMBER
    assert message.content == entry["content"]
    assert structure({**entry, "to": "+1", "e164_format": NUMBER}, Message) == message


def test_a_payload_is_left_as_it_is() -> None:
    """Reading older names does not write the newer ones into the caller's object."""
    entry = {**ENTRY, "to": ENTRY["target_e164"]}
    del entry["target_e164"]
    before = dict(entry)
    structure(entry, Message)
    assert entry == before


def test_the_shape_of_the_conventions_page_is_read() -> None:
    """Its entries have `to`, `body`, and statuses in lower case."""
    entry = {key: ENTRY[key] for key in ("id", "remitter_id", "created_at", "updated_at")}
    old = {**entry, "to": NUMBER, "body": "Olá", "status": "delivered", "channel_type": "sms"}
    message = structure(old, Message)
    assert (message.target_e164, message.content) == (NUMBER, "Olá")
    assert message.status is MessageStatus.DELIVERED
    assert message.channel_type is ChannelType.SMS


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-07-14T10:30:00.000000+00:00", datetime(2025, 7, 14, 10, 30, tzinfo=UTC)),
        ("2025-07-14T10:30:00Z", datetime(2025, 7, 14, 10, 30, tzinfo=UTC)),
        ("2025-07-14T10:30:00.123Z", datetime(2025, 7, 14, 10, 30, 0, 123000, tzinfo=UTC)),
        ("2025-07-14T10:30:00.123456Z", datetime(2025, 7, 14, 10, 30, 0, 123456, tzinfo=UTC)),
        ("2025-07-14 10:30:00+00:00", datetime(2025, 7, 14, 10, 30, tzinfo=UTC)),
        (
            "2025-07-14T11:30:00+01:00",
            datetime(2025, 7, 14, 11, 30, tzinfo=timezone(timedelta(hours=1))),
        ),
    ],
)
def test_times_are_read_in_all_their_forms(text: str, moment: datetime) -> None:
    """Microseconds, milliseconds, none, `Z` or an offset: always the same aware moment."""
    created_at = structure({**ENTRY, "created_at": text}, Message).created_at
    assert created_at is not None
    assert created_at == moment
    assert created_at.utcoffset() == moment.utcoffset()


@pytest.mark.parametrize(
    ("name", "kind", "of", "whole"),
    [
        ("status", MessageStatus, Message, MESSAGE),
        ("channel_type", ChannelType, Message, MESSAGE),
        ("error_code", ErrorCode, Message, MESSAGE),
        ("trigger_source", TriggerSource, Message, MESSAGE),
        ("status", CampaignStatus, Campaign, CAMPAIGN),
    ],
)
@pytest.mark.parametrize("word", ["HELD_BY_CARRIER", "", "\ud800"])
def test_an_unknown_word_never_fails(
    name: str, kind: type[OpenEnum], of: type[Any], whole: Json, word: str
) -> None:
    """A value that is not documented yet is a member that equals it."""
    member = getattr(structure({**whole, name: word}, of), name)
    assert type(member) is kind
    assert member == word
    assert member.is_unknown


@attrs.frozen
class Proud:
    """A user's own result for an endpoint without a method, with a validator."""

    total: int

    def __attrs_post_init__(self) -> None:
        """Refuse what is not positive."""
        if self.total < 1:
            message = f"total: {self.total}"
            raise ValueError(message)


@attrs.frozen
class Foreign:
    """A result of one's own whose names mean something else than in the API's resources."""

    id: int
    extra: str | None = None
    body: str | None = None
    cost: Decimal = Decimal(0)


def test_a_result_of_ones_own_is_read_as_its_annotations_say() -> None:
    """Its names have no meaning of ours: an `id` may be a number, `extra` a text."""
    value = structure({"id": 7, "extra": "e", "body": "b", "new": 1}, Foreign)
    assert value == Foreign(7, "e", "b")
    assert structure({"id": 7, "extra": None}, Foreign) == Foreign(7)
    assert refusal({"id": ID}, Foreign) == "id: expected an integer, got a string"
    words = "cost: expected a decimal string, got null"
    assert refusal({"id": 7, "cost": None}, Foreign) == words


def test_a_result_may_have_rules_of_its_own() -> None:
    """A rule of the whole is reported about the whole, without its words."""
    assert structure({"total": 1}, Proud) == Proud(1)
    assert refusal({"total": -5}, Proud) == "the body: not what it should be"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"<html><body>502 Bad Gateway</body></html>", "is not JSON"),
        (b'{"message_id": "019b4b56-e7', "is not JSON"),
        (b'{"a": 1} {"b": 2}', "is not JSON"),
        (b"{'a': 1}", "is not JSON"),
        (b'{"a": "\n"}', "is not JSON"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
        ('{"a": 1}'.encode("utf-16-le"), "is not JSON"),
        ('{"a": "é"}'.encode("latin-1"), "is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "is not UTF-8"),
        (b"\xef\xbb\xbf{}", "is not JSON"),
        (b"\xc2\xa0{}", "is not JSON"),
        (b"\x1f\x8b\x08", "is not UTF-8"),
        (b"NaN", "is not JSON"),
        (b'{"a": Infinity}', "is not JSON"),
        (b'{"a": -Infinity}', "is not JSON"),
        (b"[" * 200_000, "is nested too deeply"),
        (b"[" * 200_000 + b"]" * 200_000, "is nested too deeply"),
        (b'{"a":' * 200_000, "is nested too deeply"),
        (b"1" * 5_000, "is not JSON"),
    ],
    ids=range(21),
)
def test_bytes_that_are_no_json_say_why(body: bytes, reason: str) -> None:
    """Whatever a server or proxy sends, the reason is one short sentence without the body."""
    with pytest.raises(Undecodable) as caught:
        decode(body)
    assert str(caught.value) == f"the body {reason}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"[]", []),
        (b"null", None),
        (b'"text"', "text"),
        (b' {"a": [1, 1.5, true, null]}\n', {"a": [1, 1.5, True, None]}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[" * 50 + b"]" * 50, json.loads("[" * 50 + "]" * 50)),
    ],
)
def test_json_is_read_as_it_is(body: bytes, value: object) -> None:
    """Any JSON value is returned, half a character that was escaped included."""
    assert decode(body) == value


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from([ID, NOW, "15.5", "SENT", "NaN", "١٢", "2025-W01-1T00:00Z"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
CHARACTERS = st.characters(exclude_categories=["Cs"])
WRITABLE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(CHARACTERS), inner),
)


@given(st.binary())
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """Bytes are a JSON value or `Undecodable`."""
    with suppress(Undecodable):
        decode(body)


@given(WRITABLE)
def test_what_is_encoded_is_decoded_alike(value: object) -> None:
    """A body arrives as it was given, as UTF-8 without a byte too many."""
    body = encode(value)
    assert decode(body) == value
    assert body.decode() == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(WRITABLE | st.just({"a": float("nan")}) | st.just([object()]) | st.just({(): 1}))
def test_what_encodes_is_what_the_standard_library_makes(value: object) -> None:
    """Bodies have the same text whether or not this Python encodes JSON in C."""

    def text_or_error(make: Callable[..., Any] | None) -> str:
        try:
            return "".join(chunks_function(make)(value, 0))
        except (TypeError, ValueError) as error:
            return type(error).__name__

    assert text_or_error(C_ENCODER) == text_or_error(None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": float("-inf")}, "\ud800"])
def test_what_json_cannot_say_is_not_encoded(value: object) -> None:
    """Nothing that another parser would refuse is put on the wire."""
    with pytest.raises(ValueError, match=r"JSON compliant|surrogates not allowed"):
        encode(value)


def holds(value: object, hint: Any) -> bool:  # noqa: ANN401 - an annotation may be anything
    """Return whether a value has the type of its annotation, all the way down."""
    hint, may_be_null = optional(hint)
    if value is None:
        return may_be_null
    if hint == Mapping[str, object]:
        return type(value) is dict
    if get_origin(hint) is tuple:
        return type(value) is tuple and all(is_true(each) for each in cast("Any", value))
    if attrs.has(hint):
        return is_true(value)
    return type(value) is hint and (not isinstance(value, datetime) or value.tzinfo is not None)


def is_true(value: object) -> bool:
    """Tell whether all fields of a model are what their annotations say."""
    hints = types_of(type(value))
    return all(holds(getattr(value, name), get_type_hints(type(value))[name]) for name in hints)


@each_kind
def test_whatever_is_read_is_what_its_annotations_say(kind: type[Any], whole: Json) -> None:
    """Arbitrary JSON is the model, true to its annotations, or `Undecodable`."""

    @given(st.dictionaries(st.sampled_from(sorted(types_of(kind))), JSON), JSON)
    def fuzz(changes: Json, anything: object) -> None:
        for payload in (anything, {**whole, **changes}):
            with suppress(Undecodable):
                assert is_true(structure(payload, kind))

    fuzz()


@given(st.text(min_size=6), st.sampled_from(sorted(ENTRY)))
def test_no_value_is_in_an_error(secret: str, name: str) -> None:
    """Whatever stands where it should not is never shown, not even as a key."""
    marked = f"<{secret}>"
    page = {**PAGE, "entries": [{**ENTRY, name: {marked: [marked]}}]}
    with pytest.raises(Undecodable, match=rf"^entries\[0\].{name}: expected ") as caught:
        structure(page, Page[Message])
    assert marked not in str(caught.value)
