"""RequestFacts: whom a request was for, and which message or campaign it made or read."""

import json
from collections.abc import Mapping
from typing import cast

import attrs

from ziett_async._fake.faults import Exchange
from ziett_async._wire import Request

Document = Mapping[str, object]

#: Characters of a recipient or an id that are kept.
_MAX_TEXT = 100


@attrs.frozen(kw_only=True)
class RequestFacts:
    """What the list of requests shows of one; None where a request has no such thing."""

    #: The recipient of a send, as the program wrote it; at most 100 characters.
    to: str | None
    #: How many recipients a campaign has.
    recipients: int | None
    message_id: str | None
    campaign_id: str | None

    @classmethod
    def of(cls, request: Request, exchange: Exchange) -> "RequestFacts":
        """Read them from a whole request and from the answer of the service, if it was one."""
        asked = _object(request.body)
        response = exchange.response
        answered = _object(response.body if response and response.status < 300 else b"")
        recipients = asked.get("recipients")
        return cls(
            to=_text(asked.get("target_e164")),
            recipients=len(cast("list[object]", recipients))
            if isinstance(recipients, list)
            else None,
            message_id=_text(answered.get("message_id")) or _id_in(request, "messages"),
            campaign_id=_text(answered.get("campaign_id")) or _id_in(request, "campaigns"),
        )


def _id_in(request: Request, resource: str) -> str | None:
    """Return the id of a resource in the path of a read."""
    _, _, rest = request.url.partition("?")[0].partition(f"/{resource}/")
    return rest.partition("/")[0] or None if request.method == "GET" else None


def _text(value: object) -> str | None:
    """Return the beginning of a string; JSON can hold lone surrogates, which have no encoding."""
    return value[:_MAX_TEXT].encode(errors="replace").decode() if isinstance(value, str) else None


def _object(body: bytes) -> Document:
    """Return the JSON object in a body; an empty one for anything else."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("Document", document) if isinstance(document, dict) else {}
