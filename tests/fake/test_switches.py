"""Whatever the documentation leaves open, the client gets through the same day with it."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import attrs
import pytest

from tests.fake import _switches as switches
from tests.fake._switches import SWITCHES, Row
from tests.support.requests import message
from tests.support.samples import OTHER_ID, REMITTER
from ziett_async import (
    AcceptedMessage,
    ApiError,
    AsyncZiett,
    ConflictError,
    InsufficientFundsError,
    ManualClock,
    NotFoundError,
    OutcomeUnknown,
    RateLimitError,
    Request,
    RetryPolicy,
    SaveContact,
    ValidationError,
)
from ziett_async._codec import encode
from ziett_async.testing import Dialect, FakeTransport, FakeZiett, Fault, Idempotency

ROWS = switches.mixed(2)
DOCS = Path(__file__).parents[2] / "docs" / "fidelity.md"
NUMBER = "+244923456789"
#: What another program sends, which the client knows nothing of.
THEIRS = encode(message(target_e164="+244911111111"))


@attrs.frozen
class Day:
    """One client and one service, whose documentation is read in one way."""

    row: Row
    fake: FakeZiett
    clock: ManualClock
    client: AsyncZiett

    def stands(self, name: str) -> Any:  # noqa: ANN401 (a setting may be anything)
        """Return how a switch is set."""
        return self.row[name]

    async def send(self, content: str, **changes: Any) -> UUID:  # noqa: ANN401 (any of its fields)
        """Send a message; return its id, which is that of the only one with this text."""
        send: Callable[..., Awaitable[AcceptedMessage]] = self.client.send_message
        accepted = await send(NUMBER, content=content, **changes)
        assert self.sent(content) in ([accepted.message_id], [])
        return accepted.message_id

    def sent(self, content: str) -> list[UUID]:
        """Return the ids of the messages with this text."""
        return [row.id for row in self.fake.messages if row.content == content]

    def statuses(self) -> set[int | None]:
        """Return the statuses of all answers so far."""
        return {arrival.status for arrival in self.fake.requests}

    def use_up_limit(self) -> None:
        """Use up the limit with this key or another one of the organisation."""
        shared = self.stands("dialect.limits_per") == "organisation"
        key = "zk_test_else" if shared else "zk_test_day"
        headers = (("x-api-key", key), ("content-type", "application/json"))
        request = Request("POST", "https://api.ziett.co/c/v1/messages", headers, THEIRS)
        while self.fake.handle(request).status != 429:
            pass


async def sends_once_whatever_gets_lost(day: Day) -> None:
    """Lose answers, cut them short, garble them, delay them: it costs no message."""
    faults = (Fault.lose_answer(), Fault.truncate(3), Fault.garbage(), Fault.running(0.6))
    for number, fault in enumerate(faults):
        with day.fake.script(fault):
            of = await day.send(f"Lost {number}")
        assert day.sent(f"Lost {number}") == [of]


async def knows_what_a_failure_means(day: Day) -> None:
    """Retry a 500; report one that is stored under the key, and send with a new key."""
    stored = day.stands("idempotency.stores_server_errors")
    with day.fake.script(Fault.status(500)):
        try:
            await day.send("Failed")
        except OutcomeUnknown:
            assert stored
            assert day.sent("Failed") == []
            await day.send("Failed")
        else:
            assert not stored
    with day.fake.script(Fault.status(503, body=b"")):
        await day.send("Proxy")
    assert len(day.sent("Failed") + day.sent("Proxy")) == 2


async def keeps_a_key_to_one_message(day: Day) -> None:
    """Use a key twice: it gives the same message, and another text under it is never sent."""
    first = await day.send("First", idempotency_key="order-7")
    assert await day.send("First", idempotency_key="order-7") == first
    refusals: dict[int, type[ApiError]] = {409: ConflictError, 422: ValidationError}
    reused = day.stands("idempotency.reused")
    if reused == 202:
        assert await day.send("Second", idempotency_key="order-7") == first
    else:
        with pytest.raises(refusals[reused]):
            await day.send("Second", idempotency_key="order-7")
    assert (day.sent("First"), day.sent("Second")) == ([first], [])


async def reports_a_lack_of_money(day: Day) -> None:
    """Run out of money: once there is some, the key is good or a new one is."""
    balance = day.fake.balance
    day.fake.top_up(-balance)
    with pytest.raises(InsufficientFundsError) as caught:
        await day.send("Paid")
    day.fake.top_up(balance)
    try:
        await day.send("Paid", idempotency_key=caught.value.idempotency_key)
    except InsufficientFundsError:
        assert day.stands("idempotency.stores_refusals")
        await day.send("Paid")
    assert (caught.value.attempts, len(day.sent("Paid"))) == (1, 1)


async def learns_which_channels_there_are(day: Day) -> None:
    """Try WhatsApp: it is sent, or a 422 names the field."""
    if "WHATSAPP" in day.stands("dialect.channels"):
        of = await day.send("By WhatsApp", channel_type="WHATSAPP")
        assert (await day.client.get_message(of)).channel_type == "WHATSAPP"
    else:
        with pytest.raises(ValidationError) as caught:
            await day.send("By WhatsApp", channel_type="WHATSAPP")
        assert list(caught.value.fields) == ["channel_type"]


async def reads_one_message_under_one_set_of_names(day: Day) -> None:
    """Read a message in a list and alone: it is the same, whatever the server calls its fields."""
    of = await day.send("Read", save_contact=SaveContact(name="Ana", email="ana@example.ao"))
    [row] = [row for row in day.fake.messages if row.id == of]
    listed = next(m for m in (await day.client.list_messages(q=NUMBER)).entries if m.id == of)
    for found in (listed, await day.client.get_message(of)):
        assert (found.id, found.created_at, found.status) == (of, row.created_at, "PENDING")
        assert (found.target_e164, found.content) == (NUMBER, "Read")
        assert (str(found.remitter_id), found.contact_id) == (REMITTER, row.contact_id)


async def reports_what_is_not_there(day: Day) -> None:
    """Ask for nothing: a 404 is one error under both codes."""
    for ask in (day.client.get_message, day.client.get_campaign):
        with pytest.raises(NotFoundError) as caught:
            await ask(OTHER_ID)
        assert caught.value.code == day.stands("dialect.not_found")


async def reads_every_message_once(day: Day) -> None:
    """Read while rows arrive, move and share their moments: none is missed."""
    for number in range(60):
        day.fake.add_message(content=f"Row {number}")
    before = {row.id for row in day.fake.messages}
    seen = list[UUID]()
    async for found in day.client.iter_messages(size=25):
        seen.append(found.id)
        if len(seen) % 10 == 0:
            day.fake.add_message(content="Late")
            day.fake.deliver(seen[-1], "FAILED", "HANDSET_OFF")
    assert len(seen) == len(set(seen))
    assert before <= set(seen)
    failed = day.client.iter_messages(status="FAILED", created_at__le=day.clock.now(), size=25)
    assert {each.status.value async for each in failed} == {"FAILED"}


async def follows_a_campaign(day: Day) -> None:
    """Follow it from acceptance to completion, and to each of its messages."""
    numbers = [f"+2449234567{number:02}" for number in range(30)]
    accepted = await day.client.send_batch_campaign(numbers, content="To all", name="Day")
    while not (campaign := await day.client.get_campaign(accepted.campaign_id)).is_final:
        await day.clock.sleep(1.0)
    assert (campaign.status, campaign.total_estimated_recipients) == ("COMPLETED", 30)
    walk = day.client.iter_campaign_messages(accepted.campaign_id, size=7)
    assert sorted([each.target_e164 async for each in walk]) == numbers
    assert [each.id async for each in day.client.iter_campaigns(q="day")] == [campaign.id]


async def never_meets_a_limit_of_its_own(day: Day) -> None:
    """Start more than a minute holds: all of it comes through, and no 429 is seen."""

    async def read() -> None:
        await day.client.list_campaigns(size=1)
        await day.client.list_messages(size=1)

    async with anyio.create_task_group() as tasks:
        for number in range(130):
            tasks.start_soon(day.send, f"Burst {number}")
        for _ in range(35):
            tasks.start_soon(read)
    assert [len(day.sent(f"Burst {number}")) for number in range(130)] == [1] * 130
    assert 429 not in day.statuses()


async def shares_its_limit(day: Day) -> None:
    """Wait for `Retry-After` when the limit is used up, or report the 429."""
    day.use_up_limit()
    try:
        await day.send("Crowded", idempotency_key="crowded")
    except RateLimitError:
        assert not day.stands("dialect.retry_after")
        await day.clock.sleep(60.0)
        await day.send("Crowded", idempotency_key="crowded")
    assert len(day.sent("Crowded")) == 1
    assert 429 in day.statuses()


STEPS: tuple[Callable[[Day], Awaitable[None]], ...] = (
    sends_once_whatever_gets_lost,
    knows_what_a_failure_means,
    keeps_a_key_to_one_message,
    reports_a_lack_of_money,
    learns_which_channels_there_are,
    reads_one_message_under_one_set_of_names,
    reports_what_is_not_there,
    reads_every_message_once,
    follows_a_campaign,
    never_meets_a_limit_of_its_own,
    shares_its_limit,
)


@pytest.mark.anyio
@pytest.mark.parametrize("row", ROWS, ids=switches.title)
async def test_the_client_gets_through_the_day(row: Row) -> None:
    """The same day, of every call and every mishap, ends well however the switches stand."""
    clock = ManualClock()
    fake = switches.serve(row, clock)
    # The longest backoff each time, so that a run repeats and a busy key has its time.
    retry = RetryPolicy(jitter=lambda: 0.999)
    async with AsyncZiett(
        "zk_test_day",
        base_url="https://api.ziett.co/c/v1",
        transport=FakeTransport(fake, latency=0.05),
        default_remitter_id=REMITTER,
        retry=retry,
    ) as client:
        day = Day(row, fake, clock, client)
        for step in STEPS:
            await step(day)


def test_every_switch_is_walked_through() -> None:
    """The table has every switch that the fake has, the default first."""
    own = {"price_per_part", "window", "distinct_timestamps"}
    known = switches.names_of(Dialect, "dialect") | switches.names_of(Idempotency, "idempotency")
    # Of the 24 hours the contract is sure.
    assert (known | own) - SWITCHES.keys() == {"idempotency.lifetime"}
    for kind, part in ((Dialect(), "dialect"), (Idempotency(), "idempotency")):
        for name, setting in attrs.asdict(kind).items():
            assert SWITCHES.get(f"{part}.{name}", (setting,))[0] == setting


def test_every_two_settings_meet() -> None:
    """In some row, whichever two switches they are of; and the rows are few."""
    met = {each for row in ROWS for each in switches.met(row, 2)}
    assert met == set(switches.meetings(2))
    assert len(ROWS) < 25


def test_every_switch_is_documented() -> None:
    """`docs/fidelity.md` has a row for each, and for no other."""
    rows = re.findall(r"^\| `([\w.]+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert [name.lower() for name in rows] == list(SWITCHES)
