"""`send_many` with a journal: started again it sends nothing twice and loses nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from anyio.lowlevel import checkpoint

from tests.support.bulk import (
    ONCE,
    TEXT,
    MemoryJournal,
    accepted,
    client_of,
    collected,
    messages,
    numbers,
    take,
)
from tests.support.samples import OTHER_ID, REMITTER
from ziett_async import (
    ApiError,
    AsyncZiett,
    AuthenticationError,
    Bucket,
    ConfigurationError,
    NewMessage,
    OutcomeUnknown,
    Permit,
    Priority,
    RecipientNotAllowed,
    Request,
    Response,
    SendOutcome,
    Unlimited,
    ValidationError,
)
from ziett_async.bulk.journal import Record
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

HOUR = 60 * 60.0
SEND = "send_message"


def received(fake: FakeZiett) -> Counter[str]:
    """Return how many messages each number has got."""
    return Counter(message.target_e164 for message in fake.messages)


async def run(
    fake: FakeZiett,
    journal: MemoryJournal,
    count: int = 5,
    *faults: Fault,
    concurrency: int = 1,
    stream: bool = False,
) -> list[SendOutcome]:
    """Run some messages through a new client, as a new process would; faults come in order."""
    many = iter(messages(count)) if stream else messages(count)
    with fake.script(*faults):
        async with client_of(fake, retry=ONCE, limiter=Unlimited()) as client:
            return await collected(client.send_many(many, journal=journal, concurrency=concurrency))


async def test_what_was_settled_is_yielded_again_in_order() -> None:
    """With the same ids, keys and accounts of the calls, and without a request."""
    fake, journal = FakeZiett(), MemoryJournal()
    first = await run(fake, journal, 40, concurrency=10)
    again = await run(fake, journal, 40, concurrency=10)
    assert [each.message for each in again] == messages(40)
    by_number = {each.message.target_e164: each for each in first}
    assert [by_number[each.message.target_e164] for each in again] == again
    assert len(fake.requests) == 40


async def test_a_key_is_written_before_it_is_sent() -> None:
    """Of each message, in one commit with others that begin at the same time."""
    fake, journal = FakeZiett(), MemoryJournal()

    class Watched(FakeTransport):
        async def send(self, request: Request) -> Response:
            written = [each.key for commit in journal.commits for each in commit]
            assert dict(request.headers)["idempotency-key"] in written
            return await super().send(request)

    async with AsyncZiett(
        "zk_test_x", transport=Watched(fake), limiter=Unlimited(), default_remitter_id=REMITTER
    ) as client:
        run = client.send_many(messages(60), journal=journal, concurrency=30)
        assert len(accepted(await collected(run))) == 60
    assert max(map(len, journal.commits)) > 1
    # Each once when it begins, and once when it is settled.
    assert sum(map(len, journal.commits)) == 2 * 60


async def test_a_final_refusal_is_not_tried_again() -> None:
    """Its error comes again as it was, without a request."""
    fake, journal = FakeZiett(), MemoryJournal()
    body = (
        b'{"code": "VALIDATION_ERROR", "message": "One or more fields failed validation.",'
        b' "status": 422, "trace_id": "0af7651916cd43dd8448eb211c80319c",'
        b' "timestamp": "2025-07-14T10:30:00Z", "service": "core",'
        b' "fields": {"target_e164": "Must be valid."}}'
    )
    first = await run(fake, journal, 2, Fault.status(422, body=body, operation=SEND))
    again = await run(fake, journal, 2)
    before, after = first[0].error, again[0].error
    assert isinstance(before, ValidationError)
    assert isinstance(after, ValidationError)
    assert (str(after), vars(after)) == (str(before), vars(before))
    assert len(fake.requests) == 2


async def test_a_refusal_without_an_error_object_comes_again_too() -> None:
    """As a proxy in front of the service sends it."""
    fake, journal = FakeZiett(), MemoryJournal()
    fault = Fault.status(413, body=b"too large", operation=SEND)
    first = await run(fake, journal, 1, fault)
    again = await run(fake, journal, 1)
    assert isinstance(again[0].error, ApiError)
    assert str(again[0].error) == str(first[0].error)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.refuse(operation=SEND), "NotSent"),
        (Fault.lose_answer(operation=SEND), "OutcomeUnknown"),
        (Fault.gateway_error(502, operation=SEND), "OutcomeUnknown"),
        (Fault.status(503, operation=SEND), "OutcomeUnknown"),
        (Fault.status(429, operation=SEND), "RateLimitError"),
    ],
    ids=str,
)
async def test_what_may_succeed_later_is_tried_again_with_its_key(fault: Fault, kind: str) -> None:
    """Whether it was sent or not: it is one message."""
    fake, journal = FakeZiett(), MemoryJournal()
    first = await run(fake, journal, 2, fault)
    assert type(first[0].error).__name__ == kind
    again = await run(fake, journal, 2)
    assert accepted(again)[0].idempotency_key == journal.records[0].key
    assert received(fake) == Counter(numbers(2))


async def test_a_message_that_was_never_read_again_is_not_forgotten() -> None:
    """A stream that ends before its last start's records do is an error, and no success."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 5, stream=True)
    with pytest.raises(ConfigurationError, match="more than these 3 messages"):
        await run(fake, journal, 3, stream=True)
    await run(fake, journal, 7, stream=True)
    assert received(fake) == Counter(numbers(7))


