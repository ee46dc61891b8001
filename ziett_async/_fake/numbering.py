"""Which numbers a telephone network can assign, and the E.164 form of a local number.

E.164 allows at most 15 digits; the shortest numbers in use, Niue's and Tokelau's, have 7 with
their calling code. If a country's numbering plan is known, its lengths apply: no network can assign
`+24412` or `+244000000000`. Numbers of other countries are not checked further, so that no
number in use is refused.
"""

import re

from ziett_async._telephony.phone import COUNTRIES, PLANS

#: A recipient of a batch, as documented.
_RECIPIENT = re.compile(r"\+?[0-9\s\-\.]{7,30}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_assignable(number: str) -> bool:
    """Return whether a network can assign this number, which is in E.164."""
    if not _E164.fullmatch(number):
        return False
    # No calling code is a prefix of another one, so at most one plan applies.
    for code, lengths in PLANS.items():
        if number.startswith(code, 1):
            national = number[1 + len(code) :]
            return len(national) in lengths and not national.startswith("0")
    return True


def to_e164(recipient: str, country: str) -> str | None:
    """Return a recipient of a batch in E.164, or None if it is not a number.

    A number without a prefix is a number of the country, whose plan has to be known.
    """
    if not _RECIPIENT.fullmatch(recipient):
        return None
    digits = re.sub(r"\D", "", recipient)
    number = f"+{digits}" if recipient.startswith("+") else _from_local(digits, country)
    return number if is_assignable(number) else None


def _from_local(digits: str, country: str) -> str:
    """Return the number that digits without a plus stand for; empty if there is none."""
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if country not in COUNTRIES:
        return ""
    code, _ = COUNTRIES[country]
    national = digits.removeprefix("0")
    if len(national) in PLANS[code]:
        return f"+{code}{national}"
    return f"+{digits}" if digits.startswith(code) else ""
