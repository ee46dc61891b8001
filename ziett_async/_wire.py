"""Request and Response: what crosses a transport, as plain values of bytes and text."""

from typing import NoReturn

import attrs

Headers = tuple[tuple[str, str], ...]


class SendFailed(Exception):
    """What a transport raises when it has no answer to give.

    `reached` is the one thing that only the transport can know: `False` when the server
    certainly saw nothing it could act on (refused, no such host, TLS failed), `True`
    whenever it may have. When in doubt it is `True`. `reason` is shown
    in errors and logs, so it never holds a header, a body or a query. `status` is that of
    an answer that began but was not complete.
    """

    # Positional, so that it pickles.
    def __init__(
        self,
        reason: str,
        reached: bool,  # noqa: FBT001
        timed_out: bool = False,  # noqa: FBT001, FBT002
        status: int | None = None,
    ) -> None:
        super().__init__(reason, reached, timed_out, status)
        self.reason = reason
        self.reached = reached
        self.timed_out = timed_out
        self.status = status

    def __str__(self) -> str:
        return self.reason


class Undecodable(ValueError):
    """Bytes that are not JSON, or JSON that does not match its model."""


class _Confidential:
    """Holds the API key or personal data, so it cannot be pickled."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        message = f"{type(self).__name__} is not picklable: it holds confidential data"
        raise TypeError(message)


@attrs.frozen(repr=False)
class Request(_Confidential):
    """One attempt: everything a transport needs, and nothing it has to decide."""

    #: `GET`, `POST`, `PATCH` or `DELETE`.
    method: str
    #: Absolute, already quoted: `https://api.ziett.co/c/v1/messages?status=SENT`.
    url: str
    #: Lower-case names, printable ASCII values; the key is among them.
    headers: Headers
    #: The encoded body; `b""` where there is none.
    body: bytes = b""
    #: Seconds for the whole attempt, from connecting to the last byte of the answer;
    #: None waits as long as it takes.
    timeout: float | None = None

    def __repr__(self) -> str:
        path = self.url.partition("?")[0]
        return f"<Request {self.method} {path}, {len(self.body)} bytes>"


@attrs.frozen(repr=False)
class Response(_Confidential):
    """A complete answer: a transport that could not read all of it raises instead."""

    #: The HTTP status, 100 to 599.
    status: int
    #: As received, in order; a name may repeat.
    headers: Headers
    #: The body's bytes, as sent: no content encoding has been undone.
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever the case of its name."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"
