"""Which operation a method and path belong to, and which handler serves it."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.endpoints.campaigns import get_campaign, list_campaigns, send_batch_campaign
from ziett_async._fake.endpoints.messages import (
    get_message,
    list_campaign_messages,
    list_messages,
    send_message,
)
from ziett_async._fake.operations import OPERATIONS, Operation
from ziett_async._fake.request import BASE_PATH, Handler, IncomingRequest, MatchedRequest
from ziett_async._fake.responses import Refusal

#: The handler of each operation, by the operation's name.
HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "send_message": send_message,
        "list_messages": list_messages,
        "get_message": get_message,
        "send_batch_campaign": send_batch_campaign,
        "list_campaigns": list_campaigns,
        "get_campaign": get_campaign,
        "list_campaign_messages": list_campaign_messages,
    }
)
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_PATTERNS = [
    (operation, re.compile(_PATH_PARAMETER.sub(r"(?P<\1>[^/]*)", operation.path)))
    for operation in OPERATIONS.values()
]


def match(incoming: IncomingRequest, dialect: Dialect) -> MatchedRequest | None:
    """Return the request with its operation, or None; HEAD is matched as GET."""
    method = "GET" if incoming.method == "HEAD" else incoming.method
    for operation, path_parameters in _operations_at(incoming.path):
        if operation.method == method:
            return MatchedRequest(
                incoming=incoming,
                operation=_in_dialect(operation, dialect),
                path_parameters=path_parameters,
            )
    return None


def no_match(incoming: IncomingRequest, dialect: Dialect) -> Refusal:
    """Return the refusal of a request without an operation: 405 if its path has one, else 404."""
    methods = {operation.method for operation, _ in _operations_at(incoming.path)}
    if not methods:
        return Refusal(404, _no_such_path(incoming.path), code=dialect.not_found)
    allowed = sorted(methods | {"HEAD"} if "GET" in methods else methods)
    return Refusal(405, "Method not allowed", headers=(("allow", ", ".join(allowed)),))


def _operations_at(path: str) -> Sequence[tuple[Operation, Mapping[str, str]]]:
    matches = ((operation, pattern.fullmatch(path)) for operation, pattern in _PATTERNS)
    return [(operation, found.groupdict()) for operation, found in matches if found]


def _in_dialect(operation: Operation, dialect: Dialect) -> Operation:
    """Return the operation with the bucket that it counts against in this dialect."""
    if operation.name in {"list_campaigns", "list_campaign_messages"}:
        return attrs.evolve(operation, bucket=dialect.campaign_lists)
    return operation


def _no_such_path(path: str) -> str:
    if path.startswith(f"{BASE_PATH}/"):
        return f"No such path: {BASE_PATH} is in it twice, from the base URL and from the program"
    return "No such path"