@pytest.mark.parametrize("count", [4, 6])
async def test_another_list_is_refused_before_anything_is_sent(count: int) -> None:
    """A list is known by its digest."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 5)
    with pytest.raises(ConfigurationError, match="another list of messages; name another file"):
        await run(fake, journal, count)
    assert len(fake.requests) == 5
    assert not journal.is_open


@pytest.mark.parametrize("field", ["target_e164", "content", "reference"])
async def test_another_message_in_a_row_is_refused(field: str) -> None:
    """Of a stream it shows in the row where it differs; an invalid one differs, too."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 5, stream=True)
    for other in (numbers(9)[8], "\ud800"):
        rows = messages(5)
        changed: dict[str, Any] = {field: other}
        rows[3] = attrs.evolve(rows[3], **changed)
        async with client_of(fake) as client:
            outcomes = list[SendOutcome]()
            with pytest.raises(ConfigurationError, match="row 3 shows"):
                await take(client.send_many(iter(rows), journal=journal), outcomes)
    assert len(outcomes) == 3
    assert len(fake.requests) == 5


async def test_a_bad_row_may_be_corrected_in_a_stream() -> None:
    """It was never sent, so that it is like a new one."""
    fake, journal = FakeZiett(), MemoryJournal()
    rows = messages(3)
    for second in (NewMessage("12", TEXT), rows[1]):
        async with client_of(fake) as client:
            many = iter([rows[0], second, rows[2]])
            outcomes = await collected(client.send_many(many, journal=journal))
    assert len(accepted(outcomes)) == 3
    assert received(fake) == Counter(numbers(3))


async def test_a_journal_belongs_to_one_run() -> None:
    """Another name is refused; without a name the run goes on under its own."""
    fake, journal = FakeZiett(), MemoryJournal()
    async with client_of(fake) as client:
        await collected(client.send_many(messages(3), journal=journal, run="July"))
        with pytest.raises(ConfigurationError, match=r": it belongs to a run of another name;"):
            await collected(client.send_many(messages(3), journal=journal, run="August"))
        await collected(client.send_many(messages(3), journal=journal))
        await collected(client.send_many(messages(3), run="July"))
    assert len(fake.messages) == 3


async def test_a_journal_of_a_list_is_not_one_of_a_campaign() -> None:
    """Their rows mean different things."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 3)
    async with client_of(fake) as client:
        campaign = client.send_campaign(numbers(3), content=TEXT, journal=journal)
        with pytest.raises(ConfigurationError, match="belongs to send_many"):
            await anext(campaign)
    assert not fake.campaigns


async def test_a_stream_has_the_name_that_its_journal_keeps() -> None:
    """So it is the same run again, and another one with another journal."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 3, Fault.lose_answer(operation=SEND), stream=True)
    await run(fake, journal, 3, stream=True)
    assert len(fake.messages) == 3
    await run(fake, MemoryJournal(), 3, stream=True)
    assert len(fake.messages) == 6


