"""The inbox, in a real browser: what a person sees of it, hears of it, and does with it."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the inbox is tested with Playwright, which is not here")

from playwright.sync_api import Browser, Page, expect

from ziett_async.testing import FakeZiett, Fault
from ziett_async.testing._desk_clock import DeskClock
from ziett_async.testing.emulator import Emulator

ANA = {"name": "Ana Domingos", "email": "ana@example.ao", "tags": ["Premium"]}
EVIL = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>{{7*7}}\u202e"

Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, desk: Any) -> Iterator[Open]:
    """Open the inbox: `open_page(width=390, color_scheme="dark")`.

    At the end nothing was complained of in the console but what was `excused`, and nobody else
    was talked to.
    """
    complaints, addresses = list[str](), list[str]()
    contexts = list[Any]()

    def opened(
        path: str = "/", *, width: int = 1440, height: int = 900, excused: str = "", **options: Any
    ) -> Page:
        def heard(complaint: str) -> None:
            if not excused or excused not in complaint:
                complaints.append(complaint)

        size = {"width": width, "height": height}
        make: Callable[..., Any] = browser.new_context
        context = make(viewport=size, locale="en-GB", timezone_id="Africa/Luanda", **options)
        contexts.append(context)
        page: Page = context.new_page()
        page.on("console", lambda message: heard(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard(str(error)))
        page.on("request", lambda request: addresses.append(request.url))
        page.goto(desk.emulator.url + path)
        expect(page.locator("#live")).to_have_text("Live")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert addresses
    assert [each for each in addresses if not each.startswith(desk.emulator.url)] == []


def bubbles(page: Page) -> Any:
    """Return the texts of the conversation."""
    return page.locator("#thread .bubble")


def test_messages_arrive_while_one_looks(desk: Any, open_page: Open) -> None:
    """The newest first, without a reload, with the status as it changes."""
    page = open_page()
    expect(page.get_by_text("Waiting for the first message")).to_be_visible()
    first = desk.send("Your code is 482910.", save_contact=ANA)
    expect(bubbles(page)).to_have_text(["Your code is 482910."])
    heard = page.get_by_role("log")
    expect(heard).to_have_text("New message to Ana Domingos: Your code is 482910.")
    desk.send("The second.")
    expect(heard).to_have_text("New message to Ana Domingos: The second.")
    expect(bubbles(page)).to_have_text(["The second.", "Your code is 482910."])
    expect(page.get_by_role("heading", name="Ana Domingos")).to_be_visible()
    desk.service.deliver(first)
    message = page.get_by_role("listitem").filter(has=page.get_by_text("Your code is"))
    expect(message.last.get_by_text("Delivered")).to_be_visible()
    desk.send("To somebody else.", to="+351912345678")
    other = page.get_by_role("link", name="+351912345678")
    expect(other).to_contain_text("1 new")
    expect(page).to_have_title("(1) Ziett emulator")
    other.click()
    expect(bubbles(page)).to_have_text(["To somebody else."])
    expect(page).to_have_title("Ziett emulator")
    expect(heard).to_have_text("New message to +351912345678: To somebody else.")


def test_many_at_once_are_told_in_one_sentence(desk: Any, open_page: Open) -> None:
    """And all are there."""
    page = open_page()
    for index in range(30):
        desk.service.add_message(content=f"Number {index}")
    expect(bubbles(page)).to_have_count(30)
    expect(page.get_by_role("log")).to_have_text("30 new messages")


def test_nothing_that_is_sent_is_run(desk: Any, open_page: Open) -> None:
    """Whatever comes from a program is text: content, contact, key, error code, path, body."""
    contact = {"name": EVIL, "tags": [EVIL], "email": "a@b.c<img/src=x/onerror=window.hacked=1>"}
    body = {
        "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
        "channel_type": "SMS",
        "target_e164": "+244923456789",
        "content": f"{EVIL} 482910 ]]></p>",
        "save_contact": contact,
    }
    key = "<img src=x onerror=window.hacked=1>"
    message_id = desk.ask("POST", "/messages", body, key)["message_id"]
    desk.service.deliver(message_id, "FAILED", EVIL)
    desk.ask("GET", "/<img/src=x/onerror=window.hacked=1>")
    page = open_page()
    page.get_by_role("link", name=re.compile("^Details")).click()
    expect(bubbles(page)).to_have_text(f"{EVIL} 482910 ]]></p>")
    details = page.get_by_role("complementary")
    expect(details).to_contain_text(EVIL)
    expect(details).to_contain_text(key)
    page.get_by_role("link", name="Requests").click()
    page.locator("#log summary").first.click()
    expect(page.locator("#log")).to_contain_text("/c/v1/<img/src=x/onerror=window.hacked=1>")
    page.locator("#log summary").last.click()
    expect(page.locator("#log pre").last).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("window.hacked") is None


def test_the_policy_holds_even_if_a_text_were_put_in_as_html(browser: Browser, desk: Any) -> None:
    """The browser takes no HTML, no script and no image from the page's own code."""
    page = browser.new_page()
    page.goto(desk.emulator.url)
    for attempt in (
        "document.body.innerHTML = '<img src=x onerror=window.hacked=1>'",
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.hacked=1'}))",
        "document.body.setAttribute('onclick', 'window.hacked=1'); document.body.click()",
    ):
        page.evaluate(f"() => {{ try {{ {attempt} }} catch {{ }} }}")
    assert page.evaluate("window.hacked") is None
    page.close()


