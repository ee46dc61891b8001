"""`send_campaign`: an audience of any size, in batches that are sent once."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import anyio.lowlevel
import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bulk import ONCE, TEXT, MemoryJournal, client_of, numbers
from tests.support.samples import API_KEY, REMITTER
from ziett_async import (
    AsyncZiett,
    CampaignOutcome,
    ConfigurationError,
    InsufficientFundsError,
    InvalidRequest,
    OutcomeUnknown,
    RecipientNotAllowed,
)
from ziett_async.bulk.campaigns import batch_sizes
from ziett_async.testing import FakeTransport, FakeZiett, Fault

HOUR = 60 * 60.0
BATCH = "send_batch_campaign"


@given(st.integers(2, 10**6))
def test_batches_are_few_and_equal(count: int) -> None:
    """Of 2 to 1000 recipients each, none larger by two than another, the larger ones first."""
    sizes = batch_sizes(count)
    assert sum(sizes) == count
    assert len(sizes) == -(-count // 1000)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[-1] <= 1
    assert 2 <= sizes[-1] <= sizes[0] <= 1000


def as_iterator(count: int) -> Iterator[str]:
    """Return numbers that can be read once."""
    return iter(numbers(count))


def as_keys(count: int) -> Iterable[str]:
    """Return numbers that are no sequence."""
    return dict.fromkeys(numbers(count)).keys()


async def as_stream(count: int) -> AsyncIterator[str]:
    """Yield numbers, one after another."""
    for number in numbers(count):
        await anyio.lowlevel.checkpoint()
        yield number


async def run(
    fake: FakeZiett,
    count: int,
    *faults: Fault,
    journal: MemoryJournal | None = None,
    name: str | None = None,
) -> list[CampaignOutcome]:
    """Send a campaign with a new client; faults come in order."""
    with fake.script(*faults):
        async with client_of(fake, retry=ONCE) as client:
            campaign = client.send_campaign(
                numbers(count), content=TEXT, name=name, journal=journal
            )
            return [each async for each in campaign]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "audience",
    [
        numbers,
        as_iterator,
        as_keys,
        as_stream,
    ],
    ids=["list", "iterator", "keys", "stream"],
)
async def test_an_audience_of_any_size_gets_the_text_once(
    audience: Callable[[int], Iterable[str] | AsyncIterator[str]],
) -> None:
    """2501 recipients are 834, 834 and 833; each outcome has its own."""
    fake = FakeZiett()
    async with client_of(fake) as client:
        campaign = client.send_campaign(audience(2501), content=TEXT, name="July")
        outcomes = [each async for each in campaign]
    assert sorted(len(each.recipients) for each in outcomes) == [833, 834, 834]
    assert all(each.accepted for each in outcomes)
    assert sorted(each.target_e164 for each in fake.messages) == sorted(numbers(2501))
    names = ["July (1/3)", "July (2/3)", "July (3/3)"]
    assert sorted(str(each.name) for each in fake.campaigns) == names


@pytest.mark.anyio
async def test_one_batch_has_the_name_as_it_is() -> None:
    """There is no second one to be told from; without a name none has one."""
    fake = FakeZiett()
    await run(fake, 1000, name="July")
    await run(fake, 1001)
    assert [each.name for each in fake.campaigns] == ["July", None, None]


@pytest.mark.anyio
@pytest.mark.parametrize("count", [0, 1])
async def test_a_campaign_needs_two_recipients(count: int) -> None:
    """One of them is a message."""
    fake = FakeZiett()
    wrong = f"must be at least 2, got {count}; one is for send_message"
    with pytest.raises(InvalidRequest, match=rf"^send_campaign: recipients: {wrong}$"):
        await run(fake, count)
    assert not fake.requests


@pytest.mark.anyio
async def test_two_recipients_are_a_campaign() -> None:
    """Of one batch."""
    fake = FakeZiett()
    await run(fake, 2)
    assert len(fake.messages) == 2


@pytest.mark.anyio
async def test_another_audience_under_the_same_journal_is_refused() -> None:
    """A single number tells it apart, and nothing is sent."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, 4, journal=journal)
    audience = [*numbers(3), numbers(5)[4]]
    async with client_of(fake) as client:
        campaign = client.send_campaign(audience, content=TEXT, journal=journal)
        with pytest.raises(ConfigurationError, match="another list"):
            await anext(aiter(campaign))
    assert len(fake.messages) == 4


@pytest.mark.anyio
async def test_a_name_has_room_for_its_number() -> None:
    """200 characters in all; nothing is sent under a name that was cut."""
    fake = FakeZiett()
    with pytest.raises(
        InvalidRequest, match=r"^send_campaign: name: must have at most 200 characters"
    ):
        await run(fake, 1001, name="x" * 195)
    assert not fake.requests
    await run(fake, 1000, name="x" * 200)
    await run(fake, 1001, name="x" * 194)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"content": ""}, "content"),
        ({"content": TEXT, "name": ""}, "name"),
        ({"content": TEXT, "country": "angola"}, "country"),
        ({"content": TEXT, "remitter_id": "me"}, "remitter_id"),
        ({"content": TEXT, "journal": 5}, "journal"),
        ({"content": TEXT, "priority": "first"}, "priority"),
    ],
)
async def test_a_wrong_argument_is_refused_at_once(wrong: dict[str, Any], field: str) -> None:
    """By its name, before any step."""
    async with client_of(FakeZiett()) as client:
        with pytest.raises(InvalidRequest) as caught:
            client.send_campaign(numbers(2), **wrong)
    assert set(caught.value.fields) == {field}


