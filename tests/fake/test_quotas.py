"""Rate limits of the fake: buckets, headers, and the three ways to count."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from ziett_async._clock import ManualClock
from ziett_async._fake.quotas import FixedWindow, SlidingWindow, TokenBucket, Window
from ziett_async._wire import Response
from ziett_async.testing import Dialect, FakeZiett, Quota

Ask = Callable[..., Response]


def code(response: Response) -> str:
    """Return the code of an error."""
    return str(json.loads(response.body)["code"])


@pytest.mark.parametrize(
    ("method", "path", "bucket", "limit"),
    [
        ("POST", "/messages", "send", 120),
        ("GET", "/messages", "list", 60),
        ("GET", "/campaigns", "list", 60),
        ("GET", "/campaigns/x/messages", "list", 60),
        ("GET", "/messages/x", "read", 300),
        ("GET", "/campaigns/x", "read", 300),
        ("POST", "/campaigns/batch", "batch", 10),
    ],
)
def test_each_bucket_has_its_documented_limit(
    ask: Ask, method: str, path: str, bucket: str, limit: int
) -> None:
    """A key gets `limit` requests a minute; the next one is a 429 with `Retry-After`."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock)
    for _ in range(limit):
        assert ask(fake, method, path).status != 429
    clock.advance(0.5)
    refused = ask(fake, method, path)
    assert (refused.status, code(refused)) == (429, "RATE_LIMIT_EXCEEDED")
    assert refused.header("retry-after") == "60"
    assert ask(fake, method, path, api_key="zk_test_another").status != 429
    clock.advance(59.5)
    assert ask(fake, method, path).status != 429
    assert fake.arrivals(bucket) == [0.0] * limit + [0.5, 0.5, 60.0]


def test_a_bucket_without_a_quota_has_no_limit(ask: Ask) -> None:
    """`limits={}` turns rate limits off."""
    fake = FakeZiett(limits={}, dialect=Dialect(rate_limit_headers=True))
    responses = [ask(fake, "GET", "/messages") for _ in range(100)]
    assert {response.status for response in responses} == {200}
    assert responses[0].header("x-ratelimit-limit") is None


def test_rate_limit_headers_can_be_switched_on(ask: Ask) -> None:
    """Limit, remaining, and the Unix second at which the whole quota is available again."""
    clock = ManualClock()
    limits = {"list": Quota(2, per=10.0)}
    fake = FakeZiett(clock=clock, limits=limits, dialect=Dialect(rate_limit_headers=True))
    response = ask(fake, "GET", "/messages")
    assert response.header("X-RateLimit-Limit") == "2"
    assert response.header("X-RateLimit-Remaining") == "1"
    assert response.header("X-RateLimit-Reset") == str(int(clock.time()) + 10)
    assert ask(fake, "GET", "/nowhere").header("X-RateLimit-Limit") is None


def test_campaign_lists_can_count_as_reads(ask: Ask) -> None:
    """The API page can be read to mean that only `GET /messages` is in the list bucket."""
    fake = FakeZiett(dialect=Dialect(campaign_lists="read"))
    ask(fake, "GET", "/campaigns")
    ask(fake, "GET", "/messages")
    assert (len(fake.arrivals("read")), len(fake.arrivals("list"))) == (1, 1)


def admitted(window: Window, moments: list[float]) -> list[float]:
    """Return the moments at which a window admits a request."""
    return [moment for moment in moments if not window.take(moment).wait]


def test_a_fixed_window_starts_again_at_each_multiple_of_the_period() -> None:
    """So that twice the limit is admitted around a boundary."""
    window = FixedWindow(Quota(2, per=60.0))
    assert admitted(window, [59.0, 59.0, 59.0, 60.0, 60.0, 60.0]) == [59.0, 59.0, 60.0, 60.0]
    assert window.take(61.0).wait == 59.0


def test_a_sliding_window_admits_the_limit_in_any_period() -> None:
    """A request stops counting exactly one period after it was admitted."""
    window = SlidingWindow(Quota(2, per=60.0))
    assert admitted(window, [0.0, 59.0, 59.9, 60.0, 60.1, 119.0]) == [0.0, 59.0, 60.0, 119.0]
    assert window.take(119.5).wait == 0.5


def test_a_token_bucket_refills_evenly() -> None:
    """The whole bucket is available at once, then one token each half period."""
    window = TokenBucket(Quota(2, per=60.0))
    assert admitted(window, [0.0, 0.0, 0.0, 30.0, 45.0, 60.0]) == [0.0, 0.0, 30.0, 60.0]
    assert window.take(75.0).wait == pytest.approx(15.0)


class Unrounded(TokenBucket):
    """The naive bucket: a rounding error of a millionth of a millionth delays a token."""

    _ROUNDING = 0.0


def refills_on_time(kind: type[TokenBucket], quota: Quota) -> bool:
    """Return whether each token can be taken, and is counted, from the moment it is due."""
    each, one_by_one = quota.per / quota.limit, kind(quota)
    taken = [one_by_one.take(0.0).wait for _ in range(quota.limit)]
    taken += [one_by_one.take(number * each).wait for number in range(1, 200)]
    counted = list[bool]()
    for number in range(1, quota.limit + 1):
        at_once = kind(quota)
        for _ in range(quota.limit):
            at_once.take(0.0)
        counted.append(at_once.take(number * each).remaining == number - 1)
    return not any(taken) and all(counted)


@pytest.mark.parametrize("quota", [Quota(3, per=1.0), Quota(7), Quota(49), Quota(120)], ids=str)
def test_a_token_is_available_when_it_is_due(quota: Quota) -> None:
    """Whatever the rounding errors of binary fractions are."""
    assert refills_on_time(TokenBucket, quota)


def test_unrounded_tokens_are_late() -> None:
    """With 49 tokens a minute, one is refused at the moment that was announced for it."""
    assert not refills_on_time(Unrounded, Quota(49))


def test_a_window_is_chosen_by_name(ask: Ask) -> None:
    """A token bucket admits a third request before a sliding window would."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, limits={"list": Quota(2)}, window="token_bucket")
    assert [ask(fake, "GET", "/messages").status for _ in range(3)] == [200, 200, 429]
    clock.advance(30)
    assert ask(fake, "GET", "/messages").status == 200


def test_a_quota_is_positive() -> None:
    """A limit below one, or a period of 0 seconds, is a `ValueError`."""
    with pytest.raises(ValueError, match="limit"):
        Quota(0)
    with pytest.raises(ValueError, match="per"):
        Quota(1, per=0)


def test_an_unknown_window_is_refused() -> None:
    """The error lists the choices when the fake is constructed."""
    expected = "one of: fixed, sliding, token_bucket; got 'x'"
    with pytest.raises(ValueError, match=expected):
        FakeZiett(window=cast("Any", "x"))
