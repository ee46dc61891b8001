"""The invariants: what must hold after every run, whatever went wrong in it.

They know the server's ledger and what the callers received, and nothing of the client, so
that a client which is naive can be held to them as well.
"""

import os
import pickle
import traceback
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

import attrs

import ziett_async
from ziett_async import (
    ApiError,
    CallError,
    DeadlineExceeded,
    NotSent,
    OutcomeUnknown,
    ZiettError,
)
from ziett_async.testing import MessageRecord

#: How the path of each of the package's files begins, and no test's in any checkout.
PACKAGE = f"{Path(ziett_async.__file__).parent}{os.sep}"


@attrs.define
class Sending:
    """One logical send, and what its caller received."""

    number: str
    content: str
    #: Seconds that it was given.
    timeout: float
    #: Seconds that it took.
    elapsed: float = 0.0
    #: Its idempotency key, once that is known.
    key: str | None = None
    message_id: UUID | None = None
    error: BaseException | None = None


@attrs.frozen
class Entry:
    """One request of the server's ledger."""

    #: Seconds on the server's clock.
    at: float
    bucket: str
    key: str | None
    #: Of the body; each logical send has a body of its own.
    digest: str


def check_messages(messages: Sequence[MessageRecord], sendings: Sequence[Sending]) -> None:
    """Each key is one message, and each caller holds the id of its own."""
    keys = Counter(message.idempotency_key for message in messages)
    assert None not in keys, "a message was accepted without a key"
    assert len(messages) == len(keys), "a key was accepted twice"
    numbers = Counter(message.target_e164 for message in messages)
    assert max(numbers.values(), default=1) == 1, "one logical send became two messages"
    by_id = {message.id: message for message in messages}
    for sending in sendings:
        if sending.message_id is not None:
            assert sending.message_id in by_id, "a caller holds an id that the server never gave"
            message = by_id[sending.message_id]
            held = (message.target_e164, message.content, message.idempotency_key)
            assert held == (sending.number, sending.content, sending.key), "another one's id"


def check_worlds(messages: Sequence[MessageRecord], sendings: Sequence[Sending]) -> None:
    """Each caller knows: sent, certainly not sent, or unknown with a key to repeat it."""
    accepted = {message.idempotency_key for message in messages}
    settled = {sending.key for sending in sendings if sending.message_id is not None}
    for sending in sendings:
        error = sending.error
        if isinstance(error, NotSent | ApiError | DeadlineExceeded):
            key = error.idempotency_key
            assert key not in accepted or key in settled, "reported as not sent, and it was"
        elif isinstance(error, OutcomeUnknown):
            assert error.idempotency_key, "unknown, and no key to repeat it with"
            assert error.safe_to_retry_until.tzinfo, "a naive time"


def check_ledger(
    entries: Iterable[Entry], sendings: Sequence[Sending], attempts: int | None = None
) -> None:
    """One logical send is one key and identical bytes, in no more attempts than allowed."""
    keys: defaultdict[str, set[str | None]] = defaultdict(set)
    bytes_of: defaultdict[str | None, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for entry in entries:
        if entry.bucket == "send":
            keys[entry.digest].add(entry.key)
            bytes_of[entry.key].add(entry.digest)
            counts[entry.digest] += 1
    assert all(len(found) == 1 for found in keys.values()), "one logical send, several keys"
    assert all(len(found) == 1 for found in bytes_of.values()), "one key, different bytes"
    calls = Counter(sending.number for sending in sendings)
    assert len(keys) <= len(calls), "more bytes than logical sends"
    if attempts is not None:
        most = attempts * max(calls.values(), default=0)
        assert max(counts.values(), default=0) <= most, "more attempts than the policy has"


def check_windows(entries: Iterable[Entry], limits: Mapping[str, tuple[int, float]]) -> None:
    """No window of the server's clock saw more arrivals than its limit."""
    arrivals: defaultdict[str, list[float]] = defaultdict(list)
    for entry in entries:
        arrivals[entry.bucket].append(entry.at)
    for bucket, times in arrivals.items():
        limit, per = limits[bucket]
        for early, late in zip(times, times[limit:], strict=False):
            assert late - early >= per, f"{bucket}: {limit + 1} arrivals in {late - early:.3f} s"


def check_in_time(calls: Iterable[tuple[float, float]], slack: float) -> None:
    """Every call ended within its time: seconds that it took, and that it was given."""
    for elapsed, timeout in calls:
        assert elapsed <= timeout + slack, "a call outlasted its timeout"


def check_discreet(texts: Iterable[str], secrets: Collection[str]) -> None:
    """None of these texts holds one of these secrets."""
    for text in texts:
        for secret in secrets:
            assert secret not in text, f"{secret[:3]}... is in: {text[:80]}"


def texts_of(error: BaseException) -> list[str]:
    """Return everything that a program may print or store of an error."""
    texts = [str(error), repr(error), "".join(traceback.format_exception(error))]
    if isinstance(error, ZiettError):
        stored = pickle.dumps(error)
        again = pickle.loads(stored)  # noqa: S301 - it was dumped in the line above
        assert (type(again), str(again)) == (type(error), str(error)), "changed by pickling"
        texts.append(stored.decode("latin-1"))
    return texts


def keys_in_frames(error: BaseException, key: str) -> list[str]:
    """Return where a crash reporter, which shows local variables, would show the API key."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in shown.stack if frame.filename.startswith(PACKAGE)]
    return [frame.name for frame in frames if key in str(frame.locals)]


def check_error(error: BaseException) -> None:
    """Check that it is one of ours, in one line, and drags no library's frames along."""
    assert isinstance(error, CallError), repr(error)
    assert "\n" not in str(error), "more than a line"
    assert error.operation in str(error), "does not say which call"
    link = error.__cause__ or error.__context__
    while link is not None:
        module = type(link).__module__.partition(".")[0]
        assert module in {"builtins", "ziett_async"}, f"brings a {type(link).__qualname__} along"
        link = link.__cause__ or link.__context__


def check_safe_until(error: OutcomeUnknown, begun: float) -> None:
    """Check that it may be repeated for a day from the first attempt, by the calendar then."""
    apart = error.safe_to_retry_until.timestamp() - begun - 24 * 60 * 60
    assert abs(apart) < 1, f"off by {apart} s"