# Keys that the server may have forgotten.


async def begun(fake: FakeZiett, journal: MemoryJournal, fault: Fault, hours: float) -> None:
    """Leave the first of two messages unsettled, and let hours pass."""
    (outcome, _) = await run(fake, journal, 2, fault)
    assert isinstance(outcome.error, OutcomeUnknown)
    await fake.clock.sleep(hours * HOUR)


LOST = Fault.lose_answer(operation=SEND)
NEVER_ARRIVED = Fault.reset(operation=SEND)


async def test_within_23_hours_the_key_is_used_again() -> None:
    """A repetition is not a second message."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, LOST, 22.9)
    assert accepted(await run(fake, journal, 2))
    assert len(fake.messages) == 2
    assert not fake.arrivals("list")


async def test_after_that_a_message_is_looked_up() -> None:
    """What the list shows was accepted, and is settled by it."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, LOST, 23.1)
    sends = len(fake.arrivals("send"))
    (found, _) = accepted(await run(fake, journal, 2))
    assert found.message_id == fake.inbox(numbers(1)[0])[0].id
    assert found.idempotency_key == journal.records[0].key
    (look_up,) = [each for each in fake.requests if each.bucket == "list"]
    assert f"q={numbers(1)[0][1:]}" in look_up.query
    assert accepted(await run(fake, journal, 2))[0].message_id == found.message_id
    assert len(fake.arrivals("list")) == 1
    assert len(fake.arrivals("send")) == sends


async def test_what_the_list_does_not_show_is_reported_and_not_sent() -> None:
    """However often the run is started: a person has to decide."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, NEVER_ARRIVED, 50.0)
    sends = len(fake.arrivals("send"))
    for _ in range(2):
        outcome = next(each for each in await run(fake, journal, 2) if each.error)
        assert isinstance(outcome.error, OutcomeUnknown)
        assert "more than 23 hours old" in str(outcome.error)
        assert outcome.error.idempotency_key == journal.records[0].key
        assert outcome.error.operation == "send_message"
    assert len(fake.arrivals("send")) == sends


@pytest.mark.parametrize("hours", [-2.0, 24.0 * 365])
async def test_a_time_that_says_nothing_counts_as_too_old(hours: float) -> None:
    """As after the calendar was set back, or a long time."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 2, NEVER_ARRIVED)
    begun_at = fake.clock.time() - hours * HOUR
    journal.records[0] = attrs.evolve(journal.records[0], begun_at=begun_at)
    sends = len(fake.arrivals("send"))
    outcomes = await run(fake, journal, 2)
    assert sum(isinstance(each.error, OutcomeUnknown) for each in outcomes) == 1
    assert len(fake.arrivals("send")) == sends


@pytest.mark.parametrize(
    "other",
    [
        {"content": "another text"},
        {"target_e164": numbers(1)[0] + "1"},
        {"remitter_id": OTHER_ID},
        {"created_at": timedelta(hours=-3)},
        {"created_at": timedelta(hours=26)},
    ],
    ids=str,
)
async def test_a_message_that_only_looks_alike_is_not_taken_for_it(
    other: dict[str, object],
) -> None:
    """Recipient, text, sender and day have to be the same."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, NEVER_ARRIVED, 50.0)
    alike: dict[str, Any] = {"target_e164": numbers(1)[0], "content": TEXT, **other}
    begun_at = datetime.fromtimestamp(fake.clock.time(), UTC) - timedelta(hours=50)
    alike["created_at"] = begun_at + alike.get("created_at", timedelta())
    fake.add_message(**alike)
    outcomes = await run(fake, journal, 2)
    assert sum(isinstance(each.error, OutcomeUnknown) for each in outcomes) == 1


@pytest.mark.parametrize("hours", [-0.9, 24.9])
async def test_the_clock_of_the_server_may_be_another_by_an_hour(hours: float) -> None:
    """At either end of the day in which a message may have been accepted."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, NEVER_ARRIVED, 50.0)
    moment = datetime.fromtimestamp(fake.clock.time(), UTC) + timedelta(hours=hours - 50)
    fake.add_message(target_e164=numbers(1)[0], content=TEXT, created_at=moment)
    assert len(accepted(await run(fake, journal, 2))) == 2


