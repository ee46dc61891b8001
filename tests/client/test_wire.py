"""Requests and answers as values: what they show, and what they refuse to give away."""

import copy
import pickle

import pytest

from ziett_async._wire import Request, Response, SendFailed

KEY, NUMBER, CONTENT = "zk_live_51H8", "+244990090990", "Your code is 482910."
REQUEST = Request(
    "POST",
    f"https://api.ziett.co/c/v1/messages?q={NUMBER}",
    (("x-api-key", KEY),),
    CONTENT.encode(),
    15.0,
)
RESPONSE = Response(
    429, (("Retry-After", "7"), ("X-Key", KEY), ("retry-after", "9")), CONTENT.encode()
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (REQUEST, "<Request POST https://api.ziett.co/c/v1/messages, 20 bytes>"),
        (Request("GET", "http://[::1]/x", ()), "<Request GET http://[::1]/x, 0 bytes>"),
        (RESPONSE, "<Response 429, 20 bytes>"),
        (Response(204, ()), "<Response 204, 0 bytes>"),
    ],
)
def test_a_repr_has_no_header_query_or_body(value: Request | Response, shown: str) -> None:
    """What is printed by accident names method, path, status and size, and nothing else."""
    assert repr(value) == str(value) == shown


@pytest.mark.parametrize("value", [REQUEST, RESPONSE])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_not_pickled(value: Request | Response, protocol: int) -> None:
    """Neither leaves the process: they hold the key and people's data."""
    with pytest.raises(TypeError, match="not picklable: it holds confidential data") as caught:
        pickle.dumps(value, protocol)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("value", [REQUEST, RESPONSE])
def test_it_is_frozen(value: Request | Response) -> None:
    """An attempt cannot be changed on its way."""
    with pytest.raises(AttributeError):
        value.body = b"other"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Retry-After", "7"), ("RETRY-AFTER", "7"), ("x-key", KEY), ("retry", None), ("", None)],
)
def test_a_header_is_found_in_any_case(name: str, value: str | None) -> None:
    """The first value of a header is returned, whatever the case of its name."""
    assert RESPONSE.header(name) == value


@pytest.mark.parametrize("timed_out", [True, False])
@pytest.mark.parametrize("reached", [True, False])
def test_a_failure_survives_pickle_and_copy(*, reached: bool, timed_out: bool) -> None:
    """A transport in another process may raise it."""
    failure = SendFailed("connection refused", reached, timed_out)
    pickled = pickle.loads(pickle.dumps(failure))  # noqa: S301 - ours
    for twin in (pickled, copy.copy(failure), copy.deepcopy(failure)):
        assert vars(twin) == vars(failure)
        assert str(twin) == "connection refused"


def test_a_failure_is_no_timeout_unless_it_says_so() -> None:
    """Only the transport can tell a timeout from a broken line."""
    assert not SendFailed("reset", reached=True).timed_out
