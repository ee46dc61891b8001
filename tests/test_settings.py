"""What a client is built from, refused before any I/O when it cannot work."""

import os
from typing import Any
from uuid import UUID

import pytest

from ziett_async import AsyncZiett
from ziett_async._settings import PUBLIC_URL, read_defaults, read_origin
from ziett_async.errors import ConfigurationError

ID = "019b4b56-e704-7c30-83a0-527df63c3e00"
KEY = "zk_live_51H8"
SECRET = "s3cret"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with an environment that says nothing."""
    for name in [each for each in os.environ if each.startswith("ZIETT_")]:
        monkeypatch.delenv(name)


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
    given = read_origin(KEY, "https://example.com")
    assert given.headers[0] == ("x-api-key", KEY)
    assert given.base_url == "https://example.com"
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
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com/c/v1///", "https://example.com/c/v1"),
        ("https://example.com:8443/c/v1", "https://example.com:8443/c/v1"),
        ("HTTPS://example.com", "https://example.com"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443"),
        ("https://xn--exmple-cua.com/%C3%A9", "https://xn--exmple-cua.com/%C3%A9"),
        ("http://localhost", "http://localhost"),
        ("http://LOCALHOST:8420/c/v1/", "http://LOCALHOST:8420/c/v1"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.0.0.1:8420", "http://127.0.0.1:8420"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]", "http://[::1]"),
        ("http://[::1]:8420/c/v1", "http://[::1]:8420/c/v1"),
    ],
)
def test_https_and_loopback_are_addresses(url: str, read: str) -> None:
    """Any host over https, this machine over http; a slash at the end does not count."""
    assert read_origin(KEY, url).base_url == read


HTTPS_ONLY = "base_url: must be https; http is for loopback only, the key would travel in clear"
ABSOLUTE = f"base_url: must be an absolute https URL like {PUBLIC_URL}"
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
    assert refused() == HTTPS_ONLY


def test_defaults_are_kept_in_their_form_on_the_wire() -> None:
    """A sender is a UUID, allowed numbers are E.164, whatever form they are given in."""
    defaults = read_defaults(ID.upper(), "AO", ["923 456 789", "+351 912 345 678"])
    assert defaults.remitter_id == ID
    assert defaults.country == "AO"
    assert defaults.allowed_recipients == {"+244923456789", "+351912345678"}


def test_an_empty_list_allows_nobody() -> None:
    """A list without numbers is not the same as no list."""
    assert read_defaults(None, None, []).allowed_recipients == frozenset()
    assert read_defaults(None, None, None).allowed_recipients is None


@pytest.mark.parametrize(
    ("remitter_id", "country", "allowed", "words"),
    [
        ("x", None, None, "default_remitter_id (or ZIETT_REMITTER_ID): must be a UUID like "),
        (7, None, None, "default_remitter_id (or ZIETT_REMITTER_ID): must be a UUID or its string"),
        (None, "US", None, "default_country: must be one of AO, BR, CV, GW, MZ, PT, ST, got 'US'"),
        (None, "ao", None, "default_country: must be one of"),
        (None, "", None, "default_country: must be one of"),
        (None, None, "+244923456789", "allowed_recipients: must be a collection of numbers"),
        (None, None, ["923456789"], "allowed_recipients: one of them must be E.164"),
        (None, "AO", ["+244923456789", "9"], "allowed_recipients: one of them is neither E.164"),
        (None, None, [7], "allowed_recipients: one of them must be a string, got int"),
        (None, None, [""], "allowed_recipients: one of them is required"),
    ],
)
def test_defaults_that_cannot_be_used_are_refused(
    remitter_id: str | None, country: str | None, allowed: list[str] | None, words: str
) -> None:
    """What every call would stumble over is said once, when the client is built."""
    with pytest.raises(ConfigurationError) as caught:
        read_defaults(remitter_id, country, allowed)
    assert str(caught.value).startswith(words)
    assert "923456789" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_environments_sender_is_checked_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender from `ZIETT_REMITTER_ID` has to be a UUID too."""
    monkeypatch.setenv("ZIETT_REMITTER_ID", "ZIETT")
    with pytest.raises(ConfigurationError, match="ZIETT_REMITTER_ID"):
        read_defaults(None, None, None)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"retry": 3}, "retry: must have wait, backoff, got int"),
        ({"limiter": "x"}, "limiter: must have acquire, pause, got str"),
        ({"transport": "x"}, "transport: must have send, aclose, got str"),
    ],
)
def test_what_is_no_port_is_refused(settings: dict[str, Any], words: str) -> None:
    """When the client is built, and not in its first call."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncZiett(KEY, **settings)
    assert str(caught.value) == words
