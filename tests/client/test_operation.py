"""An endpoint as a value, and how its path is filled in."""

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziett_async._operation import Bucket, Call, Operation
from ziett_async.models import Message

GET = Operation("get_message", "GET", "/messages/{message_id}", Message, Bucket.READ)
LIST = Operation("list_messages", "GET", "/messages", Message, Bucket.LIST)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("019b4b56-e704-7c30-83a0-527df63c3e00", "/messages/019b4b56-e704-7c30-83a0-527df63c3e00"),
        ("a/b", "/messages/a%2Fb"),
        ("../campaigns", "/messages/..%2Fcampaigns"),
        ("...", "/messages/..."),
        ("%2e%2E", "/messages/%252e%252E"),
        ("a?b#c&d", "/messages/a%3Fb%23c%26d"),
        ("a b\r\n", "/messages/a%20b%0D%0A"),
        ("\\", "/messages/%5C"),
        ("Olá", "/messages/Ol%C3%A1"),
        ("{message_id}", "/messages/%7Bmessage_id%7D"),
        (r"\1\g<0>", "/messages/%5C1%5Cg%3C0%3E"),
    ],
)
def test_a_value_is_one_segment_of_the_path(value: str, path: str) -> None:
    """Whatever a value holds is quoted: it can neither add a segment nor end the path."""
    assert GET(path={"message_id": value}).path == path


@pytest.mark.parametrize("path", [None, {}, {"other": "x"}])
def test_a_blank_without_a_value_is_refused(path: dict[str, str] | None) -> None:
    """A path is filled in whole or not at all."""
    with pytest.raises(ValueError, match="get_message: message_id is missing"):
        GET(path=path)


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_what_leads_to_another_path_is_refused(value: str) -> None:
    """No quoting keeps dots or nothing from being another endpoint's path."""
    with pytest.raises(ValueError, match="cannot stand in a path"):
        GET(path={"message_id": value})


def test_half_a_character_is_refused() -> None:
    """A lone surrogate has no bytes to be quoted as."""
    with pytest.raises(ValueError, match="surrogates not allowed"):
        GET(path={"message_id": "\ud800"})


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_server_reads_the_value_that_was_given(value: str) -> None:
    """Quoting loses nothing, and its result is one ASCII segment."""
    if value in {".", ".."}:
        return
    prefix, _, segment = GET(path={"message_id": value}).path.rpartition("/")
    assert (prefix, unquote(segment)) == ("/messages", value)
    assert segment.isascii()
    assert segment.isprintable()
    assert not set(segment) & set("/?# \\")


def test_every_blank_is_filled_by_its_name() -> None:
    """Two path parameters take their own values, in any order."""
    both = Operation("x", "GET", "/a/{one}/b/{two}", Message, Bucket.READ)
    assert both(path={"two": "2", "one": "1"}).path == "/a/1/b/2"


def test_a_path_without_blanks_stays_as_it_is() -> None:
    """Values for which the path has no parameter do not appear."""
    query = [("status", "SENT"), ("status", "FAILED")]
    call = LIST(path={"message_id": "x"}, query=query, body={"a": 1})
    assert isinstance(call, Call)
    assert (call.operation, call.path) == (LIST, "/messages")
    assert (call.query, call.body) == (query, {"a": 1})


@pytest.mark.parametrize(
    ("method", "is_keyed"), [("POST", True), ("GET", False), ("PATCH", False), ("DELETE", False)]
)
def test_only_a_post_needs_a_key(method: str, *, is_keyed: bool) -> None:
    """Of the API's verbs, POST is the one that must not be repeated as it is."""
    assert Operation("x", method, "/x", Message, Bucket.SEND).is_keyed is is_keyed


def test_a_call_shows_its_name_and_masked_numbers_only() -> None:
    """What a log has of a call holds neither its path nor its query nor its texts."""
    call = GET(path={"message_id": "244990090990"}, query=[("q", "244990090990")], body="secret")
    assert repr(call) == "<Call get_message>"
    body = {"target_e164": "+244990090990", "content": "secret", "recipients": ["+244990090990"]}
    assert str(GET(path={"message_id": "1"}, body=body)) == "get_message +244*****0990"


@pytest.mark.parametrize("method", ["post", "Post", "PUT", "", "GET ", None])
def test_a_method_that_the_api_does_not_have_is_refused(method: Any) -> None:  # noqa: ANN401 - as given
    """`post` would be sent as another method than `POST`, and without a key for its attempts."""
    with pytest.raises(ValueError, match=r"^method: must be one of GET, POST, PATCH, DELETE, in"):
        Operation("send_message", method, "/messages", Message, Bucket.SEND)
