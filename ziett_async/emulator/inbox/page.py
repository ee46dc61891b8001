"""The inbox: the emulator's page, built from the files beside this module as one response.

It loads nothing else and runs nothing but its own script: its Content-Security-Policy names the
style and the script by their hashes. Its texts, in each language, are in `strings.json`.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from ziett_async._wire import Response

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "text.js",
    "dom.js",
    "store.js",
    "curl.js",
    "messages.js",
    "details.js",
    "campaigns.js",
    "requests.js",
    "actions.js",
    "main.js",
)


@cache
def inbox() -> Response:
    """Return the page."""
    style = _text("inbox.css")
    script = "\n".join([f"const TEXTS = {_text('strings.json')};", *map(_text, _SCRIPTS)])
    page = _text("inbox.html").replace("/* style */", style).replace("/* script */", script)
    policy = (
        "default-src 'none'",
        f"style-src {_hash(style)}",
        f"script-src {_hash(script)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    headers = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "; ".join(policy)),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    )
    return Response(200, headers, page.encode())


def _text(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
