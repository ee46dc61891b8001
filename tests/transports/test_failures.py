"""What an error of a library means: why there is no answer, and whether the request was seen."""

import httpx
import pytest

from ziett_async._wire import SendFailed
from ziett_async.transports import _failures as failures


def facts(failure: SendFailed) -> tuple[str, bool, bool, int | None]:
    """Return all that a failure says."""
    return failure.reason, failure.reached, failure.timed_out, failure.status


class _Named(Exception):
    """Stands for those that are told by their name alone."""


def named(name: str) -> Exception:
    """Return an error of a name, with a text that no failure repeats."""
    error: Exception = type(name, (_Named,), {})("HTTP/1.1 secret")
    return error


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ReadError", "the connection broke before an answer came"),
        ("ClientOSError", "the connection broke before an answer came"),
        (
            "RemoteProtocolError",
            "the connection was closed before an answer came, or it is not HTTP",
        ),
        ("ServerDisconnectedError", "the connection was closed before an answer came"),
        ("ClientResponseError", "the answer is not HTTP"),
        ("WriteError", "the connection broke while the request was sent"),
        ("SurpriseError", "SurpriseError"),
    ],
)
@pytest.mark.parametrize("timed_out", [False, True])
@pytest.mark.parametrize("unread", [b"", b"HTTP/1.1 20", b"HTTP/2 200 OK\r\n", b"220 smtp ready"])
def test_without_an_answer_the_request_may_have_been_seen(
    name: str, reason: str, *, timed_out: bool, unread: bytes
) -> None:
    """The reason is a sentence for each known error, and never its text."""
    failure = failures.without_answer(named(name), unread, timed_out=timed_out)
    assert facts(failure) == (reason, True, timed_out, None)


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/1.1"])
@pytest.mark.parametrize("after", [b" OK\r\nx: y", b"\r\n", b"\n"])
@pytest.mark.parametrize("status", [200, 202, 422, 503, 599])
def test_an_answer_that_began_has_a_status(version: bytes, after: bytes, status: int) -> None:
    """Its headers were cut, so the status is all that is known of it."""
    unread = version + b" %d" % status + after
    failure = failures.without_answer(named("ReadError"), unread, timed_out=True)
    reason = "the answer was cut in its headers, or there is no end to them"
    assert facts(failure) == (reason, True, False, status)


def test_an_answer_that_is_cut_in_its_body_has_a_status() -> None:
    """It has been seen, and what it says is not known."""
    reason = "the connection broke before the answer was complete"
    assert facts(failures.cut_in_body(202)) == (reason, True, False, 202)


def test_an_answer_that_is_too_long_says_how_long_one_may_be() -> None:
    """It has been seen, and is not read to its end."""
    reason = "the answer is longer than 9 bytes"
    assert facts(failures.too_long(200, 9)) == (reason, True, False, 200)


@pytest.mark.parametrize("reached", [False, True])
def test_what_cannot_be_sent_is_seen_if_sending_had_begun(*, reached: bool) -> None:
    """The library may notice while it writes."""
    failure = failures.unsendable(reached=reached)
    assert facts(failure) == ("the address or a header cannot be sent", reached, False, None)


def test_without_a_connection_nothing_was_seen() -> None:
    """The reason has the host, and the library's own."""
    failure = failures.not_connected(httpx.ConnectError("refused"), "api.test", timed_out=False)
    assert facts(failure) == ("no connection to api.test: refused", False, False, None)


def test_a_connection_that_took_too_long_says_so() -> None:
    """Nothing was seen either."""
    failure = failures.not_connected(httpx.ConnectTimeout("slow"), "api.test", timed_out=True)
    assert facts(failure) == ("no connection in time to api.test: slow", False, True, None)


@pytest.mark.parametrize("link", ["__cause__", "__context__"])
def test_an_error_without_words_has_those_of_its_cause(link: str) -> None:
    """Or of what was being handled when it was raised."""
    error, reason = httpx.ConnectError(""), OSError("no route")
    setattr(error, link, reason)
    failure = failures.not_connected(error, "api.test", timed_out=False)
    assert failure.reason == "no connection to api.test: no route"


def test_a_chain_without_words_says_so() -> None:
    """There is always something after the colon."""
    failure = failures.not_connected(httpx.ConnectError(""), "api.test", timed_out=False)
    assert failure.reason == "no connection to api.test: no reason given"
