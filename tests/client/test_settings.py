"""What a client is built from, refused before any I/O when it cannot work."""

from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from tests.support.samples import REMITTER
from ziett_async import AsyncZiett, RetryPolicy
from ziett_async._settings import PUBLIC_URL, read_defaults, read_origin
from ziett_async.errors import ConfigurationError
from ziett_async.testing import FakeTransport

ID = REMITTER
KEY = "zk_live_51H8"
SECRET = "s3cret"


def refused(api_key: object = KEY, base_url: object = None) -> str:
    """Return why no client can be built so; neither a key nor a password is in it."""
    with pytest.raises(ConfigurationError) as caught:
        read_origin(api_key, base_url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (None, "api_key: missing; give it to AsyncZiett or set ZIETT_API_KEY"),
        ("", "api_key: missing"),
        (f"{SECRET}\n", "api_key: must be printable ASCII without spaces; was a line end, or `"),
        (f"{SECRET}\r\nx-other: 1", "api_key: must be printable ASCII"),
        (f" {SECRET}", "api_key: must be printable ASCII"),
        (f"{SECRET}\t", "api_key: must be printable ASCII"),
        (f"{SECRET}é", "api_key: must be printable ASCII"),
        (f"{SECRET}\x7f", "api_key: must be printable ASCII"),
        (f"{SECRET}\x00", "api_key: must be printable ASCII"),
        (SECRET.encode(), "api_key: must be a string, got bytes"),
        (51, "api_key: must be a string, got int"),
    ],
)
def test_a_key_that_no_header_can_carry_is_refused(key: object, words: str) -> None:
    """Missing, empty, with a line end or of another alphabet: said so, and never shown."""
    assert refused(key).startswith(words)


