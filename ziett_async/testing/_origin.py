"""Who may use an emulator: programs on this machine and the inbox, but no other page.

It listens on loopback, yet a page of any site, open in a browser on this machine, can make that
browser send requests here. What gives such a request away is told by the browser itself: the
name it believes to be talking to (`Host`, somebody else's after DNS rebinding; an address is no
name, so it cannot lead elsewhere), the page's own site (`Origin`, `Sec-Fetch-Site`), and a body's
type, as JSON takes a permission (CORS) that is never given here. For the API the name alone tells:
it answers no page's questions without a permission, but after DNS rebinding the page is its own,
and any key will do.
"""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from ziett_async._wire import Request
from ziett_async.testing._answers import Refusal

#: The ends of names that nobody can register: `host.docker.internal` is what a container calls
#: the machine that it runs on.
_OURS = {"localhost", "internal", "test"}


def check_host(request: Request) -> None:
    """Refuse a request to somebody else's name that leads here; every browser tells the name."""
    for host in (value.strip() for key, value in request.headers if key.lower() == "host"):
        if not _is_ours(_name_of(host) or ""):
            message = f"This is {host[:100]!r} to you; ask for localhost or 127.0.0.1"
            raise Refusal(403, message, code="FOREIGN_HOST")


def check_origin(request: Request) -> None:
    """Refuse a request that a page of another site, or of another port, has made."""
    origin, site = _header(request, "origin"), _header(request, "sec-fetch-site")
    foreign = origin and origin.lower() != f"http://{_header(request, 'host').lower()}"
    if foreign or site not in {"", "same-origin", "none"}:
        message = "Pages of other origins may not use the control API"
        raise Refusal(403, message, code="FOREIGN_ORIGIN")


def check_type(request: Request) -> None:
    """Refuse a body that is not said to be JSON, as a form's never is."""
    media_type = _header(request, "content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refusal(415, "Send it with the header Content-Type: application/json")


def _is_ours(name: str) -> bool:
    """Return whether no site can have a name, as it is an address or in no public zone."""
    with suppress(ValueError):
        ip_address(name)
        return True
    _, dot, zone = name.rpartition(".")
    return zone in _OURS or (bool(name) and not dot)


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers if key.lower() == name), "").strip()


def _name_of(host: str) -> str | None:
    """Return the host without its port; None where there is none to be seen."""
    with suppress(ValueError):
        parts = urlsplit(f"//{host}")
        if parts.netloc == host and "@" not in host:
            return parts.hostname
    return None
