"""`wait_until_final` and `watch_messages`: their arguments, and what they send."""

import subprocess
import sys
from typing import cast
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from tests.support.samples import API_KEY, OTHER_ID
from tests.support.services import Service
from ziett_async import (
    AsyncZiett,
    Bucket,
    InvalidRequest,
    ManualClock,
    Permit,
    Priority,
    TokenBucketLimiter,
)
from ziett_async.testing import FakeTransport, FakeZiett

pytestmark = pytest.mark.anyio


class RecordingLimiter(TokenBucketLimiter):
    """A limiter that records what it is asked for."""

    def __init__(self) -> None:
        super().__init__(clock=ManualClock())
        self.asked = list[tuple[Bucket, Priority]]()

    async def acquire(
        self,
        bucket: Bucket,
        *,
        priority: Priority = Priority.URGENT,
        timeout: float | None = None,
    ) -> Permit:
        """Record the request and give a permit."""
        self.asked.append((bucket, priority))
        return await super().acquire(bucket, priority=priority, timeout=timeout)


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ("nonsense", "the one at index 0 must be a UUID like 019b4b56"),
        ([OTHER_ID, 7], "the one at index 1 must be a UUID or its string, got int"),
        (b"x", "the one at index 0 must be a UUID or its string, got bytes"),
        (None, "the one at index 0 must be a UUID or its string, got NoneType"),
    ],
)
async def test_what_is_no_id_is_refused(client: AsyncZiett, ids: object, reason: str) -> None:
    """With its index, before any request; by `watch_messages` before its loop begins."""
    given = cast("list[str]", ids)
    with pytest.raises(InvalidRequest) as caught:
        await client.wait_until_final(given)
    assert caught.value.fields["message_ids"].startswith(reason)
    assert caught.value.operation == "wait_until_final"
    with pytest.raises(InvalidRequest) as caught:
        client.watch_messages(given)
    assert caught.value.operation == "watch_messages"


@pytest.mark.parametrize("timeout", [0, -1.0, True])
async def test_a_timeout_is_seconds(client: AsyncZiett, timeout: float) -> None:
    """More than 0; a wrong id is refused along with it."""
    with pytest.raises(InvalidRequest) as caught:
        await client.wait_until_final("x", timeout=timeout)
    assert caught.value.fields.keys() == {"message_ids", "timeout"}
    with pytest.raises(InvalidRequest):
        client.watch_messages([], timeout=timeout)


@pytest.mark.parametrize("form", ["UUID", "str", "hex"])
async def test_ids_may_be_in_any_form(service: Service, form: str) -> None:
    """One or an iterable; those of the result are UUIDs. Over a socket as in memory."""
    record = service.fake.add_message()
    forms = dict[str, UUID | str](UUID=record.id, str=str(record.id).upper(), hex=record.id.hex)
    given = forms[form]
    service.clock.advance(60.0)
    async with service.client() as client:
        for ids in (given, [given], iter((given, record.id))):
            found = await client.wait_until_final(ids)
            assert [(each, type(each)) for each in found] == [(record.id, UUID)]
        seen = [message async for message in client.watch_messages(given)]
    assert seen == list(found.values())


async def test_a_list_is_of_what_has_changed_in_a_range(service: Service) -> None:
    """The largest pages, the newest change first, final statuses that lists know."""
    fake = service.fake
    ids = [fake.add_message().id for _ in range(10)]
    service.clock.advance(60.0)
    async with service.client() as client:
        await client.wait_until_final(ids)
        assert len([each async for each in client.watch_messages(ids)]) == 10
    queries = [parse_qsl(each.query) for each in fake.requests]
    bounds = [
        ("created_at__ge", "2025-07-14T10:29:59.000000+00:00"),
        ("created_at__le", "2025-07-14T10:30:01.000000+00:00"),
    ]
    plain = [("page", "1"), ("size", "200"), ("order_by", "updated_at"), *bounds]
    statuses = [("status", each) for each in ("DELIVERED", "FAILED", "UNDELIVERED")]
    assert queries == [[*plain, *statuses], plain]


async def test_requests_go_after_all_urgent_calls() -> None:
    """Lists and reads."""
    fake, limiter = FakeZiett(delivery=None), RecordingLimiter()
    ids = [fake.add_message().id for _ in range(10)]
    lone = fake.add_message().id
    async with AsyncZiett(API_KEY, transport=FakeTransport(fake), limiter=limiter) as client:
        await client.wait_until_final(ids)
        await client.wait_until_final(lone)
    assert set(limiter.asked) == {(Bucket.LIST, Priority.BULK), (Bucket.READ, Priority.BULK)}


def test_a_program_that_only_sends_imports_none_of_it() -> None:
    """The package is imported as quickly as without."""
    code = "import sys, ziett_async; print([n for n in sys.modules if '.delivery' in n])"
    done = subprocess.run(  # noqa: S603 - the code is this file's
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['ziett_async.api.delivery']\n"