class Queuing(Unlimited):
    """No limit, but a list of what asks for a permit."""

    def __init__(self) -> None:
        self.asked = list[tuple[Bucket, Priority]]()

    async def acquire(
        self, bucket: Bucket, *, priority: Priority = Priority.URGENT, timeout: float | None = None
    ) -> Permit:
        """Grant a permit."""
        self.asked.append((bucket, priority))
        return await super().acquire(bucket, priority=priority, timeout=timeout)


async def test_a_look_up_waits_behind_urgent_calls() -> None:
    """As the messages of its run do."""
    fake, journal, limiter = FakeZiett(), MemoryJournal(), Queuing()
    await begun(fake, journal, LOST, 50.0)
    async with client_of(fake, retry=ONCE, limiter=limiter) as client:
        assert len(accepted(await collected(client.send_many(messages(2), journal=journal)))) == 2
    assert limiter.asked == [(Bucket.LIST, Priority.BULK)]


async def test_two_that_are_alike_settle_nothing() -> None:
    """Neither do more than a page of them, nor a list that cannot be read."""
    for count in (2, 201):
        fake, journal = FakeZiett(), MemoryJournal()
        await begun(fake, journal, NEVER_ARRIVED, 50.0)
        moment = datetime.fromtimestamp(fake.clock.time(), UTC) - timedelta(hours=50)
        for _ in range(count):
            fake.add_message(target_e164=numbers(1)[0], content=TEXT, created_at=moment)
        outcomes = await run(fake, journal, 2)
        assert sum(isinstance(each.error, OutcomeUnknown) for each in outcomes) == 1


async def test_a_day_of_which_a_page_shows_a_part_settles_nothing() -> None:
    """What it does not show may be alike, too."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, NEVER_ARRIVED, 50.0)
    moment = datetime.fromtimestamp(fake.clock.time(), UTC) - timedelta(hours=50)
    for number in range(200):
        fake.add_message(target_e164=numbers(1)[0], content=str(number), created_at=moment)
    moment += timedelta(minutes=1)
    fake.add_message(target_e164=numbers(1)[0], content=TEXT, created_at=moment)
    outcomes = await run(fake, journal, 2)
    assert sum(isinstance(each.error, OutcomeUnknown) for each in outcomes) == 1


async def test_a_list_that_cannot_be_read_settles_nothing() -> None:
    """The run goes on, also where the key may not list."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, LOST, 50.0)
    fault = Fault.status(403, operation="list_messages")
    outcomes = await run(fake, journal, 2, fault)
    assert [type(each.error) for each in outcomes if each.error] == [OutcomeUnknown]
    assert len(accepted(await run(fake, journal, 2))) == 2


@pytest.mark.parametrize("status", [401, 402])
async def test_a_look_up_that_the_account_is_refused_ends_the_run(status: int) -> None:
    """After its first request, and the message stays unsettled, with the time of its key."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, LOST, 50.0)
    begun_at = journal.records[0].begun_at
    with pytest.raises(ApiError) as caught:
        await run(fake, journal, 2, Fault.status(status, operation="list_messages"))
    assert caught.value.status == status
    assert len(fake.arrivals("list")) == 1
    assert (journal.records[0].begun_at, journal.records[0].facts) == (begun_at, None)


class Blind(MemoryJournal):
    """Cannot be searched."""

    async def has_accepted(self, accepted_id: str) -> bool:
        """Fail, as a disk may."""
        del accepted_id
        message = "the disk is gone"
        raise ConfigurationError(message)


async def test_a_journal_that_fails_in_a_look_up_ends_the_run() -> None:
    """And the message stays unsettled, with the time of its key."""
    fake, journal = FakeZiett(), Blind()
    await begun(fake, journal, LOST, 50.0)
    begun_at = journal.records[0].begun_at
    with pytest.raises(ConfigurationError, match="the disk is gone"):
        await run(fake, journal, 2)
    assert journal.records[0].begun_at == begun_at


async def run_allowed(
    fake: FakeZiett, journal: MemoryJournal, allowed: list[str]
) -> list[SendOutcome]:
    """Run two messages through a client that may send to these numbers alone."""
    client = client_of(fake, retry=ONCE, limiter=Unlimited(), allowed_recipients=allowed)
    async with client:
        return await collected(client.send_many(messages(2), journal=journal))


async def test_a_narrower_allow_list_changes_nothing_that_is_settled() -> None:
    """What was accepted is yielded again, and what was not begun is refused."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 2, Fault.status(429, operation=SEND))
    outcomes = await run_allowed(fake, journal, ["+351912345678"])
    assert len([each for each in outcomes if each.accepted]) == 1
    assert [type(each.error) for each in outcomes if each.error] == [RecipientNotAllowed]
    assert len(fake.messages) == 1


