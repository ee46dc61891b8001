"""What a client is built from: arguments first, then the environment, checked before any I/O."""

import ipaddress
import os
import re
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple, cast
from urllib.parse import urlsplit

from ziett_async import _validation as check
from ziett_async._sansio import Origin
from ziett_async._session import Defaults
from ziett_async._validation import Invalid
from ziett_async.errors import ConfigurationError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

#: The path of the API, which a base URL without a path means.
_API_PATH = "/c/v1"
PUBLIC_URL = f"https://api.ziett.co{_API_PATH}"
_HEADERS = (
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
    ("user-agent", "ziett-async"),
)

_PRINTABLE = r"[\x21-\x7e]+"
# Names that integrations of this API use; the first one that is not empty counts.
_REMITTER_IDS = ("ZIETT_REMITTER_ID", "ZIETT_DEFAULT_REMITTER_ID", "ZIETT_SMS_REMITTER_ID")
_RECIPIENTS = ("ZIETT_ALLOWED_RECIPIENTS", "ZIETT_TEST_ALLOWED_RECIPIENTS")


def read_origin(api_key: object, base_url: object) -> Origin:
    """Return the address and the account of the calls.

    Raises:
        ConfigurationError: a setting is missing or unusable.

    """
    key = os.environ.get("ZIETT_API_KEY") if api_key is None else api_key
    try:
        if wrong := _wrong_with(key):
            message = f"api_key: {wrong}"
            raise ConfigurationError(message)
        place, url = _argument_or_variable("base_url", base_url, "ZIETT_BASE_URL")
        origin_url = PUBLIC_URL if url is None else checked(place, _base_url, url)
        plain = str.__str__(cast("str", key))
        return Origin(origin_url, (("x-api-key", plain), *_HEADERS), plain)
    finally:
        # A traceback with local variables shows those of this frame, too.
        del api_key, key


def read_defaults(
    remitter_id: object,
    country: object,
    allowed_recipients: object,
    timeout: object = None,
) -> Defaults:
    """Return what the client fills in.

    Raises:
        ConfigurationError: a setting is unusable.

    """
    place, given = _argument_or_variable("default_remitter_id", remitter_id, *_REMITTER_IDS)
    remitter = None if given is None else checked(place, check.uuid, given)
    place, given = _argument_or_variable("default_country", country, "ZIETT_DEFAULT_COUNTRY")
    home = None if given is None else checked(place, check.home_country, given)
    place, given = _argument_or_variable("allowed_recipients", allowed_recipients, *_RECIPIENTS)
    if given is not allowed_recipients:
        given = checked(place, _listed, given)
    allowed = None if given is None else checked(place, _recipients, given, home)
    bound = None if timeout is None else checked("timeout", check.seconds, timeout)
    return Defaults(remitter, home, allowed, bound)


@contextmanager
def without_environment() -> Generator[None]:
    """Build clients from their arguments alone; the variables are back afterwards."""
    held = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("ZIETT_")}
    try:
        yield
    finally:
        os.environ.update(held)


def checked(place: str, rule: Callable[[*Ts], T], *args: *Ts) -> T:
    """Return what a rule makes of a setting.

    Raises:
        ConfigurationError: the rule refuses it; with its place.

    """
    try:
        return rule(*args)
    except Invalid as invalid:
        message = f"{place}: {invalid}"
        raise ConfigurationError(message) from None


def require_methods(name: str, given: object, *methods: str) -> None:
    """Refuse an object that lacks a method, and a class.

    Raises:
        ConfigurationError: it is one.

    """
    wrong = None
    if isinstance(given, type):
        wrong = f"must be an instance, got the class {given.__name__}"
    elif any(not callable(getattr(given, each, None)) for each in methods):
        wrong = f"must have {', '.join(methods)}, got {type(given).__name__}"
    if wrong:
        message = f"{name}: {wrong}"
        raise ConfigurationError(message)


def require_instance(name: str, given: object, kind: type) -> None:
    """Refuse an object of another class.

    Raises:
        ConfigurationError: it is one.

    """
    if not isinstance(given, kind):
        message = f"{name}: must be a {kind.__name__}, got {type(given).__name__}"
        raise ConfigurationError(message)


def _argument_or_variable(
    name: str, argument: object, *variables: str
) -> tuple[str, object | None]:
    """Return a setting, and what to call the place it comes from; None is not set anywhere.

    An empty variable counts as unset.
    """
    if argument is not None:
        return name, argument
    for each in variables:
        if value := os.environ.get(each):
            return f"{name} (from {each})", value
    return name, None


def _wrong_with(key: object) -> str | None:
    if key is None or key == "":
        return "missing; give it to AsyncZiett or set ZIETT_API_KEY"
    if not isinstance(key, str):
        return f"must be a string, got {type(key).__name__}"
    if not re.fullmatch(_PRINTABLE, key):
        return "must be printable ASCII without spaces; was a line end, or `Bearer`, copied along?"
    return None


def _base_url(given: object) -> str:
    try:
        parts = urlsplit(check.text(given))
        host, _ = parts.hostname, parts.port
    except ValueError:
        # Its text would show what stands in the place of the port: part of a password.
        raise Invalid(f"must be a URL like {PUBLIC_URL}") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise Invalid(f"must be an absolute https URL like {PUBLIC_URL}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise Invalid("must be https; http is for loopback only, the key would travel in clear")
    if parts.username is not None or parts.password is not None:
        raise Invalid("must not hold a user or password")
    url = parts.geturl()
    if "?" in url or "#" in url:
        raise Invalid("must not hold a query or fragment")
    if not re.fullmatch(_PRINTABLE, url):
        raise Invalid("must be ASCII without spaces; quote other characters")
    if parts.path.count(_API_PATH) > 1:
        raise Invalid(f"holds {_API_PATH} more than once; every request would be a 404")
    return url.rstrip("/") + ("" if parts.path.strip("/") else _API_PATH)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listed(variable: object) -> list[str]:
    """Return the numbers of an environment variable, which are separated by commas."""
    numbers = [each.strip() for each in str(variable).split(",") if each.strip()]
    if not numbers:
        # Neither all recipients nor none can be meant; an empty variable is as good as unset.
        raise Invalid("holds no number; list them with commas, or unset it to allow all")
    return numbers


def _recipients(given: object, country: str | None) -> frozenset[str]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise Invalid(f"must be a collection of numbers, got {type(given).__name__}")
    try:
        return frozenset(
            check.phone_number(each, country) for each in cast("Iterable[object]", given)
        )
    except Invalid as invalid:
        raise Invalid(f"one of them {invalid}") from None
