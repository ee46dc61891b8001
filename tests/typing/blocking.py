"""What a call without async takes and gives, as type checkers see it; only they read this file.

A line that is marked has to be an error: where it is none, both checkers complain of the mark.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import assert_type
from uuid import UUID

from ziett_async import (
    AcceptedCampaign,
    AcceptedMessage,
    Bucket,
    Campaign,
    CampaignOutcome,
    ChannelType,
    Message,
    MessageStatus,
    NewMessage,
    Operation,
    Page,
    SaveContact,
    Sender,
    SendOutcome,
)
from ziett_async.blocking import Outcomes, Pages, Ziett
from ziett_async.testing import FakeTransport, FakeZiett

ID = UUID("019b4b56-e704-7c30-83a0-527df63c3e00")


def clients() -> None:
    """Build one of whatever the asynchronous one is built of."""
    with Ziett("zk_test_x", transport=FakeTransport(FakeZiett()), timeout=5) as client:
        assert_type(client, Ziett)
    assert_type(client.close(), None)
    Ziett("zk_test_x", "https://api.ziett.co")  # type: ignore[call-arg]
    Ziett(transport=object())  # type: ignore[arg-type]
    Ziett(time_out=5)  # type: ignore[call-arg]


def messages(client: Ziett) -> None:
    """Send, read and list messages."""
    accepted = client.send_message(
        target_e164="+244923456789",
        content="Olá",
        channel_type=ChannelType.SMS,
        save_contact=SaveContact("Ana"),
        idempotency_key=ID,
        timeout=5,
    )
    assert_type(accepted, AcceptedMessage)
    assert_type(client.get_message(accepted.message_id), Message)
    page = client.list_messages(status=["FAILED", MessageStatus.SENT], page=2, size=50)
    assert_type(page, Page[Message])
    client.send_message("+244923456789", "Olá")  # type: ignore[call-arg]
    client.send_message("+244923456789", text="Olá")  # type: ignore[call-arg]
    client.list_messages(statuses=["SENT"])  # type: ignore[call-arg]
    client.list_messages(status=7)  # type: ignore[arg-type]
    client.get_message(7)  # type: ignore[arg-type]


def loops(client: Ziett) -> None:
    """Loop over entries, pages or changes."""
    found = client.iter_messages(status="FAILED", q="923")
    assert_type(found, Pages[Message])
    for message in found:
        assert_type(message, Message)
    assert_type(found.pages(), Iterator[Page[Message]])
    assert_type(client.iter_campaigns(tag_id=[ID]), Pages[Campaign])
    assert_type(client.iter_campaign_messages(ID, status="SENT"), Pages[Message])
    assert_type(client.watch_messages(ID), Iterable[Message])
    assert_type(client.wait_until_final([ID, str(ID)], timeout=1.0), dict[UUID, Message])
    client.iter_messages(page=2)  # type: ignore[call-arg]
    client.iter_campaigns(contact_id=ID)  # type: ignore[call-arg]


def many(client: Ziett, stream: AsyncIterator[NewMessage]) -> None:
    """Send many messages, and campaigns."""
    outcomes = client.send_many([{"target_e164": "+244923456789"}, NewMessage("x", "y")])
    assert_type(outcomes, Outcomes[SendOutcome])
    for outcome in outcomes:
        assert_type(outcome, SendOutcome)
    assert_type(outcomes.close(), None)
    client.send_many(stream, journal="run.db", concurrency=5)
    assert_type(client.send_campaign(["x", "y"], content="Olá"), Outcomes[CampaignOutcome])
    accepted = client.send_batch_campaign({"923456789", "912345678"}, content="Olá")
    assert_type(accepted, AcceptedCampaign)
    assert_type(client.get_campaign(accepted.campaign_id), Campaign)
    assert_type(client.list_campaigns(), Page[Campaign])
    assert_type(client.list_campaign_messages(ID), Page[Message])


def undocumented(client: Ziett) -> None:
    """Call an operation of one's own, which gives what it says."""
    operation = Operation("get_account", "GET", "/accounts/{id}", Sender, Bucket.READ)
    assert_type(client.call(operation, path={"id": "1"}), Sender)