async def test_a_narrower_allow_list_does_not_make_an_unknown_outcome_known() -> None:
    """What was begun may have been sent, so it is not reported as refused."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 2, LOST)
    sends = len(fake.arrivals("send"))
    outcomes = await run_allowed(fake, journal, [numbers(2)[1]])
    (unknown,) = [each.error for each in outcomes if each.error]
    assert isinstance(unknown, OutcomeUnknown)
    assert "not all allowed any more" in str(unknown)
    assert len(fake.arrivals("send")) == sends


async def test_one_message_is_not_found_for_two() -> None:
    """Of two with the same recipient and text one was accepted: the other is not settled by it."""
    fake, journal = FakeZiett(), MemoryJournal()
    rows = [NewMessage(numbers(1)[0], TEXT)] * 2

    async def run_rows(*faults: Fault) -> list[SendOutcome]:
        with fake.script(*faults):
            async with client_of(fake, retry=ONCE) as client:
                return await collected(client.send_many(rows, journal=journal))

    await run_rows(LOST, NEVER_ARRIVED)
    await fake.clock.sleep(30 * HOUR)
    for _ in range(2):
        outcomes = await run_rows()
        assert sum(bool(each.accepted) for each in outcomes) == 1
        assert sum(isinstance(each.error, OutcomeUnknown) for each in outcomes) == 1


async def test_what_certainly_was_not_sent_can_be_sent_whenever() -> None:
    """Days later, too: a service that was not reached has nothing to remember."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 2, Fault.refuse(operation=SEND))
    assert journal.records[0].begun_at is None
    await fake.clock.sleep(72 * HOUR)
    assert len(accepted(await run(fake, journal, 2))) == 2
    assert received(fake) == Counter(numbers(2))


async def test_a_refusal_of_the_moment_does_not_settle_what_was_begun() -> None:
    """A 401 says nothing of what an earlier process did with the key."""
    fake, journal = FakeZiett(), MemoryJournal()
    await run(fake, journal, 1, LOST)
    (outcome,) = await run(fake, journal, 1, Fault.status(401, operation=SEND))
    assert isinstance(outcome.error, OutcomeUnknown)
    assert outcome.error.status == 401
    assert journal.records[0].begun_at is not None
    assert accepted(await run(fake, journal, 1))
    assert len(fake.messages) == 1


async def test_a_turn_that_comes_too_late_is_not_used() -> None:
    """A call that waits until the server may have forgotten its key does not send again."""
    fake, journal = FakeZiett(), MemoryJournal()
    await begun(fake, journal, LOST, 22.5)
    sends = len(fake.arrivals("send"))

    class Late(Unlimited):
        async def acquire(
            self,
            bucket: Bucket,
            *,
            priority: Priority = Priority.URGENT,
            timeout: float | None = None,
        ) -> Permit:
            await fake.clock.sleep(2 * HOUR)
            return await super().acquire(bucket, priority=priority, timeout=timeout)

    async with client_of(fake, limiter=Late()) as client:
        outcomes = await collected(client.send_many(messages(2), journal=journal))
    (unknown,) = [each.error for each in outcomes if each.error]
    assert isinstance(unknown, OutcomeUnknown)
    assert "forgotten the key" in str(unknown)
    assert len(fake.arrivals("send")) == sends


# A journal that fails.


