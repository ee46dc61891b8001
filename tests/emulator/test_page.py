"""How the inbox is served; `page/` opens it in a browser."""

import pytest

from tests.emulator.conftest import Harness

pytestmark = pytest.mark.anyio


async def test_the_page_runs_only_its_own_script(harness: Harness) -> None:
    """Its policy has hashes, and forbids frames, sniffing and referrers."""
    page = await harness.http.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert (await harness.http.post("/", json={})).status_code == 405
    answer = await harness.http.get("/_emulator/state")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
