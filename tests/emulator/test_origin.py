"""Which requests are answered: those of programs on this machine, and of its own page."""

import json

import pytest

from tests.emulator._bytes import KEY, LIST, ask, seen, talk
from ziett_async.testing import Fault
from ziett_async.testing.emulator import Emulator


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example:1",
        "1.2.3.4.evil.example",
        "",
        # What the DHCP or DNS of a network can hand out.
        "emulator:8420",
        "evil.test",
        "host.docker.internal:1",
        "evillocalhost",
        "10.0.2.2",
        "192.168.1.7:8420",
        "[fe80::1]:8420",
    ],
)
def test_a_name_that_may_lead_elsewhere_is_refused(emulator: Emulator, host: str) -> None:
    """Else DNS rebinding would let a page of any site in; the request leaves no trace."""
    sent = LIST.replace(b"host: localhost", b"host: " + host.encode()) + b"\r\n"
    status, document = talk(emulator, sent)
    assert (status, document["code"], document["service"]) == (403, "FOREIGN_HOST", "emulator")
    assert repr(host) in document["message"]
    assert "send the header Host: localhost" in document["message"]
    assert not emulator.service.requests
    assert seen(emulator) == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.2", "[::1]:8420", "localhost", "LOCALHOST:8420", "ziett.localhost"],
)
def test_a_loopback_name_or_address_is_not(emulator: Emulator, host: str) -> None:
    """No network can change what they resolve to."""
    sent = LIST.replace(b"host: localhost", b"host: " + host.encode()) + b"\r\n"
    assert talk(emulator, sent)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "ziett:8420", "host.docker.internal:8420", "build.local", "10.0.2.2:8420", "[fe80::1]:8420",
        "localhost", "ziett.localhost", "a.b.test",
    ],
)  # fmt: skip
def test_on_a_network_the_names_of_that_network_are_served(host: str) -> None:
    """Such as a container's; on loopback they are refused."""
    sent = LIST.replace(b"host: localhost", b"host: " + host.encode()) + b"\r\n"
    with Emulator(host="0.0.0.0") as emulator:  # noqa: S104 (that is what is tested)
        assert talk(emulator, sent)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "local.evil.example:8420", "", "evil.test."])
def test_on_a_network_names_of_public_dns_are_refused_too(host: str) -> None:
    """A page of any site cannot get in by DNS rebinding; the error names what is served."""
    sent = LIST.replace(b"host: localhost", b"host: " + host.encode()) + b"\r\n"
    with Emulator(host="0.0.0.0") as emulator:  # noqa: S104 (that is what is tested)
        status, document = talk(emulator, sent)
        assert (status, document["code"]) == (403, "FOREIGN_HOST")
        assert "names without a dot" in document["message"]
        assert not emulator.service.requests


#: What browsers add to a page's requests: an image, a form, `fetch` with `no-cors`; another port
#: of this machine, by its name and by its address; the preflight of any other `fetch`.
PAGES = [
    ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}),
    ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": "null"}),
    ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}),
    ("GET", {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"}),
    ("OPTIONS", {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}),
    # Browsers before 2023.
    ("POST", {"Origin": "https://evil.example"}),
]


@pytest.mark.parametrize(("method", "headers"), PAGES)
def test_a_page_of_another_origin_leaves_no_trace(method: str, headers: dict[str, str]) -> None:
    """No fault is used, nothing logged, no latency drawn, and no CORS header sent."""
    draws = list[float]()

    def latency() -> float:
        draws.append(0.0)
        return 0.0

    with Emulator(latency=latency) as emulator:
        emulator.service.faults.add(Fault.status(503))
        response, body = ask(emulator, method, "/c/v1/messages", **headers)
        assert (response.status, json.loads(body)["code"]) == (403, "FOREIGN_ORIGIN")
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert len(emulator.service.faults.pending) == 1
        assert not emulator.service.requests
        assert (seen(emulator), draws) == ([], [])


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "curl/8.5.0"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}"},
        # A front end's request, passed on by its development server.
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:3000"},
    ],
)
def test_programs_and_typed_addresses_are_served(
    emulator: Emulator, headers: dict[str, str]
) -> None:
    """So are requests that a page's own server passes on."""
    filled = {name: value.format(port=emulator.port) for name, value in headers.items()}
    assert ask(emulator, "GET", "/c/v1/messages", **filled)[0].status == 200
    assert len(seen(emulator)) == 1


def test_http_1_0_needs_no_host(emulator: Emulator) -> None:
    """HTTP/1.0 has no `Host`, and no browser speaks it."""
    assert talk(emulator, b"GET /c/v1/messages HTTP/1.0\r\n" + KEY + b"\r\n")[0] == 200
