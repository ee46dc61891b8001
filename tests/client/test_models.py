"""The API's resources as values: frozen, private in their reprs, open to undocumented values."""

import copy
import json
import pickle
from datetime import UTC, datetime
from types import MappingProxyType
from typing import cast
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import REMITTER, attempts
from ziett_async import models
from ziett_async.models import (
    AcceptedCampaign,
    AcceptedMessage,
    Attempt,
    CallInfo,
    Campaign,
    CampaignStatus,
    ChannelType,
    ErrorCode,
    Message,
    MessageStatus,
    OpenEnum,
    Page,
    SaveContact,
    Sender,
    TriggerSource,
)
from ziett_async.models._answer import Answer, Extra

ENUMS = [ChannelType, MessageStatus, CampaignStatus, TriggerSource, ErrorCode]
MEMBERS = [member for kind in ENUMS for member in kind]
NEW = ["HELD_BY_CARRIER", "held", "", " SENT", "Olá", "__class__", "name", "\ud800", "1"]
ID = UUID(REMITTER)
NOW = datetime(2025, 7, 14, 10, 30, tzinfo=UTC)
CALL = CallInfo(attempts(2, 202), 0.25, trace_id="trace-7")
SECRETS = {
    "target_e164": "+244990090990",
    "content": "Your code is 482910.",
    "name": "Ana Domingos",
    "email": "ana@example.ao",
}
MESSAGE = Message(
    id=ID,
    remitter_id=ID,
    channel_type=ChannelType.SMS,
    target_e164=SECRETS["target_e164"],
    content=SECRETS["content"],
    status=MessageStatus.SENT,
    created_at=NOW,
    updated_at=NOW,
    sms_remitter=Sender(ID, "ZIETT"),
    contact={"name": SECRETS["name"], "email": SECRETS["email"]},
    campaign={"content": SECRETS["content"]},
)
CAMPAIGN = Campaign(
    id=ID,
    status=CampaignStatus.SENDING,
    created_at=NOW,
    updated_at=NOW,
    content=SECRETS["content"],
    data={"numbers": [SECRETS["target_e164"]]},
)
VALUES = [
    MESSAGE,
    CAMPAIGN,
    AcceptedMessage(ID, "key-1", CALL),
    AcceptedCampaign(ID, "key-1", CALL, "Campaign queued"),
    SaveContact(SECRETS["name"], SECRETS["email"], ("Premium",)),
    Sender(ID, "ZIETT"),
    CALL,
    Attempt(2, 0.5, 1.5, 503, "no error object"),
    Page(entries=(MESSAGE,), total=1, page=1, size=30, pages=1, call=CALL),
]

EXTRA = Extra(note=SECRETS["name"], numbers=[SECRETS["target_e164"]])
ANSWERS = [attrs.evolve(value, extra=EXTRA) for value in VALUES if isinstance(value, Answer)]
each_value = pytest.mark.parametrize(
    "value",
    [*VALUES, *ANSWERS],
    ids=[
        *(type(value).__name__ for value in VALUES),
        *(f"{type(value).__name__} with extra keys" for value in ANSWERS),
    ],
)


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
def test_a_known_word_is_its_member(member: OpenEnum) -> None:
    """A documented word, in either case, is the one member that stands for it."""
    kind = type(member)
    assert kind(member.value) is kind(member.value.lower()) is member
    assert member == member.value == member.name
    assert not member.is_unknown
    assert repr(member) == f"<{kind.__name__}.{member.name}: {member.value!r}>"


@pytest.mark.parametrize("kind", ENUMS)
@pytest.mark.parametrize("word", NEW)
def test_an_unknown_word_stays_what_it_is(kind: type[OpenEnum], word: str) -> None:
    """An undocumented value becomes a member that equals it and is marked as unknown."""
    member = kind(word)
    assert isinstance(member, kind)
    assert member.is_unknown
    assert member == word == member.value == member.name == str(member) == f"{member}"
    assert (hash(member), member) == (hash(word), kind(word))
    assert repr(member) == f"<{kind.__name__}.(unknown): {word!r}>"
    assert member not in list(kind)


