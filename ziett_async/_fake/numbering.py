"""Which numbers a telephone network can have, and what a local number is in E.164.

E.164 allows at most 15 digits; the shortest numbers in use, Niue's and Tokelau's, have 7 with
their calling code. Where a country's numbering plan is known, its lengths count: `+24412` and
`+244000000000` are numbers of no network. Of other countries nothing more is asked, so that no
number in use is refused.
"""

import re

from ziett_async._telephony.phone import COUNTRIES, PLANS

#: What the documentation takes for a recipient of a batch.
_RECIPIENT = re.compile(r"\+?[0-9\s\-\.]{7,30}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def is_assignable(number: str) -> bool:
    """Return whether a network can have this number in E.164."""
    if not _E164.fullmatch(number):
        return False
    # No calling code is the beginning of another one, so at most one plan applies.
    for code, lengths in PLANS.items():
        if number.startswith(code, 1):
            national = number[1 + len(code) :]
            return len(national) in lengths and not national.startswith("0")
    return True


def to_e164(recipient: str, country: str) -> str | None:
    """Return a recipient of a batch in E.164; None for what is no number.

    One without a prefix is of the country, which has to be one whose plan is known.
    """
    if not _RECIPIENT.fullmatch(recipient):
        return None
    digits = re.sub(r"\D", "", recipient)
    number = f"+{digits}" if recipient.startswith("+") else _from_local(digits, country)
    return number if is_assignable(number) else None


def _from_local(digits: str, country: str) -> str:
    """Return the number that digits without a plus may stand for; empty for none."""
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if country not in COUNTRIES:
        return ""
    code, _ = COUNTRIES[country]
    national = digits.removeprefix("0")
    if len(national) in PLANS[code]:
        return f"+{code}{national}"
    return f"+{digits}" if digits.startswith(code) else ""
