"""How a text travels by SMS: alphabet, parts, and letters that fit (3GPP TS 23.038, 23.040).

One character outside the GSM alphabet turns the whole text into UCS-2, and a part then holds
70 characters instead of 160. A text of several parts has a header in each, which joins them on
the phone and leaves 153 septets or 67 units. A character of two units is never split between
two parts. Clusters of several characters (a flag, a family of emoji, a letter with a separate
accent) may be: the standard knows only characters, and the phone joins the parts before it
shows them.
"""

from collections.abc import Iterator, Mapping
from typing import Literal
from unicodedata import category, combining, decomposition, normalize

import attrs

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Sent as two septets, of which the first is an escape.
_EXTENDED = frozenset("\f^{}\\[~]|€")
_ALPHABET = _BASIC | _EXTENDED
#: How much fits into the only part, and into one of several.
_SEPTETS, _UNITS = (160, 153), (70, 67)


@attrs.frozen
class SmsParts:
    """What the network makes of a text."""

    encoding: Literal["GSM-7", "UCS-2"]
    #: Messages on the air, each of which is billed; 1 for an empty text.
    parts: int
    #: The length of the text: septets (GSM-7) or 16-bit units (UCS-2), without the headers.
    units: int
    #: How many more fit into the last part.
    units_left: int
    #: The characters that force UCS-2, each once, in their order: `("ã", "😀")`.
    not_gsm: tuple[str, ...] = ()


@attrs.frozen
class GsmText:
    """A text with the characters that could be replaced by those of the GSM alphabet."""

    #: It can still need UCS-2; `sms_parts(text).not_gsm` has what had no replacement.
    text: str = attrs.field(repr=False)
    #: What stood in the text, each once, to what stands there now: `{"ã": "a", "…": "..."}`.
    replaced: Mapping[str, str] = attrs.field(factory=dict[str, str], hash=False)


def sms_parts(text: str) -> SmsParts:
    """Return alphabet, number of parts and length of a text."""
    if _ALPHABET.issuperset(text):
        sizes, limits = [2 if each in _EXTENDED else 1 for each in text], _SEPTETS
        return SmsParts("GSM-7", *_packed(sizes, limits))
    sizes, limits = [2 if ord(each) > 0xFFFF else 1 for each in text], _UNITS
    not_gsm = dict.fromkeys(each for each in text if each not in _ALPHABET)
    return SmsParts("UCS-2", *_packed(sizes, limits), tuple(not_gsm))


def _packed(sizes: list[int], limits: tuple[int, int]) -> tuple[int, int, int]:
    """Return parts, units, and units left in the last part."""
    units, (alone, joined) = sum(sizes), limits
    if units <= alone:
        return 1, units, alone - units
    parts, used = 1, 0
    for size in sizes:
        if used + size > joined:
            parts, used = parts + 1, 0
        used += size
    return parts, units, joined - used


#: Replacements that Unicode's decompositions do not give. The last characters are invisible.
_NEAREST = {
    **dict.fromkeys("‘’‛‹›`´ʼ", "'"),
    **dict.fromkeys("“”„‟«»", '"'),
    **dict.fromkeys("‐‑‒–—―", "-"),
    "…": "...",
    "Œ": "OE",
    "œ": "oe",
    "Ł": "L",
    "ł": "l",
    "Đ": "D",
    "đ": "d",
    "ı": "i",
    "\t": " ",
    "\u2028": "\n",
    "\u2029": "\n",
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
}
#: Spaces, letters and digits that Unicode has in another form for the sake of width or spacing.
#: `№`, `℃`, `½`, `②`, `Ⅷ` and currency signs are of other categories, `ª` and `º` have other tags.
_OTHER_FORMS = {"<noBreak>", "<compat>", "<wide>"}
_SAFE_CATEGORIES = {"Zs", "Lu", "Ll", "Lt", "Lm", "Lo", "Nd"}


def to_gsm(text: str) -> GsmText:
    """Replace the characters outside the GSM alphabet by the nearest ones inside it."""
    letters = list(_letters(text))
    replaced = {each: new for each in letters if (new := _nearest(each)) is not None}
    result = "".join(replaced.get(each, each) for each in letters)
    # `…` is one unit and becomes three septets: 70 of them are one part, and would be two.
    if sms_parts(result).parts > sms_parts(text).parts:
        return GsmText(text)
    return GsmText(result, replaced)


def _letters(text: str) -> Iterator[str]:
    """Yield each character together with the combining marks that follow it."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not combining(text[end]):
            yield text[start:end]
            start = end


def _nearest(letter: str) -> str | None:
    """Return what replaces a letter; None keeps it."""
    if letter in _ALPHABET:
        return None
    composed = normalize("NFC", letter)
    if composed in _ALPHABET:
        return composed
    if composed in _NEAREST:
        return _NEAREST[composed]
    if len(composed) == 1 and _is_other_form(composed):
        plain = normalize("NFKD", composed)
        return plain if _ALPHABET.issuperset(plain) else None
    return _without_marks(normalize("NFD", letter))


def _is_other_form(character: str) -> bool:
    tag = decomposition(character).partition(" ")[0]
    return tag in _OTHER_FORMS and category(character) in _SAFE_CATEGORIES


def _without_marks(decomposed: str) -> str | None:
    """Return a letter with as few accents taken off as possible; None where that is not enough.

    A stroke through a character (combining class 1) is not an accent: `≠` is not `=`.
    """
    base, marks = decomposed[0], decomposed[1:]
    if not base.isalpha() or any(combining(each) <= 1 for each in marks):
        return None
    shorter = (normalize("NFC", decomposed[:length]) for length in range(len(marks), 0, -1))
    return next((each for each in shorter if each in _ALPHABET), None)
