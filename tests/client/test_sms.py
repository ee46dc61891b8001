"""Parts of a text, checked against three other implementations, and texts that need fewer."""

import json
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path
from typing import Any
from unicodedata import normalize, numeric

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ziett_async._telephony.sms import SmsParts, sms_parts, to_gsm

Judgement = tuple[str, int, int, int]

JUDGED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "sms_parts.json").read_text("utf-8")
)
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)
#: Of the kinds that matter here: in and out of the alphabet, longer and shorter when replaced.
TEXTS = st.text(
    st.one_of(st.sampled_from(ALPHABET), st.sampled_from("ãçê…œ“–\u0301\u0303\u0336½𝟙😀\u200b１ﬁ"))
    | st.characters(exclude_categories=["Cs"]),
    max_size=220,
)


def written(text: str | list[tuple[str, int]]) -> str:
    """Return the text of a case: as it is, or from its pieces."""
    return text if isinstance(text, str) else "".join(piece * times for piece, times in text)


def cases(group: str) -> Iterator[tuple[str, Judgement]]:
    """Return the texts of a group with their judgement."""
    return ((written(text), tuple(judgement)) for text, judgement in JUDGED["cases"][group])


def judgement(parts: SmsParts) -> Judgement:
    """Return what the other implementations tell, too."""
    return parts.encoding, parts.parts, parts.units, parts.units_left


@pytest.mark.parametrize("group", JUDGED["cases"])
def test_parts_are_what_other_implementations_count(group: str) -> None:
    """Alphabet, parts, length and what is left: as two of npm and one of PyPI have it."""
    wrong = [
        (text, judgement(sms_parts(text)), expected)
        for text, expected in cases(group)
        if judgement(sms_parts(text)) != expected
    ]
    assert wrong == []


def test_the_whole_alphabet_was_judged() -> None:
    """The 127 characters of the basic table without the escape, and the 10 of the extension."""
    judged = {
        text
        for group in ("every character of the alphabet", "every character of the extension table")
        for text, _ in cases(group)
    }
    assert judged == set(ALPHABET)
    assert len(judged) == 137


def test_a_cluster_of_characters_is_split_where_a_part_ends() -> None:
    """The standard knows no clusters; the one implementation that does is noted with its count."""
    for text, expected, other in JUDGED["clusters"]:
        assert judgement(sms_parts(written(text))) == tuple(expected) != tuple(other)


def by_characters(text: str) -> int:
    """Count parts as if all characters were alike, and headers weighed nothing."""
    return ceil(len(text) / (160 if set(text) <= set(ALPHABET) else 70)) or 1


def by_division(text: str) -> int:
    """Count parts as if a pair could be split between two."""
    found = sms_parts(text)
    alone, joined = (160, 153) if found.encoding == "GSM-7" else (70, 67)
    return 1 if found.units <= alone else ceil(found.units / joined)


@pytest.mark.parametrize("count", [by_characters, by_division])
def test_a_naive_count_is_found_out(count: Callable[[str], int]) -> None:
    """The judged texts tell it from the right one."""
    assert any(
        count(text) != right for group in JUDGED["cases"] for text, (_, right, *_) in cases(group)
    )


def test_characters_that_need_ucs_2_are_named() -> None:
    """Each once, in their order; an accent of its own is one of them."""
    assert sms_parts("Não é nação: ç õ ê 😀 ã").not_gsm == ("ã", "ç", "õ", "ê", "😀")
    assert sms_parts("Na\u0303o").not_gsm == ("\u0303",)
    assert sms_parts("None of them: é [€]").not_gsm == ()


REPLACED = {
    "ã õ á â ê í ó ô ú ç": "a o a a e i o o u c",
    "Ã Õ Á Â Ê Í Ó Ô Ú": "A O A A E I O O U",
    "“Olá”, ‘tu’ «ali»": '"Ola", \'tu\' "ali"',
    "das 9h–10h — talvez…": "das 9h-10h - talvez...",
    "15\u00a0€, 1\u202f000\u2009Kz, a\tb": "15 €, 1 000 Kz, a b",
    "Łódź, Đorđe, œuvre, Œ, ısı": "Lodz, Dorde, oeuvre, OE, isi",
    "１２３ Ａｂ ﬁm": "123 Ab fim",
    "so\u00adft, ze\u200bro, \ufeffmark": "soft, zero, mark",
    "one\u2028two": "one\ntwo",
    # The nearest letter: no more accents are taken off than necessary.
    "ǻ ǟ ấ": "å ä a",
    # Letters and accents apart, and signs that Unicode calls another name of one inside.
    "e\u0301 a\u0303 n\u0303 c\u0327": "é a ñ c",
    "\u2126 \u212b \u212a \u037e": "Ω Å K ;",
}


