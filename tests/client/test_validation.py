"""What the API accepts, rule by rule, with the boundaries of each."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from math import inf, nan
from typing import NoReturn
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.samples import REMITTER
from ziett_async import _validation as check
from ziett_async._validation import Fields, Invalid
from ziett_async.api._contact import contact_body
from ziett_async.errors import InvalidRequest
from ziett_async.models import ChannelType, MessageStatus, Order, SaveContact

Rule = Callable[[object], object]

ID = REMITTER
SECRET = "zk+244990090990"
HALF = "half \ud800"
SIZE: Rule = partial(check.integer, minimum=1, maximum=200)
PAGE: Rule = partial(check.integer, minimum=1, maximum=10**9)
SMS: Rule = partial(check.text, max_length=1600)
STATUS: Rule = partial(check.open_enum, of=MessageStatus)
ORDER: Rule = partial(check.choice, of=Order)
ANGOLAN: Rule = partial(check.phone_number, country="AO")
E164: Rule = partial(check.phone_number, country=None)


class Nowhere(tzinfo):
    """A zone that does not know its offset, so that its datetimes are naive."""

    def utcoffset(self, dt: datetime | None, /) -> None:
        """Return that it is not known."""

    def dst(self, dt: datetime | None, /) -> None:
        """Return that it is not known."""

    def tzname(self, dt: datetime | None, /) -> None:
        """Return that it has none."""


ACCEPTED: list[tuple[Rule, object, object]] = [
    (SMS, "x", "x"),
    (SMS, "é" * 1600, "é" * 1600),
    (SMS, "😀" * 1600, "😀" * 1600),
    (SMS, " \n", " \n"),
    (check.text, "x" * 10_001, "x" * 10_001),
    (partial(check.text, max_length=10_000), "x" * 10_000, "x" * 10_000),
    (check.texts, ["a", "b"], ["a", "b"]),
    (check.texts, "Premium", ["Premium"]),
    (check.texts, [], []),
    (E164, "+244990090990", "+244990090990"),
    (ANGOLAN, "0923 456 789", "+244923456789"),
    (ANGOLAN, "+351 912 345 678", "+351912345678"),
    (check.uuid, UUID(ID), ID),
    (check.uuid, ID, ID),
    (check.uuid, ID.upper(), ID),
    (check.uuid, ID.replace("-", ""), ID),
    (check.uuid, f"{{{ID}}}", ID),
    (check.uuid, f"urn:uuid:{ID}", ID),
    (check.remitter, ID, ID),
    (STATUS, MessageStatus.SENT, "SENT"),
    (STATUS, "SENT", "SENT"),
    (STATUS, "sent", "SENT"),
    (STATUS, MessageStatus("HELD_BY_CARRIER"), "HELD_BY_CARRIER"),
    (ORDER, Order.ASC, "asc"),
    (ORDER, "desc", "desc"),
    (
        check.timestamp,
        datetime(2025, 7, 14, 10, 30, tzinfo=UTC),
        "2025-07-14T10:30:00.000000+00:00",
    ),
    (
        check.timestamp,
        datetime(2025, 7, 14, 10, 30, 0, 7, timezone(timedelta(hours=1))),
        "2025-07-14T09:30:00.000007+00:00",
    ),
    (check.timestamp, datetime.min.replace(tzinfo=UTC), "0001-01-01T00:00:00.000000+00:00"),
    (SIZE, 1, 1),
    (SIZE, 200, 200),
    (PAGE, 1, 1),
    (PAGE, 10**9, 10**9),
    (check.seconds, 0.001, 0.001),
    (check.seconds, 1, 1),
    (check.idempotency_key, "k", "k"),
    (check.idempotency_key, "order-1042:2025-07-14T10:30", "order-1042:2025-07-14T10:30"),
    (check.idempotency_key, "~" * 255, "~" * 255),
    (check.idempotency_key, UUID(ID), ID),
    (check.email, "ana@example.ao", "ana@example.ao"),
    (check.email, "ana+x@mail.example.co.ao", "ana+x@mail.example.co.ao"),
    (check.recipients, ["923 456 789", "+244-990.090.990"], ["923 456 789", "+244-990.090.990"]),
    (check.recipients, ("1234567",) * 1000, ["1234567"] * 1000),
    (check.recipients, iter(["1" * 30, "+" + "1" * 30]), ["1" * 30, "+" + "1" * 30]),
    (check.country, "AO", "AO"),
    (check.country, "US", "US"),
    (check.as_list, "SENT", ["SENT"]),
    (check.as_list, 7, [7]),
    (check.as_list, None, [None]),
    (check.as_list, ["SENT", "FAILED"], ["SENT", "FAILED"]),
    (check.as_list, (each for each in "ab"), ["a", "b"]),
    (check.as_list, [], []),
]
EMPTY = "is required and must not be empty"
HALVED = "holds half of a surrogate pair, which is not a character"
NO_E164 = (
    "must be E.164, a plus and 7 to 15 digits without spaces like +244990090990; "
    "local forms need default_country, or ZIETT_DEFAULT_COUNTRY"
)
NO_UUID = "must be a UUID like 019b4b56-e704-7c30-83a0-527df63c3e00"
NO_STATUS = (
    "must be one of PENDING, SENT, DELIVERED, FAILED, UNDELIVERED, EXPIRED, REJECTED, CANCELLED; "
    "for a newer value give MessageStatus(value)"
)
NAIVE = "is a naive datetime; give it a zone, as in datetime.now(UTC)"
BEYOND = "lies outside the years 1 to 9999 of UTC"
NO_KEY = "must be 1 to 255 printable ASCII characters without spaces, like a UUID"
NO_NUMBERS = "are not numbers: 7 to 30 digits, spaces, dots and hyphens, with or without a plus"
NO_PAGE = "must be at least 1 and at most 1000000000"
NO_CONTACT = "must be a SaveContact, or a mapping of name, email and tags and nothing else"
REFUSED: list[tuple[Rule, object, str]] = [
    (SMS, "", EMPTY),
    (SMS, "x" * 1601, "must have at most 1600 characters, got 1601"),
    (SMS, None, "must be a string, got NoneType"),
    (SMS, b"x", "must be a string, got bytes"),
    (SMS, 7, "must be a string, got int"),
    (SMS, HALF, HALVED),
    (check.texts, ["a", ""], EMPTY),
    (check.texts, [1], "must be a string, got int"),
    (check.texts, b"ab", "must be a string, got bytes"),
    (E164, "923 456 789", NO_E164),
    (E164, "+244 990 090 990", NO_E164),
    (E164, "+244990090990\n", NO_E164),
    (E164, "", EMPTY),
    (ANGOLAN, "92345678", "has 8 digits where a number of AO has 9"),
    (ANGOLAN, 923456789, "must be a string, got int"),
    (check.uuid, "", NO_UUID),
    (check.uuid, ID[:-1], NO_UUID),
    (check.uuid, f"{ID}/..", NO_UUID),
    # Each of these is a UUID to Python, and another one.
    *[
        (check.uuid, value, NO_UUID)
        for value in (
            ID.replace("-", "_"),
            f"0x{ID[2:]}",
            f"+{ID[1:]}",
            f" {ID[1:]}",
            f"{ID}\n",
            ID.replace("0", "\u0660"),
            ID.replace("-", "", 3) + "-",
            ID.replace("b4b", "b-b"),
        )
    ],
    (check.uuid, "..", NO_UUID),
    (check.uuid, HALF, NO_UUID),
    (check.uuid, None, "must be a UUID or its string, got NoneType"),
    (check.uuid, 7, "must be a UUID or its string, got int"),
    (check.uuid, UUID(ID).bytes, "must be a UUID or its string, got bytes"),
    (check.remitter, None, "is required: give it here, to the client, or as ZIETT_REMITTER_ID"),
    (check.remitter, "x", NO_UUID),
    (STATUS, "HELD", NO_STATUS),
    (STATUS, "", NO_STATUS),
    (STATUS, None, NO_STATUS),
    (STATUS, ChannelType.SMS, NO_STATUS),
    (STATUS, MessageStatus(""), EMPTY),
    (STATUS, MessageStatus(HALF), HALVED),
    (STATUS, ["SENT"], NO_STATUS),
    (ORDER, "ASC", "must be one of asc, desc"),
    (ORDER, None, "must be one of asc, desc"),
    (ORDER, ["asc"], "must be one of asc, desc"),
    (check.timestamp, datetime(2025, 7, 14), NAIVE),  # noqa: DTZ001
    (check.timestamp, "2025-07-14T10:30:00Z", "must be a datetime, got str"),
    (check.timestamp, datetime(2025, 7, 14, tzinfo=UTC).date(), "must be a datetime, got date"),
    (check.timestamp, None, "must be a datetime, got NoneType"),
    (check.timestamp, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), BEYOND),
    (check.timestamp, datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), BEYOND),
    (check.timestamp, datetime(2025, 7, 14, tzinfo=Nowhere()), NAIVE),
    (SIZE, 0, "must be at least 1 and at most 200"),
    (SIZE, 201, "must be at least 1 and at most 200"),
    (SIZE, True, "must be an integer, got bool"),
    (SIZE, 30.0, "must be an integer, got float"),
    (SIZE, "30", "must be an integer, got str"),
    (SIZE, [10], "must be an integer, got list"),
    (SIZE, b"x", "must be an integer, got bytes"),
    (PAGE, 0, NO_PAGE),
    (PAGE, -1, NO_PAGE),
    (PAGE, 10**9 + 1, NO_PAGE),
    (PAGE, True, "must be an integer, got bool"),
    *[
        (check.seconds, value, "must be seconds, a number more than 0 and less than 1e9")
        for value in (
            0,
            0.0,
            -1,
            inf,
            -inf,
            nan,
            1e9,
            10**400,
            True,
            False,
            "1",
            None,
            timedelta(seconds=1),
        )
    ],
    *[
        (check.idempotency_key, value, NO_KEY)
        for value in ("k\n", "a b", "a\r\nx-api-key: b", "~" * 256, "olá", "\x7f", "\x00")
    ],
    (check.idempotency_key, "", EMPTY),
    (check.idempotency_key, 7, "must be a string, got int"),
    (check.idempotency_key, HALF, HALVED),
    *[
        (check.email, value, "must be a valid email address")
        for value in ("ana", "ana@", "@x.ao", "a@b", "a b@x.ao", "a@x..ao", "a@x.ao\n", "a@b@x.ao")
    ],
    (check.email, "", EMPTY),
    (check.email, 7, "must be a string, got int"),
    (check.recipients, [], "must be 2 to 1000 numbers, got 0"),
    (check.recipients, ["1234567"], "must be 2 to 1000 numbers, got 1"),
    (check.recipients, "1234567", "must be 2 to 1000 numbers, got 1"),
    (check.recipients, ["1234567"] * 1001, "must be 2 to 1000 numbers, got 1001"),
    (check.recipients, ["1234567", "1" * 6], f"1 of them, the first at index 1, {NO_NUMBERS}"),
    (check.recipients, ["1" * 31, "1234567"], f"1 of them, the first at index 0, {NO_NUMBERS}"),
    (check.recipients, [None, 7, "x" * 9], f"3 of them, the first at index 0, {NO_NUMBERS}"),
    (check.recipients, ["++1234567", "1234567+"], f"2 of them, the first at index 0, {NO_NUMBERS}"),
    *[
        (check.country, value, "must be two capital letters like AO")
        for value in ("ao", "A", "AGO", "A1", "ÁO", "AO\n")
    ],
    (check.country, "", EMPTY),
    (check.country, None, "must be a string, got NoneType"),
]


@pytest.mark.parametrize(("rule", "value", "wire"), ACCEPTED)
def test_a_value_takes_its_form_on_the_wire(rule: Rule, value: object, wire: object) -> None:
    """What the API accepts is returned as the API wants it, up to the last that it accepts."""
    assert rule(value) == wire


# With an id of its own: it has more digits than Python writes.
@pytest.mark.parametrize(
    ("rule", "value", "words"), [*REFUSED, pytest.param(PAGE, 10**5000, NO_PAGE, id="huge")]
)
def test_a_value_is_refused_with_what_to_do(rule: Rule, value: object, words: str) -> None:
    """The first value beyond each boundary, and every other type, is refused in words."""
    with pytest.raises(Invalid) as caught:
        rule(value)
    assert str(caught.value) == words


RULES: list[Rule] = [
    SMS,
    E164,
    ANGOLAN,
    check.uuid,
    check.remitter,
    STATUS,
    ORDER,
    check.timestamp,
    SIZE,
    check.seconds,
    check.idempotency_key,
    check.email,
    check.recipients,
    check.country,
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("value", [f"{SECRET}\n" * 150, [SECRET, f"{SECRET}x"], {SECRET: SECRET}])
def test_a_refusal_never_shows_the_value(rule: Rule, value: object) -> None:
    """The message leaves out the value, which may be a telephone number."""
    with pytest.raises(Invalid) as caught:
        rule(value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text() | st.binary() | st.integers() | st.none() | st.booleans() | st.datetimes())
def test_a_rule_returns_or_refuses(value: object) -> None:
    """No value makes a rule fail in any other way, and no text passes that has no bytes."""
    for rule in RULES:
        try:
            wire = rule(value)
        except Invalid:
            continue
        assert str(wire).encode()


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=OFFSETS))
def test_a_moment_is_the_same_on_the_wire(moment: datetime) -> None:
    """Whatever its zone, an aware datetime is sent as the same microsecond in UTC."""
    try:
        wire = check.timestamp(moment)
    except Invalid:
        assert moment.year in {1, 9999}
    else:
        assert datetime.fromisoformat(wire) == moment
        assert wire.endswith("+00:00")


@pytest.mark.usefixtures("elsewhere")
def test_a_moment_on_the_wire_is_utc_anywhere() -> None:
    """Where the machine stands changes nothing of what is sent."""
    assert check.timestamp(datetime(2025, 7, 14, tzinfo=UTC)) == "2025-07-14T00:00:00.000000+00:00"


def contact(value: SaveContact | Mapping[str, object]) -> tuple[object, dict[str, str]]:
    """Return what is sent of a contact, and what is refused of it."""
    fields = Fields("send_message")
    body = contact_body(fields, value)
    try:
        fields.raise_if_invalid()
    except InvalidRequest as error:
        return None, error.fields
    return body, {}


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"name": "Ana"}, {"name": "Ana"}),
        ({"name": "Ana", "email": None, "tags": None}, {"name": "Ana"}),
        ({"name": "Ana", "tags": []}, {"name": "Ana", "tags": []}),
        ({"name": "Ana", "tags": "Premium"}, {"name": "Ana", "tags": ["Premium"]}),
        (
            {"name": "Ana", "email": "ana@example.ao", "tags": ("Premium", "VIP")},
            {"name": "Ana", "email": "ana@example.ao", "tags": ["Premium", "VIP"]},
        ),
    ],
)
def test_a_contact_is_sent_without_what_was_left_out(
    value: dict[str, object], body: dict[str, object]
) -> None:
    """As a mapping or as `SaveContact`: an optional field is absent, and never null."""
    assert contact(value) == (body, {})
    assert contact(SaveContact(**value)) == (body, {})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ({}, {"save_contact.name": "must be a string, got NoneType"}),
        ({"name": ""}, {"save_contact.name": "is required and must not be empty"}),
        (
            {"name": "Ana", "email": "", "tags": [""]},
            {
                "save_contact.email": "is required and must not be empty",
                "save_contact.tags": "is required and must not be empty",
            },
        ),
        ({"name": "Ana", "email": "ana"}, {"save_contact.email": "must be a valid email address"}),
        ({"name": "Ana", "tags": 7}, {"save_contact.tags": "must be a string, got int"}),
    ],
)
def test_a_contact_is_refused_field_by_field(
    value: dict[str, object], wrong: dict[str, str]
) -> None:
    """Each field of a contact is named as the server would name it."""
    assert contact(value) == (None, wrong)


@pytest.mark.parametrize("value", ["Ana", 7, {"name": "Ana", "phone": "x"}, [("name", "Ana")]])
def test_what_is_no_contact_is_refused_whole(value: object) -> None:
    """Nothing of a contact is dropped in silence: another key, or no contact, is refused."""
    fields = Fields("send_message")
    assert contact_body(fields, value) == {}
    with pytest.raises(InvalidRequest) as caught:
        fields.raise_if_invalid()
    assert caught.value.fields == {"save_contact": NO_CONTACT}


def test_all_that_is_wrong_is_said_at_once() -> None:
    """A call is refused once, with every field that is wrong, in order."""

    def names() -> Iterator[str]:
        fields = Fields("send_message")
        assert fields.check("content", SMS, "") is None
        assert fields.check("size", SIZE, 7) == 7
        assert fields.check("remitter_id", check.uuid, "x") is None
        with pytest.raises(InvalidRequest, match=r"^send_message: content: is required") as caught:
            fields.raise_if_invalid()
        assert caught.value.operation == "send_message"
        yield from caught.value.fields

    assert list(names()) == ["content", "remitter_id"]


def test_nothing_wrong_is_nothing_said() -> None:
    """A call whose values all pass goes on."""
    fields = Fields("send_message")
    assert fields.check("content", SMS, "Olá") == "Olá"
    fields.raise_if_invalid()


def test_only_a_refusal_is_noted() -> None:
    """A defect in a rule is not taken for a wrong argument."""

    def broken(_: object) -> NoReturn:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Fields("send_message").check("content", broken, "x")