@given(st.text())
def test_any_string_is_a_member(word: str) -> None:
    """No word the server may invent fails, and none becomes a different word."""
    member = MessageStatus(word)
    assert member == word or (member.value == word.upper() and not member.is_unknown)


@pytest.mark.parametrize("value", [None, 1, b"SENT", ["SENT"], True])
def test_what_is_no_string_is_no_member(value: object) -> None:
    """Only strings are open; anything else is an error."""
    with pytest.raises(ValueError, match="is not a valid MessageStatus"):
        MessageStatus(cast("str", value))


@pytest.mark.parametrize("member", [*MEMBERS, *map(MessageStatus, NEW)], ids=repr)
def test_a_member_survives_pickle_copy_and_json(member: OpenEnum) -> None:
    """A status keeps its class and its word wherever it is sent, known or not."""
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    pickled = [pickle.loads(pickle.dumps(member, each)) for each in protocols]  # noqa: S301 - ours
    for twin in (*pickled, copy.copy(member), copy.deepcopy(member)):
        assert type(twin) is type(member)
        assert (twin, twin.is_unknown, repr(twin)) == (member, member.is_unknown, repr(member))
        assert (twin is member) or member.is_unknown
    assert json.loads(json.dumps({member: member})) == {member.value: member.value}


@pytest.mark.parametrize("kind", ENUMS)
def test_an_unknown_member_is_found_by_its_word(kind: type[OpenEnum]) -> None:
    """Members and their strings are the same key of a dict."""
    by_word: dict[str, int] = {kind("NEW"): 1}
    assert by_word == {"NEW": 1}
    assert by_word["NEW"] == by_word[kind("NEW")] == 1
    assert kind("NEW") not in set(kind)


FINAL = {
    **dict.fromkeys(["PENDING", "SENT", "HELD", "", "pending"], False),
    **dict.fromkeys(["DELIVERED", "FAILED", "UNDELIVERED"], True),
    **dict.fromkeys(["EXPIRED", "REJECTED", "CANCELLED", "delivered"], True),
}
CAMPAIGN_FINAL = {
    **dict.fromkeys(["DRAFT", "SCHEDULED", "PENDING", "PROCESSING", "SENDING"], False),
    **dict.fromkeys(["PAUSED", "HELD", ""], False),
    **dict.fromkeys(["COMPLETED", "CANCELLED", "FAILED", "completed"], True),
}


@pytest.mark.parametrize(("word", "is_final"), FINAL.items())
def test_which_message_never_changes_again(word: str, *, is_final: bool) -> None:
    """Two statuses are on the way, the other documented ones are final, unknown ones are not."""
    message = attrs.evolve(MESSAGE, status=MessageStatus(word))
    assert message.is_final is message.status.is_final is is_final


@pytest.mark.parametrize(("word", "is_final"), CAMPAIGN_FINAL.items())
def test_which_campaign_never_changes_again(word: str, *, is_final: bool) -> None:
    """Three statuses of a campaign are final, unknown ones are not."""
    campaign = attrs.evolve(CAMPAIGN, status=CampaignStatus(word))
    assert campaign.is_final is campaign.status.is_final is is_final


def test_every_documented_status_is_in_the_tables() -> None:
    """No status is forgotten above."""
    assert set(MessageStatus) <= set(FINAL)
    assert set(CampaignStatus) <= set(CAMPAIGN_FINAL)


def test_every_model_is_tested_here() -> None:
    """The lists above hold every model and every enumeration of the package."""
    public = {getattr(models, name) for name in models.__all__}
    assert {kind for kind in public if attrs.has(kind)} == set(map(type, VALUES))
    assert set(OpenEnum.__subclasses__()) == set(ENUMS)


@each_value
def test_a_model_is_frozen(value: attrs.AttrsInstance) -> None:
    """What the server said cannot be changed, and nothing can be added."""
    for name in (*[field.name for field in attrs.fields(type(value))], "note"):
        with pytest.raises(AttributeError):
            setattr(value, name, None)


