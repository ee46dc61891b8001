"""Assertions about the messages that were sent, and the errors that they raise."""

import re
from collections.abc import Callable

import pytest

from ziett_async.testing import FakeZiett

ANA, MARTA = "+244990090990", "+244912345678"


@pytest.fixture
def fake() -> FakeZiett:
    """Return a service that has sent two codes to Ana and one to Marta."""
    fake = FakeZiett()
    fake.add_message(target_e164=ANA, content="O seu código é 482910.")
    fake.add_message(target_e164=MARTA, content="Olá Marta,\nbem-vinda.")
    fake.add_message(target_e164=ANA, content="O seu código é 482911.")
    return fake


def failure(assertion: Callable[[], object]) -> str:
    """Return the error of an assertion that fails."""
    with pytest.raises(AssertionError) as caught:
        assertion()
    return str(caught.value)


def test_a_true_assertion_returns_its_messages(fake: FakeZiett) -> None:
    """They are found by number, whole text, pattern or all of these, in order of acceptance."""
    first, marta, second = fake.messages
    assert fake.assert_sent(to=MARTA) == [marta]
    assert fake.assert_sent(content="O seu código é 482911.") == [second]
    assert fake.assert_sent(content=re.compile(r"^bem-\w+", re.MULTILINE)) == [marta]
    assert fake.assert_sent(to=ANA, content=re.compile("0"), count=1) == [first]
    assert fake.assert_sent(to=ANA, count=2) == [first, second]
    assert fake.assert_sent(count=None) == [first, marta, second]
    assert fake.assert_sent(to=MARTA, content="Olá", count=0) == []


def test_a_text_is_the_whole_text(fake: FakeZiett) -> None:
    """A string matches neither a part of a text nor as a pattern."""
    assert "of 3 sent 0 match" in failure(lambda: fake.assert_sent(content="O seu código é"))
    assert "of 3 sent 0 match" in failure(lambda: fake.assert_sent(content=".*"))


def test_a_wrong_text_is_compared_with_the_expected_one(fake: FakeZiett) -> None:
    """Messages to the number come first, each as a diff; the others follow unchanged."""
    assert failure(lambda: fake.assert_sent(to=MARTA, content="Olá Marta,\nbem-vindo.")) == (
        "expected 1 message to +244912345678 with content 'Olá Marta,\\nbem-vindo.',"
        " but of 3 sent 0 match:\n"
        "  to +244912345678\n"
        "      'Olá Marta,\\n'\n"
        "    - 'bem-vindo.'\n"
        "    ?          ^\n"
        "    + 'bem-vinda.'\n"
        "    ?          ^\n"
        "  to +244990090990\n"
        "      'O seu código é 482910.'\n"
        "  to +244990090990\n"
        "      'O seu código é 482911.'"
    )


def test_more_messages_than_expected_fail(fake: FakeZiett) -> None:
    """A message that is sent twice is found."""
    assert failure(lambda: fake.assert_sent(to=ANA)) == (
        "expected 1 message to +244990090990, but of 3 sent 2 match:\n"
        "  to +244990090990\n"
        "      'O seu código é 482910.'\n"
        "  to +244990090990\n"
        "      'O seu código é 482911.'\n"
        "  to +244912345678\n"
        "      'Olá Marta,\\n'\n"
        "      'bem-vinda.'"
    )
    assert failure(lambda: fake.assert_sent(count=0)).startswith(
        "expected no messages, but of 3 sent 3 match:"
    )


def test_a_pattern_that_is_not_found_is_shown_with_what_was_searched(fake: FakeZiett) -> None:
    """The texts are shown without a diff, since a pattern has no characters to compare."""
    pattern = re.compile(r"PIN \d+")
    assert failure(lambda: fake.assert_sent(to=MARTA, content=pattern, count=None)).startswith(
        "expected at least 1 message to +244912345678 with content matching 'PIN \\\\d+',"
        " but of 3 sent 0 match:\n"
        "  to +244912345678\n"
        "      'Olá Marta,\\n'\n"
        "      'bem-vinda.'\n"
    )


