"""How the inbox is served; `page/` opens it in a browser."""

import json
import re
from pathlib import Path

import pytest

from tests.emulator.conftest import Harness
from ziett_async.emulator.inbox import page

FOLDER = Path(page.__file__).parent
TEXTS: dict[str, list[str]] = json.loads((FOLDER / "strings.json").read_text("utf-8"))
HTML = (FOLDER / "inbox.html").read_text("utf-8")
SCRIPTS = "\n".join(path.read_text("utf-8") for path in sorted(FOLDER.glob("*.js")))


@pytest.mark.anyio
async def test_the_page_runs_only_its_own_script(harness: Harness) -> None:
    """Its policy has hashes, and forbids frames, sniffing and referrers."""
    served = await harness.http.get("/")
    policy = served.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["referrer-policy"] == "no-referrer"
    assert (await harness.http.post("/", json={})).status_code == 405
    answer = await harness.http.get("/_emulator/state")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"


def test_every_text_is_there_in_both_languages() -> None:
    """With the same values to fill in, and as many forms."""
    for key, texts in TEXTS.items():
        english, portuguese = texts
        assert english, key
        assert portuguese, key
        values = [sorted(set(re.findall(r"\{\d\}", text))) for text in texts]
        assert values[0] == values[1], key
        assert english.count("|") == portuguese.count("|"), key


def test_every_text_that_the_page_names_is_there() -> None:
    """And no word of a language stands in the page or its scripts."""
    named = set(re.findall(r'data-t(?:-[a-z-]+)?="([^"]+)"', HTML))
    named |= set(re.findall(r'\bt\("([^"]+)"', SCRIPTS))
    assert named - TEXTS.keys() == set()
    body = HTML.partition("<body>")[2].partition("<noscript>")[0]
    assert set(re.findall(r">\s*([^<>\s][^<>]*)<", body)) <= {"Ziett ", "0", "English", "Português"}


def test_every_text_is_used() -> None:
    """By its key, or by a family of keys such as `fault.` with a value of the emulator."""
    families = tuple(re.findall(r"[\"'`]([a-z_.]+\.)\$\{", SCRIPTS))
    named = set(re.findall(r"[\"'`]([a-z0-9_.]+)[\"'`]", HTML + SCRIPTS))
    ends = tuple(re.findall(r"\$\{dialog\.id\}(\.[a-z]+)", SCRIPTS))
    unused = {
        key
        for key in TEXTS
        if key not in named and not key.startswith(families) and not key.endswith(ends)
    }
    assert unused == set()
