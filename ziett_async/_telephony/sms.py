"""How a text travels by SMS: in which alphabet and in how many parts (3GPP TS 23.038, 23.040).

One letter outside the GSM alphabet turns the whole text into UCS-2, and a part then holds 70
characters instead of 160. Each part of a longer text holds less: a header joins the parts.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import attrs

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Sent as two characters, of which the first is an escape.
_EXTENDED = frozenset("\f^{}\\[~]|€")
#: How much fits into the only part, and into one of several.
_GSM_7, _UCS_2 = (160, 153), (70, 67)
_MOST_NAMED = 5


@attrs.frozen
class Segments:
    """What the network makes of a text."""

    encoding: Literal["GSM-7", "UCS-2"]
    #: Messages on the air, each of them charged by operators.
    parts: int
    #: Characters as the encoding counts them: septets, or 16-bit units.
    units: int
    #: How many units the parts can hold.
    room: int
    #: The letters that need UCS-2, each once, the first five of them.
    because_of: str = ""


def segments_of(text: str) -> Segments:
    """Return how a text travels."""
    foreign = [letter for letter in text if letter not in _BASIC and letter not in _EXTENDED]
    if not foreign:
        sizes, limits = [2 if letter in _EXTENDED else 1 for letter in text], _GSM_7
        return Segments("GSM-7", *_packed(sizes, limits))
    sizes = [2 if ord(letter) > 0xFFFF else 1 for letter in text]
    return Segments("UCS-2", *_packed(sizes, _UCS_2), "".join(_first(foreign)))


def _packed(sizes: Sequence[int], limits: tuple[int, int]) -> tuple[int, int, int]:
    """Return parts, units and room; a character of two units is never split."""
    units, (alone, joined) = sum(sizes), limits
    if units <= alone:
        return 1, units, alone
    parts, used = 1, 0
    for size in sizes:
        if used + size > joined:
            parts, used = parts + 1, 0
        used += size
    return parts, units, parts * joined


def _first(letters: Iterable[str]) -> Sequence[str]:
    return list(dict.fromkeys(letters))[:_MOST_NAMED]
