"""`prepare_recipients`: an audience sorted before anything is sent."""

import math
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async import (
    InvalidRequest,
    PreparedRecipients,
    Recipient,
    Rejection,
    RejectionReason,
    normalize_number,
    prepare_recipients,
)

ANA, BEA, CRIS = "+244923456789", "+244912345678", "+244955555555"
LANDLINE = "+244222123456"


def numbers(audience: PreparedRecipients) -> list[str]:
    """Return the accepted numbers."""
    return [each.number for each in audience.accepted]


def reasons(audience: PreparedRecipients) -> list[tuple[int, str]]:
    """Return row and reason of what was rejected."""
    return [(each.row, each.reason) for each in audience.rejected]


def test_an_audience_is_sorted() -> None:
    """Every row is accepted or has its reason, in the order of the rows, counted from 0."""
    rows = ["923 456 789", "Ana", "0912 345 678", "222 123 456", "+244923456789", "955555555"]
    audience = prepare_recipients(rows, country="AO", opted_out=["00244 955 555 555"])
    assert audience == PreparedRecipients(
        (Recipient(ANA, "923 456 789", 0), Recipient(BEA, "0912 345 678", 2)),
        (
            Rejection("Ana", 1, RejectionReason.INVALID, "holds no number"),
            Rejection("222 123 456", 3, RejectionReason.NOT_MOBILE),
            Rejection("+244923456789", 4, RejectionReason.DUPLICATE),
            Rejection("955555555", 5, RejectionReason.OPTED_OUT),
        ),
    )


def test_a_list_of_allowed_numbers_rejects_all_others() -> None:
    """Compared as E.164; an empty list allows none, and no list allows all."""
    rows = [ANA, BEA]
    audience = prepare_recipients(rows, country="AO", allowed=["0923 456 789"])
    assert numbers(audience) == [ANA]
    assert reasons(audience) == [(1, "not_allowed")]
    assert numbers(prepare_recipients(rows, allowed=[])) == []
    assert numbers(prepare_recipients(rows)) == rows


def test_landlines_are_accepted_on_demand() -> None:
    """`mobile_only=False` takes every number."""
    assert numbers(prepare_recipients([LANDLINE], mobile_only=False)) == [LANDLINE]


def test_of_several_reasons_the_first_is_given() -> None:
    """In the order of `RejectionReason`; a rejected row makes no later one a duplicate."""
    rows = [LANDLINE, LANDLINE, ANA, ANA, BEA, BEA, CRIS, CRIS]
    audience = prepare_recipients(
        rows, opted_out=[LANDLINE, ANA], allowed=[LANDLINE, ANA, CRIS], mobile_only=True
    )
    assert reasons(audience) == [
        (0, "not_mobile"),
        (1, "not_mobile"),
        (2, "opted_out"),
        (3, "opted_out"),
        (4, "not_allowed"),
        (5, "not_allowed"),
        (7, "duplicate"),
    ]
    assert list(RejectionReason) == [
        "invalid",
        "not_mobile",
        "opted_out",
        "not_allowed",
        "duplicate",
    ]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+447911123456", None),
        # A landline and a mobile number look alike there.
        ("+12025550123", None),
        ("+442079460000", "not_mobile"),
        ("+4479111234", "invalid"),
    ],
)
def test_foreign_numbers_are_judged_by_the_library(number: str, reason: str | None) -> None:
    """Whether one is assigned, and whether it is mobile."""
    audience = prepare_recipients([number], country="AO")
    assert [each for _, each in reasons(audience)] == ([reason] if reason else [])


class Shouting(str):
    """A string of another class."""

    __slots__ = ()

    def __str__(self) -> str:
        return "HELLO"


@pytest.mark.parametrize(
    ("cell", "given"),
    [
        (923456789, "923456789"),
        (244923456789, "244923456789"),
        (923456789.0, "923456789.0"),
        pytest.param(Shouting("923456789"), "923456789", id="string of another class"),
        ("\u202a+244 923 456 789\u202c\n", "\u202a+244 923 456 789\u202c\n"),
    ],
)
def test_the_cells_of_a_spreadsheet_are_read(cell: Any, given: str) -> None:  # noqa: ANN401
    """Whole numbers by their digits; what was given is kept as text."""
    assert prepare_recipients([cell], country="AO").accepted == (Recipient(ANA, given, 0),)


