"""The inbox, in a real browser: faults, money, time, requests, and an emulator that restarts."""

import re
from contextlib import suppress

from playwright.sync_api import Browser, expect

from tests.emulator.page._harness import ANA, SMS, Harness, Open, bubbles
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.testing import FakeZiett, Fault
from ziett_async.testing.emulator import Emulator


def test_the_next_send_breaks(harness: Harness, open_page: Open) -> None:
    """As chosen, for as many as chosen, and it can be called off."""
    page = open_page()
    page.get_by_role("button", name="Break next send").click()
    dialog = page.get_by_role("dialog", name="Break the next send")
    for name, label in (
        ("502 from a proxy", "502 from a proxy"),
        ("504 from a proxy", "504 from a proxy"),
        ("503 from a proxy", "503 from a proxy"),
        ("429", "429, too many requests"),
        ("The connection breaks first", "The connection breaks first"),
        ("The answer is 5 s late", "The answer is 5 s late"),
        ("Still running", "Still running, for 5 s"),
        ("The answer is cut off", "The answer is cut off"),
    ):
        dialog.get_by_role("radio", name=name).check()
        dialog.get_by_role("spinbutton", name="How many sends").fill("2")
        dialog.get_by_role("button", name="Break it").click()
        faults = page.get_by_role("region", name="Faults that are waiting")
        expect(faults).to_contain_text(f"Next send: {label}, and 1 more")
        assert [each.operation for each in harness.service.faults.pending] == ["send_message"] * 2
        faults.get_by_role("button", name="Call it off").click()
        expect(faults).to_be_hidden()
        page.get_by_role("button", name="Break next send").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


def test_money_time_and_a_new_beginning(harness: Harness, open_page: Open) -> None:
    """Top up, skip ahead, clear; what is refused says why."""
    harness.send("Hello")
    page = open_page(excused="status of 422")
    balance = page.locator("#balance")
    expect(balance).to_have_text("985")
    expect(page.locator("#clock")).to_be_hidden()
    page.get_by_role("button", name="Top up").click()
    dialog = page.get_by_role("dialog", name="Top up the balance")
    dialog.get_by_role("textbox", name="Amount").fill("1,5")
    dialog.get_by_role("button", name="Top up").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Must be an amount, such as 500")
    dialog.get_by_role("textbox", name="Amount").fill("500.50")
    dialog.get_by_role("button", name="Top up").click()
    expect(balance).to_have_text("1,485.5")
    before = harness.service.clock.time()
    page.get_by_role("button", name="Skip ahead").click()
    page.get_by_role("combobox", name="By").select_option("an hour")
    page.get_by_role("dialog").get_by_role("button", name="Skip ahead").click()
    expect(page.locator("#toast")).to_have_text("It is later now")
    assert harness.service.clock.time() - before >= 3600
    expect(page.locator("#clock")).to_be_visible()
    expect(page.locator("#clock")).to_have_text("Clock 1 h ahead")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Clear everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(bubbles(page)).to_have_count(1)
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Clear everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Waiting for the first message")).to_be_visible()
    expect(balance).to_have_text("1,000")
    assert harness.service.messages == []


def test_requests_and_limits_are_shown_live(harness: Harness, open_page: Open) -> None:
    """Each with its answer, what became of it, and how much is left of each bucket."""
    page = open_page("/#/requests")
    expect(page.get_by_text("No requests yet.")).to_be_visible()
    harness.send("Hello")
    harness.ask("GET", "/messages/nonsense")
    rows = page.locator("#log > li")
    expect(rows).to_have_count(2)
    expect(rows.last.locator(".took")).to_have_text(re.compile(r"\d+\sms"))
    expect(rows.first).to_contain_text("422One messageGET /c/v1/messages/nonsense")
    meter = page.get_by_role("meter", name="Send, requests left")
    expect(meter).to_have_attribute("aria-valuenow", "119")
    rows.last.locator("summary").click()
    expect(rows.last).to_contain_text("Message to +244 923 456 789")
    expect(rows.last).to_contain_text("zk_test_…4567")
    expect(rows.last.get_by_label("Answer")).to_contain_text("message_id")
    harness.service.faults.add(Fault.gateway_error(), Fault.status(503), Fault.lose_answer())
    for _ in range(3):
        with suppress(ValueError, OSError):
            harness.ask("GET", "/messages")
    expect(rows.first).to_contain_text("connection reset")
    expect(rows.nth(1)).to_contain_text("not carried out")
    expect(rows.nth(2)).to_contain_text("from a proxy after the service's 200")
    expect(rows.last.locator("details")).to_have_attribute("open", "")
    for kind, count in (("sends", 1), ("reads", 4), ("errors and faults", 4), ("all", 5)):
        page.get_by_role("combobox", name="Show").select_option(kind)
        expect(rows).to_have_count(count)


