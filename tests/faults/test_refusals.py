"""The server, or a proxy in front of it, refuses: for now, for good, or with a redirect."""

import os
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import attrs
import pytest

from tests.support.checks import check_discreet
from tests.support.fault_runs import API_KEY, ATTEMPTS, SOCKETS, WAYS, Open, Setting, Way, over
from tests.support.fault_server import FaultServer, Mishap
from ziett_async import (
    ApiError,
    AuthenticationError,
    OutcomeUnknown,
    PermissionDeniedError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    SystemClock,
)
from ziett_async.testing import SCOPES, FakeZiett, Fault

pytestmark = pytest.mark.anyio

#: What proxies say: a page, nothing at all, or something cut off.
BODIES = {"usual": None, "HTML": b"<html><h1>Oops</h1>", "empty": b"", "cut": b'{"code": "INT'}
DOWN = [
    attrs.evolve(Fault.status(status, body=body), label=f"{status}, {name} body")
    for status in (500, 502, 503, 504)
    for name, body in BODIES.items()
]
#: Everything that `Retry-After` was seen to hold, and whether it is to be believed.
JUNK = [
    None,
    "-1",
    "nan",
    "inf",
    "1e1",
    "1e300",
    "junk",
    "1.5.5",
    "",
    "Wed, 99 Foo 2025 00:00:00 GMT",
]


def too_many(value: str | None, *, date: str | None = None) -> Fault:
    """Return a 429 with this `Retry-After`."""
    headers = () if value is None else (("retry-after", value),)
    return Fault.status(429, headers=headers if date is None else (*headers, ("date", date)))


@pytest.mark.fault(
    "500, 502, 503, 504 before acceptance, any body", send="tried again: one message"
)
@over([DOWN[0], DOWN[5], DOWN[10], DOWN[15]], in_memory=DOWN[1:5])
async def test_down_then_sent(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A server that is down for a moment is asked again: one message."""
    async with run_over(way) as run:
        with run.script(mishap, mishap):
            accepted = await run.send()
        assert (accepted.call.attempts, run.accepted) == (3, 1)


@pytest.mark.fault("500, 502, 503, 504 before acceptance, any body", read="tried again")
@over([DOWN[0], DOWN[5], DOWN[10], DOWN[15]], in_memory=DOWN[1:5])
async def test_down_then_read(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A server that is down for a moment is asked again: each row once."""
    async with run_over(way) as run:
        rows = run.stock()
        with run.script(Fault.slow(0), mishap, mishap):
            assert await run.walk() == rows


@pytest.mark.fault(
    "500, 502, 503, 504 before acceptance, any body",
    send="every time: `OutcomeUnknown`",
    read="every time: `ServerError`",
)
@over([DOWN[0], DOWN[5], DOWN[10], DOWN[15]], in_memory=[*DOWN[1:5], *DOWN[6:10]])
async def test_down_every_time(run_over: Open, way: Way, mishap: Mishap) -> None:
    """A server that stays down is an unknown outcome for a send, a `ServerError` for a read."""
    async with run_over(way) as run:
        run.stock()
        with run.script(*[mishap] * ATTEMPTS), pytest.raises(OutcomeUnknown) as unknown:
            await run.send()
        assert (unknown.value.attempts, run.accepted) == (ATTEMPTS, 0)
        for call in (run.get, run.walk):
            with run.script(*[mishap] * ATTEMPTS), pytest.raises(ServerError) as caught:
                await call()
            assert (caught.value.attempts, caught.value.status) == (ATTEMPTS, unknown.value.status)
        assert run.yielded == []


@pytest.mark.fault(
    "500, 502, 503, 504 before acceptance, any body", send="one retry budget for all calls"
)
@pytest.mark.parametrize("way", WAYS)
async def test_the_budget(run_over: Open, way: Way) -> None:
    """While the server is down, retries come to an end: a budget for all calls together."""
    retry = RetryPolicy(base=0.001, cap=0.001, budget=4)
    async with run_over(way, Setting(retry=retry)) as run:
        with run.script(*[Fault.status(503)] * 14):
            for _ in range(10):
                with pytest.raises(OutcomeUnknown):
                    await run.send()
        assert (len(run.entries), run.accepted) == (14, 0)
        await run.send()
        assert run.accepted == 1


@pytest.mark.fault("A stored 5xx is replayed for the key", send="`OutcomeUnknown`, not asked again")
@pytest.mark.parametrize("way", WAYS)
async def test_a_stored_error(run_over: Open, way: Way) -> None:
    """A 5xx that is the key's answer for a day is not asked for a third time."""
    async with run_over(way) as run:
        with run.script(Fault.stored_error(500)), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.attempts, len(run.entries), run.accepted) == (2, 2, 0)


@pytest.mark.fault(
    "429 with any `Retry-After`, or none",
    send="waits at least as long",
    read="waits at least as long",
)
@pytest.mark.parametrize("value", ["0.3", "0.1", "0"])
@pytest.mark.parametrize("way", SOCKETS)
async def test_retry_after_on_a_socket(run_over: Open, way: Way, value: str) -> None:
    """A `Retry-After` is waited for, at the least, by sends and by reads."""
    async with run_over(way) as run:
        run.stock()
        for call in (run.send, run.get):
            with run.script(too_many(value)):
                await call()
            first, second = [entry.at for entry in run.entries][-2:]
            assert float(value) <= second - first < float(value) + 0.5


