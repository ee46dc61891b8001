"""The inbox, in a real browser: by keyboard, by screen reader, in the dark, on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.emulator.page._harness import ANA, SMS, Harness, Open, bubbles
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import Fault

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
    const [a, b] = [light(above), light(below)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
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
  const named = "a, button, summary, input, select, dialog, [role=group], section";
  for (const node of document.querySelectorAll(named)) {
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


#: Waits until what has changed is drawn and has come to rest.
SETTLED = """() => new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))
  .then(() => Promise.all(document.getAnimations().map((each) => each.finished)))"""

#: Returns everything that is cut off at the edge of the screen.
STICKING_OUT = """() => [...document.querySelectorAll("body *")].filter((node) => {
  if (!node.checkVisibility() || node.closest(".unseen, .skip, svg")) return false;
  const { left, right } = node.getBoundingClientRect();
  const isCut = node.scrollWidth > node.clientWidth && node.matches("button, h1, h2, h3, .tabs a");
  return left < -.5 || right > innerWidth + .5 || isCut;
}).map((node) => node.outerHTML.slice(0, 80))"""


def test_everything_can_be_done_by_keyboard(harness: Harness, open_page: Open) -> None:
    """In order, with the focus always in sight and never lost."""
    harness.send("First", save_contact=ANA)
    harness.send("Second", to="+351912345678")
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
    harness.send("Third", to="+244923000111")
    expect(page.locator("#people li")).to_have_count(3)
    expect(focused).to_contain_text("Ana Domingos")
    assert focused.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    press("Enter")
    expect(bubbles(page)).to_have_text(["First"])
    harness.send("Fourth")
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
    assert [each.label for each in harness.service.faults.pending] == ["reset()"]


@pytest.mark.parametrize(
    ("width", "locale", "color_scheme"),
    [
        (1440, "en", "light"),
        (1000, "pt", "dark"),
        (390, "pt", "light"),
        (320, "en", "dark"),
        (320, "pt", "light"),
    ],
)
def test_its_texts_and_controls_are_accessible(
    harness: Harness, open_page: Open, width: int, locale: str, color_scheme: str
) -> None:
    """Every text stands out, everything has a name, nothing sticks out of the screen."""
    harness.send("ã" * 200 + " 482910", save_contact=ANA)
    harness.service.deliver(
        harness.send("x" * 500, to="+351912345678"), "FAILED", "PROVIDER_REJECTED"
    )
    batch = {**SMS, "recipients": ["+244923000001", "+244923000002"], "name": "z" * 200}
    del batch["target_e164"]
    harness.ask("POST", "/campaigns/batch", {**batch, "content": "Olá"})
    harness.ask("GET", "/nothing/" + "y" * 300)
    assert isinstance(harness.service.clock, AdjustableClock)
    harness.service.clock.advance(3600)
    harness.service.faults.add(Fault.slow(5, operation="send_message"))
    page = open_page(width=width, color_scheme=color_scheme, locale=locale)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 20, 19)") == (color_scheme == "dark")
    message_id = harness.service.messages[0].id
    for address in (
        "#/",
        "#/to/%2B351912345678",
        f"#/to/%2B244923456789/{message_id}",
        "#/campaigns",
        "#/requests",
    ):
        page.goto(harness.emulator.url + "/" + address)
        page.evaluate(SETTLED)
        if "requests" in address:
            page.locator("#log summary").first.click()
        assert page.evaluate(FAINT) == []
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(STICKING_OUT) == []
        for landmark in ("banner", "main", "navigation"):
            expect(page.get_by_role(landmark)).to_have_count(1)
        name = re.compile("^(Ziett emulator|Emulador Ziett|Ziett emulador)$")
        expect(page.get_by_role("heading", level=1)).to_have_accessible_name(name)
    page.goto(harness.emulator.url + "/#/campaigns")
    for opener in ("[data-opens=break]", "[data-opens=send]", "[popovertarget=menu]"):
        page.locator(opener).click()
        page.evaluate(SETTLED)
        assert page.evaluate(FAINT) == []
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(STICKING_OUT) == []
        page.keyboard.press("Escape")


@pytest.mark.parametrize("locale", ["en", "pt"])
@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_the_bar_is_one_line(harness: Harness, open_page: Open, width: int, locale: str) -> None:
    """With a large balance and a clock that was moved; so are the filters below it."""
    assert isinstance(harness.service.clock, AdjustableClock)
    harness.service.clock.advance(999 * 3600)
    harness.service.top_up(1_000_000_000)
    page = open_page(width=width, locale=locale)
    expect(page.locator("#clock")).to_be_visible()
    buttons = page.locator(".actions button")
    # What is seen of its name is how its name begins.
    expect(buttons.first).to_have_accessible_name(re.compile("^(Send a message|Enviar mensagem)$"))
    for parts in (page.locator(".bar > *:visible"), page.locator("#filter label")):
        boxes = [part.bounding_box() for part in parts.all()]
        middles = {round(box["y"] + box["height"] / 2) for box in boxes if box}
        assert max(middles) - min(middles) <= 2


def test_on_a_phone_one_thing_is_seen_at_a_time(harness: Harness, open_page: Open) -> None:
    """Recipients, a conversation, a message, and back again the same way."""
    harness.send("Your code is 482910.", save_contact=ANA)
    page = open_page(width=390, has_touch=True, is_mobile=True)
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
