"""An audience sorted before anything is sent: accepted rows, and rejected ones with reasons."""

from collections.abc import Iterable
from enum import StrEnum
from typing import cast

import attrs

from ziett_async import _validation as check
from ziett_async._repr import Value
from ziett_async._telephony.reading import NotANumber, read_typed
from ziett_async._validation import Fields, Invalid

#: More than any number has as an integer; `str` refuses integers of thousands of digits.
_TOO_LONG = 10**20


class RejectionReason(StrEnum):
    """Why a row gets no message; of several reasons, the first one here is given."""

    #: It is no telephone number; `Rejection.detail` says why.
    INVALID = "invalid"
    #: A landline, or another number that gets no SMS.
    NOT_MOBILE = "not_mobile"
    #: Its number is in `opted_out`.
    OPTED_OUT = "opted_out"
    #: Its number is not in `allowed`.
    NOT_ALLOWED = "not_allowed"
    #: An accepted row above has the same number.
    DUPLICATE = "duplicate"


@attrs.frozen(repr=False)
class Recipient(Value):
    """A row that gets the message."""

    #: E.164, `+244990090990`.
    number: str = attrs.field(repr=False)
    #: The row as text, as it was given: `0990 090 990`.
    given: str = attrs.field(repr=False)
    #: Where it stands in the rows, from 0.
    row: int


@attrs.frozen(repr=False)
class Rejection(Value):
    """A row that gets no message."""

    #: The row as text, as it was given.
    given: str = attrs.field(repr=False)
    #: Where it stands in the rows, from 0.
    row: int
    reason: RejectionReason
    #: What makes an `invalid` one no number, without the number: `is empty`.
    detail: str | None = None


@attrs.frozen(repr=False)
class PreparedRecipients:
    """An audience, sorted; every row is in exactly one of the two, in the order of the rows."""

    accepted: tuple[Recipient, ...]
    rejected: tuple[Rejection, ...]

    def __repr__(self) -> str:
        accepted, rejected = len(self.accepted), len(self.rejected)
        return f"<PreparedRecipients: {accepted} accepted, {rejected} rejected>"


def prepare_recipients(
    rows: Iterable[str | float | None],
    *,
    country: str | None = None,
    opted_out: Iterable[str | float] = (),
    allowed: Iterable[str | float] | None = None,
    mobile_only: bool = True,
) -> PreparedRecipients:
    """Sort an audience before anything is sent: each number once, and only those that may get it.

    All numbers are read as `normalize_number` does and compared as E.164, those of `opted_out`
    and `allowed` too. Of rows with one number, the first one that may get the message is
    accepted.

    Args:
        rows: numbers as people wrote them: the cells of a column. Of a spreadsheet, whole
            numbers are read by their digits, and None is an empty cell.
        country: two letters, that of numbers without a country code.
        opted_out: numbers that get nothing. One that cannot be read is an error, as its owner
            would get the message.
        allowed: the only numbers that may get the message, as on a staging system; None allows
            all.
        mobile_only: reject what is known to be no mobile number. Without the extra `[phone]`
            that is known of the seven countries of `normalize_number`, and other countries'
            numbers are accepted; with it, of every country.

    Raises:
        InvalidRequest: not a row, but an argument cannot be used; `fields` names it.

    >>> audience = prepare_recipients(["923 456 789", "+244923456789", "222123456"], country="AO")
    >>> [recipient.number for recipient in audience.accepted]
    ['+244923456789']
    >>> [(rejection.row, str(rejection.reason)) for rejection in audience.rejected]
    [(1, 'duplicate'), (2, 'not_mobile')]
    """
    fields = Fields("prepare_recipients")
    if country is not None:
        country = fields.check("country", check.home_country, country)
        fields.raise_if_invalid()
    barred = fields.check("opted_out", _numbers, opted_out, country) or frozenset()
    only = None if allowed is None else fields.check("allowed", _numbers, allowed, country)
    fields.check("rows", _cells, rows)
    fields.raise_if_invalid()
    return _sort(rows, country, _Rules(barred, only, mobile_only))


@attrs.frozen(repr=False)
class _Rules:
    """Which numbers may get the message."""

    opted_out: frozenset[str]
    allowed: frozenset[str] | None
    mobile_only: bool

    def refusal(self, number: str, mobile: bool | None) -> RejectionReason | None:  # noqa: FBT001
        if self.mobile_only and mobile is False:
            return RejectionReason.NOT_MOBILE
        if number in self.opted_out:
            return RejectionReason.OPTED_OUT
        if self.allowed is not None and number not in self.allowed:
            return RejectionReason.NOT_ALLOWED
        return None


def _sort(cells: Iterable[object], country: str | None, rules: _Rules) -> PreparedRecipients:
    accepted: dict[str, Recipient] = {}
    rejected: list[Rejection] = []
    for row, cell in enumerate(cells):
        given, why = _as_text(cell)
        try:
            number, mobile = _read(given, why, country)
        except NotANumber as refused:
            rejected.append(Rejection(given, row, RejectionReason.INVALID, str(refused)))
            continue
        reason = rules.refusal(number, mobile)
        if reason is None and number in accepted:
            reason = RejectionReason.DUPLICATE
        if reason is None:
            accepted[number] = Recipient(number, given, row)
        else:
            rejected.append(Rejection(given, row, reason))
    return PreparedRecipients(tuple(accepted.values()), tuple(rejected))


def _read(given: str, why: str | None, country: str | None) -> tuple[str, bool | None]:
    if why is not None:
        raise NotANumber(why)
    return read_typed(given, country)


def _as_text(cell: object) -> tuple[str, str | None]:
    """Return a cell as text, and the reason if it cannot be a number whatever its text is."""
    if isinstance(cell, str):
        return str.__str__(cell), None
    if cell is None:
        return "", None
    if isinstance(cell, float):
        # An empty cell of pandas is a NaN.
        written = "" if cell != cell else float.__repr__(cell)  # noqa: PLR0124
        return written, None if not written or cell.is_integer() else "is not a whole number"
    if isinstance(cell, int) and not isinstance(cell, bool) and -_TOO_LONG < cell < _TOO_LONG:
        return int.__repr__(cell), None
    return f"<{type(cell).__name__}>", "is neither text nor a whole number"


def _cells(given: object) -> Iterable[object]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise Invalid(f"must be an iterable of numbers, got {type(given).__name__}")
    return cast("Iterable[object]", given)


def _numbers(given: object, country: str | None) -> frozenset[str]:
    """Return numbers as E.164; one that cannot be read refuses them all."""
    numbers = set[str]()
    for index, cell in enumerate(_cells(given)):
        try:
            number, _ = _read(*_as_text(cell), country)
        except NotANumber as refused:
            raise Invalid(f"the number at index {index} {refused}") from None
        numbers.add(number)
    return frozenset(numbers)
