"""What the API accepts, validated before anything is sent: values to their form on the wire.

A check returns the value as the API wants it, or raises `Invalid` with what is wrong and
what to do. The message never holds the value, which may be a telephone number or a code.

What a check returns is a plain value. A `str`, `int` or `UUID` of another class (Django's
`SafeString`, a member of an enumeration) is read as its base class has it, without calling
what the class has overridden.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import TypeVar, TypeVarTuple, cast
from uuid import UUID

from ziett_async._telephony import worldwide
from ziett_async._telephony.phone import COUNTRIES, is_e164
from ziett_async.errors import InvalidRequest
from ziett_async.models import OpenEnum

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Invalid(ValueError):
    """A value the API would refuse, and why."""


class Fields:
    """The arguments of one call, checked one by one and refused all at once."""

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self._wrong: dict[str, str] = {}

    def check(self, name: str, rule: Callable[[*Ts], T], *args: *Ts) -> T | None:
        """Return what the rule makes of a value; None, and a note, when it refuses."""
        try:
            return rule(*args)
        except Invalid as invalid:
            self._wrong[name] = str(invalid)
            return None

    def raise_if_invalid(self) -> None:
        """Raise `InvalidRequest` if a rule refused; call it before using any value."""
        if self._wrong:
            raise InvalidRequest(self.operation, self._wrong)


_KEY = r"[\x21-\x7e]{1,255}"
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_RECIPIENT = r"\+?[\d\s\-.]{7,30}"
#: Seconds that are longer than any wait.
_ENDLESS = 1e9
_COUNTRY = r"[A-Z]{2}"
#: With or without hyphens, braces or `urn:uuid:`; `UUID` also reads blanks, `_` and `0x`.
_UUID = (
    r"(?ai)(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?"
    r"([0-9a-f]{12})\}?"
)


def text(value: object, max_length: int | None = None) -> str:
    """Return a string of 1 to `max_length` characters."""
    # To call a function takes longer than all the rest of this one.
    written = value if type(value) is str else _plain(value)
    if written is None:
        raise Invalid(f"must be a string, got {type(value).__name__}")
    if not written:
        raise Invalid("is required and must not be empty")
    if max_length is not None and len(written) > max_length:
        raise Invalid(f"must have at most {max_length} characters, got {len(written)}")
    try:
        written.encode()
    except UnicodeEncodeError:
        raise Invalid("holds half of a surrogate pair, which is not a character") from None
    return written


def _plain(value: object) -> str | None:
    """Return the characters of a string of any class; None is no string."""
    return str.__str__(value) if isinstance(value, str) else None


def texts(value: object) -> list[str]:
    """Return strings, none of them empty."""
    return [text(each) for each in as_list(value)]


def phone_number(value: object, country: str | None) -> str:
    """Return a telephone number as E.164; local forms need a country."""
    written = text(value)
    if country is None:
        if is_e164(written):
            return written
        raise Invalid(
            "must be E.164, a plus and 7 to 15 digits without spaces like +244990090990; "
            "local forms need default_country, or ZIETT_DEFAULT_COUNTRY"
        )
    # Many patterns, which a client without a country does not need.
    from ziett_async._telephony.reading import NotANumber, read_number  # noqa: PLC0415

    try:
        return read_number(written, country)
    except NotANumber as refused:
        raise Invalid(str(refused)) from None


def uuid(value: object) -> str:
    """Return a UUID, or a string that is one, in its canonical form."""
    if isinstance(value, UUID):
        return UUID.__str__(value)
    written = value if type(value) is str else _plain(value)
    if written is None:
        raise Invalid(f"must be a UUID or its string, got {type(value).__name__}")
    return _canonical(written)


# Senders and campaigns come again and again.
@lru_cache(maxsize=256)
def _canonical(value: str) -> str:
    if not (found := re.fullmatch(_UUID, value)):
        raise Invalid("must be a UUID like 019b4b56-e704-7c30-83a0-527df63c3e00")
    return "-".join(found.groups()).lower()


def open_enum(value: object, of: type[OpenEnum]) -> str:
    """Return a value of one of the API's enumerations; a newer one must be given as the enum."""
    if isinstance(value, of):
        if value not in _known(of):
            # Without characters it would be no filter, and with half of one no text.
            text(value)
        return value
    written = _plain(value)
    member = None if written is None else of(written)
    if member is None or member.is_unknown:
        raise Invalid(
            f"must be one of {', '.join(of)}; for a newer value give {of.__name__}(value)"
        )
    return member


