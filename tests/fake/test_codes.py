"""Which digits of a text are a one-time code: texts in Portuguese and English."""

import re
from collections.abc import Sequence

import pytest

from tests.fake._texts_with_codes import CODES
from tests.fake._texts_without_codes import OTHER_DIGITS
from ziett_async._fake.codes import codes_in
from ziett_async.testing import FakeZiett

NUMBER = "+244990090990"

#: The naive rule: 4 to 8 digits, judged by the characters that touch them.
NAIVE = re.compile(r"(?<![\w/+])(?<!\d[.,-])\d{4,8}(?!\w|[.,/-]\d)")


def naive_codes(content: str) -> Sequence[str]:
    """Return the codes of the naive rule."""
    return list(dict.fromkeys(NAIVE.findall(content)))


@pytest.mark.parametrize("content", CODES)
def test_a_code_is_distinguished_from_other_digits(content: str) -> None:
    """From amounts, dates, times, and the numbers of phones and things; a repeat is one code."""
    fake = FakeZiett()
    fake.add_message(target_e164=NUMBER, content=content)
    assert fake.last_code(NUMBER) == CODES[content]


@pytest.mark.parametrize("content", OTHER_DIGITS)
def test_other_digits_are_no_code(content: str) -> None:
    """What is beside them says what they are."""
    assert codes_in(content) == []


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("Hoje saiu 482 910 na lotaria", []),
        ("Escolha 482-910 hoje", []),
        ("O seu PIN: 482 910", ["482910"]),
        ("482 910", ["482910"]),
    ],
)
def test_digits_in_groups_are_a_code_where_a_word_says_so(
    content: str, codes: Sequence[str]
) -> None:
    """Or where they are the whole text."""
    assert codes_in(content) == codes


def test_two_codes_are_both_returned() -> None:
    """In their order; a test that took one of them could take the wrong one."""
    assert codes_in("Use 482910 ou 739214, PIN 482910") == ["482910", "739214"]


def test_the_naive_rule_takes_amounts_and_order_numbers_for_codes() -> None:
    """The digits alone cannot say what they are."""
    taken = [content for content in OTHER_DIGITS if naive_codes(content)]
    ambiguous = [content for content, code in CODES.items() if naive_codes(content) != [code]]
    assert {"nº 10432", "O pagamento é de 15000 Kz.", "ref. 8812", "Feliz 2026!"} <= set(taken)
    assert "Pagamento de 15000 Kz. Código: 482910" in ambiguous