@each_value
def test_a_model_is_a_value(value: attrs.AttrsInstance) -> None:
    """Equal content is equal, hashes alike, and survives pickle and copy."""
    pickled = pickle.loads(pickle.dumps(value))  # noqa: S301 - ours
    for twin in (pickled, copy.copy(value), copy.deepcopy(value)):
        assert twin == value
        assert {twin: 1}[value] == 1
        assert getattr(twin, "extra", None) == getattr(value, "extra", None)


@each_value
def test_a_repr_holds_nothing_private(value: attrs.AttrsInstance) -> None:
    """Number, text, name and address of a person are not in a repr, nor in that of a page."""
    assert not [secret for secret in SECRETS.values() if secret in f"{value!r} {value}"]
    assert repr(value).startswith(f"{type(value).__name__}(")


CHANGES: dict[str, tuple[object, ...]] = {
    "__setitem__": ("a", 1),
    "__delitem__": ("note",),
    "__ior__": ({"a": 1},),
    "setdefault": ("a", 1),
    "update": ({"a": 1},),
    "pop": ("note", None),
    "popitem": (),
    "clear": (),
}


@pytest.mark.parametrize("extra", [MESSAGE.extra, EXTRA], ids=["none", "some"])
@pytest.mark.parametrize(("name", "arguments"), CHANGES.items(), ids=CHANGES)
def test_extra_keys_cannot_be_changed(
    extra: Extra, name: str, arguments: tuple[object, ...]
) -> None:
    """The mapping is read-only, as one empty mapping serves all values; a copy is a dict."""
    before = dict(extra)
    with pytest.raises(TypeError, match=r"extra is read-only; .* dict\(value.extra\)"):
        getattr(extra, name)(*arguments)
    assert dict(extra) == extra == before
    assert json.loads(json.dumps(extra)) == before


def test_every_change_of_a_dict_is_in_the_table() -> None:
    """What a dict can do and a read-only mapping cannot is refused, all of it."""
    able = {name for name in dir(dict) if name not in dir(MappingProxyType)}
    assert set(CHANGES) - {"__ior__"} == able - {"fromkeys"}


def test_extra_keys_survive_pickle_and_copy() -> None:
    """In every protocol, and as read-only as before."""
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    pickled = [pickle.loads(pickle.dumps(EXTRA, each)) for each in protocols]  # noqa: S301 - ours
    for twin in (*pickled, copy.copy(EXTRA), copy.deepcopy(EXTRA)):
        assert (type(twin), twin) == (Extra, EXTRA)
    assert copy.deepcopy(EXTRA)["numbers"] is not EXTRA["numbers"]


def test_extra_keys_do_not_make_another_value() -> None:
    """A value is what its fields say: a key that the API adds changes neither equality nor hash."""
    news = attrs.evolve(MESSAGE, extra=EXTRA)
    assert (news, hash(news), repr(news)) == (MESSAGE, hash(MESSAGE), repr(MESSAGE))
    assert attrs.evolve(news, status=MessageStatus.DELIVERED).extra is EXTRA


def test_no_extra_keys_cost_nothing() -> None:
    """All values without them share one mapping."""
    empty = [value.extra for value in VALUES if isinstance(value, Answer) and not value.extra]
    assert len(empty) == len(ANSWERS)
    assert {id(each) for each in empty} == {id(MESSAGE.extra)}


def test_a_repr_shows_what_is_set() -> None:
    """And leaves out what the server said nothing about."""
    assert repr(Sender(ID, "ZIETT")) == f"Sender(id={ID!r}, name='ZIETT')"
    assert repr(CallInfo((Attempt(1, 0.5, 1.5, 202),), 2.0)) == (
        "CallInfo(attempts_made=(Attempt(number=1, waited=0.5, elapsed=1.5, status=202),), "
        "elapsed=2.0)"
    )
