"""The E.164 form of a local number, as the service reads the recipients of a batch."""

import re

from ziett_async._telephony.phone import COUNTRIES, is_assignable

#: A recipient of a batch, as documented.
_RECIPIENT = re.compile(r"\+?[0-9\s\-\.]{7,30}")


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
    plan = COUNTRIES[country]
    national = digits.removeprefix("0")
    if len(national) in plan.lengths:
        return f"+{plan.calling_code}{national}"
    return f"+{digits}" if digits.startswith(plan.calling_code) else ""
