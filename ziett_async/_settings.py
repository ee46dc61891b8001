"""What a client is built from: arguments first, then the environment, checked before any I/O."""

import ipaddress
import os
import re
from collections.abc import Collection
from urllib.parse import urlsplit
from uuid import UUID

from ziett_async import _checks as check
from ziett_async._checks import Refused
from ziett_async._numbers import COUNTRIES
from ziett_async._sansio import Origin
from ziett_async.api._room import Defaults
from ziett_async.errors import ConfigurationError

PUBLIC_URL = "https://api.ziett.co/c/v1"
_HEADERS = (
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
    ("user-agent", "ziett-async"),
)

_KEY = re.compile(r"[\x21-\x7e]+")


def read_origin(api_key: object, base_url: object) -> Origin:
    """Return where calls go and as whom; raises `ConfigurationError`."""
    key = os.environ.get("ZIETT_API_KEY") if api_key is None else api_key
    try:
        if wrong := _wrong_with(key):
            message = f"api_key: {wrong}"
            raise ConfigurationError(message)
        url = os.environ.get("ZIETT_BASE_URL") or PUBLIC_URL if base_url is None else base_url
        return Origin(_checked_url(url), (("x-api-key", str(key)), *_HEADERS), str(key))
    finally:
        # A traceback with local variables shows those of this frame, too.
        del api_key, key


def read_defaults(
    remitter_id: UUID | str | None,
    country: str | None,
    allowed_recipients: Collection[str] | None,
) -> Defaults:
    """Return what the client fills in; raises `ConfigurationError`."""
    given = remitter_id or os.environ.get("ZIETT_REMITTER_ID") or None
    if country is not None and country not in COUNTRIES:
        message = f"default_country: must be one of {', '.join(COUNTRIES)}, got {country!r}"
        raise ConfigurationError(message)
    try:
        remitter = None if given is None else check.uuid(given)
    except Refused as refused:
        message = f"default_remitter_id (or ZIETT_REMITTER_ID): {refused}"
        raise ConfigurationError(message) from None
    allowed = None if allowed_recipients is None else _allowed(allowed_recipients, country)
    return Defaults(remitter, country, allowed)


def check_port(name: str, given: object, *methods: str) -> None:
    """Refuse an object that lacks a method; raises `ConfigurationError`."""
    if missing := [each for each in methods if not callable(getattr(given, each, None))]:
        message = f"{name}: must have {', '.join(missing)}, got {type(given).__name__}"
        raise ConfigurationError(message)


def _wrong_with(key: object) -> str | None:
    if not key:
        return "missing; give it to AsyncZiett or set ZIETT_API_KEY"
    if not isinstance(key, str):
        return f"must be a string, got {type(key).__name__}"
    if not _KEY.fullmatch(key):
        return "must be printable ASCII without spaces; was a line end, or `Bearer`, copied along?"
    return None


def _checked_url(url: object) -> str:
    try:
        parts = urlsplit(check.text(url))
        host, _ = parts.hostname, parts.port
    except ValueError:
        # Its words would show what stands where the port should be: part of a password.
        message = f"base_url: must be a URL like {PUBLIC_URL}"
        raise ConfigurationError(message) from None
    if parts.scheme not in {"https", "http"} or not host:
        wrong = f"must be an absolute https URL like {PUBLIC_URL}"
    elif parts.scheme == "http" and not _is_loopback(host):
        wrong = "must be https; http is for loopback only, the key would travel in clear"
    elif parts.username is not None or parts.password is not None:
        wrong = "must not hold a user or password"
    elif "?" in parts.geturl() or "#" in parts.geturl():
        wrong = "must not hold a query or fragment"
    elif not re.fullmatch(r"[\x21-\x7e]+", parts.geturl()):
        wrong = "must be ASCII without spaces; quote other characters"
    else:
        return parts.geturl().rstrip("/")
    message = f"base_url: {wrong}"
    raise ConfigurationError(message)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _allowed(recipients: Collection[str], country: str | None) -> frozenset[str]:
    if isinstance(recipients, str):
        message = "allowed_recipients: must be a collection of numbers, not one string"
        raise ConfigurationError(message)
    try:
        return frozenset(check.number(each, country) for each in recipients)
    except Refused as refused:
        message = f"allowed_recipients: one of them {refused}"
        raise ConfigurationError(message) from None
