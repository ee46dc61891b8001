"""What a client remembers of idempotency keys between calls."""

import pytest

from ziett_async._unsettled_keys import KEY_LIFETIME, UnsettledKeys

NOW = 1_750_000_000.0


def leave_unsettled(keys: UnsettledKeys, key: str, digest: int, now: float) -> None:
    """Make a call whose bytes may have reached the server."""
    use = keys.begin(key, now)
    use.expires = min(use.expires, now + KEY_LIFETIME)
    use.unsettled.add(digest)
    keys.end(key, use)


def test_an_unsettled_key_is_remembered_with_every_text_it_was_sent_with() -> None:
    """A later use with other bytes adds to what is unknown, and overwrites nothing."""
    keys = UnsettledKeys()
    leave_unsettled(keys, "key-1", 1, NOW)
    leave_unsettled(keys, "key-1", 2, NOW + 60)
    use = keys.begin("key-1", NOW + 120)
    assert use.unsettled == {1, 2}
    assert use.is_shared


def test_the_day_of_a_key_begins_with_its_first_use() -> None:
    """A later use does not make it safe for longer."""
    keys = UnsettledKeys()
    leave_unsettled(keys, "key-1", 1, NOW)
    leave_unsettled(keys, "key-1", 1, NOW + 3600)
    assert keys.begin("key-1", NOW + 7200).expires == NOW + KEY_LIFETIME


@pytest.mark.fault(
    "One key in many calls: at once, with other text, cancelled",
    send="ten thousand keys: all remembered",
)
def test_ten_thousand_unsettled_keys_are_all_remembered() -> None:
    """A bound in number would make the oldest one look unsent."""
    keys = UnsettledKeys()
    for number in range(10_001):
        leave_unsettled(keys, f"key-{number}", number, NOW)
    assert keys.begin("key-0", NOW).unsettled == {0}


def test_a_key_is_forgotten_when_the_server_forgets_it() -> None:
    """From then on a call with it is another one, and memory is bounded by a day of them."""
    keys = UnsettledKeys()
    for number in range(100):
        leave_unsettled(keys, f"key-{number}", number, NOW)
    later = NOW + KEY_LIFETIME
    assert keys.begin("key-0", later - 1).unsettled
    assert not keys.begin("key-7", later).unsettled
    assert "key-7" in keys.uses
    keys.end("key-0", keys.uses["key-0"])
    keys.begin("key-100", later)
    assert set(keys.uses) == {"key-7", "key-100"}


def test_a_settled_key_is_forgotten_at_once() -> None:
    """Nothing is kept of a call whose outcome is known."""
    keys = UnsettledKeys()
    leave_unsettled(keys, "key-1", 1, NOW)
    use = keys.begin("key-1", NOW)
    use.unsettled.clear()
    keys.end("key-1", use)
    assert not keys.uses


def test_two_calls_under_way_share_what_is_known() -> None:
    """As soon as one of them has made an attempt, the other cannot be sure of its own."""
    keys = UnsettledKeys()
    first, second = keys.begin("key-1", NOW), keys.begin("key-1", NOW)
    assert first is second
    assert not first.is_shared
    first.expires = NOW + KEY_LIFETIME
    assert second.is_shared
    keys.end("key-1", first)
    assert not second.is_shared
    keys.end("key-1", second)
    assert not keys.uses
