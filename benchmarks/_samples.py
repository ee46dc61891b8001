"""The bodies that all benchmarks send and are answered, in the API's documented shapes."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

KEY = "zk_test_benchmarks"
REMITTER = "019b4b56-e704-7c30-83a0-527df63c3e00"

#: The example of the documentation, as a program without an SDK writes it.
BODY = {
    "remitter_id": REMITTER,
    "channel_type": "SMS",
    "target_e164": "+244990090990",
    "content": "Your code is 482910.",
    "save_contact": {"name": "Ana", "email": "ana@example.ao", "tags": ["Premium"]},
}
#: Its answers: no id comes again before those that came since have left every cache.
ACCEPTED = [
    json.dumps({"message_id": str(UUID(int=(0x019B4B570A1C7D2E << 64) + (9 << 60) + i))}).encode()
    for i in range(2000)
]

_NEWEST = datetime(2025, 7, 14, 10, 30, 0, 123456, tzinfo=UTC)
#: Between two neighbours of the list; no multiple of a millisecond, as real ones are not.
STEP = timedelta(microseconds=734_291)
_STATUSES = ("DELIVERED", "DELIVERED", "DELIVERED", "SENT", "UNDELIVERED", "PENDING", "FAILED")
_TEXTS = (
    "O seu código de confirmação é {0:06d}. Não o partilhe com ninguém.",
    "Caro cliente, a sua encomenda {0:06d} saiu hoje do armazém e chega amanhã até às 18h.",
    "Lembrete: a consulta n.º {0:06d} é na segunda-feira às 9h30, na Clínica da Ilha.",
)
_CAMPAIGN = "019b4b58-3d20-7aa1-8c11-0f4e6f1b2c3d"


def entry(number: int) -> dict[str, object]:
    """Return a message as it stands in a list, the `number`th from the newest on."""
    chance = Random(number)  # noqa: S311 - repeatable is what it has to be
    created = _NEWEST - number * STEP
    updated = created + timedelta(microseconds=chance.randrange(9_000_000))
    status = chance.choice(_STATUSES)
    return {
        "id": str(UUID(int=chance.getrandbits(128), version=4)),
        "remitter_id": REMITTER,
        "campaign_id": _CAMPAIGN if number % 3 == 0 else None,
        "contact_id": str(UUID(int=chance.getrandbits(128), version=4)) if number % 2 else None,
        "channel_type": "SMS",
        "channel_destination": chance.choice(("UNITEL", "AFRICELL_AO")),
        "target_e164": f"+2449{chance.randrange(10**8):08d}",
        "content": _TEXTS[number % 3].format(chance.randrange(10**6)),
        "status": status,
        "error_code": "PROVIDER_REJECTED" if status == "FAILED" else None,
        "created_at": created.isoformat(timespec="microseconds"),
        "updated_at": updated.isoformat(timespec="microseconds"),
    }


_TEMPLATES = [entry(number) for number in range(200)]


def neighbours(start: int, count: int) -> Sequence[dict[str, object]]:
    """Return entries from the `start`th on, of which only ids and times differ much."""
    return [
        {
            **_TEMPLATES[number % len(_TEMPLATES)],
            "id": str(UUID(int=number)),
            "created_at": (_NEWEST - number * STEP).isoformat(timespec="microseconds"),
        }
        for number in range(start, start + count)
    ]


def page_of(entries: Sequence[object], *, total: int, page: int = 1, size: int = 200) -> bytes:
    """Return the answer that holds these entries."""
    pages = -(-total // size)
    document = {"entries": entries, "total": total, "page": page, "size": size, "pages": pages}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def with_contact(number: int) -> dict[str, object]:
    """Return the same with a contact: an id that no cache has."""
    contact = UUID(int=Random(-number).getrandbits(128), version=4)  # noqa: S311 - see above
    return {**entry(number), "contact_id": str(contact)}


def different_pages(count: int, row: Callable[[int], dict[str, object]] = entry) -> Sequence[bytes]:
    """Return full pages with no id in common, as pages of one list have none.

    Were it one page again and again, every id would come out of a cache.
    """
    numbers = range(0, count * 200, 200)
    return [
        page_of([row(start + i) for i in range(200)], total=count * 200, page=start // 200 + 1)
        for start in numbers
    ]


def first_at_or_before(moment: datetime) -> int:
    """Return the number of the newest entry that is not newer than a moment."""
    return max(0, -((moment - _NEWEST) // STEP))
