"""The API's endpoints: which path and method is which, what it needs, what it counts as."""

import re
from collections.abc import Mapping, Sequence

import attrs

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.endpoints.campaigns import get_campaign, list_campaigns, send_batch_campaign
from ziett_async._fake.endpoints.messages import (
    get_message,
    list_campaign_messages,
    list_messages,
    send_message,
)
from ziett_async._fake.request import Handler
from ziett_async._fake.responses import Refusal

_BASE = "/c/v1"
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@attrs.frozen
class Route:
    """An endpoint as the server knows it."""

    #: The operation's name, as the client has it.
    name: str
    method: str
    #: Relative to the base URL, with names in braces.
    path: str
    #: The scope that a key needs.
    scope: str
    bucket: str
    handler: Handler


_ROUTES = (
    Route("send_message", "POST", "/messages", "apikey:messages:send", "send", send_message),
    Route("list_messages", "GET", "/messages", "apikey:messages:list", "list", list_messages),
    Route(
        "get_message", "GET", "/messages/{message_id}", "apikey:messages:read", "read", get_message
    ),
    Route(
        "send_batch_campaign",
        "POST",
        "/campaigns/batch",
        "apikey:campaign:send",
        "batch",
        send_batch_campaign,
    ),
    Route("list_campaigns", "GET", "/campaigns", "apikey:campaign:read", "list", list_campaigns),
    Route(
        "get_campaign",
        "GET",
        "/campaigns/{campaign_id}",
        "apikey:campaign:read",
        "read",
        get_campaign,
    ),
    Route(
        "list_campaign_messages",
        "GET",
        "/campaigns/{campaign_id}/messages",
        "apikey:campaign:read",
        "list",
        list_campaign_messages,
    ),
)
_PATTERNS = [
    (route, re.compile(_PATH_PARAMETER.sub(r"(?P<\1>[^/]*)", route.path))) for route in _ROUTES
]
#: The names of the operations.
OPERATIONS = tuple(route.name for route in _ROUTES)
#: Every scope that an endpoint here asks for.
SCOPES = frozenset(route.scope for route in _ROUTES)


def split(url: str) -> tuple[str, str]:
    """Return the path after the base path, and the query; no base path, no path."""
    address, _, query = url.partition("?")
    _, base, path = address.partition(_BASE)
    return (path if base else ""), query


def _missing(path: str) -> str:
    if path.startswith(f"{_BASE}/"):
        return f"No such path: {_BASE} is in it twice, from the base URL and from the program"
    return "No such path"


def find(method: str, path: str, dialect: Dialect) -> tuple[Route, Mapping[str, str]]:
    """Return a route and its path parameters; no such path is a 404 or 405."""
    wanted = "GET" if method == "HEAD" else method
    found = _at(path)
    for route, parameters in found:
        if route.method == wanted:
            return _counted(route, dialect), parameters
    if not found:
        raise Refusal(404, _missing(path), code=dialect.not_found)
    methods = {route.method for route, _ in found}
    allowed = sorted(methods | {"HEAD"} if "GET" in methods else methods)
    raise Refusal(405, "Method not allowed", headers=(("allow", ", ".join(allowed)),))


def _at(path: str) -> Sequence[tuple[Route, Mapping[str, str]]]:
    matches = ((route, pattern.fullmatch(path)) for route, pattern in _PATTERNS)
    return [(route, match.groupdict()) for route, match in matches if match]


def _counted(route: Route, dialect: Dialect) -> Route:
    """Return the route with the bucket that the dialect counts it in."""
    if route.name in {"list_campaigns", "list_campaign_messages"}:
        return attrs.evolve(route, bucket=dialect.campaign_lists)
    return route
