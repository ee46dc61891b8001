"""Requests and faults as JSON documents."""

from datetime import UTC, datetime

from ziett_async._fake.faults import Ending, Fault
from ziett_async._fake.responses import Document
from ziett_async._wire import Response
from ziett_async.emulator.control.request_log import Entry

_KEY_SUFFIX = 4


def request_view(entry: Entry) -> Document:
    """Return a request and its response."""
    exchange, request, facts = entry.exchange, entry.request, entry.facts
    arrival = exchange.arrival
    headers = {name.lower(): value for name, value in request.headers}
    is_stalled = exchange.ending is Ending.STALLED
    return {
        "number": entry.number,
        "at": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="microseconds"),
        "method": request.method,
        "path": request.url,
        "operation": arrival.operation if arrival else None,
        "bucket": arrival.bucket if arrival else None,
        "to": facts.to,
        "recipients": facts.recipients,
        "message_id": facts.message_id,
        "campaign_id": facts.campaign_id,
        "api_key": masked(headers.get("x-api-key", "")),
        "idempotency_key": headers.get("idempotency-key"),
        "body": _text(request.body),
        "body_is_cut": entry.is_cut,
        "executed": exchange.executed,
        "replayed": bool(arrival and arrival.replayed),
        "ending": exchange.ending.value,
        "delay": None if is_stalled else exchange.delay,
        # From the arrival of the request to the end of its answer.
        "seconds": None if is_stalled else round(entry.seconds, 6),
        "answer": _answer(exchange.response),
        # The status of the service's answer, where a proxy answered in its place.
        "service_status": arrival.status if arrival else None,
    }


def fault_view(fault: Fault) -> Document:
    """Return a pending fault."""
    return {"label": fault.label, "operation": fault.operation}


def masked(api_key: str) -> str:
    """Return enough of a key to recognise it, and too little to use it."""
    shown = api_key[-_KEY_SUFFIX:] if len(api_key) > 3 * _KEY_SUFFIX else ""
    return f"{api_key[:8]}…{shown}" if api_key else ""


def _answer(response: Response | None) -> Document | None:
    if response is None:
        return None
    headers = [list(pair) for pair in response.headers]
    return {"status": response.status, "headers": headers, "body": _text(response.body)}


def _text(body: bytes) -> str:
    return body.decode(errors="replace")