@pytest.mark.parametrize(("text", "result"), REPLACED.items())
def test_a_character_outside_the_alphabet_is_replaced(text: str, result: str) -> None:
    """Each by the nearest inside, and the text is GSM-7 then."""
    assert to_gsm(text).text == result
    assert sms_parts(result).encoding == "GSM-7"


STAY = {
    "fractions, superscripts, subscripts": "½ ¼ ⅓ x² 10³ ⁵ CO₂ ₅ ᵃ",
    "ordinals": "1º 2ª n.º №",
    "numbers in a circle, Roman ones, other digits": "① ⓪ Ⅷ ⅳ 𝟙 𝟐 ٣ ३",
    "currencies": "¢ ₿ ₽ ﷼ ₣ ＄",
    "mathematics": "− ≠ ± × ÷ ≤ ≥ ≈ ∞ √ ‰ ·",
    "units": "µ ° ℃ ㎏ ㎡",
    "a stroke through a letter or digit": "a\u0336 5\u0336 =\u0338",
    "a mark at a digit or at the start": "5\u0301 1\ufe0f\u20e3",
    "emoji": "😀 👨\u200d👩\u200d👧 🇦🇴 ❤\ufe0f ℹ\ufe0f 👍🏽 ©\ufe0f ™",
    "other scripts": "Ж й ά Ά あ 한 ا क",
    "forms without a replacement": "ŉ ǆ ﷺ",
}


@pytest.mark.parametrize("text", STAY.values(), ids=STAY)
def test_what_would_change_its_value_stays(text: str) -> None:
    """`½` is not `12`, `²` is not `2`, `≠` is not `=`."""
    assert to_gsm(text).text == text
    assert to_gsm(text).replaced == {}


def test_no_numeric_character_gets_another_value() -> None:
    """Of all in Unicode, only full-width digits are replaced, each by its own."""
    numeric_ones = [chr(code) for code in range(0x110000) if numeric(chr(code), None) is not None]
    replaced = {each: new for each in numeric_ones if (new := to_gsm(each).text) != each}
    assert replaced == dict(zip("０１２３４５６７８９", "0123456789", strict=True))


def test_the_alphabet_stays() -> None:
    """Also `à é ù`, which a replacement by ASCII would lose."""
    found = to_gsm(ALPHABET)
    assert (found.text, found.replaced) == (ALPHABET, {})


def test_what_was_replaced_is_told() -> None:
    """What stood in the text to what stands there now, each once."""
    found = to_gsm("Não, nação… a\u0303 1º")
    assert found.text == "Nao, nacao... a 1º"
    assert found.replaced == {"ã": "a", "ç": "c", "…": "...", "a\u0303": "a"}
    assert "Nao" not in repr(found)


@given(TEXTS)
@example("…" * 70)
@example("œ" * 67 * 3)
def test_no_text_gets_more_parts(text: str) -> None:
    """Whatever is replaced by something longer."""
    assert sms_parts(to_gsm(text).text).parts <= sms_parts(text).parts


@given(TEXTS)
def test_a_second_time_changes_nothing(text: str) -> None:
    """What could be replaced has been."""
    once = to_gsm(text).text
    assert (to_gsm(once).text, to_gsm(once).replaced) == (once, {})


@given(TEXTS)
def test_only_what_is_outside_the_alphabet_is_replaced(text: str) -> None:
    """Each by characters inside it; a text without any is returned as it was."""
    found = to_gsm(text)
    assert all(set(old) - set(ALPHABET) for old in found.replaced)
    assert set("".join(found.replaced.values())) <= set(ALPHABET)
    inside = "".join(each for each in text if each in ALPHABET)
    assert to_gsm(inside).text == inside
    assert bool(found.replaced) == (found.text != text)


def test_three_dots_that_would_cost_a_part_are_not_written() -> None:
    """Seventy `…` are one part of UCS-2, and would be 210 septets."""
    assert to_gsm("…" * 53).text == "." * 159
    assert to_gsm("…" * 70).text == "…" * 70
    assert to_gsm("😀" + "…" * 68).replaced == {}


def to_ascii(text: str) -> str:
    """Replace as is often done: compatible decomposition, then what is ASCII."""
    return normalize("NFKD", text).encode("ascii", "ignore").decode()


def test_the_naive_replacement_is_found_out() -> None:
    """It turns ½ into 12, takes `é` away, and lets three dots cost a part."""
    assert to_ascii("½ x²") == "12 x2"
    assert to_ascii(ALPHABET) != ALPHABET
    assert sms_parts(to_ascii("…" * 70)).parts > sms_parts("…" * 70).parts


@pytest.mark.parametrize(("text", "units"), [("\uffff", 1), ("\U00010000", 2)])
def test_what_needs_two_units_of_utf_16_counts_twice(text: str, units: int) -> None:
    """From the first character outside the basic plane on."""
    assert sms_parts(text).units == units
