"""The public `sms_parts` and `to_gsm`: what they refuse, and that they are the counted ones."""

from collections.abc import Callable
from typing import Any

import pytest

from ziett_async import GsmText, InvalidRequest, SmsParts, sms_parts, to_gsm

FUNCTIONS: list[Callable[[Any], object]] = [sms_parts, to_gsm]


class SafeText(str):
    """A string of another class, as a template engine returns it."""

    __slots__ = ()

    def __iter__(self) -> Any:  # noqa: ANN401 - it never returns
        """Fail: what a class overrides is not called."""
        raise AssertionError


def test_a_text_is_counted_and_made_to_fit() -> None:
    """One accent made three parts of it; without that it is one."""
    text = "A sua encomenda está pronta. " * 5
    assert sms_parts(text).parts == 3
    assert sms_parts(to_gsm(text).text) == SmsParts("GSM-7", 1, 145, 15)
    assert to_gsm(text) == GsmText(text.replace("á", "a"), {"á": "a"})


def test_an_empty_text_has_one_part() -> None:
    """As a counter beside an input field shows it; the API refuses to send it."""
    assert sms_parts("") == SmsParts("GSM-7", 1, 0, 160)
    assert to_gsm("") == GsmText("")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "must be a string, got NoneType"),
        (b"text", "must be a string, got bytes"),
        (b"", "must be a string, got bytes"),
        (["text"], "must be a string, got list"),
        (160, "must be a string, got int"),
        ("a\ud83d", "holds half of a surrogate pair, which is not a character"),
    ],
)
def test_what_is_no_text_is_refused(
    function: Callable[[object], object], value: object, reason: str
) -> None:
    """In the words of every refusal, under the function's name."""
    with pytest.raises(InvalidRequest) as caught:
        function(value)
    assert caught.value.fields == {"text": reason}
    assert caught.value.operation == function.__name__


def test_a_string_of_another_class_is_read_as_a_string() -> None:
    """Without calling what the class has overridden."""
    assert sms_parts(SafeText("Olá")) == sms_parts("Olá")
    assert to_gsm(SafeText("Olá")) == to_gsm("Olá")
    assert sms_parts(SafeText("")).parts == 1
