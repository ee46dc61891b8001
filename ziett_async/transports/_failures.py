"""Why an attempt got no answer, and whether the server may have seen it."""

import re

from ziett_async._wire import SendFailed

#: The first line of an answer, with the status. Compiled with the first match: few calls fail so.
_STATUS = rb"HTTP/1\.[01] ([2-5][0-9]{2})[ \r\n]"
#: What errors of httpx, of its fork and of aiohttp mean once sending has begun.
_REASONS = {
    "ReadError": "the connection broke before an answer came",
    "ClientOSError": "the connection broke before an answer came",
    "RemoteProtocolError": "the connection was closed before an answer came, or it is not HTTP",
    "ServerDisconnectedError": "the connection was closed before an answer came",
    "ClientResponseError": "the answer is not HTTP",
    "WriteError": "the connection broke while the request was sent",
}


def cut_in_body(status: int) -> SendFailed:
    """Return the failure of an attempt whose answer broke off in its body."""
    reason = "the connection broke before the answer was complete"
    return SendFailed(reason, reached=True, status=status)


def too_long(status: int, max_bytes: int) -> SendFailed:
    """Return the failure of an attempt whose answer has more than `max_bytes` of body."""
    return SendFailed(f"the answer is longer than {max_bytes} bytes", reached=True, status=status)


def unsendable(*, reached: bool) -> SendFailed:
    """Return the failure of a request that the library does not put into HTTP."""
    return SendFailed("the address or a header cannot be sent", reached)


def not_connected(error: BaseException, host: str, *, timed_out: bool) -> SendFailed:
    """Return the failure of an attempt that got no connection; `error` is the library's."""
    # The text of an error may quote an answer, but not before there can be one.
    late = " in time" if timed_out else ""
    reason = f"no connection{late} to {host}: {_first_reason(error)}"
    return SendFailed(reason, reached=False, timed_out=timed_out)


def without_answer(error: BaseException, unread: bytes, *, timed_out: bool = False) -> SendFailed:
    """Return the failure of an attempt with no answer, or only a part of an answer's head.

    `error` is the library's, and `unread` is what has come of the head.
    """
    if begun := re.match(_STATUS, unread):
        reason = "the answer was cut in its headers, or there is no end to them"
        return SendFailed(reason, reached=True, status=int(begun[1]))
    name = type(error).__name__
    return SendFailed(_REASONS.get(name, name), reached=True, timed_out=timed_out)


def _first_reason(error: BaseException | None) -> str:
    """Return the first text in a chain of errors: trio's own has none, its cause has."""
    if error is None:
        return "no reason given"
    return str(error) or _first_reason(error.__cause__ or error.__context__)