def test_a_code_is_copied_with_one_click(desk: Any, open_page: Open) -> None:
    """And it is said that it was; where the browser refuses, that is said."""
    desk.send("O seu código é 482910. Não o partilhe.")
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy code 482910").click()
    expect(page.locator("#toast")).to_have_text("Copied 482910")
    assert page.evaluate("navigator.clipboard.readText()") == "482910"
    expect(bubbles(page).locator(".code")).to_have_text("482910")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")
    page.get_by_role("button", name="Copy code 482910").click()
    expect(page.locator("#toast")).to_contain_text("does not let")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ana", ["+244 923", "Ana"]),
        ("923 456 7", ["Ana"]),
        ("+351", ["+351912345678"]),
        ("PREMIUM", ["Ana"]),
        ("482910", ["Ana"]),
        ("order-1", ["+351912345678"]),
        ("nothing like it", []),
    ],
)
def test_search_finds(desk: Any, open_page: Open, words: str, found: list[str]) -> None:
    """By number, name, tag, text, code and key, whatever the case and the spaces."""
    desk.send("Your code is 482910.", save_contact=ANA)
    desk.send("Banana", to="+244923000111")
    body = {"content": "Hello", "target_e164": "+351912345678", "channel_type": "SMS"}
    remitter = "019b4b56-e704-7c30-83a0-527df63c3e00"
    desk.ask("POST", "/messages", {**body, "remitter_id": remitter}, "order-1")
    page = open_page()
    page.get_by_role("searchbox", name="Search messages").fill(words)
    expect(page.locator("#people .name")).to_have_count(len(found))
    for index, name in enumerate(found):
        expect(page.locator("#people .name").nth(index)).to_contain_text(name)
    expect(page.locator("#found")).to_contain_text("found")


def test_filters_by_status(desk: Any, open_page: Open) -> None:
    """On the way, delivered, failed; each with its own."""
    for index, status in enumerate(("PENDING", "SENT", "DELIVERED", "FAILED", "UNDELIVERED")):
        desk.service.add_message(target_e164=f"+24492300000{index}", status=status)
    page = open_page()
    people = page.locator("#people li")
    for name, count in (("On the way", 2), ("Delivered", 1), ("Failed", 2), ("All", 5)):
        page.get_by_role("radio", name=name).check()
        expect(people).to_have_count(count)


def test_details_tell_everything(desk: Any, open_page: Open) -> None:
    """Parts and encoding, history, attempts, key, contact; marks change them at once."""
    body = {
        "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
        "channel_type": "SMS",
        "target_e164": "+244923456789",
        "content": "ã" * 71,
        "save_contact": ANA,
    }
    for _ in range(3):
        desk.ask("POST", "/messages", body, "order-4711")
    page = open_page()
    page.get_by_role("link", name=re.compile("^Details")).click()
    details = page.get_by_role("complementary")
    for words in (
        "2 parts in UCS-2", "71 of 134 units", "because of ã", "UNITEL", "ZIETT", "order-4711",
        "ana@example.ao", "Premium", "3, one message",
    ):  # fmt: skip
        expect(details).to_contain_text(words)
    details.get_by_role("button", name="Mark failed").click()
    expect(details.locator(".history li")).to_have_count(2)
    expect(details.locator(".history li").last).to_contain_text("FailedPROVIDER_REJECTED")
    expect(details.get_by_role("button", name="Mark failed")).to_be_focused()
    details.get_by_role("button", name="Mark delivered").click()
    expect(details.locator(".big")).to_have_text("Delivered")
    assert desk.service.messages[0].status == "DELIVERED"


