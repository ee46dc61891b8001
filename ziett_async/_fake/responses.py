"""Responses as bytes: JSON documents, and the error object of every refusal."""

import json
from collections.abc import Iterable, Mapping

import attrs

from ziett_async._wire import Headers, Response

Document = Mapping[str, object]

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_JSON: Headers = (("content-type", "application/json"),)

#: The codes of the API page, Errors, and the fake's own for statuses that it does not list.
CODES: Mapping[int, str] = {
    401: "AUTH_INVALID_API_KEY",
    402: "BILLING_INSUFFICIENT_FUNDS",
    403: "AUTH_INVALID_SCOPE",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
}
#: The documented messages, verbatim.
_MESSAGES: Mapping[int, str] = {
    401: "The provided API key is invalid or has been revoked.",
    422: "One or more fields failed validation.",
    500: "An unexpected error occurred. Please retry after a short delay.",
}
#: The documented messages of `fields`, verbatim.
REQUIRED = "This field is required and cannot be empty."
INVALID_NUMBER = "Must be a valid E.164 formatted phone number (e.g., +244990090990)."
INVALID_TIMESTAMP = "Value must conform to a valid ISO 8601 date-time format structure."


@attrs.define(eq=False, slots=False)
class Refusal(Exception):
    """A request is refused; raised anywhere in the service, turned into a response in one place."""

    status: int
    #: By default the documented message.
    message: str = ""
    code: str = ""
    fields: Mapping[str, str] | None = None
    headers: Headers = ()
    service: str = "core"


def invalid(fields: Mapping[str, str]) -> Refusal:
    """Return the 422 for invalid fields."""
    return Refusal(422, fields=fields)


def accepted_values(choices: Iterable[str]) -> str:
    """Return the documented message for a value that is not one of the choices."""
    return f"Accepted values are: {', '.join(choices)}."


def json_response(status: int, document: Document) -> Response:
    """Return a response with a JSON document."""
    return Response(status, _JSON, _ENCODER.encode(document).encode())


def proxy_response(status: int, headers: Headers = (), body: bytes | None = None) -> Response:
    """Return the response of a proxy in front of the service, by default a page of HTML."""
    page = f"<html><body><h1>{status}</h1></body></html>".encode() if body is None else body
    return Response(status, (("content-type", "text/html"), *headers), page)


def error_response(refusal: Refusal, trace_id: str, timestamp: str) -> Response:
    """Return the response to a refused request: the error object (API page, Errors)."""
    message = _MESSAGES.get(refusal.status, f"The service answered {refusal.status}")
    document: dict[str, object] = {
        "code": refusal.code or CODES.get(refusal.status, f"HTTP_{refusal.status}"),
        "message": refusal.message or message,
        "status": refusal.status,
        "trace_id": trace_id,
        "timestamp": timestamp,
        "service": refusal.service,
    }
    if refusal.fields is not None:
        document["fields"] = dict(refusal.fields)
    response = json_response(refusal.status, document)
    return attrs.evolve(response, headers=response.headers + refusal.headers)
