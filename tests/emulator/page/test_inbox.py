"""The inbox, in a real browser: what a person sees of the messages."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.emulator.page._harness import ANA, SMS, Harness, Open, bubbles

EVIL = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>{{7*7}}\u202e"


def test_messages_arrive_while_one_looks(harness: Harness, open_page: Open) -> None:
    """The newest first, without a reload, with the status as it changes."""
    page = open_page()
    expect(page.get_by_text("Waiting for the first message")).to_be_visible()
    first = harness.send("Your code is 482910.", save_contact=ANA)
    expect(bubbles(page)).to_have_text(["Your code is 482910."])
    heard = page.get_by_role("log")
    expect(heard).to_have_text("New message to Ana Domingos: Your code is 482910.")
    harness.send("The second.")
    expect(heard).to_have_text("New message to Ana Domingos: The second.")
    expect(bubbles(page)).to_have_text(["The second.", "Your code is 482910."])
    expect(page.get_by_role("heading", name="Ana Domingos")).to_be_visible()
    harness.service.deliver(first)
    message = page.get_by_role("listitem").filter(has=page.get_by_text("Your code is"))
    expect(message.last.get_by_text("Delivered")).to_be_visible()
    harness.send("To another number.", to="+351912345678")
    other = page.get_by_role("link", name="+351912345678")
    expect(other).to_contain_text("1 new")
    expect(page).to_have_title("(1) Ziett emulator")
    other.click()
    expect(bubbles(page)).to_have_text(["To another number."])
    expect(page).to_have_title("Ziett emulator")
    expect(heard).to_have_text("New message to +351912345678: To another number.")


def test_many_at_once_are_told_in_one_sentence(harness: Harness, open_page: Open) -> None:
    """And all are there."""
    page = open_page()
    for index in range(30):
        harness.service.add_message(content=f"Number {index}")
    expect(bubbles(page)).to_have_count(30)
    expect(page.get_by_role("log")).to_have_text("30 new messages")


def test_nothing_that_is_sent_is_run(harness: Harness, open_page: Open) -> None:
    """Whatever comes from a program is text: content, contact, key, error code, path, body."""
    contact = {"name": EVIL, "tags": [EVIL], "email": "a@b.c<img/src=x/onerror=window.hacked=1>"}
    body = {**SMS, "content": f"{EVIL} 482910 ]]></p>", "save_contact": contact}
    key = "<img src=x onerror=window.hacked=1>"
    message_id = harness.ask("POST", "/messages", body, key)["message_id"]
    harness.service.deliver(message_id, "FAILED", EVIL)
    harness.ask("GET", "/<img/src=x/onerror=window.hacked=1>")
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


def test_the_policy_holds_even_if_a_text_were_put_in_as_html(
    browser: Browser, harness: Harness
) -> None:
    """The browser takes no HTML, no script and no image from the page's own code."""
    page = browser.new_page()
    page.goto(harness.emulator.url)
    for attempt in (
        "document.body.innerHTML = '<img src=x onerror=window.hacked=1>'",
        "let it = document.createElement('script'); it.text = 'hacked=1'; document.body.append(it)",
        "document.body.setAttribute('onclick', 'window.hacked=1'); document.body.click()",
    ):
        page.evaluate(f"() => {{ try {{ {attempt} }} catch {{ }} }}")
    assert page.evaluate("window.hacked") is None
    page.close()


def test_a_code_is_copied_with_one_click(harness: Harness, open_page: Open) -> None:
    """And it is said that it was; where the browser refuses, that is said."""
    harness.send("Pedido 55123, 15000 Kz. O seu código é 482910. Não o partilhe.")
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    expect(page.get_by_role("button", name="Copy code")).to_have_count(1)
    page.get_by_role("button", name="Copy code 482910").click()
    expect(page.locator("#toast")).to_have_text("Copied 482910")
    assert page.evaluate("navigator.clipboard.readText()") == "482910"
    expect(bubbles(page).locator(".code")).to_have_text("482910")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")
    page.get_by_role("button", name="Copy code 482910").click()
    expect(page.locator("#toast")).to_contain_text("does not let")


@pytest.mark.parametrize("written", ["482-910", "482 910", "482\N{NO-BREAK SPACE}910"])
def test_a_code_in_two_groups_is_copied_without_what_separates_them(
    harness: Harness, open_page: Open, written: str
) -> None:
    """It is highlighted as it stands in the text."""
    harness.send(f"O seu código é {written}.")
    page = open_page()
    expect(page.get_by_role("button", name="Copy code 482910")).to_be_visible()
    expect(page.locator("b.code")).to_have_text(written)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ana", ["+244 923", "Ana"]),
        ("923 456 7", ["Ana"]),
        ("+351", ["+351912345678"]),
        ("PREMIUM", ["Ana"]),
        ("o seu codigo", ["Ana"]),
        ("CÓDIGO", ["Ana"]),
        ("482910", ["Ana"]),
        ("order-1", ["+351912345678"]),
        ("nothing like it", []),
    ],
)
def test_search_finds(harness: Harness, open_page: Open, words: str, found: list[str]) -> None:
    """By number, name, tag, text, code and key, whatever the case, the spaces and the accents."""
    harness.send("O seu código é 482910.", save_contact=ANA)
    harness.send("Banana", to="+244923000111")
    body = {**SMS, "content": "Hello", "target_e164": "+351912345678"}
    harness.ask("POST", "/messages", body, "order-1")
    page = open_page()
    page.get_by_role("searchbox", name="Search messages").fill(words)
    expect(page.locator("#people .name")).to_have_count(len(found))
    for index, name in enumerate(found):
        expect(page.locator("#people .name").nth(index)).to_contain_text(name)
    expect(page.locator("#found")).to_contain_text("found")


