"""The inbox, in a real browser: what a person does with it, and what it says when that fails."""

import json
import re
import shlex
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.emulator.page._harness import Harness, Open, bubbles
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import FakeZiett, Fault
from ziett_async.testing.emulator import Emulator


def test_a_test_message_is_sent_as_a_program_sends_it(harness: Harness, open_page: Open) -> None:
    """It is charged and among the requests; what is refused is said in words of the page."""
    page = open_page(excused="status of 4")
    page.get_by_role("button", name="Send a message").click()
    dialog = page.get_by_role("dialog", name="Send a test message")
    dialog.get_by_role("textbox", name="To").fill("12")
    dialog.get_by_role("textbox", name="Text").fill("Olá, Ana")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_role("alert")).to_contain_text("with its country code")
    harness.service.top_up(-1000)
    dialog.get_by_role("textbox", name="To").fill("923 456 789")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The balance is too low")
    harness.service.top_up(15)
    dialog.get_by_role("button", name="Send").click()
    expect(bubbles(page)).to_have_text(["Olá, Ana"])
    expect(page.locator("#toast")).to_have_text("Sent")
    assert harness.service.balance == 0
    [message] = harness.service.messages
    assert (message.target_e164, message.content) == ("+244923456789", "Olá, Ana")
    assert [each.status for each in harness.service.requests] == [422, 402, 202]


def test_an_answer_that_does_not_come_is_said_in_plain_words(
    harness: Harness, open_page: Open
) -> None:
    """By a fault that waits, and by an emulator that is no longer there."""
    page = open_page(excused="net::ERR_")
    harness.service.faults.add(Fault.lose_answer(operation="send_message"))
    page.get_by_role("button", name="Send a message").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_role("alert")).to_contain_text("No answer came. Look whether")
    dialog.get_by_role("button", name="Cancel").click()
    page.route("**/_emulator/**", lambda route: route.abort())
    page.get_by_role("button", name="Top up").click()
    page.get_by_role("dialog").get_by_role("button", name="Top up").click()
    expect(page.get_by_role("alert")).to_have_text(
        "The emulator does not answer. Is it still running?"
    )


def test_one_message_is_deleted(harness: Harness, open_page: Open) -> None:
    """After a question; the conversation goes on without it."""
    harness.send("Kept")
    harness.send("Deleted")
    page = open_page()
    page.get_by_role("link", name=re.compile("^Details")).first.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete this message?")
    dialog.get_by_role("button", name="Keep it").click()
    expect(bubbles(page)).to_have_count(2)
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_role("button", name="Delete").click()
    expect(bubbles(page)).to_have_text(["Kept"])
    expect(page.locator(":focus")).to_have_accessible_name(re.compile("^Details"))
    expect(page.get_by_role("complementary")).to_be_hidden()
    assert [each.content for each in harness.service.messages] == ["Kept"]


def test_a_request_is_copied_as_curl_without_its_key(harness: Harness, open_page: Open) -> None:
    """With the same body and idempotency key, safe to paste whatever they hold."""
    key, content = 'it\'s "$ZIETT_API_KEY" `id`', "É 'seu': $(id) !\n482910"
    harness.ask("POST", "/messages", body_of(content), key)
    page = open_page("/#/requests", permissions=["clipboard-read", "clipboard-write"])
    page.locator("#log summary").click()
    page.locator("#log").get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#toast")).to_contain_text("takes the key from $ZIETT_API_KEY")
    copied = str(page.evaluate("navigator.clipboard.readText()"))
    assert "zk_test" not in copied
    command, url, *options = words_of(copied)
    assert (command, url) == ("curl", f"{harness.emulator.base_url}/messages")
    assert options == [
        "-H", "X-API-KEY: $ZIETT_API_KEY",
        "-H", f"Idempotency-Key: {key}",
        "-H", "Content-Type: application/json",
        "--data-raw", json.dumps(body_of(content)),
    ]  # fmt: skip
    assert '-H "X-API-KEY: $ZIETT_API_KEY"' in copied