@pytest.mark.parametrize("key", ["", f"{SECRET}\n", f"{SECRET}é"])
def test_the_environments_key_is_checked_alike(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """A key from `ZIETT_API_KEY` has to be as usable as one that is given."""
    monkeypatch.setenv("ZIETT_API_KEY", key)
    assert refused(None).startswith("api_key: ")


def test_an_argument_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, address and sender are read from the environment only where none is given."""
    monkeypatch.setenv("ZIETT_API_KEY", "zk_test_env")
    monkeypatch.setenv("ZIETT_BASE_URL", "http://localhost:8420/c/v1")
    monkeypatch.setenv("ZIETT_REMITTER_ID", ID)
    read = read_origin(None, None)
    assert read.headers[0] == ("x-api-key", "zk_test_env")
    assert read.base_url == "http://localhost:8420/c/v1"
    assert read_defaults(None, None, None).remitter_id == ID
    given = read_origin(KEY, "https://example.com/x")
    assert given.headers[0] == ("x-api-key", KEY)
    assert given.base_url == "https://example.com/x"
    assert read_defaults(UUID(int=7), None, None).remitter_id == str(UUID(int=7))


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_said_is_the_public_address(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """Without an address, or with an empty variable, it is the documented one."""
    if value is not None:
        monkeypatch.setenv("ZIETT_BASE_URL", value)
        monkeypatch.setenv("ZIETT_REMITTER_ID", value)
    assert read_origin(KEY, None).base_url == PUBLIC_URL == "https://api.ziett.co/c/v1"
    assert read_defaults(None, None, None).remitter_id is None


def test_every_request_says_the_same_of_itself() -> None:
    """Key, what is accepted, no compression, and the name of this package."""
    assert read_origin(KEY, None).headers == (
        ("x-api-key", KEY),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", "ziett-async"),
    )


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://example.com", "https://example.com/c/v1"),
        ("https://example.com/", "https://example.com/c/v1"),
        ("https://example.com/c/v1///", "https://example.com/c/v1"),
        ("https://example.com//", "https://example.com/c/v1"),
        ("https://api.ziett.co", PUBLIC_URL),
        ("https://example.com/ziett/", "https://example.com/ziett"),
        ("https://example.com:8443/c/v1", "https://example.com:8443/c/v1"),
        ("HTTPS://example.com", "https://example.com/c/v1"),
        ("https://192.0.2.7", "https://192.0.2.7/c/v1"),
        ("https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443/c/v1"),
        ("https://xn--exmple-cua.com/%C3%A9", "https://xn--exmple-cua.com/%C3%A9"),
        ("http://localhost", "http://localhost/c/v1"),
        ("http://LOCALHOST:8420/c/v1/", "http://LOCALHOST:8420/c/v1"),
        ("http://127.0.0.1", "http://127.0.0.1/c/v1"),
        ("http://127.0.0.1:8420", "http://127.0.0.1:8420/c/v1"),
        ("http://127.9.9.9", "http://127.9.9.9/c/v1"),
        ("http://[::1]", "http://[::1]/c/v1"),
        ("http://[::1]:8420/c/v1", "http://[::1]:8420/c/v1"),
    ],
)
def test_https_and_loopback_are_addresses(url: str, read: str) -> None:
    """Any host over https, this machine over http; slashes at the end do not count.

    No path is the API's own: some programs add it themselves, and set the variable without it.
    """
    assert read_origin(KEY, url).base_url == read


HTTPS_ONLY = "base_url: must be https; http is for loopback only, the key would travel in clear"
ABSOLUTE = f"base_url: must be an absolute https URL like {PUBLIC_URL}"
DOUBLED = "base_url: holds /c/v1 more than once; every request would be a 404"
A_URL = f"base_url: must be a URL like {PUBLIC_URL}"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.ziett.co/c/v1", HTTPS_ONLY),
        ("http://192.168.0.7", HTTPS_ONLY),
        ("http://0.0.0.0", HTTPS_ONLY),
        ("http://[::2]", HTTPS_ONLY),
        ("http://localhost.example.com", HTTPS_ONLY),
        ("http://127.0.0.1.example.com", HTTPS_ONLY),
        (f"http://{SECRET}@example.com", HTTPS_ONLY),
        ("http://localhost@example.com", HTTPS_ONLY),
        (f"https://{SECRET}@example.com", "base_url: must not hold a user or password"),
        (f"https://user:{SECRET}@example.com", "base_url: must not hold a user or password"),
        (f"http://:{SECRET}@localhost", "base_url: must not hold a user or password"),
        ("https://@example.com", "base_url: must not hold a user or password"),
        ("https://example.com?key=1", "base_url: must not hold a query or fragment"),
        ("https://example.com/c/v1#top", "base_url: must not hold a query or fragment"),
        ("https://example.com/a b", "base_url: must be ASCII without spaces"),
        ("https://example.com/é", "base_url: must be ASCII without spaces"),
        ("https://exämple.com", "base_url: must be ASCII without spaces"),
        ("ftp://example.com", ABSOLUTE),
        ("wss://example.com", ABSOLUTE),
        ("//example.com", ABSOLUTE),
        ("example.com", ABSOLUTE),
        ("localhost:8420", ABSOLUTE),
        ("https://", ABSOLUTE),
        ("https:///c/v1", ABSOLUTE),
        ("https://:8443", ABSOLUTE),
        ("https://example.com/c/v1/c/v1", DOUBLED),
        ("http://127.0.0.1:8420/c/v1/c/v1/", DOUBLED),
        ("https://example.com/c/v1/x/c/v1", DOUBLED),
        ("https://[::1", A_URL),
        ("https://example.com:65536", A_URL),
        (f"https://user:{SECRET}/x@example.com", A_URL),
        ("", A_URL),
        ("https://\ud800", A_URL),
        (7, A_URL),
        (b"https://example.com", A_URL),
    ],
)
def test_any_other_address_is_refused(url: object, words: str) -> None:
    """The key travels encrypted or not at all, and an address is an address only."""
    assert refused(KEY, url).startswith(words)


def test_the_environments_address_is_checked_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address from `ZIETT_BASE_URL` has to be as safe as one that is given."""
    monkeypatch.setenv("ZIETT_BASE_URL", "http://api.ziett.co")
    assert refused() == HTTPS_ONLY.replace("base_url", "base_url (from ZIETT_BASE_URL)")


def test_defaults_are_kept_in_their_form_on_the_wire() -> None:
    """A sender is a UUID, allowed numbers are E.164, whatever form they are given in."""
    defaults = read_defaults(ID.upper(), "AO", ["923 456 789", "+351 912 345 678"])
    assert defaults.remitter_id == ID
    assert defaults.country == "AO"
    assert defaults.allowed_recipients == {"+244923456789", "+351912345678"}


def test_an_empty_list_allows_no_recipient() -> None:
    """A list without numbers is not the same as no list."""
    assert read_defaults(None, None, []).allowed_recipients == frozenset()
    assert read_defaults(None, None, None).allowed_recipients is None


@pytest.mark.parametrize(
    ("remitter_id", "country", "allowed", "words"),
    [
        ("x", None, None, "default_remitter_id: must be a UUID like "),
        (7, None, None, "default_remitter_id: must be a UUID or its string"),
        ("", None, None, "default_remitter_id: must be a UUID like "),
        (0, None, None, "default_remitter_id: must be a UUID or its string, got int"),
        (
            None,
            "XX",
            None,
            "default_country: must be the two capital letters of a country, like AO",
        ),
        (None, "ao", None, "default_country: must be the two capital letters"),
        (None, "", None, "default_country: is required and must not be empty"),
        (None, ["AO"], None, "default_country: must be a string, got list"),
        (None, None, "+244923456789", "allowed_recipients: must be a collection of numbers"),
        (None, None, b"+2449", "allowed_recipients: must be a collection of numbers, got bytes"),
        (None, None, 5, "allowed_recipients: must be a collection of numbers, got int"),
        (None, None, ["923456789"], "allowed_recipients: one of them must be E.164"),
        (None, "AO", ["+244923456789", "9"], "allowed_recipients: one of them has 1 digit"),
        (None, None, [7], "allowed_recipients: one of them must be a string, got int"),
        (None, None, [""], "allowed_recipients: one of them is required"),
    ],
)
def test_defaults_that_cannot_be_used_are_refused(
    remitter_id: object, country: object, allowed: object, words: str
) -> None:
    """What every call would stumble over is said once, when the client is built."""
    with pytest.raises(ConfigurationError) as caught:
        read_defaults(remitter_id, country, allowed)
    assert str(caught.value).startswith(words)
    assert "923456789" not in str(caught.value)
    assert caught.value.__cause__ is None


OTHER = "019b4b56-e704-7c30-83a0-527df63c3e01"
SENDERS = ["ZIETT_REMITTER_ID", "ZIETT_DEFAULT_REMITTER_ID", "ZIETT_SMS_REMITTER_ID"]


@pytest.mark.parametrize("variable", SENDERS)
def test_every_variable_in_use_names_the_sender(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Integrations call it in three ways; an argument goes before each of them."""
    monkeypatch.setenv(variable, ID.upper())
    assert read_defaults(None, None, None).remitter_id == ID
    assert read_defaults(OTHER, None, None).remitter_id == OTHER


@pytest.mark.parametrize(("first", "second"), list(pairwise(SENDERS)))
def test_the_first_of_two_senders_counts(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    """Where two variables disagree; an empty one counts as unset."""
    monkeypatch.setenv(second, OTHER)
    monkeypatch.setenv(first, ID)
    assert read_defaults(None, None, None).remitter_id == ID
    monkeypatch.setenv(first, "")
    assert read_defaults(None, None, None).remitter_id == OTHER


def test_the_country_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """From `ZIETT_DEFAULT_COUNTRY`, unless it is empty; an argument goes before it."""
    monkeypatch.setenv("ZIETT_DEFAULT_COUNTRY", "")
    assert read_defaults(None, None, None).country is None
    monkeypatch.setenv("ZIETT_DEFAULT_COUNTRY", "AO")
    assert read_defaults(None, None, None).country == "AO"
    assert read_defaults(None, "PT", None).country == "PT"


@pytest.mark.parametrize("variable", ["ZIETT_ALLOWED_RECIPIENTS", "ZIETT_TEST_ALLOWED_RECIPIENTS"])
def test_the_allow_list_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Separated by commas, local numbers where a country is known; an argument goes before it."""
    monkeypatch.setenv(variable, " +244 923 456 789,912345678, ")
    allowed = {"+244923456789", "+244912345678"}
    assert read_defaults(None, "AO", None).allowed_recipients == allowed
    assert read_defaults(None, "AO", []).allowed_recipients == frozenset()


def test_the_first_of_two_allow_lists_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both variables are set; they are not joined. An empty one counts as unset."""
    monkeypatch.setenv("ZIETT_TEST_ALLOWED_RECIPIENTS", "+244912345678")
    monkeypatch.setenv("ZIETT_ALLOWED_RECIPIENTS", "+244923456789")
    assert read_defaults(None, None, None).allowed_recipients == {"+244923456789"}
    monkeypatch.setenv("ZIETT_ALLOWED_RECIPIENTS", "")
    assert read_defaults(None, None, None).allowed_recipients == {"+244912345678"}
    monkeypatch.setenv("ZIETT_TEST_ALLOWED_RECIPIENTS", "")
    assert read_defaults(None, None, None).allowed_recipients is None


@pytest.mark.parametrize("value", [",", " ", " , ,"])
def test_an_allow_list_of_commas_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A staging system whose list was lost must not text customers: no client is built."""
    monkeypatch.setenv("ZIETT_ALLOWED_RECIPIENTS", value)
    monkeypatch.setenv("ZIETT_TEST_ALLOWED_RECIPIENTS", "+244923456789")
    with pytest.raises(ConfigurationError, match=r"ZIETT_ALLOWED_RECIPIENTS\): holds no number"):
        read_defaults(None, None, None)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        *[
            (each, "ZIETT", f"default_remitter_id (from {each}): must be a UUID")
            for each in SENDERS
        ],
        (
            "ZIETT_DEFAULT_COUNTRY",
            "+244",
            "default_country (from ZIETT_DEFAULT_COUNTRY): must be the two capital letters",
        ),
        (
            "ZIETT_ALLOWED_RECIPIENTS",
            "+244923456789;+244912345678",
            "allowed_recipients (from ZIETT_ALLOWED_RECIPIENTS): one of them must be E.164",
        ),
    ],
)
def test_what_the_environment_says_is_checked_alike(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    """With the variable's name, so that it is found; never with what it holds of numbers."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        read_defaults(None, None, None)
    assert str(caught.value).startswith(words)
    assert "923456789" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"retry": 3}, "retry: must be a RetryPolicy, got int"),
        ({"retry": RetryPolicy}, "retry: must be a RetryPolicy, got type"),
        ({"clock": 5}, "clock: must have monotonic, time, sleep, got int"),
        (
            {"transport": FakeTransport},
            "transport: must be an instance, got the class FakeTransport",
        ),
        ({"limiter": "x"}, "limiter: must have acquire, pause, got str"),
        ({"transport": "x"}, "transport: must have send, aclose, got str"),
    ],
)
def test_what_is_no_port_is_refused(settings: dict[str, Any], words: str) -> None:
    """When the client is built, and not in its first call."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncZiett(KEY, **settings)
    assert str(caught.value) == words