@pytest.mark.parametrize(
    ("written", "words"),
    [("482910", "482-910"), ("482-910", "482910"), ("482\N{NO-BREAK SPACE}910", "482 910")],
)
def test_search_finds_a_code_in_two_groups(
    harness: Harness, open_page: Open, written: str, words: str
) -> None:
    """However it is written in the text and in the search."""
    harness.send(f"O seu código é {written}.")
    harness.send("Banana", to="+244923000111")
    page = open_page()
    page.get_by_role("searchbox", name="Search messages").fill(words)
    expect(page.locator("#people .name")).to_have_count(1)
    expect(page.locator("#people")).to_contain_text(f"O seu código é {written}.")


def test_an_empty_phone_says_why(harness: Harness, open_page: Open) -> None:
    """The open conversation stays open when nothing in it is found."""
    harness.send("Olá")
    page = open_page()
    said = page.get_by_text("No message here matches the search.")
    expect(said).to_be_hidden()
    page.get_by_role("searchbox", name="Search messages").fill("Adeus")
    expect(bubbles(page)).to_have_count(0)
    expect(said).to_be_visible()


def test_after_clear_the_next_message_is_shown(harness: Harness, open_page: Open) -> None:
    """Though the recipient whose conversation was open is gone; so it is after a deletion."""
    harness.send("Before")
    page = open_page()
    expect(bubbles(page)).to_have_text(["Before"])
    harness.service.clear()
    expect(page.get_by_text("Waiting for the first message")).to_be_visible()
    harness.send("After", to="+351912345678")
    expect(bubbles(page)).to_have_text(["After"])
    harness.service.delete_message(harness.service.messages[0].id)
    expect(page.get_by_text("Waiting for the first message")).to_be_visible()
    harness.send("At last", to="+244923000111")
    expect(bubbles(page)).to_have_text(["At last"])


def test_an_empty_page_has_what_to_paste(open_page: Open) -> None:
    """Settings that a shell exports to the program, and a request that needs no setting."""
    settings, request = open_page().locator(".example pre").all_text_contents()
    lines = settings.splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "export ZIETT_BASE_URL", "export ZIETT_API_KEY", "export ZIETT_REMITTER_ID",
    ]  # fmt: skip
    assert '"X-API-KEY: zk_test_local"' in request


def test_a_link_to_a_message_opens_it(harness: Harness, open_page: Open) -> None:
    """In a new tab, too: the address is that of what is seen."""
    message_id = harness.send("First")
    harness.send("Second", to="+351912345678")
    page = open_page(f"/#/to/%2B244923456789/{message_id}")
    expect(bubbles(page)).to_have_text(["First"])
    expect(page.get_by_role("complementary")).to_contain_text(message_id)


@pytest.mark.parametrize("page", ["constructor", "__proto__", "toString", "nowhere"])
def test_an_address_that_no_page_has_shows_the_messages(
    harness: Harness, open_page: Open, page: str
) -> None:
    """Also one that every object of JavaScript has."""
    harness.send("Your code is 482910.")
    opened = open_page(f"/#/{page}")
    expect(bubbles(opened)).to_have_text("Your code is 482910.")
    expect(opened.get_by_role("link", name="Messages", exact=True)).to_have_attribute(
        "aria-current", "page"
    )


def test_filters_by_status(harness: Harness, open_page: Open) -> None:
    """On the way, delivered, failed; each with its own."""
    for index, status in enumerate(("PENDING", "SENT", "DELIVERED", "FAILED", "UNDELIVERED")):
        harness.service.add_message(target_e164=f"+24492300000{index}", status=status)
    page = open_page()
    people = page.locator("#people li")
    for name, count in (("On the way", 2), ("Delivered", 1), ("Failed", 2), ("All", 5)):
        page.get_by_role("radio", name=name).check()
        expect(people).to_have_count(count)


def test_details_tell_everything(harness: Harness, open_page: Open) -> None:
    """Parts and encoding, history, attempts, key, contact; marks change them at once."""
    body = {**SMS, "content": "ã" * 71, "save_contact": ANA}
    for _ in range(3):
        harness.ask("POST", "/messages", body, "order-4711")
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
    assert harness.service.messages[0].status == "DELIVERED"
