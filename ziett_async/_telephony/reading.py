"""Reading telephone numbers as people and spreadsheets write them, to E.164.

`923 456 789`, `0923456789`, `244923456789`, `00244 923 456 789`, `+244 (0) 923-456-789` and
`tel:+244923456789` are one number. In the countries of `COUNTRIES` no number begins with a
zero, and no number is as long as another one with its calling code in front; so no text has
two readings. What is no number is refused with the reason, and never guessed.

Dropped are spaces and hyphens of every kind, the invisible marks that contact apps put around
numbers, dots, slashes and brackets, and the apostrophe that makes a spreadsheet keep a zero.
Digits of other scripts are digits.
"""

import re

from ziett_async._telephony import worldwide
from ziett_async._telephony.phone import COUNTRIES, NumberingPlan, is_e164, is_mobile, plan_of

_SEPARATORS = re.compile(
    r"[\s.\-/~\u00ad\u00b7\u061c\u180e\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u206f\u2212\ufeff]"
)
#: The forms in which East Asian keyboards write what surrounds digits.
_WIDE = str.maketrans("\uff0b\uff08\uff09\uff0d\uff0e\uff0f", "+()-./")
_IN_FRONT = re.compile(r"\A(?:tel:|['\u2018\u2019])+", re.IGNORECASE)
_BRACKETS = re.compile(r"[(\[](?!0[)\]])|(?<![(\[]0)[)\]]")
#: `(0)` after a calling code is not dialled with it, but in these countries, whose numbers keep
#: their zero: Italy, Côte d'Ivoire, Benin, Gabon, Congo, San Marino.
_TRUNK_ZERO = re.compile(r"(\+(?!39|225|229|241|242|378)[0-9]+)[(\[]0[)\]]")

_COMPACT = re.compile(r"\+?[0-9]+")
#: The end of a number that was a float: no one writes a single digit after seven and a point.
_DECIMALS = re.compile(r"(?<=[0-9]{7})[.,](0+|[0-9]{1,2})(?=[^0-9]*\Z)")
_MINUS = re.compile(r"[^0-9+(\[:]*[-\u2212]")
#: What shows that a text is no number, and the reason to give; the first one found counts.
_REASONS = tuple(
    (re.compile(sign, re.IGNORECASE), reason)
    for sign, reason in (
        (r"\A[^1-9]*\Z", "holds no number"),
        (rf"\A{_MINUS.pattern}", "begins with a minus, as if a spreadsheet had computed with it"),
        (
            r"[0-9]E[+-]?[0-9]+\W*\Z",
            "is in a spreadsheet's scientific notation, which loses digits; make it text there",
        ),
        (
            r"[0-9)\]\s.,;](ext|ramal|x|#)[\s.:=]*[0-9]",
            "has an extension, which an SMS cannot reach; give the number alone",
        ),
        (r"\A[^0-9+]*[0-9+][^+]*\+", "has a plus that is not in front; are these two numbers?"),
        ("", "holds letters or signs that are no part of a number"),
    )
)


class NotANumber(ValueError):
    """A text that is no telephone number; the message has the reason, and not the text."""


def read_number(text: str, country: str | None = None) -> str:
    """Return a number as E.164.

    `country`, two letters, is that of numbers without a country code. One outside `COUNTRIES`
    takes the `phonenumbers` library. Otherwise a foreign number with its country code is taken
    by its form alone.

    >>> read_number("0923 456 789", "AO"), read_number("00351 912-345-678", "AO")
    ('+244923456789', '+351912345678')

    Raises:
        NotANumber: it is none; with the reason.

    """
    written = text if is_e164(text) else _compact(text)
    if written.startswith("+"):
        return _read_international(written, country)
    return _read_local(written, country)


def read_typed(text: str, country: str | None = None) -> tuple[str, bool | None]:
    """Return a number as E.164, and whether it is mobile, which None leaves open.

    Foreign numbers are checked with the `phonenumbers` library where it is installed; without
    it, their form is all that is known of them.
    """
    number = read_number(text, country)
    mobile = is_mobile(number)
    if mobile is None and worldwide.regions():
        return _find(number, None)
    return number, mobile


