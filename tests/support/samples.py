"""Sample values that many tests use: ids, a number, a text, a key, the account of a call."""

from ziett_async import Attempt

API_KEY = "zk_test_3f1c9hushhush"
#: The id of the documentation's examples.
REMITTER = "019b4b56-e704-7c30-83a0-527df63c3e00"
#: Another id than `REMITTER`.
OTHER_ID = "019b4b56-e704-7c30-83a0-527df63c3eff"
NUMBER = "+244923456789"
CONTENT = "Your kizomba code is 482910."


def attempts(count: int, last_status: int | None = None) -> tuple[Attempt, ...]:
    """Return attempts without a response, but for the last one, which may have a status."""
    failed = [Attempt(number, 0.0, 0.0, None, "reset") for number in range(1, count)]
    last = Attempt(count, 0.0, 0.0, last_status, None if last_status else "reset")
    return (*failed, last)
