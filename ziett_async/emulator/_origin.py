"""Which requests the emulator answers: those of programs and of its own page.

It listens on loopback by default, yet a page of any site, open in a browser on this machine, can
make that browser send requests here: simple ones (an image, a form, `fetch` with `no-cors`) at
once, any other after DNS rebinding, when the page's own name resolves to this machine. The page
cannot read the response to a simple one, but the request would use up a fault and fill the request
log.

So names that public DNS can resolve are always refused. Names that only a network hands out
(`ziett`, `host.docker.internal`) are refused on loopback, which that network does not reach, and
served where the emulator listens on the network anyway.

Two headers identify such requests, and a page cannot set them: `Host`, the name requested, and
`Sec-Fetch-Site`, how the page's origin relates to that name. Browsers before 2023 do not send the
latter, and none sends it over http to an address other than loopback; they send at least `Origin`
with everything but images, scripts and links.
"""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import attrs

from ziett_async._fake.responses import Refusal
from ziett_async._wire import Request

#: The last labels of names that public DNS does not have (RFC 6761, RFC 6762, ICANN).
_LOCAL_DOMAINS = {"internal", "local", "localhost", "test"}


def check_sender(request: Request, *, on_loopback: bool = True) -> None:
    """Refuse the requests of pages of other origins; their links to the inbox are allowed."""
    _check_host(request, _LOOPBACK if on_loopback else _NETWORK)
    if request.url.partition("?")[0] != "/":
        _check_origin(request)


def check_type(request: Request) -> None:
    """Refuse a body without the media type of JSON, which a form cannot have."""
    media_type = _header(request, "content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "Send it with the header Content-Type: application/json")


def _check_host(request: Request, served: "_Names") -> None:
    """Refuse a request to a name by which a page of another origin could lead here."""
    for host in (value.strip() for key, value in request.headers if key.lower() == "host"):
        if not served.include(_name_of(host) or ""):
            message = (
                f"The emulator answers to {served.description}, not to {host[:100]!r}: use one of"
                " these, or send the header Host: localhost"
            )
            raise Refusal(403, message, code="FOREIGN_HOST", service="emulator")


def _check_origin(request: Request) -> None:
    """Refuse a request from a page of another origin; programs send no such headers."""
    origin, site = _header(request, "origin"), _header(request, "sec-fetch-site")
    own = f"http://{_header(request, 'host').lower()}"
    # `Sec-Fetch-Site` counts first: a proxy passes it on, and may rewrite `Host`.
    if site not in {"same-origin", "none"} if site else origin.lower() not in {"", own}:
        message = (
            "Pages of other origins may not use the emulator: call it from a program, such as"
            " the page's own back end"
        )
        raise Refusal(403, message, code="FOREIGN_ORIGIN", service="emulator")


def _is_loopback(name: str) -> bool:
    """Return whether a name or address always means this machine."""
    with suppress(ValueError):
        return ip_address(name).is_loopback
    return f".{name}".endswith(".localhost")


def _is_local(name: str) -> bool:
    """Return whether public DNS cannot lead a name here: an address, or the name of a network."""
    with suppress(ValueError):
        return bool(ip_address(name))
    _, dot, domain = name.rpartition(".")
    return domain in _LOCAL_DOMAINS if dot else bool(domain)


@attrs.frozen
class _Names:
    """The names of the emulator that are served."""

    include: Callable[[str], bool]
    description: str


_LOOPBACK = _Names(_is_loopback, "localhost, *.localhost and loopback addresses")
_NETWORK = _Names(
    _is_local, "IP addresses, names without a dot, and *.localhost, *.internal, *.local, *.test"
)


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers if key.lower() == name), "").strip()


def _name_of(host: str) -> str | None:
    """Return the host without its port; None if it is malformed."""
    with suppress(ValueError):
        parts = urlsplit(f"//{host}")
        if parts.netloc == host and "@" not in host:
            return parts.hostname
    return None
