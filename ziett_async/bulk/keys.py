"""idempotency_key_for: one key for one message, derived from what the message is about.

The derivation never changes, as a key has to be the same before and after an upgrade: SHA-256
over the parts, each as its length in bytes (eight of them, the most significant first) and its
text in UTF-8, of which the first 16 bytes are a UUID of version 8 (RFC 9562). The lengths keep
`("ab", "c")` apart from `("a", "bc")`.
"""

from hashlib import sha256
from uuid import UUID

from ziett_async import _validation as check
from ziett_async._validation import Fields, Invalid

Part = str | int | UUID


def idempotency_key_for(*parts: str | int | UUID) -> str:
    """Return the idempotency key that belongs to these parts: the same ones give the same key.

    >>> idempotency_key_for("reminders", 1042, "+244990090990", "Olá, até amanhã às 9h.")
    'b702c7e7-b55f-809a-ae9c-03627e33b518'

    The key is a UUID, the same in every process and every version of this package. Other
    parts, or the same ones in another order, give another key. An integer counts as its
    decimal digits, a UUID as its canonical string: `7` and `"7"` are the same part.

    Args:
        parts: what makes a message the one it is, at least one; strings may be empty.

    Raises:
        InvalidRequest: there is no part, or one is neither a string nor an integer nor a UUID.

    """
    fields = Fields("idempotency_key_for")
    if not parts:
        fields.check("parts", _at_least_one)
    texts = [fields.check(f"parts[{index}]", part_text, part) for index, part in enumerate(parts)]
    fields.raise_if_invalid()
    return derive_key(*map(str, texts))


def derive_key(*parts: str) -> str:
    """Return the key of texts that hold no half of a surrogate pair."""
    digest = sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8) + encoded)
    number = int.from_bytes(digest.digest()[:16])
    # The bits of the version, and those of the variant.
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0b11 << 62) | 0b10 << 62
    return str(UUID(int=number))


def part_text(value: object) -> str:
    """Return a part as its text."""
    if isinstance(value, UUID):
        return UUID.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int.__repr__(value)
    return "" if value == "" else check.text(value)


def _at_least_one() -> None:
    raise Invalid("must be at least one")
