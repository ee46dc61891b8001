"""The API's operations as data: name, method, path, scope and bucket, without handlers."""

from collections.abc import Mapping
from types import MappingProxyType

import attrs


@attrs.frozen
class Operation:
    """One operation of the API, as the server defines it."""

    #: `send_message`, as the client names it too.
    name: str
    method: str
    #: Relative to the base URL, with path parameters in braces: `/messages/{message_id}`.
    path: str
    #: The scope that an API key needs.
    scope: str
    #: The rate limit that it counts against: `send`, `list`, `read` or `batch`.
    bucket: str


#: Every operation, by its name.
OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        name: Operation(name, method, path, f"apikey:{scope}", bucket)
        for name, method, path, scope, bucket in (
            ("send_message", "POST", "/messages", "messages:send", "send"),
            ("list_messages", "GET", "/messages", "messages:list", "list"),
            ("get_message", "GET", "/messages/{message_id}", "messages:read", "read"),
            ("send_batch_campaign", "POST", "/campaigns/batch", "campaign:send", "batch"),
            ("list_campaigns", "GET", "/campaigns", "campaign:read", "list"),
            ("get_campaign", "GET", "/campaigns/{campaign_id}", "campaign:read", "read"),
            (
                "list_campaign_messages",
                "GET",
                "/campaigns/{campaign_id}/messages",
                "campaign:read",
                "list",
            ),
        )
    }
)
#: Every scope that an operation needs.
SCOPES = frozenset(operation.scope for operation in OPERATIONS.values())