@cache
def _known(of: type[OpenEnum]) -> frozenset[str]:
    return frozenset(of)


def choice(value: object, of: type[StrEnum]) -> str:
    """Return a value of an enumeration that this package interprets itself."""
    written = _plain(value)
    if written is None or written not in list(of):
        raise Invalid(f"must be one of {', '.join(of)}")
    return written


def timestamp(value: object) -> str:
    """Return an aware datetime as ISO 8601 in UTC."""
    if not isinstance(value, datetime):
        raise Invalid(f"must be a datetime, got {type(value).__name__}")
    if value.utcoffset() is None:
        raise Invalid("is a naive datetime; give it a zone, as in datetime.now(UTC)")
    try:
        return datetime.isoformat(value.astimezone(UTC), timespec="microseconds")
    except OverflowError:
        raise Invalid("lies outside the years 1 to 9999 of UTC") from None


def integer(value: object, minimum: int, maximum: int) -> int:
    """Return an integer within bounds."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(f"must be an integer, got {type(value).__name__}")
    number = int.__int__(value)
    if not minimum <= number <= maximum:
        raise Invalid(f"must be at least {minimum} and at most {maximum}")
    return number


def seconds(value: object) -> float:
    """Return a finite duration in seconds, more than 0."""
    if isinstance(value, int | float) and value is not True and 0 < value < _ENDLESS:
        return value
    raise Invalid("must be seconds, a number more than 0 and less than 1e9")


def idempotency_key(value: object) -> str:
    """Return an idempotency key that a header can carry."""
    written = UUID.__str__(value) if isinstance(value, UUID) else text(value)
    if not re.fullmatch(_KEY, written):
        raise Invalid("must be 1 to 255 printable ASCII characters without spaces, like a UUID")
    return written


def email(value: object) -> str:
    """Return what looks like an address."""
    written = text(value)
    if not _EMAIL.fullmatch(written):
        raise Invalid("must be a valid email address")
    return written


def recipients(value: object) -> list[str]:
    """Return 2 to 1000 recipients, local or E.164, as the API takes them."""
    listed = [_plain(each) or "" for each in as_list(value)]
    if not 2 <= len(listed) <= 1000:
        raise Invalid(f"must be 2 to 1000 numbers, got {len(listed)}")
    if wrong := [i for i, each in enumerate(listed) if not re.fullmatch(_RECIPIENT, each)]:
        raise Invalid(
            f"{len(wrong)} of them, the first at index {wrong[0]}, are not numbers: 7 to 30 "
            "digits, spaces, dots and hyphens, with or without a plus"
        )
    return listed


def remitter(value: object) -> str:
    """Return the id of a sender, which may come from the client's settings."""
    if value is None:
        raise Invalid("is required: give it here, to the client, or as ZIETT_REMITTER_ID")
    return uuid(value)


def country(value: object) -> str:
    """Return a country's two letters."""
    written = text(value)
    if not re.fullmatch(_COUNTRY, written):
        raise Invalid("must be two capital letters like AO")
    return written


def home_country(value: object) -> str:
    """Return the two letters of a country whose numbers can be read in local form."""
    written = text(value)
    if written in COUNTRIES or written in worldwide.regions():
        return written
    if worldwide.regions():
        raise Invalid("must be the two capital letters of a country, like AO")
    names = ", ".join(COUNTRIES)
    raise Invalid(f"must be one of {names}; another country needs an extra: {worldwide.EXTRA}")


def as_list(value: object) -> list[object]:
    """Return one value or several as a list: a string is one value."""
    # First, as to ask whether something is iterable takes its time.
    if isinstance(value, list):
        return list(cast("list[object]", value))
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return [value]
    return list(cast("Iterable[object]", value))
