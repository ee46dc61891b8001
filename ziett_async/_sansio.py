"""A call to bytes, and bytes to a result or an error: pure, no I/O, no clock.

A response is one of three things: a result; a refusal or failure, a `Problem`; or unusable,
an `Undecodable`, which leaves open what the server did.
"""

import re
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from types import NoneType
from typing import Any, TypeVar, cast
from urllib.parse import quote_plus

import attrs

from ziett_async._codec import Undecodable, decode, encode, structure
from ziett_async._mask import Mask
from ziett_async._operation import Call
from ziett_async._repr import Value
from ziett_async._wire import Headers, Request, Response
from ziett_async.errors import InvalidRequest
from ziett_async.models import CallInfo, ErrorCode
from ziett_async.models._problem import Problem

T = TypeVar("T")


_JSON = ("content-type", "application/json")
#: The result of an operation that has none.
_NO_RESULT = (None, NoneType)
# Patterns that a send does not need are compiled when they are first matched.
_SECONDS = r"[0-9]{1,18}(\.[0-9]{1,18})?"
#: Codes and trace ids: `VALIDATION_ERROR`.
_LOG_SAFE_ID = r"[a-zA-Z0-9_.:/\[\]=-]{1,128}"
#: In a query: `99009`.
_NUMBER_FRAGMENT = r"\+?[\d\s.()-]{5,}"
#: The most characters of a server's text, and the most fields, that an error keeps.
_MAX_TEXT, _MAX_FIELDS = 1000, 100
#: The most characters that are masked for that: masking a megabyte takes seconds.
_MAX_SCANNED = 4 * _MAX_TEXT


@attrs.frozen(eq=False, repr=False)
class Origin(Value):
    """The service's address, and the account that the calls belong to."""

    #: `https://api.ziett.co/c/v1`, without a trailing slash.
    base_url: str
    #: The API key's header, and the others that never change.
    headers: Headers = attrs.field(repr=False)
    #: Identifies the account whose limits the calls count against.
    api_key: str = attrs.field(repr=False)


def to_request(
    call: Call[object], origin: Origin, idempotency_key: str | None, timeout: float
) -> Request:
    """Encode a call, once: every attempt sends these bytes.

    Raises:
        InvalidRequest: the query cannot be written in a URL, or the body not in JSON.

    """
    url = origin.base_url + call.path
    if call.query:
        try:
            # Not `urlencode`, which sends None as `None`.
            pairs = [f"{quote_plus(name)}={quote_plus(value)}" for name, value in call.query]
        except (TypeError, ValueError):
            fields = {"query": "must be pairs of strings, without halves of surrogate pairs"}
            raise InvalidRequest(call.operation.name, fields) from None
        url = f"{url}?{'&'.join(pairs)}"
    headers, body = origin.headers, b""
    if call.body is not None:
        try:
            headers, body = (*headers, _JSON), encode(call.body)
        except (TypeError, ValueError, RecursionError):
            fields = {"body": "must be JSON: objects, arrays, strings, finite numbers, booleans"}
            raise InvalidRequest(call.operation.name, fields) from None
    if idempotency_key is not None:
        headers = (*headers, ("idempotency-key", idempotency_key))
    return Request(call.operation.method, url, headers, body, timeout)


def to_result(call: Call[T], response: Response, info: CallInfo, key: str | None) -> T:
    """Return the result in a successful answer, with the facts of its call.

    An operation without a result accepts any success with no body, such as a 204, or with any
    JSON object; a proxy's page is neither.

    Raises:
        Undecodable: the response is not what the operation returns.

    """
    kind: Any = call.operation.result
    if kind in _NO_RESULT:
        if response.body:
            _json_object(response)
        return cast("T", None)
    payload = _json_object(response)
    if "trace_id" in payload and (trace := _log_safe_id(payload, "trace_id", _mask(call))):
        info = attrs.evolve(info, trace_id=trace)
    for name in _call_fields(kind):
        payload[name] = info if name == "call" else key
    result: T = structure(payload, kind)
    return result