def test_a_target_that_is_no_path_is_not_copied(harness: Harness, open_page: Open) -> None:
    """After `http://127.0.0.1:8420`, one that begins with `@` would send the key to its host."""
    for target in ("@attacker.test/", "/c/v1/messages"):
        client = HTTPConnection("127.0.0.1", harness.emulator.port, timeout=10)
        with closing(client):
            client.request("GET", target)
            client.getresponse().read()
    page = open_page("/#/requests")
    expect(page.locator("#log summary")).to_have_count(2)
    for summary in page.locator("#log summary").all():
        summary.click()
    expect(page.get_by_role("button", name="Copy as curl")).to_have_count(1)


def test_a_message_is_copied_as_curl_that_sends_it_anew(harness: Harness, open_page: Open) -> None:
    """Without an idempotency key, so that it is another message."""
    harness.ask("POST", "/messages", body_of("Olá"), "order-1")
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name=re.compile("^Details")).click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#toast")).to_contain_text("Copied")
    copied = words_of(str(page.evaluate("navigator.clipboard.readText()")))
    assert json.loads(copied[-1]) == body_of("Olá")
    assert not [each for each in copied if "Idempotency" in each]


def test_all_messages_are_exported(harness: Harness, open_page: Open) -> None:
    """As a file, from the menu."""
    harness.send("Olá")
    page = open_page()
    button, link = (
        page.get_by_role("button", name="More"),
        page.get_by_role("link", name="Export all messages"),
    )
    button.click()
    above, below = button.bounding_box(), link.bounding_box()
    assert above is not None
    assert below is not None
    assert 0 < below["y"] - above["y"] - above["height"] < 30
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "ziett-messages.json"
    exported = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert [each["content"] for each in exported["messages"]] == ["Olá"]


def test_the_theme_is_chosen_and_kept(browser: Browser) -> None:
    """Light or dark whatever the device has, also after a reload."""
    ground = "getComputedStyle(document.body).backgroundColor"
    with Emulator(FakeZiett(clock=AdjustableClock())) as emulator:
        page = browser.new_context(color_scheme="light").new_page()
        page.goto(emulator.url)
        grounds = {"light": page.evaluate(ground)}
        page.get_by_role("button", name="More").click()
        page.get_by_role("combobox", name="Theme").select_option("dark")
        assert page.evaluate(ground) == "rgb(20, 20, 19)"
        page.reload()
        assert page.evaluate(ground) == "rgb(20, 20, 19)"
        page.emulate_media(color_scheme="dark")
        page.get_by_role("button", name="More").click()
        page.get_by_role("combobox", name="Theme").select_option("light")
        assert page.evaluate(ground) == grounds["light"] != "rgb(20, 20, 19)"
        page.context.close()


def test_the_page_is_in_portuguese_by_the_browser_and_by_choice(
    harness: Harness, open_page: Open
) -> None:
    """The choice is kept; what a program sent, and the API's own words, stay as they are."""
    message_id = harness.send("Your code is 482910.")
    harness.service.deliver(message_id)
    page = open_page(locale="pt-AO")
    assert page.evaluate("document.documentElement.lang") == "pt"
    expect(page).to_have_title("Emulador Ziett")
    expect(page.get_by_role("button", name="Copiar código 482910")).to_be_visible()
    expect(page.locator("#people")).to_contain_text("Entregue")
    page.get_by_role("button", name="Mais").click()
    page.get_by_role("combobox", name="Idioma").select_option("English")
    expect(page.get_by_role("button", name="Copy code 482910")).to_be_visible()
    page.reload()
    expect(page).to_have_title("Ziett emulator")
    expect(page.get_by_role("link", name="Requests")).to_be_visible()
    other = open_page(locale="fr-FR")
    expect(other.get_by_role("button", name="Copy code 482910")).to_be_visible()


def words_of(command: str) -> list[str]:
    """Split a command as a shell does; `shlex` does not know lines that go on."""
    return shlex.split(command.replace(" \\\n", " "))


def body_of(content: str) -> dict[str, str]:
    """Return the body of a send."""
    return {
        "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
        "channel_type": "SMS",
        "target_e164": "+244923456789",
        "content": content,
    }