def test_the_next_send_breaks(desk: Any, open_page: Open) -> None:
    """As chosen, for as many as chosen, and it can be called off."""
    page = open_page()
    page.get_by_role("button", name="Break next send").click()
    dialog = page.get_by_role("dialog", name="Break the next send")
    for name, label in (
        ("503 from a proxy", "status(503)"),
        ("429", "status(429)"),
        ("The connection breaks first", "reset()"),
        ("The answer is 5 s late", "slow(5)"),
        ("Still running", "running(5)"),
        ("The answer is cut off", "truncate(10)"),
    ):
        dialog.get_by_role("radio", name=name).check()
        dialog.get_by_role("spinbutton", name="How many sends").fill("2")
        dialog.get_by_role("button", name="Break it").click()
        faults = page.get_by_role("region", name="Faults that are waiting")
        expect(faults).to_contain_text(f"Next send: {label}, and 1 more")
        assert [each.operation for each in desk.service.faults.pending] == ["send_message"] * 2
        faults.get_by_role("button", name="Call it off").click()
        expect(faults).to_be_hidden()
        page.get_by_role("button", name="Break next send").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


def test_money_time_and_a_new_beginning(desk: Any, open_page: Open) -> None:
    """Top up, skip ahead, clear; what is refused says why."""
    desk.send("Hello")
    page = open_page(excused="status of 422")
    balance = page.locator("#balance")
    expect(balance).to_have_text("985")
    page.get_by_role("button", name="Top up").click()
    dialog = page.get_by_role("dialog", name="Top up the balance")
    dialog.get_by_role("textbox", name="Amount").fill("1,5")
    dialog.get_by_role("button", name="Top up").click()
    expect(dialog.get_by_role("alert")).to_contain_text("must be an amount")
    dialog.get_by_role("textbox", name="Amount").fill("500.50")
    dialog.get_by_role("button", name="Top up").click()
    expect(balance).to_have_text("1,485.5")
    before = desk.service.clock.time()
    page.get_by_role("button", name="Skip ahead").click()
    page.get_by_role("combobox", name="By").select_option("an hour")
    page.get_by_role("dialog").get_by_role("button", name="Skip ahead").click()
    expect(page.locator("#toast")).to_have_text("It is later now")
    assert desk.service.clock.time() - before >= 3600
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(bubbles(page)).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("dialog").get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Waiting for the first message")).to_be_visible()
    expect(balance).to_have_text("1,000")
    assert desk.service.messages == []