@cache
def _call_fields(result: Hashable) -> frozenset[str]:
    """Return which facts of its call a result has fields for; else such a key is the server's."""
    kind = cast("type[Any]", result)
    names = {each.name for each in attrs.fields(kind)} if attrs.has(kind) else set[str]()
    return frozenset(names & {"call", "idempotency_key"})


def to_problem(call: Call[object], response: Response, now: float) -> Problem:
    """Return the content of a response outside 2xx, as far as it has any.

    Proxies answer with pages, and codes are added at any time, so nothing in a body is
    relied on: a field of the error object that is absent or of the wrong type is left out.
    `now` is seconds since 1970.
    """
    try:
        body = _json_object(response)
    except Undecodable:
        body = {}
    mask = _mask(call)
    message, fields = _text(body, "message"), body.get("fields")
    return Problem(
        status=response.status,
        code=_code(body, mask),
        message=_log_safe_text(message or _describe_body(response), mask),
        trace_id=_log_safe_id(body, "trace_id", mask),
        timestamp=_timestamp(_text(body, "timestamp") or ""),
        service=_log_safe_id(body, "service", mask),
        fields=_field_messages(cast("dict[str, object]", fields), call.body, mask)
        if isinstance(fields, dict)
        else {},
        retry_after=retry_after(response, now),
    )


def _mask(call: Call[object]) -> Mask:
    """Return the mask of a request: of its body, and of numbers that a list was searched for."""
    searched = [value for _, value in call.query if re.fullmatch(_NUMBER_FRAGMENT, value)]
    return Mask([call.body, searched])


def _field_messages(fields: Mapping[str, object], body: object, mask: Mask) -> dict[str, str]:
    """Return what is wrong with which field; the body's own names may be shown."""
    own = cast("Mapping[str, object]", body).keys() if isinstance(body, Mapping) else ()
    return {
        name if re.split(r"[.\[]", name)[0] in own else _log_safe_text(name, mask): _log_safe_text(
            str(why), mask
        )
        for name, why in islice(fields.items(), _MAX_FIELDS)
    }


def retry_after(response: Response, now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for: digits, decimals or an HTTP date.

    A date is compared with the answer's own `Date`, so that a wrong clock here does not matter,
    and only without one with `now`, seconds since 1970. Junk and dates in the past count as
    absent.
    """
    value = (response.header("retry-after") or "").strip()
    if re.fullmatch(_SECONDS, value):
        return float(value)
    then = _http_date(value)
    since = _http_date(response.header("date") or "") or now
    return None if then is None or then < since else then - since


def _json_object(response: Response) -> dict[str, object]:
    try:
        payload = decode(response.body)
    except Undecodable:
        if (response.header("content-encoding") or "identity").lower() != "identity":
            message = "the body has a content encoding, which was not asked for"
            raise Undecodable(message) from None
        raise
    if not isinstance(payload, dict):
        message = "the body is JSON, but not an object"
        raise Undecodable(message)
    return cast("dict[str, object]", payload)


def _http_date(value: str) -> float | None:
    # Most answers have no date to read, and `email` is expensive to import.
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    try:
        moment = parsedate_to_datetime(value)
        # The older of the forms (RFC 9110, 5.6.7) names no zone; all are GMT.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _text(body: Mapping[str, object], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) else None


def _code(body: Mapping[str, object], mask: Mask) -> ErrorCode | None:
    """Return the code; a documented one is no secret, whatever the request held."""
    text = _text(body, "code")
    if text not in ErrorCode.__members__:
        text = _log_safe_id(body, "code", mask)
    return ErrorCode(text) if text else None


def _log_safe_id(body: Mapping[str, object], name: str, mask: Mask) -> str | None:
    """Return a code or an id, which goes into logs; what does not look like one is left out."""
    text = _text(body, name)
    if not text or not re.fullmatch(_LOG_SAFE_ID, text):
        return None
    return text if mask(text) == text else None


def _log_safe_text(text: str, mask: Mask) -> str:
    """Return a text from the server: masked, in one printable line, cut to length."""
    line = "".join(each for each in mask(text[:_MAX_SCANNED]) if each.isprintable())
    return line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]}..."


def _describe_body(response: Response) -> str:
    kind = response.header("content-type") or "unknown type"
    return f"no error object, but {len(response.body)} bytes of {kind}"


def _timestamp(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