def to_e164(text: str, country: str | None) -> str | None:
    """Return a number as E.164, or None where `read_number` refuses it.

    >>> to_e164("0923 456 789", "AO"), to_e164("123", "AO")
    ('+244923456789', None)
    """
    try:
        return read_number(text, country)
    except NotANumber:
        return None


def _read_international(number: str, country: str | None) -> str:
    """Read what begins with a plus."""
    plan = plan_of(number)
    is_foreign = plan is None or plan.mobile is None
    if is_foreign and country is not None and country not in COUNTRIES:
        return _find(number, country)[0]
    if plan is not None:
        national = number[1 + len(plan.calling_code) :].removeprefix("0")
        return _of_plan(plan, national, f"+{plan.calling_code}")
    if is_e164(number):
        return number
    if number.startswith("+0"):
        raise NotANumber("has a zero after the plus; no country code begins with one")
    raise NotANumber(f"has {len(number) - 1} digits with its country code, and not 7 to 15")


def _read_local(digits: str, country: str | None) -> str:
    """Read what begins with no plus: with the country's calling code in front, or without."""
    if country is None:
        raise NotANumber("has no country code; write it like +244990090990, or give its country")
    plan = COUNTRIES.get(country)
    if plan is None:
        return _find(digits, country)[0]
    national = digits.removeprefix("0")
    if len(national) not in plan.lengths and digits.startswith(plan.calling_code):
        return _read_international(f"+{digits}", country)
    return _of_plan(plan, national, country)


def _of_plan(plan: NumberingPlan, national: str, place: str) -> str:
    """Return a number if its digits after the calling code are as many as the plan has."""
    if len(national) not in plan.lengths:
        lengths = " or ".join(map(str, plan.lengths))
        hint = ""
        if len(national) > plan.lengths[-1]:
            hint = "; is it a foreign one without its plus, or are these two numbers?"
        digits = "1 digit" if len(national) == 1 else f"{len(national)} digits"
        raise NotANumber(f"has {digits} where a number of {place} has {lengths}{hint}")
    if national.startswith("0"):
        raise NotANumber(f"begins with too many zeros for a number of {place}")
    return f"+{plan.calling_code}{national}"


def _find(text: str, country: str | None) -> tuple[str, bool]:
    """Return what the `phonenumbers` library finds, and whether it is mobile."""
    if not worldwide.regions():
        raise NotANumber(f"needs an extra for its country: {worldwide.EXTRA}")
    found = worldwide.find_number(text, country)
    if found is None:
        raise NotANumber("is not assigned in its country; is a digit missing or wrong?")
    return found


def _compact(text: str) -> str:
    """Return the digits, after a plus if there is a country code in front."""
    written = text if text.isascii() else _in_ascii(text)
    written = _DECIMALS.sub(_without_zeros, written)
    compact = _SEPARATORS.sub("", written)
    if not _COMPACT.fullmatch(compact):
        compact = _unwrapped(compact)
    if compact.startswith("00"):
        compact = f"+{compact[2:]}"
    if _COMPACT.fullmatch(compact) and compact.strip("+0") and not _MINUS.match(written):
        return compact
    if not compact:
        raise NotANumber("is empty")
    raise NotANumber(next(reason for sign, reason in _REASONS if sign.search(written)))


def _in_ascii(text: str) -> str:
    """Return a text with the digits and signs of ASCII in the place of others."""
    return re.sub(r"\d", lambda digit: str(int(digit[0])), text.translate(_WIDE))


def _without_zeros(decimals: re.Match[str]) -> str:
    if decimals[1].strip("0"):
        raise NotANumber("is not a whole number, as if a spreadsheet had computed with it")
    return ""


def _unwrapped(compact: str) -> str:
    """Return what stands behind `tel:` or an apostrophe and in brackets."""
    compact = re.sub(r"\A00", "+", _BRACKETS.sub("", _IN_FRONT.sub("", compact)))
    return re.sub(r"[()\[\]]", "", _TRUNK_ZERO.sub(r"\1", compact))