class Failing(MemoryJournal):
    """Fails in its n-th commit, and from then on."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    async def write(self, records: Sequence[Record]) -> None:
        """Write, or fail."""
        self._left -= 1
        if self._left <= 0:
            message = "the disk is gone"
            raise OSError(message)
        await super().write(records)


async def test_a_journal_that_cannot_be_written_stops_the_run_before_it_sends() -> None:
    """Nothing is sent that is not in it."""
    fake = FakeZiett()
    with pytest.raises(OSError, match="the disk is gone"):
        await run(fake, Failing(1), 20, concurrency=5)
    assert not fake.requests


async def test_what_is_known_is_told_though_it_cannot_be_written() -> None:
    """Then the run ends; started again, the message is sent with its key, and so not again."""
    fake, journal = FakeZiett(), Failing(2)
    async with client_of(fake) as client:
        outcomes = list[SendOutcome]()
        with pytest.raises(OSError, match="the disk is gone"):
            await take(client.send_many(messages(20), journal=journal, concurrency=1), outcomes)
        assert len(accepted(outcomes)) == 1
    whole = MemoryJournal(journal.records)
    whole.header = journal.header
    assert len(accepted(await run(fake, whole, 20))) == 20
    assert received(fake) == Counter(numbers(20))


async def test_an_error_that_affects_all_calls_leaves_a_journal_to_go_on_with() -> None:
    """What it refused was not sent, whatever the time when the run goes on."""
    fake, journal = FakeZiett(), MemoryJournal()
    with pytest.raises(AuthenticationError):
        await run(fake, journal, 9, Fault.status(401, operation=SEND), concurrency=3)
    assert all(each.begun_at is None or each.accepted_id for each in journal.records.values())
    await fake.clock.sleep(72 * HOUR)
    assert len(accepted(await run(fake, journal, 9))) == 9
    assert received(fake) == Counter(numbers(9))


async def test_a_shorter_stream_is_refused_though_what_it_lacks_first_was_not_sent() -> None:
    """Its journal has a gap where it ends, and goes on behind that."""
    fake, journal = FakeZiett(), MemoryJournal()
    rows = [*messages(2), NewMessage("12", TEXT), *messages(4)[2:]]
    async with client_of(fake) as client:
        await collected(client.send_many(iter(rows), journal=journal))
        with pytest.raises(ConfigurationError, match=r"^journal: "):
            await collected(client.send_many(iter(rows[:2]), journal=journal))
    assert len(fake.messages) == 4


async def test_a_run_that_is_left_closes_its_journal_to_the_end() -> None:
    """It is cancelled then; a file that stays open would keep its lock."""

    class Slow(MemoryJournal):
        async def aclose(self) -> None:
            await checkpoint()
            await super().aclose()

    journal = Slow()
    async with client_of(FakeZiett()) as client:
        outcomes = client.send_many(messages(2), journal=journal)
        await anext(outcomes)
        await outcomes.aclose()
    assert not journal.is_open


async def test_a_generator_that_is_left_in_the_middle_goes_on() -> None:
    """A run over a stream that fails half way is gone on with over a whole one."""
    fake, journal = FakeZiett(), MemoryJournal()

    def half() -> Iterator[NewMessage]:
        yield from messages(10)[:4]
        message = "the file ends here"
        raise EOFError(message)

    async with client_of(fake) as client:
        with pytest.raises(EOFError):
            await collected(client.send_many(half(), journal=journal))
    assert len(accepted(await run(fake, journal, 10, stream=True))) == 10
    assert received(fake) == Counter(numbers(10))


async def test_more_records_than_are_read_at_once() -> None:
    """Are read a part at a time, with gaps where rows were never sent."""
    fake, journal = FakeZiett(limits={}), MemoryJournal()
    rows: list[NewMessage] = [
        message if index % 3 else NewMessage("12", TEXT)
        for index, message in enumerate(messages(1300))
    ]

    async def stream() -> AsyncIterator[NewMessage]:
        for each in rows:
            yield each

    for _ in range(2):
        async with client_of(fake, limiter=Unlimited()) as client:
            outcomes = await collected(client.send_many(stream(), journal=journal))
        assert sum(bool(each.accepted) for each in outcomes) == 866
    assert len(fake.requests) == 866
