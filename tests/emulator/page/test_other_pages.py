"""Pages of other origins in a real browser: what they can send without a permission, and a link."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.emulator.page._harness import Harness
from ziett_async.testing import Fault

#: Sends what a page may send to any origin, and tries what takes a permission.
ATTACK = """<!doctype html><title>Another site</title>
<img src="{api}/messages?image"><iframe name="frame"></iframe>
<form method="post" target="frame" action="{api}/messages?form" enctype="text/plain"></form>
<a href="{url}/">The inbox</a>
<script>
  document.forms[0].submit();
  const quietly = {{ mode: "no-cors", method: "POST", body: "{{}}" }};
  fetch("{api}/messages?no-cors", quietly).catch(() => 0);
  fetch("{url}/_emulator/faults?control", quietly).catch(() => 0);
  navigator.sendBeacon("{api}/messages?beacon", "{{}}");
  fetch("{api}/messages?key", {{ headers: {{ "X-API-KEY": "zk_test_x" }} }}).catch(() => 0);
</script>"""


@pytest.fixture(params=["127.0.0.1", "localhost"])
def other_page(request: pytest.FixtureRequest, harness: Harness) -> Iterator[str]:
    """Serve a page of another port, which is the same site, or of another name, which is not."""
    page = ATTACK.format(url=harness.emulator.url, api=harness.emulator.base_url).encode()

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{request.param}:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_other_pages_leave_no_trace(browser: Browser, harness: Harness, other_page: str) -> None:
    """No fault is used and nothing is logged; a link leads to the inbox, where nothing is new."""
    harness.service.faults.add(Fault.status(503), Fault.status(503))
    ended = set[str]()

    def note(request: Request) -> None:
        ended.add(request.url.partition("?")[2])

    context = browser.new_context()
    context.on("requestfinished", note)
    context.on("requestfailed", note)  # The answer came, and was no image.
    page = context.new_page()
    page.goto(other_page)
    for _ in range(250):
        if ended >= {"image", "form", "no-cors", "control", "beacon", "key"}:
            break
        page.wait_for_timeout(20)
    else:
        pytest.fail(f"only these were sent: {ended}")
    page.get_by_role("link", name="The inbox").click()
    page.locator("#live[data-state=on]").wait_for()
    expect(page.get_by_role("region", name="Faults that are waiting")).to_contain_text("and 1 more")
    assert len(harness.service.faults.pending) == 2
    assert harness.service.requests == []
    own = page.evaluate("async () => (await fetch('/_emulator/requests')).json()")
    assert own == {"requests": []}
    context.close()