@pytest.mark.parametrize(
    ("cell", "given", "detail"),
    [
        (None, "", "is empty"),
        ("", "", "is empty"),
        (math.nan, "", "is empty"),
        (91234567.5, "91234567.5", "is not a whole number"),
        (math.inf, "inf", "is not a whole number"),
        (-923456789, "-923456789", "begins with a minus, as if a spreadsheet had computed with it"),
        (
            1e22,
            "1e+22",
            "is in a spreadsheet's scientific notation, which loses digits; make it text there",
        ),
        (True, "<bool>", "is neither text nor a whole number"),
        pytest.param(10**5000, "<int>", "is neither text nor a whole number", id="huge"),
        (b"923456789", "<bytes>", "is neither text nor a whole number"),
        (["923456789"], "<list>", "is neither text nor a whole number"),
        ("\ud800", "\ud800", "holds no number"),
    ],
)
def test_a_cell_that_is_no_number_is_a_rejection(
    cell: Any,  # noqa: ANN401
    given: str,
    detail: str,
) -> None:
    """And no error: one bad row does not end the sorting."""
    audience = prepare_recipients([cell, ANA], country="AO")
    assert audience.rejected == (Rejection(given, 0, RejectionReason.INVALID, detail),)
    assert numbers(audience) == [ANA]


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"rows": ANA}, {"rows": "must be an iterable of numbers, got str"}),
        ({"rows": b"9"}, {"rows": "must be an iterable of numbers, got bytes"}),
        ({"rows": None}, {"rows": "must be an iterable of numbers, got NoneType"}),
        ({"opted_out": ANA}, {"opted_out": "must be an iterable of numbers, got str"}),
        ({"opted_out": [ANA, "9"]}, {"opted_out": "the number at index 1 has no country code"}),
        ({"opted_out": [ANA, None]}, {"opted_out": "the number at index 1 is empty"}),
        ({"allowed": 7}, {"allowed": "must be an iterable of numbers, got int"}),
        ({"allowed": [ANA, "x"]}, {"allowed": "the number at index 1 holds no number"}),
        ({"allowed": [1.5]}, {"allowed": "the number at index 0 is not a whole number"}),
        ({"country": "angola"}, {"country": "must be the two capital letters of a country"}),
        (
            {"rows": 5, "opted_out": 6, "allowed": 7},
            dict.fromkeys(["opted_out", "allowed", "rows"], "must be an iterable of numbers"),
        ),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(
    arguments: dict[str, Any], fields: dict[str, str]
) -> None:
    """All at once. Who opted out in a way that cannot be read must not get the message."""
    rows: dict[str, Any] = {"rows": []}
    with pytest.raises(InvalidRequest) as caught:
        prepare_recipients(**(rows | arguments))
    assert list(caught.value.fields) == list(fields)
    assert all(caught.value.fields[name].startswith(fields[name]) for name in fields)
    assert caught.value.operation == "prepare_recipients"


def test_no_repr_shows_a_number() -> None:
    """Of the audience, of a recipient, of a rejection."""
    audience = prepare_recipients(["923 456 789", "923456789", "92345678"], country="AO")
    assert repr(audience) == "<PreparedRecipients: 1 accepted, 2 rejected>"
    assert repr(audience.accepted) == "(Recipient(row=0),)"
    shown = repr(audience.rejected)
    assert "923" not in shown
    assert "row=1" in shown
    assert "has 8 digits" in shown


def test_the_values_are_frozen() -> None:
    """What was decided stays decided."""
    audience = prepare_recipients([ANA, "x"])
    for value, name in [
        (audience, "accepted"),
        (audience.accepted[0], "number"),
        (audience.rejected[0], "reason"),
    ]:
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, name, None)


class Column(list[Any]):
    """What a column of pandas is: neither true nor false."""

    def __bool__(self) -> bool:
        message = "the truth value of a column is ambiguous"
        raise ValueError(message)


def test_a_column_of_a_table_will_do() -> None:
    """For rows and for both lists."""
    column = Column([ANA, math.nan, BEA])
    audience = prepare_recipients(column, opted_out=Column([BEA]), allowed=Column([ANA, BEA]))
    assert numbers(audience) == [ANA]
    assert reasons(audience) == [(1, "invalid"), (2, "opted_out")]


def test_rows_are_read_once_and_one_by_one() -> None:
    """A generator will do, and its own error is its caller's."""

    def broken() -> Iterator[str]:
        yield ANA
        message = "the file ended"
        raise OSError(message)

    assert numbers(prepare_recipients(each for each in [ANA, BEA])) == [ANA, BEA]
    with pytest.raises(OSError, match="the file ended"):
        prepare_recipients(broken())


SPELLINGS = st.sampled_from([ANA, BEA, CRIS, LANDLINE]).flatmap(
    lambda number: st.sampled_from(
        [
            number,
            number[4:],
            f"0{number[4:]}",
            number[1:],
            f"00{number[1:]}",
            f" {number[4:]}\u200e",
        ]
    )
)
ROWS = st.lists(SPELLINGS | st.text() | st.floats() | st.integers() | st.none())


def seen_by_text(rows: Iterable[str]) -> list[str]:
    """Return the rows of an audience as a program has them that compares texts."""
    return list(dict.fromkeys(rows))


def test_comparing_texts_finds_no_duplicate() -> None:
    """The naive way sends two messages to one person; the package does not."""
    rows = ["923 456 789", "+244923456789"]
    assert len(seen_by_text(rows)) == 2
    assert len(prepare_recipients(rows, country="AO").accepted) == 1


@given(ROWS, st.lists(SPELLINGS), st.none() | st.lists(SPELLINGS), st.booleans())
def test_no_message_goes_where_it_must_not(
    rows: list[Any],
    opted_out: list[str],
    allowed: list[str] | None,
    mobile_only: bool,  # noqa: FBT001
) -> None:
    """Whatever the rows are: each is there once, each number once, and every rule holds."""
    audience = prepare_recipients(
        rows, country="AO", opted_out=opted_out, allowed=allowed, mobile_only=mobile_only
    )
    of_rows = [each.row for each in audience.accepted] + [row for row, _ in reasons(audience)]
    assert sorted(of_rows) == list(range(len(rows)))
    accepted = numbers(audience)
    assert len(set(accepted)) == len(accepted)
    assert not {normalize_number(each, "AO") for each in opted_out} & {*accepted}
    assert allowed is None or {*accepted} <= {normalize_number(each, "AO") for each in allowed}
    assert not (mobile_only and LANDLINE in accepted)
    again = prepare_recipients(accepted, mobile_only=mobile_only)
    assert numbers(again) == accepted
