"""`ziett parts`: how a text travels."""

import json

import pytest

from tests.cli._shell import ziett


@pytest.fixture(autouse=True)
def _without_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no key: none is needed."""
    monkeypatch.delenv("ZIETT_API_KEY", raising=False)


def shown(*arguments: str, stdin: str = "") -> dict[str, str]:
    """Return what is printed, by its name."""
    ended = ziett("parts", *arguments, stdin=stdin)
    assert (ended.code, ended.err) == (0, "")
    return dict(line.split("\t") for line in ended.out.splitlines())


def test_a_text_of_the_gsm_alphabet() -> None:
    """Nothing is in its way."""
    assert shown("Olà") == {
        "encoding": "GSM-7",
        "parts": "1",
        "units": "3, and 157 more fit into the last part",
    }


def test_what_forces_the_larger_alphabet_is_named() -> None:
    """And what it would be without; what is invisible, by its name."""
    fields = shown("João\u200b" + 70 * "x")
    assert fields["encoding"] == "UCS-2"
    assert fields["parts"] == "2"
    assert fields["not GSM"] == "ã, ZERO WIDTH SPACE"
    assert fields["with --gsm"] == "GSM-7, 1 part"
    assert shown("ã" + 200 * "x")["with --gsm"] == "GSM-7, 2 parts"


def test_it_is_replaced_on_request() -> None:
    """By what it resembles; the new text is shown."""
    fields = shown("--gsm", "João…\u200b")
    assert fields["encoding"] == "GSM-7"
    assert fields["replaced"] == "ã by a, … by ..., ZERO WIDTH SPACE by nothing"
    assert fields["text"] == "Joao..."


def test_what_cannot_be_replaced_stays() -> None:
    """Then there is nothing to gain."""
    assert "with --gsm" not in shown("½")
    assert shown("--gsm", "½")["not GSM"] == "½"


def test_a_text_may_come_from_standard_input() -> None:
    """With the lines that it has; the last line end is not part of it."""
    assert shown("-", stdin="a\nb\n")["units"].startswith("3,")


def test_programs_get_one_object() -> None:
    """With the replacements if they were asked for."""
    held = json.loads(ziett("parts", "ã", "--json").out)
    assert held == {
        "encoding": "UCS-2",
        "parts": 1,
        "units": 1,
        "units_left": 69,
        "not_gsm": ["ã"],
    }
    held = json.loads(ziett("parts", "ã", "--json", "--gsm").out)
    assert (held["replaced"], held["text"], held["units_left"]) == ({"ã": "a"}, "a", 159)
