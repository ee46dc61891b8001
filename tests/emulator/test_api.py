"""Paths, methods and senders of the control API."""

import httpx
import pytest

from tests.emulator.conftest import Harness
from ziett_async.testing.emulator import Emulator

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "", 404),
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("GET", "/state/more", 404),
        ("GET", "/messages/a/b", 422),
        ("POST", "/state", 405),
        ("POST", "/events", 405),
        ("DELETE", "/reset", 405),
        ("GET", "/reset", 405),
        ("GET", "/state?limit=0", 422),
    ],
)
async def test_other_paths_and_methods_get_the_error_object(
    harness: Harness, method: str, path: str, status: int
) -> None:
    """A 405 has the header `Allow`."""
    answer = await harness.request(method, path)
    assert (answer.status_code, answer.json()["service"]) == (status, "emulator")
    assert ("allow" in answer.headers) == (status == 405)


async def test_head_is_get_without_a_body(harness: Harness) -> None:
    """For the page, the control API and the event stream."""
    for path in ("/", "/_emulator/state", "/_emulator/events"):
        answer = await harness.http.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:8420"},
        {"Host": "evil@127.0.0.1"},
        {"Host": "127.0.0.1/x"},
        {"Host": "[::1"},
        {"Host": ""},
        {"Host": "emulator:8420"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_pages_of_other_sites_are_refused(harness: Harness, headers: dict[str, str]) -> None:
    """By another name that resolves to this machine, and from another origin."""
    for method, path in (("GET", "state"), ("GET", "events"), ("POST", "reset")):
        url = f"/_emulator/{path}"
        answer = await harness.http.request(method, url, headers=headers, json={})
        assert answer.status_code == 403
    page = await harness.http.get("/", headers=headers)
    assert page.status_code == (403 if "Host" in headers else 200)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.2", "[::1]:8420"])
async def test_the_inbox_and_programs_are_not_refused(harness: Harness, host: str) -> None:
    """By any loopback address, port and name, so that a tunnel works."""
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert (await harness.http.get("/_emulator/state", headers=headers)).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_form_is_refused(harness: Harness, kind: str) -> None:
    """A POST needs the media type of JSON, which browsers send after a preflight only."""
    await harness.send()
    headers = {"Content-Type": kind}
    answer = await harness.http.post("/_emulator/reset", content="{}", headers=headers)
    assert answer.status_code == 415
    preflight = await harness.http.options("/_emulator/reset")
    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]
    assert (await harness.ask("GET", "/state"))["messages_in_all"] == 1


async def test_its_health_is_read_without_a_key_and_leaves_no_trace(harness: Harness) -> None:
    """For the health check of a container, by GET or HEAD; it is no request to the service."""
    answer = await harness.request("GET", "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert (await harness.http.head("/_emulator/health")).status_code == 200
    assert (await harness.request("POST", "/health", {})).status_code == 405
    assert await harness.ask("GET", "/requests") == {"requests": []}


async def test_a_browsers_request_for_an_icon_uses_up_no_fault(harness: Harness) -> None:
    """A browser makes it by itself when it shows `/_emulator/faults`."""
    await harness.ask("POST", "/faults", {"kind": "reset"})
    answer = await harness.http.get("/favicon.ico")
    assert (answer.status_code, answer.json()["service"]) == (404, "emulator")
    assert len((await harness.ask("GET", "/faults"))["faults"]) == 1
    assert (await harness.ask("GET", "/requests"))["requests"] == []


async def test_the_inbox_and_the_control_api_have_no_latency() -> None:
    """The latency function is called for the API only, so that a seeded run repeats."""
    draws = list[float]()

    def latency() -> float:
        draws.append(0.0)
        return 0.0

    async with Emulator(latency=latency) as emulator, httpx.AsyncClient() as http:
        for path in ("/", "/_emulator/state", "/c/v1/messages"):
            await http.get(emulator.url + path)
    assert len(draws) == 1
