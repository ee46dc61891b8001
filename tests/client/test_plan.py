"""The digest of a list, and how messages are iterated over."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from types import MappingProxyType
from typing import Any
from uuid import UUID

import anyio
import pytest
from anyio.lowlevel import checkpoint

from tests.support.bulk import TEXT, messages
from tests.support.samples import REMITTER
from ziett_async import ChannelType, NewMessage, SaveContact
from ziett_async.bulk.messages import fingerprint
from ziett_async.bulk.plan import Plan, iterate

ROW: dict[str, Any] = {"target_e164": "+244923456789", "content": TEXT}
#: Rows that no two of which are the same message.
DIFFERENT: list[object] = [
    ROW,
    {**ROW, "content": "another"},
    {**ROW, "target_e164": "+244923456780"},
    {**ROW, "target_e164": TEXT, "content": "+244923456789"},
    {**ROW, "remitter_id": REMITTER},
    {**ROW, "channel_type": "WHATSAPP"},
    {**ROW, "reference": "7"},
    {**ROW, "reference": 7},
    {**ROW, "save_contact": SaveContact("Ana")},
    {**ROW, "save_contact": {"name": "Ana", "tags": ["a"]}},
    {**ROW, "nome": "Ana"},
    {**ROW, "content": None},
    {"content": TEXT},
    5,
    None,
]


def test_different_messages_have_different_digests() -> None:
    """In every field, whether they can be sent or not."""
    digests = [fingerprint(each) for each in DIFFERENT]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (NewMessage(**ROW), ROW),
        (MappingProxyType(ROW), ROW),
        ({**ROW, "channel_type": ChannelType.SMS}, ROW),
        ({**ROW, "remitter_id": UUID(REMITTER)}, {**ROW, "remitter_id": REMITTER}),
        (
            {**ROW, "save_contact": MappingProxyType({"name": "Ana"})},
            {**ROW, "save_contact": {"name": "Ana"}},
        ),
        ({**ROW, "content": object()}, {**ROW, "content": object()}),
    ],
    ids=range(6),
)
def test_the_same_message_has_the_same_digest(given: object, same: object) -> None:
    """However it is written, and in every process."""
    assert fingerprint(given) == fingerprint(same)


@pytest.mark.anyio
async def test_a_long_list_is_digested_in_turns_with_other_tasks() -> None:
    """A thousand messages in each turn."""
    digested, seen = list[object](), set[int]()

    def digest(given: object) -> bytes:
        digested.append(given)
        return b""

    async def watch() -> None:
        while True:
            seen.add(len(digested))
            await checkpoint()

    make: Any = Plan
    parts = dict.fromkeys(("options", "operation", "accepted", "gather", "job"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await make(**parts, fingerprint=digest).digest(range(3000))
        tasks.cancel_scope.cancel()
    assert seen <= {0, 1, 1001, 2001, 3000}
    assert seen & {1001, 2001}  # trio's tasks have their turns in any order


def test_a_digest_is_the_same_in_every_process() -> None:
    """Whatever the seed of its hashes."""
    code = (
        "import json, sys; from ziett_async.bulk.messages import fingerprint;"
        "print(fingerprint(json.loads(sys.argv[1])).hex())"
    )
    row = {**ROW, "save_contact": {"name": "Ana", "tags": ["a", "b"]}, "reference": 7}
    printed = {
        subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", code, json.dumps(row)],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert printed == {fingerprint(row).hex()}


async def as_stream() -> AsyncIterator[NewMessage]:
    """Yield three messages."""
    for each in messages(3):
        yield each


@pytest.mark.anyio
async def test_messages_of_either_kind_are_iterated_over() -> None:
    """An iterable and an async iterable."""
    assert [each async for each in iterate(messages(3))] == messages(3)
    assert [each async for each in iterate(as_stream())] == messages(3)