def test_requests_and_limits_are_shown_live(desk: Any, open_page: Open) -> None:
    """Each with its answer, what became of it, and how much is left of each bucket."""
    page = open_page("/#/requests")
    expect(page.get_by_text("No requests yet.")).to_be_visible()
    desk.send("Hello")
    desk.ask("GET", "/messages/nonsense")
    rows = page.locator("#log > li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("422GET/c/v1/messages/nonsense")
    meter = page.get_by_role("meter", name="Send, requests left")
    expect(meter).to_have_attribute("aria-valuenow", "119")
    rows.last.locator("summary").click()
    expect(rows.last).to_contain_text("send_message")
    expect(rows.last).to_contain_text("zk_test_…4567")
    expect(rows.last.get_by_label("Answer")).to_contain_text("message_id")
    desk.service.faults.add(Fault.status(503), Fault.lose_answer())
    for _ in range(2):
        with suppress(ValueError, OSError):
            desk.ask("GET", "/messages")
    expect(rows.first).to_contain_text("connection reset")
    expect(rows.nth(1)).to_contain_text("not carried out")
    expect(rows.last.locator("details")).to_have_attribute("open", "")
    for kind, count in (("sends", 1), ("reads", 3), ("errors and faults", 3), ("all", 4)):
        page.get_by_role("combobox", name="Show").select_option(kind)
        expect(rows).to_have_count(count)


def test_an_empty_bucket_says_when(desk: Any, open_page: Open) -> None:
    """The next request will be let in."""
    for index in range(10):
        desk.ask("POST", "/campaigns/batch", {"n": index})
    page = open_page("/#/requests")
    limit = page.locator(".limit").filter(has_text="Campaigns")
    expect(limit).to_contain_text("0 of 10 left")
    expect(limit).to_contain_text("next in")


def test_everything_can_be_done_by_keyboard(desk: Any, open_page: Open) -> None:
    """In order, with the focus always in sight and never lost."""
    desk.send("First", save_contact=ANA)
    desk.send("Second", to="+351912345678")
    page = open_page()
    expect(page.locator("#people li")).to_have_count(2)
    press, focused = page.keyboard.press, page.locator(":focus")
    press("Tab")
    expect(focused).to_have_text("Skip to the content")
    expect(focused).to_be_in_viewport()
    press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    for name in ("Search messages", "All"):
        press("Tab")
        expect(focused).to_have_accessible_name(name)
    press("ArrowRight")
    expect(focused).to_have_accessible_name("On the way")
    press("Tab")
    expect(focused).to_contain_text("Second")
    press("ArrowDown")
    expect(focused).to_contain_text("Ana Domingos")
    press("ArrowDown")
    press("Home")
    press("End")
    desk.send("Third", to="+244923000111")
    expect(page.locator("#people li")).to_have_count(3)
    expect(focused).to_contain_text("Ana Domingos")
    assert focused.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    press("Enter")
    expect(bubbles(page)).to_have_text(["First"])
    desk.send("Fourth")
    expect(bubbles(page)).to_have_count(2)
    expect(focused).to_contain_text("Ana Domingos")
    page.get_by_role("link", name=re.compile("^Details")).first.focus()
    press("ArrowDown")
    press("Enter")
    expect(page.get_by_role("heading", name="Message", exact=True)).to_be_focused()
    press("Escape")
    expect(page.get_by_role("complementary")).to_be_hidden()
    expect(focused).to_have_accessible_name(re.compile("^Details"))
    button = page.get_by_role("button", name="Break next send")
    button.focus()
    press("Enter")
    expect(focused).to_have_accessible_name(re.compile("^The answer gets lost"))
    press("ArrowDown")
    expect(focused).to_have_accessible_name(re.compile("^The connection breaks first"))
    press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()
    assert [each.label for each in desk.service.faults.pending] == ["reset()"]


#: Returns every text that stands out less from what is behind it than WCAG AA asks for.
FAINT = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colour, below) => {
    canvas.fillStyle = `rgb(${below})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((part) => part / 255)
    .map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [.2126, .7152, .0722][index], 0);
  const behind = (node) => node
    ? over(getComputedStyle(node).backgroundColor, behind(node.parentElement)) : [255, 255, 255];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
    if (!text || !node.checkVisibility({ visibilityProperty: true })) continue;
    if (node.closest("script, .unseen, noscript, symbol")) continue;
    const below = behind(node), above = over(getComputedStyle(node).color, below);
    const [a, b] = [light(above), light(below)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) faint.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""

#: Returns everything that a screen reader could not name, or would find twice.
NAMELESS = """() => {
  const seen = new Set(), wrong = [];
  for (const { id } of document.querySelectorAll("[id]")) {
    if (seen.has(id)) wrong.push(`twice: ${id}`);
    seen.add(id);
  }
  for (const name of ["aria-labelledby", "aria-controls", "for"])
    for (const node of document.querySelectorAll(`[${name}]`))
      for (const id of node.getAttribute(name).split(" "))
        if (!seen.has(id)) wrong.push(`${name} points nowhere: ${id}`);
  for (const node of document.querySelectorAll("a, button, summary, input, select, dialog, [role=group], section")) {
    const label = node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length
      || node.getAttribute("aria-labelledby");
    if (!label) wrong.push(`no name: ${node.outerHTML.slice(0, 80)}`);
    if (node.matches("section, dialog") && !node.ariaLabel && !node.hasAttribute("aria-labelledby")
        && !node.closest(".example, .inside")) wrong.push(`no name: ${node.className}`);
  }
  for (const svg of document.querySelectorAll("svg"))
    if (svg.ariaHidden !== "true") wrong.push("a picture that is read out");
  let level = 0;
  for (const node of document.querySelectorAll("h1, h2, h3, h4")) {
    if (!node.checkVisibility()) continue;
    if (node.tagName[1] - level > 1) wrong.push(`skips a level: ${node.textContent}`);
    level = Number(node.tagName[1]);
  }
  return wrong;
}"""


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 1000, 390])
def test_it_can_be_read_by_everybody(
    desk: Any, open_page: Open, color_scheme: str, width: int
) -> None:
    """Every text stands out, everything has a name, nothing sticks out of the screen."""
    desk.send("ã" * 200 + " 482910", save_contact=ANA)
    desk.service.deliver(desk.send("x" * 500, to="+351912345678"), "FAILED", "PROVIDER_REJECTED")
    desk.ask("GET", "/nothing/" + "y" * 300)
    desk.service.faults.add(Fault.slow(5, operation="send_message"))
    page = open_page(width=width, height=844, color_scheme=color_scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 20, 19)") == (color_scheme == "dark")
    message_id = desk.service.messages[0].id
    for address in (
        "#/", "#/to/%2B351912345678", f"#/to/%2B244923456789/{message_id}", "#/requests",
    ):  # fmt: skip
        page.goto(desk.emulator.url + "/" + address)
        page.wait_for_timeout(300)
        if "requests" in address:
            page.locator("#log summary").first.click()
        assert page.evaluate(FAINT) == []
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for landmark in ("banner", "main", "navigation"):
            expect(page.get_by_role(landmark)).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_have_accessible_name("Ziett emulator")
    if width > 390:
        page.goto(desk.emulator.url + "/#/")
    page.get_by_role("button", name="Break next send").click()
    assert page.evaluate(FAINT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_one_thing_is_seen_at_a_time(desk: Any, open_page: Open) -> None:
    """Recipients, a conversation, a message, and back again the same way."""
    desk.send("Your code is 482910.", save_contact=ANA)
    page = open_page(width=390, height=844, has_touch=True, is_mobile=True)
    person = page.get_by_role("link", name=re.compile("Ana Domingos"))
    expect(page.locator("#phone")).to_be_hidden()
    person.tap()
    expect(bubbles(page)).to_be_visible()
    expect(person).to_be_hidden()
    expect(page.get_by_role("heading", name="Ana Domingos")).to_be_focused()
    bubbles(page).tap()
    expect(page.get_by_role("complementary")).to_be_visible()
    expect(bubbles(page)).to_be_hidden()
    page.get_by_role("link", name="Close the details").tap()
    expect(bubbles(page)).to_be_visible()
    page.get_by_role("link", name="All recipients").tap()
    expect(person).to_be_visible()
    for target in page.locator("button:visible, a:visible:not(.skip)").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def test_it_finds_its_emulator_again(browser: Browser) -> None:
    """After a restart on the same port, with what the new one knows."""
    page = browser.new_page()
    with Emulator(FakeZiett(clock=DeskClock())) as emulator:
        emulator.service.add_message(content="Before")
        port = emulator.port
        page.goto(emulator.url)
        expect(bubbles(page)).to_have_text(["Before"])
    expect(page.locator("#live")).to_have_text("Reconnecting")
    with Emulator(FakeZiett(clock=DeskClock(), seed=1), port=port) as emulator:
        emulator.service.add_message(content="After")
        expect(page.locator("#live")).to_have_text("Live", timeout=15_000)
        expect(bubbles(page)).to_have_text(["After"])
        page.close()


def test_a_flood_leaves_the_page_usable(desk: Any, open_page: Open) -> None:
    """Thousands of messages: the newest are shown, and all are counted."""
    for index in range(4000):
        desk.service.add_message(target_e164=f"+2449230{index % 300:05}", content=f"Number {index}")
    page = open_page()
    expect(page.locator("#people li")).to_have_count(200)
    expect(page.locator("#found")).to_have_text("1000 messages of the newest 1000")
    desk.send("The last one", to="+351912345678")
    page.get_by_role("link", name=re.compile("The last one")).click()
    expect(bubbles(page)).to_have_text(["The last one"])
