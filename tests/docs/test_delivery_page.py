"""The examples of docs/delivery.md, run against the fake."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from tests.support.examples import DELIVERY, function_of
from tests.support.samples import API_KEY, REMITTER
from ziett_async import AsyncZiett, Message, Unlimited
from ziett_async.testing import Delivery, FakeTransport, FakeZiett

pytestmark = pytest.mark.anyio

SendToAll = Callable[[AsyncZiett, list[str], str], Awaitable[list[Message]]]
PrintChanges = Callable[[AsyncZiett, list[UUID]], Awaitable[None]]

NUMBERS = [f"+2449234567{i:02d}" for i in range(20)]


def new_client(fake: FakeZiett) -> AsyncZiett:
    """Return a client that lives on the fake's clock."""
    return AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake),
        default_remitter_id=REMITTER,
        limiter=Unlimited(),
    )


async def test_what_was_not_delivered_is_returned() -> None:
    """Here two of twenty, with their reasons."""
    send_to_all: SendToAll = function_of(DELIVERY, "send_to_all")
    fake = FakeZiett(delivery=Delivery(failed=0.2))
    async with new_client(fake) as client:
        failed = await send_to_all(client, NUMBERS, "Boas festas!")
    expected = {each.id for each in fake.messages if each.status == "FAILED"}
    assert {each.id for each in failed} == expected != set()
    assert {each.error_code for each in failed} == {"PROVIDER_REJECTED"}


async def test_after_an_hour_what_is_known_is_returned() -> None:
    """A message that was never delivered, and is known as it is read by its id."""
    send_to_all: SendToAll = function_of(DELIVERY, "send_to_all")
    async with new_client(FakeZiett(delivery=None)) as client:
        [message] = await send_to_all(client, NUMBERS[:1], "Boas festas!")
    assert message.status == "PENDING"


async def test_each_change_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, until all are final."""
    print_changes: PrintChanges = function_of(DELIVERY, "print_changes")
    async with new_client(FakeZiett()) as client:
        accepted = await client.send_message(NUMBERS[0], content="Boas festas!")
        await print_changes(client, [accepted.message_id])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [status for _, status in lines] == ["SENT", "DELIVERED"]
