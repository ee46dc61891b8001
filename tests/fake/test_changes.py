"""The log of changes that a fake keeps, from which readers go on where they left off."""

from uuid import UUID

from tests.support.requests import batch, message, request_of
from ziett_async._clock import ManualClock
from ziett_async._fake.state.changes import ChangedRow, DeletedMessage
from ziett_async._fake.state.records import CampaignRecord, ContactRecord, MessageRecord
from ziett_async.testing import FakeZiett


def statuses(rows: list[ChangedRow], row_id: UUID) -> list[str]:
    """Return the statuses of one message or campaign, as the log has them."""
    own = (MessageRecord, CampaignRecord)
    return [row.status for row in rows if isinstance(row, own) and row.id == row_id]


def test_every_change_is_in_the_log_once_and_in_order() -> None:
    """Rows, steps of their delivery, contacts, changes by hand and deletions."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    fake.handle(request_of("POST", "/messages", message(save_contact={"name": "Ana"})))
    fake.handle(request_of("POST", "/campaigns/batch", batch()))
    clock.advance(3600)
    fake.deliver(fake.messages[0].id, "FAILED", "PROVIDER_REJECTED")
    added = fake.add_message()
    fake.delete_message(added.id)
    rows = list(fake.changes.since(0))
    assert isinstance(rows[0], ContactRecord)
    assert statuses(rows, fake.messages[0].id) == ["PENDING", "SENT", "DELIVERED", "FAILED"]
    assert statuses(rows, fake.campaigns[0].id) == ["PROCESSING", "SENDING", "COMPLETED"]
    assert statuses(rows, added.id) == ["DELIVERED"]
    assert rows[-1] == DeletedMessage(added.id)


def test_a_reader_goes_on_from_its_position() -> None:
    """It gets what has been added since, however often others have read."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    fake.handle(request_of("POST", "/messages", message()))
    position = fake.changes.position
    assert (position, list(fake.changes.since(position))) == (1, [])
    clock.advance(3600)
    assert len(fake.changes.since(0)) == 3
    assert statuses(list(fake.changes.since(position)), fake.messages[0].id) == [
        "SENT",
        "DELIVERED",
    ]


def test_what_changes_nothing_is_not_in_the_log() -> None:
    """Reads, refusals and replays."""
    fake = FakeZiett()
    for _ in range(2):
        fake.handle(request_of("POST", "/messages", message(), key="a"))
    fake.handle(request_of("GET", "/messages"))
    fake.handle(request_of("POST", "/messages", {}))
    assert fake.changes.position == 1


def test_clear_begins_another_log() -> None:
    """So that a reader's position in the old one is not taken for one in the new."""
    fake = FakeZiett()
    fake.handle(request_of("POST", "/messages", message()))
    before = fake.changes
    fake.clear()
    assert fake.changes is not before
    assert fake.changes is fake.changes
    assert (before.position, fake.changes.position) == (1, 0)