@pytest.mark.fault(
    "429 with any `Retry-After`, or none",
    send="waits at least as long",
    read="waits at least as long",
)
@pytest.mark.parametrize("value", ["1.5", "3", "0", "0.001", " 7 "])
@pytest.mark.parametrize("call", ["send", "get", "walk"])
async def test_retry_after_in_seconds(run_over: Open, value: str, call: str) -> None:
    """Seconds, whole or not, are a floor under the wait; jitter comes on top."""
    async with run_over("memory") as run:
        run.stock()
        with run.script(too_many(value)):
            await getattr(run, call)()
        first, second = [entry.at for entry in run.entries][:2]
        assert float(value) <= second - first <= float(value) + 0.25 + run.setting.latency


@pytest.mark.fault("429 with any `Retry-After`, or none", send="waits at least as long")
@pytest.mark.parametrize("call", ["send", "get", "walk"])
@pytest.mark.parametrize("has_date", [True, False])
async def test_retry_after_as_a_date(run_over: Open, call: str, *, has_date: bool) -> None:
    """An HTTP date counts from the answer's own `Date`, and without one from this clock."""
    async with run_over("memory") as run:
        run.stock()
        now = datetime.fromtimestamp(run.clock.time(), UTC)
        since = now - timedelta(days=3) if has_date else now
        until = format_datetime(since + timedelta(seconds=20), usegmt=True)
        date = format_datetime(since, usegmt=True) if has_date else None
        with run.script(too_many(until, date=date)):
            await getattr(run, call)()
        first, second = [entry.at for entry in run.entries][:2]
        assert 19.9 <= second - first <= 20.4


@pytest.mark.fault("429 with any `Retry-After`, or none", send="waits at least as long")
@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
async def test_retry_after_in_every_form_of_a_date(
    run_over: Open, far_from_greenwich: None, form: str
) -> None:
    """A date is in GMT in each of the forms that HTTP has had, wherever this machine is."""
    assert far_from_greenwich is None
    async with run_over("memory") as run:
        until = datetime.fromtimestamp(run.clock.time(), UTC) + timedelta(seconds=20)
        with run.script(too_many(until.strftime(form))):
            await run.send()
        first, second = [entry.at for entry in run.entries]
        assert 19.9 <= second - first <= 20.4