@pytest.mark.anyio
async def test_a_batch_that_is_wrong_is_an_outcome() -> None:
    """And the others are sent; a number that is not allowed is refused alike."""
    fake = FakeZiett()
    audience: list[Any] = [*numbers(1500), None]
    async with AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake),
        default_remitter_id=REMITTER,
        allowed_recipients=numbers(1400),
    ) as client:
        first, second = [each async for each in client.send_campaign(audience[:1500], content=TEXT)]
        assert sorted([type(first.error), type(second.error)], key=str) == [
            type(None),
            RecipientNotAllowed,
        ]
        outcomes = [each async for each in client.send_campaign(audience, content="x")]
    assert [type(each.error) for each in outcomes if each.error] == [InvalidRequest]
    assert len(fake.messages) == 750 + 751


@pytest.mark.anyio
async def test_started_again_nothing_is_sent_twice() -> None:
    """With a journal and without one; another name sends it anew."""
    fake, journal = FakeZiett(), MemoryJournal()
    lost = Fault.lose_answer(operation=BATCH)
    first = await run(fake, 2500, lost, journal=journal, name="July")
    assert sum(isinstance(each.error, OutcomeUnknown) for each in first) == 1
    for kept in (journal, journal, None):
        again = await run(fake, 2500, journal=kept, name="July")
        assert all(each.accepted for each in again)
        assert len(fake.messages) == 2500
    assert len(fake.requests) == 3 + 1 + 3
    await run(fake, 2500, name="July, again")
    assert len(fake.messages) == 5000


@pytest.mark.anyio
async def test_a_narrower_allow_list_changes_nothing_that_is_settled() -> None:
    """Batches that were accepted are yielded again, whatever the client may send to now."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, 1500, journal=journal, name="July")
    async with client_of(fake, allowed_recipients=numbers(1)) as client:
        audience = numbers(1500)
        campaign = client.send_campaign(audience, content=TEXT, name="July", journal=journal)
        again = [each async for each in campaign]
    assert all(each.accepted for each in again)
    assert len(fake.campaigns) == 2


@pytest.mark.anyio
async def test_after_23_hours_a_batch_is_looked_up() -> None:
    """By its name, text and size; what is not found is not sent again."""
    for fault, is_found in (
        (Fault.lose_answer(operation=BATCH), True),
        (Fault.reset(operation=BATCH), False),
    ):
        for name in ("July", None):
            fake, journal = FakeZiett(), MemoryJournal()
            await run(fake, 2500, fault, journal=journal, name=name)
            await fake.clock.sleep(30 * HOUR)
            again = await run(fake, 2500, journal=journal, name=name)
            unknown = [each.error for each in again if each.error]
            assert [type(each) for each in unknown] == [OutcomeUnknown] * (not is_found)
            assert len(fake.messages) == (2500 if is_found else 2500 - 834)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "other",
    [{}, {"content": "another text"}, {"name": "June"}, {"recipients": 5}],
    ids=["the same", "text", "name", "size"],
)
async def test_a_campaign_that_only_looks_alike_is_not_taken_for_it(
    other: dict[str, Any],
) -> None:
    """Name, text and size have to be the same; what is found has its id and the batch's key."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, 4, Fault.lose_answer(operation=BATCH), journal=journal, name="July")
    (record,) = fake.campaigns
    fake.put(attrs.evolve(record, **other))
    await fake.clock.sleep(30 * HOUR)
    (outcome,) = await run(fake, 4, journal=journal, name="July")
    (look_up,) = [each for each in fake.requests if each.bucket == "list"]
    assert "q=July" in look_up.query
    if other:
        assert isinstance(outcome.error, OutcomeUnknown)
        assert outcome.error.operation == "send_batch_campaign"
    else:
        assert outcome.accepted
        assert outcome.accepted.campaign_id == record.id
        assert outcome.accepted.idempotency_key == record.idempotency_key


@pytest.mark.anyio
async def test_a_day_of_too_many_campaigns_settles_nothing() -> None:
    """More than a page of them."""
    fake, journal = FakeZiett(limits={}), MemoryJournal()
    await run(fake, 4, Fault.lose_answer(operation=BATCH), journal=journal)
    (record,) = fake.campaigns
    for index in range(200):
        fake.put(attrs.evolve(record, id=type(record.id)(int=index)))
    await fake.clock.sleep(30 * HOUR)
    (outcome,) = await run(fake, 4, journal=journal)
    assert isinstance(outcome.error, OutcomeUnknown)


@pytest.mark.anyio
async def test_an_account_without_money_ends_it() -> None:
    """After the outcomes before that."""
    fake = FakeZiett(balance=900 * 15)
    with pytest.raises(InsufficientFundsError):
        await run(fake, 1600)
    assert len(fake.messages) == 800


@pytest.mark.anyio
async def test_campaigns_keep_to_their_limit() -> None:
    """Bulk uses 8 of 10 a minute, and gets no 429."""
    fake = FakeZiett()
    outcomes = await run(fake, 17_000)
    assert len(outcomes) == len(fake.requests) == 17
    assert 120 <= fake.clock.monotonic() < 125


@pytest.mark.anyio
async def test_an_outcome_shows_no_number() -> None:
    """In its `repr`."""
    (outcome,) = await run(FakeZiett(), 3)
    assert "92310" not in repr(outcome)