def test_if_nothing_was_sent_the_error_is_one_line() -> None:
    """And `count=0` is true."""
    fake = FakeZiett()
    assert failure(lambda: fake.assert_sent(to=ANA, count=2)) == (
        "expected 2 messages to +244990090990, but nothing was sent"
    )
    assert fake.assert_sent(count=0) == []


def test_invisible_characters_are_shown(fake: FakeZiett) -> None:
    """Texts are shown as their `repr`: a non-breaking space, an empty text."""
    fake.add_message(target_e164="+351912345678", content="20\xa0000 Kz")
    fake.add_message(target_e164="+258841234567", content="")
    shown = failure(lambda: fake.assert_sent(to="+351912345678", content="20 000 Kz"))
    assert "    + '20\\xa0000 Kz'\n" in shown
    assert shown.endswith("  to +258841234567\n      ''")


def test_one_message_too_many_matches(fake: FakeZiett) -> None:
    """In the singular."""
    shown = failure(lambda: fake.assert_sent(to=MARTA, count=0))
    assert shown.startswith("expected no messages to +244912345678, but of 3 sent 1 matches:")


def test_ten_messages_are_shown_without_a_count(fake: FakeZiett) -> None:
    """Nothing is left out of them."""
    for _ in range(7):
        fake.add_message()
    shown = failure(lambda: fake.assert_sent(to=MARTA, content="Olá"))
    assert (shown.count("  to "), "more" in shown) == (10, False)


def test_at_most_ten_messages_are_shown(fake: FakeZiett) -> None:
    """Those to the number come first; the others are only counted."""
    for _ in range(20):
        fake.add_message()
    lines = failure(lambda: fake.assert_sent(to=MARTA, content="Olá")).splitlines()
    assert lines[1] == "  to +244912345678"
    assert sum(line.startswith("  to ") for line in lines) == 10
    assert lines[-1] == "  and 13 more"


def test_nothing_is_shown_but_numbers_and_texts(fake: FakeZiett) -> None:
    """The error has no id, key or status, so it can be shared like the test itself."""
    shown = failure(lambda: fake.assert_sent(content="?"))
    assert not any(str(record.id) in shown or record.status in shown for record in fake.messages)


@pytest.mark.parametrize("number", ["990090990", "+244 990 090 990", "244990090990", "Ana", ""])
def test_a_number_in_another_form_is_refused(fake: FakeZiett, number: str) -> None:
    """Otherwise `count=0` would be true of it, whatever was sent."""
    with pytest.raises(ValueError, match=r"to: must be E\.164"):
        fake.assert_sent(to=number, count=0)
    with pytest.raises(ValueError, match=r"number: must be E\.164"):
        fake.last_code(number)


def test_the_last_code_is_in_the_newest_message(fake: FakeZiett) -> None:
    """An earlier code is not returned."""
    assert fake.last_code(ANA) == "482911"


def test_a_missing_code_is_an_error(fake: FakeZiett) -> None:
    """The error shows the newest message, if there is one."""
    assert failure(lambda: fake.last_code("+351912345678")) == (
        "no message was sent to +351912345678, so there is no code"
    )
    assert failure(lambda: fake.last_code(MARTA)) == (
        "no code in the newest message to +244912345678: 'Olá Marta,\\nbem-vinda.'"
    )


def test_two_codes_are_an_error() -> None:
    """A test that continued with the wrong one would fail far from the cause."""
    fake = FakeZiett()
    fake.add_message(target_e164=ANA, content="Use 482910 or 7391")
    assert failure(lambda: fake.last_code(ANA)) == (
        "482910 or 7391? The newest message to +244990090990: 'Use 482910 or 7391'"
    )