@pytest.fixture
def far_from_greenwich() -> Generator[None]:
    """Put this machine into another time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC-5"
    time.tzset()
    yield
    del os.environ["TZ"]
    os.environ.update({"TZ": before} if before else {})
    time.tzset()


@pytest.mark.fault(
    "429 with any `Retry-After`, or none",
    send="junk counts as absent",
    read="junk counts as absent",
)
@pytest.mark.parametrize("value", JUNK)
async def test_retry_after_that_says_nothing(run_over: Open, value: str | None) -> None:
    """Junk counts as absent: the ordinary backoff, no crash, no endless wait."""
    async with run_over("memory") as run:
        run.stock()
        for call in (run.send, run.get, run.walk):
            before = len(run.entries)
            with run.script(too_many(value)):
                await call()
            first, second = [entry.at for entry in run.entries][before : before + 2]
            assert second - first <= 0.5


@pytest.mark.fault("429 with any `Retry-After`, or none", send="too long: raised at once")
@pytest.mark.parametrize("value", ["1.5", "60", "1000000000"])
@pytest.mark.parametrize("way", WAYS)
async def test_retry_after_beyond_the_deadline(run_over: Open, way: Way, value: str) -> None:
    """One that is longer than the time left raises at once, and says how long."""
    async with run_over(way, Setting(timeout=1.0)) as run:
        run.stock()
        for call in (run.send, run.get, run.walk):
            since = run.clock.monotonic()
            with run.script(too_many(value)), pytest.raises(RateLimitError) as caught:
                await call()
            assert run.clock.monotonic() - since < 0.9
            assert (caught.value.retry_after, caught.value.attempts) == (float(value), 1)
        assert (run.accepted, run.yielded) == (0, [])


@pytest.mark.fault("429 with any `Retry-After`, or none", send="too long: raised at once")
async def test_retry_after_beyond_patience(run_over: Open) -> None:
    """Without a deadline, one that is longer than the policy waits for raises at once."""
    async with run_over("memory") as run:
        with run.script(too_many("100000000")), pytest.raises(RateLimitError) as caught:
            await run.send(timeout=9e8)
        assert (caught.value.retry_after, run.clock.monotonic() < 1) == (1e8, True)


@pytest.mark.fault("429 with any `Retry-After`, or none", send="every call of the bucket pauses")
@pytest.mark.parametrize(("call", "other"), [("send", "get"), ("get", "send"), ("walk", "get")])
async def test_a_429_pauses_the_bucket_for_every_call(
    run_over: Open, call: str, other: str
) -> None:
    """No other call gets a 429, and only calls of its bucket wait for it."""
    async with run_over("memory") as run:
        run.stock()
        async with anyio.create_task_group() as tasks:
            with run.script(too_many("10")):
                tasks.start_soon(getattr(run, call))
                await run.clock.sleep(1)
                for _ in range(5):
                    tasks.start_soon(getattr(run, call))
                await getattr(run, other)()
                assert run.clock.monotonic() < 2
        bucket = run.entries[0].bucket
        times = [entry.at for entry in run.entries if entry.bucket == bucket]
        assert len(times) >= 7
        assert all(at >= times[0] + 10 for at in times[1:])


@pytest.mark.fault("429 with any `Retry-After`, or none", send="every call of the bucket pauses")
@pytest.mark.parametrize("call", ["send", "get"])
@pytest.mark.parametrize("way", SOCKETS)
async def test_the_bucket_pauses_on_a_socket(run_over: Open, way: Way, call: str) -> None:
    """No other call gets a 429."""
    async with run_over(way) as run:
        run.stock()
        async with anyio.create_task_group() as tasks:
            with run.script(too_many("0.3")):
                tasks.start_soon(getattr(run, call))
                await anyio.sleep(0.1)
                for _ in range(5):
                    tasks.start_soon(getattr(run, call))
        times = [entry.at for entry in run.entries]
        assert len(times) == 7
        assert all(at >= times[0] + 0.3 for at in times[1:])


@pytest.mark.fault("401 or 403", send="not tried again", read="not tried again")
@pytest.mark.parametrize("way", WAYS)
async def test_an_unknown_key(run_over: Open, way: Way) -> None:
    """A 401 is not tried again, by a send or by a read."""
    async with run_over(way, Setting(keys={})) as run:
        run.stock()
        for call in (run.send, run.get, run.walk):
            with pytest.raises(AuthenticationError) as caught:
                await call()
            assert caught.value.attempts == 1
        assert (len(run.entries), run.accepted) == (3, 0)


@pytest.mark.fault("401 or 403", send="not tried again", read="not tried again")
@pytest.mark.parametrize("way", WAYS)
async def test_a_scope_that_lacks(run_over: Open, way: Way) -> None:
    """A 403 is not tried again, by a send or by a read."""
    scopes = tuple(scope for scope in SCOPES if ":messages:" not in scope)
    async with run_over(way, Setting(keys={API_KEY: scopes})) as run:
        run.stock()
        for call in (run.send, run.get, run.walk):
            with pytest.raises(PermissionDeniedError) as caught:
                await call()
            assert caught.value.attempts == 1
        assert (len(run.entries), run.accepted) == (3, 0)


@pytest.mark.fault("401 or 403", send="after a lost answer: `OutcomeUnknown`")
@pytest.mark.parametrize("way", WAYS)
async def test_a_key_that_expires_in_between(run_over: Open, way: Way) -> None:
    """A 401 after an attempt that may have acted settles nothing: the outcome is unknown."""
    async with run_over(way) as run:
        with (
            run.script(Fault.lose_answer(), Fault.status(401)),
            pytest.raises(OutcomeUnknown) as caught,
        ):
            await run.send()
        assert (caught.value.attempts, run.accepted) == (2, 1)


@pytest.mark.fault(
    "3xx to anywhere", send="not followed: `OutcomeUnknown`", read="not followed: an error"
)
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("way", WAYS)
async def test_elsewhere(run_over: Open, way: Way, status: int) -> None:
    """A redirect is not followed: an error at once, which does not settle a send."""
    elsewhere = FaultServer(FakeZiett(clock=SystemClock()))
    async with run_over(way) as run, elsewhere.serving():
        run.stock()
        headers = (("location", f"{elsewhere.url}/c/v1/messages"),)
        for call in (run.send, run.get, run.walk):
            moved = Fault.status(status, headers=headers)
            with run.script(moved), pytest.raises((ApiError, OutcomeUnknown)) as caught:
                await call()
            error = caught.value
            assert isinstance(error, OutcomeUnknown if call == run.send else ApiError)
            assert (error.status, error.attempts) == (status, 1)
            check_discreet([str(error), repr(error)], [elsewhere.url])
        assert (elsewhere.heard, elsewhere.accepted, run.accepted) == ([], 0, 0)


@pytest.mark.fault("3xx to anywhere", send="not followed: `OutcomeUnknown`")
@pytest.mark.parametrize("location", ["/c/v1/messages", "//127.0.0.1/", "ftp://x", ":", "\xff"])
@pytest.mark.parametrize("way", WAYS)
async def test_elsewhere_in_words_that_mean_nothing(
    run_over: Open, way: Way, location: str
) -> None:
    """Where it points does not matter: it is not followed."""
    async with run_over(way) as run:
        moved = Fault.status(302, headers=(("location", location),))
        with run.script(moved), pytest.raises(OutcomeUnknown) as caught:
            await run.send()
        assert (caught.value.status, run.accepted, len(run.entries)) == (302, 0, 1)
