"""`idempotency_key_for`: the same key for the same parts, in every version."""

import uuid
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bulk import client_of, collected
from ziett_async import InvalidRequest, NewMessage, idempotency_key_for
from ziett_async.testing import FakeZiett

#: They never change: a program that was upgraded must not send again.
VECTORS: list[tuple[tuple[str | int | UUID, ...], str]] = [
    (("",), "af5570f5-a181-8b7a-b78c-af4bc70a660f"),
    (("a",), "3b196fd4-907b-8df5-9c30-90e9835f2f7c"),
    (("a", "b"), "3c9d5910-45bc-8876-b9d0-399bbfb05c6a"),
    (("ab", ""), "5275cd81-a7ab-85c7-a19c-be049231f08a"),
    (("", "ab"), "aabbe87f-5a0b-8882-9943-75649341bbcc"),
    ((7,), "fa49cd90-bd0e-89d0-bcc8-18a217aef1ca"),
    (("7",), "fa49cd90-bd0e-89d0-bcc8-18a217aef1ca"),
    (("reminders", 42, "+244990090990", "Olá \U0001f30d"), "5649d833-79cd-82f9-a310-b94c0dfee3b3"),
    ((UUID(int=1),), "e5e1bf74-7f1b-84e8-ac45-8b1cb1d66990"),
    (("x" * 1000,), "3668070a-92f9-8267-ac3d-294efae4f46d"),
]
PARTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)


@pytest.mark.parametrize(("parts", "key"), VECTORS, ids=lambda value: repr(value)[:30])
def test_a_key_never_changes(parts: tuple[str | int | UUID, ...], key: str) -> None:
    """Neither with the process nor with the version."""
    assert idempotency_key_for(*parts) == key


@given(PARTS)
def test_a_key_is_derived_as_documented(parts: list[str]) -> None:
    """SHA-256 over lengths and texts, as a UUID of version 8."""
    content = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
    expected = bytearray(sha256(content).digest()[:16])
    expected[6] = expected[6] & 0x0F | 0x80
    expected[8] = expected[8] & 0x3F | 0x80
    key = UUID(idempotency_key_for(*parts))
    assert key.bytes == bytes(expected)
    assert (key.version, key.variant) == (8, uuid.RFC_4122)


@given(PARTS, PARTS)
def test_other_parts_give_another_key(first: list[str], second: list[str]) -> None:
    """Also where they are the same text in a row."""
    same = idempotency_key_for(*first) == idempotency_key_for(*second)
    assert same == (first == second)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ((), "parts"),
        ((None,), "parts[0]"),
        (("a", 1.5), "parts[1]"),
        ((True,), "parts[0]"),
        ((b"a",), "parts[0]"),
        (("\ud800",), "parts[0]"),
        ((["a"],), "parts[0]"),
    ],
)
def test_what_has_no_stable_text_is_refused(parts: tuple[object, ...], field: str) -> None:
    """By its place; a float or None may be written in several ways."""
    derive: Any = idempotency_key_for
    with pytest.raises(InvalidRequest) as caught:
        derive(*parts)
    assert set(caught.value.fields) == {field}


def test_a_key_of_nothing_is_refused() -> None:
    """All calls would have it."""
    with pytest.raises(InvalidRequest, match=r"^idempotency_key_for.*parts: must be at least one$"):
        idempotency_key_for()


@pytest.mark.anyio
async def test_the_keys_of_a_run_never_change() -> None:
    """Of a row and of a reference, under a name that was given."""
    fake = FakeZiett()
    rows = [
        NewMessage("+244990090990", "Olá"),
        NewMessage("+244990090990", "Olá", reference=7),
        NewMessage("+244990090990", "Olá", reference="row"),
    ]
    async with client_of(fake) as client:
        await collected(client.send_many(rows, run="July", concurrency=1))
    assert [each.idempotency_key for each in fake.requests] == [
        idempotency_key_for("July", "row", 0, "+244990090990", "Olá"),
        idempotency_key_for("July", "reference", 7, "+244990090990", "Olá"),
        idempotency_key_for("July", "reference", "row", "+244990090990", "Olá"),
    ]


@pytest.mark.anyio
async def test_the_name_of_a_list_never_changes() -> None:
    """Its digest holds every field, and is the same in every process and version."""
    fake = FakeZiett()
    contact = {"name": "Ana", "tags": ["Premium"]}
    full: dict[str, object] = {
        "target_e164": "+244990090990",
        "content": "Olá",
        "remitter_id": UUID("019b4b56-e704-7c30-83a0-527df63c3e00"),
        "channel_type": "SMS",
        "save_contact": contact,
        "reference": 7,
    }
    changes: list[dict[str, object]] = [
        {},
        {"remitter_id": None},
        {"save_contact": None},
        {"reference": "7"},
    ]
    async with client_of(fake) as client:
        for change in changes:
            await collected(client.send_many([{**full, **change}]))
    keys = [each.idempotency_key for each in fake.requests]
    assert len(set(keys)) == 4
    assert keys[0] == "9d651a39-957d-8d6c-b00c-3472520f766d"


@pytest.mark.anyio
async def test_the_keys_of_a_campaign_never_change() -> None:
    """They are made of the audience, its order, the text, the name and everything else given."""
    fake = FakeZiett()
    numbers = ["+244990090990", "923 456 789"]
    async with client_of(fake) as client:
        for content, name in (("Olá", None), ("Olá", "July"), ("Olé", None)):
            campaign = client.send_campaign(numbers, country="AO", content=content, name=name)
            assert [each.error async for each in campaign] == [None]
        campaign = client.send_campaign(numbers[::-1], country="AO", content="Olá")
        assert [each.error async for each in campaign] == [None]
    keys = [each.idempotency_key for each in fake.requests]
    assert len(set(keys)) == 4
    assert keys[0] == "ba7eddd9-726f-856e-881f-a391cd255480"