def test_a_message_and_its_requests_lead_to_each_other(harness: Harness, open_page: Open) -> None:
    """Even where a proxy answered in place of the service, and where it is a repeat."""
    harness.service.faults.add(Fault.gateway_error(502, operation="send_message"))
    body = {**SMS, "content": "Hello", "save_contact": ANA}
    for _ in range(2):
        with suppress(ValueError):
            harness.ask("POST", "/messages", body, "order-1")
    harness.ask("GET", f"/messages/{harness.service.messages[0].id}")
    page = open_page("/#/requests")
    rows = page.locator("#log > li")
    expect(rows.first).to_contain_text("200Read the message to Ana Domingos")
    expect(rows.last).to_contain_text("502Message to Ana DomingosPOST /c/v1/messages")
    rows.last.locator("summary").click()
    rows.last.get_by_role("link", name="Show the message").click()
    expect(bubbles(page)).to_have_text(["Hello"])
    details = page.get_by_role("complementary")
    links = details.get_by_role("link", name="Message to Ana Domingos", exact=True)
    expect(links).to_have_count(2)
    links.first.click()
    expect(rows.nth(1).locator("details")).to_have_attribute("open", "")
    expect(rows.nth(1).locator("summary")).to_be_focused()


def test_a_campaign_is_seen_as_a_whole(harness: Harness, open_page: Open) -> None:
    """What became of its messages, live, and its messages alone."""
    page = open_page("/#/campaigns")
    expect(page.get_by_text("No campaigns yet.")).to_be_visible()
    numbers = [f"+24492300000{n}" for n in range(3)]
    batch = {**SMS, "recipients": numbers, "content": "Natal", "name": "Dezembro"}
    del batch["target_e164"]
    harness.ask("POST", "/campaigns/batch", batch)
    harness.send("Another", to="+351912345678")
    campaign = page.locator("#campaign-list > li")
    expect(campaign).to_contain_text("0 delivered, 3 on the way, 0 failed")
    harness.service.deliver(harness.service.messages[0].id)
    harness.service.deliver(harness.service.messages[1].id, "FAILED")
    expect(campaign).to_contain_text("1 delivered, 1 on the way, 1 failed")
    campaign.get_by_role("link", name="Show its messages").click()
    people = page.locator("#people li")
    expect(people).to_have_count(3)
    expect(page.locator("#found-words")).to_have_text("3 messages in Dezembro")
    page.get_by_role("link", name=re.compile("^Details")).click()
    page.get_by_role("complementary").get_by_role("link", name="Dezembro").click()
    expect(page.get_by_role("heading", name="Dezembro")).to_be_focused()
    page.get_by_role("link", name="Messages", exact=True).click()
    page.get_by_role("button", name="Show all").click()
    expect(people).to_have_count(4)


def test_one_message_of_a_campaign_is_one_in_portuguese(harness: Harness, open_page: Open) -> None:
    """The words for what became of messages go by how many there are."""
    batch = {**SMS, "recipients": [f"+24492300000{n}" for n in range(3)], "content": "Natal"}
    del batch["target_e164"]
    harness.ask("POST", "/campaigns/batch", batch)
    page = open_page("/#/campaigns", locale="pt-AO")
    campaign = page.locator("#campaign-list > li")
    expect(campaign).to_contain_text("0 entregues, 3 a caminho, 0 falhadas")
    for message, status in zip(harness.service.messages, ("DELIVERED", "FAILED"), strict=False):
        harness.service.deliver(message.id, status)
    expect(campaign).to_contain_text("1 entregue, 1 a caminho, 1 falhada")


def test_an_empty_bucket_says_when(harness: Harness, open_page: Open) -> None:
    """The next request will be let in."""
    for index in range(10):
        harness.ask("POST", "/campaigns/batch", {"n": index})
    page = open_page("/#/requests")
    limit = page.locator(".limit").filter(has_text="Campaigns")
    expect(limit).to_contain_text("0 of 10 left")
    expect(limit).to_contain_text("next in")


def test_it_finds_its_emulator_again(browser: Browser) -> None:
    """After a restart on the same port, with what the new one knows."""
    page = browser.new_page()
    with Emulator(FakeZiett(clock=AdjustableClock())) as emulator:
        emulator.service.add_message(content="Before")
        port = emulator.port
        page.goto(emulator.url)
        expect(bubbles(page)).to_have_text(["Before"])
    expect(page.locator("#live")).to_have_text("Reconnecting")
    with Emulator(FakeZiett(clock=AdjustableClock(), seed=1), port=port) as emulator:
        emulator.service.add_message(content="After")
        expect(page.locator("#live")).to_have_text("Live", timeout=15_000)
        expect(bubbles(page)).to_have_text(["After"])
        page.close()


def test_a_flood_leaves_the_page_usable(harness: Harness, open_page: Open) -> None:
    """Thousands of messages: the newest are shown, and all are counted."""
    for index in range(4000):
        harness.service.add_message(
            target_e164=f"+2449230{index % 300:05}", content=f"Number {index}"
        )
    page = open_page()
    expect(page.locator("#people li")).to_have_count(200)
    expect(page.locator("#found-words")).to_have_text("1000 messages of the newest 1000")
    harness.send("The last one", to="+351912345678")
    page.get_by_role("link", name=re.compile("The last one")).click()
    expect(bubbles(page)).to_have_text(["The last one"])
