"""Telephone numbers as people write them, to E.164 as the API wants them.

A country is known here by its calling code and by how many digits its numbers have after
it; that is enough to read `923 456 789`, `0923456789`, `244923456789` and `00244 923 456
789` alike, and to refuse what is none of them. The table holds the Portuguese-speaking
countries; source: ITU-T E.164 national numbering plans.
"""

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SPACING = r"[\s.\-()/\u00a0]"

#: Two letters to the calling code and how many digits may follow it.
COUNTRIES = {
    "AO": ("244", {9}),
    "BR": ("55", {10, 11}),
    "CV": ("238", {7}),
    "GW": ("245", {9}),
    "MZ": ("258", {9}),
    "PT": ("351", {9}),
    "ST": ("239", {7}),
}
#: Calling codes of which every number's length is known, landlines included: how many digits
#: follow, the first of which is no zero. `1` is the plan of North America, `7` that of Russia
#: and Kazakhstan.
PLANS = {
    **dict(COUNTRIES.values()),
    "258": {8, 9},
    "1": {10},
    "7": {10},
}


def is_e164(text: str) -> bool:
    """Tell whether it is a number with country code: a plus and 7 to 15 digits.

    >>> is_e164("+244990090990"), is_e164("990 090 990")
    (True, False)
    """
    return _E164.fullmatch(text) is not None


def to_e164(text: str, country: str) -> str | None:
    """Return a number written in any usual way as E.164; None when it is no number.

    `country` is the one of numbers without a country code; those of a country that is not
    in `COUNTRIES` cannot be read.

    >>> to_e164("0923 456 789", "AO"), to_e164("+351 912-345-678", "AO"), to_e164("123", "AO")
    ('+244923456789', '+351912345678', None)
    """
    digits = re.sub(r"^00", "+", re.sub(_SPACING, "", text.replace("(0)", "")))
    if digits.startswith("+"):
        return digits if is_e164(digits) else None
    if country not in COUNTRIES or not (digits.isascii() and digits.isdigit()):
        return None
    calling_code, lengths = COUNTRIES[country]
    national = digits.removeprefix("0")
    if len(national) in lengths:
        return f"+{calling_code}{national}"
    national = digits.removeprefix(calling_code)
    return f"+{digits}" if len(national) in lengths and national != digits else None
