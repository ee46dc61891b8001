"""Rate limits: buckets, headers, and the three ways to count."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.fake.conftest import ServeApi
from tests.support.description import OPERATIONS
from tests.support.requests import request_of
from tests.support.service_client import ServiceClient
from ziett_async import ManualClock
from ziett_async._fake.quotas import (
    FixedWindow,
    RateLimitResult,
    SlidingWindow,
    TokenBucket,
    Window,
)
from ziett_async.testing import Dialect, FakeZiett, Quota

#: The table of `api-contract.md`, section 4, and where it is open the first reading.
BUCKETS = {
    "send_message": ("send", 120),
    "list_messages": ("list", 60),
    "list_campaigns": ("list", 60),
    "list_campaign_messages": ("list", 60),
    "get_message": ("read", 300),
    "get_campaign": ("read", 300),
    "send_batch_campaign": ("batch", 10),
}
HEADERS = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}


def statuses(api: ServiceClient, operation: str, times: int) -> list[int]:
    """Call an operation so many times; return the statuses."""
    return [api.call(operation).status for _ in range(times)]


@pytest.mark.parametrize(("operation", "bucket", "limit"), [(n, *b) for n, b in BUCKETS.items()])
def test_each_bucket_has_its_documented_limit(
    api: ServiceClient, operation: str, bucket: str, limit: int
) -> None:
    """A key gets `limit` requests a minute; the next one is a 429 with `Retry-After`."""
    assert 429 not in statuses(api, operation, limit)
    api.clock.advance(0.5)
    refused = api.call(operation)
    assert (refused.status, refused.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert (refused.headers["retry-after"], refused.json["message"]) == ("60", "Too many requests")
    assert api.call(operation, api_key="zk_test_another").status != 429
    api.clock.advance(59.5)
    assert api.call(operation).status != 429
    assert api.fake.arrivals(bucket) == [0.0] * limit + [0.5, 0.5, 60.0]


@pytest.mark.parametrize("window", ["fixed", "sliding", "token_bucket"])
def test_a_minute_holds_the_limit_whatever_the_window(serve_api: ServeApi, window: str) -> None:
    """The documented number gets through at once; the next one is a 429 until it is time."""
    api = serve_api(window=window)
    assert 429 not in statuses(api, "list_messages", 60)
    refused = api.call("list_messages")
    assert refused.status == 429
    api.clock.advance(float(refused.headers["retry-after"]))
    assert api.call("list_messages").status == 200


@pytest.mark.parametrize(
    ("window", "after"), [("fixed", 60), ("sliding", 60), ("token_bucket", 30)]
)
def test_retry_after_is_in_whole_seconds(serve_api: ServeApi, window: str, after: int) -> None:
    """The next request is admitted then, and no sooner."""
    api = serve_api(window=window, limits={"list": Quota(2)})
    statuses(api, "list_messages", 2)
    assert api.call("list_messages").headers["retry-after"] == str(after)
    api.clock.advance(after - 0.5)
    assert api.call("list_messages").headers["retry-after"] == "1"
    api.clock.advance(0.5)
    assert api.call("list_messages").status == 200


def test_retry_after_may_be_missing(serve_api: ServeApi) -> None:
    """Only the wider pages promise it."""
    api = serve_api(limits={"list": Quota(1)}, dialect=Dialect(retry_after=False))
    assert statuses(api, "list_messages", 2) == [200, 429]
    assert not set(api.call("list_messages").headers) & {*HEADERS, "retry-after"}


def test_buckets_are_apart(serve_api: ServeApi) -> None:
    """A key that may send no more may still read; a bucket without a quota has no limit."""
    api = serve_api(limits={"send": Quota(1), "list": Quota(1)})
    assert statuses(api, "send_message", 2) == [202, 429]
    assert statuses(api, "list_messages", 2) == [200, 429]
    assert statuses(api, "get_campaign", 20) == [404] * 20


def test_limits_can_be_turned_off(serve_api: ServeApi) -> None:
    """`limits={}` leaves no bucket with one, and no response with headers."""
    api = serve_api(limits={}, dialect=Dialect(rate_limit_headers=True))
    responses = [api.call("list_messages") for _ in range(61)]
    assert {response.status for response in responses} == {200}
    assert not set(responses[0].headers) & HEADERS


@pytest.mark.parametrize(("owner", "status"), [("key", 200), ("organisation", 429)])
def test_limits_are_per_key_or_per_organisation(
    serve_api: ServeApi, owner: str, status: int
) -> None:
    """Today each key has its own; they are to move to the organisation."""
    dialect = Dialect(limits_per=owner)  # type: ignore[arg-type]
    api = serve_api(limits={"list": Quota(1)}, dialect=dialect)
    api.call("list_messages", api_key="zk_test_a")
    assert api.call("list_messages", api_key="zk_test_b").status == status


@pytest.mark.parametrize(("bucket", "last"), [("list", 429), ("read", 200)])
@pytest.mark.parametrize("operation", ["list_campaigns", "list_campaign_messages"])
def test_campaign_lists_can_count_as_reads(
    serve_api: ServeApi, operation: str, bucket: str, last: int
) -> None:
    """The API page can be read to mean that only `GET /messages` is in the list bucket."""
    dialect = Dialect(campaign_lists=bucket)  # type: ignore[arg-type]
    api = serve_api(limits={"list": Quota(1)}, dialect=dialect)
    campaign_id = api.send_batch()
    api.call("list_messages")
    assert api.call(operation, path_id=campaign_id).status == last
    assert api.fake.requests[-1].bucket == bucket


def test_rate_limit_headers_are_absent_by_default(api: ServiceClient) -> None:
    """They are under development, so nothing may rest on them."""
    assert not set(api.call("list_messages").headers) & {*HEADERS, "retry-after"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_rate_limit_headers_can_be_switched_on(serve_api: ServeApi, operation: str) -> None:
    """The three come together, on every operation, as whole numbers."""
    headers = serve_api(dialect=Dialect(rate_limit_headers=True)).call(operation).headers
    _, limit = BUCKETS[operation]
    assert headers["x-ratelimit-limit"] == str(limit)
    assert headers["x-ratelimit-remaining"] == str(limit - 1)
    assert set(headers) >= HEADERS


def test_rate_limit_headers_count_down(serve_api: ServeApi) -> None:
    """`Reset` is the Unix second at which the whole quota is available again."""
    dialect = Dialect(rate_limit_headers=True)
    api = serve_api(limits={"list": Quota(2, per=10.0)}, dialect=dialect)
    api.clock.advance(0.25)
    responses = [api.call("list_messages").headers for _ in range(3)]
    assert [each["x-ratelimit-remaining"] for each in responses] == ["1", "0", "0"]
    assert {each["x-ratelimit-reset"] for each in responses} == {str(int(api.clock.time()) + 11)}
    assert "x-ratelimit-limit" not in api.request("GET", "/nowhere").headers


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


@pytest.mark.parametrize(
    ("kind", "results"),
    [
        (
            FixedWindow,
            [
                (0.0, RateLimitResult(wait=0.0, remaining=1, reset=60.0)),
                (10.0, RateLimitResult(wait=0.0, remaining=0, reset=50.0)),
                (20.0, RateLimitResult(wait=40.0, remaining=0, reset=40.0)),
                (60.0, RateLimitResult(wait=0.0, remaining=1, reset=60.0)),
            ],
        ),
        (
            SlidingWindow,
            [
                (0.0, RateLimitResult(wait=0.0, remaining=1, reset=60.0)),
                (10.0, RateLimitResult(wait=0.0, remaining=0, reset=60.0)),
                (20.0, RateLimitResult(wait=40.0, remaining=0, reset=50.0)),
                (60.0, RateLimitResult(wait=0.0, remaining=0, reset=60.0)),
            ],
        ),
        (
            TokenBucket,
            [
                (0.0, RateLimitResult(wait=0.0, remaining=1, reset=30.0)),
                (15.0, RateLimitResult(wait=0.0, remaining=0, reset=45.0)),
                (30.0, RateLimitResult(wait=0.0, remaining=0, reset=60.0)),
                (45.0, RateLimitResult(wait=15.0, remaining=0, reset=45.0)),
            ],
        ),
    ],
    ids=["fixed", "sliding", "token_bucket"],
)
def test_a_window_says_when_what_is_available(
    kind: Callable[[Quota], Window], results: list[tuple[float, RateLimitResult]]
) -> None:
    """The wait for the next request, what remains, and the wait for the whole quota."""
    window = kind(Quota(2, per=60.0))
    assert [(now, window.take(now)) for now, _ in results] == results


def test_reading_the_levels_uses_nothing_up() -> None:
    """Each bucket of each key that was used shows what is free, and until when nothing is."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, limits={"list": Quota(2, per=10.0), "send": Quota(3)})

    def levels() -> list[tuple[str, str, int, float]]:
        return [(each.owner, each.bucket, each.free, each.wait) for each in fake.levels]

    assert levels() == [("", "list", 2, 0.0), ("", "send", 3, 0.0)]
    for api_key in ("zk_test_b", "zk_test_a", "zk_test_a"):
        fake.handle(request_of("GET", "/messages", api_key=api_key))
        clock.advance(1.0)
    expected = [
        ("zk_test_a", "list", 0, 8.0),
        ("zk_test_a", "send", 3, 0.0),
        ("zk_test_b", "list", 1, 0.0),
        ("zk_test_b", "send", 3, 0.0),
    ]
    assert levels() == levels() == expected
    assert {each.quota for each in fake.levels} == {Quota(2, per=10.0), Quota(3)}


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


def test_a_window_is_chosen_by_name(serve_api: ServeApi) -> None:
    """A token bucket admits a third request before a sliding window would."""
    api = serve_api(limits={"list": Quota(2)}, window="token_bucket")
    assert statuses(api, "list_messages", 3) == [200, 200, 429]
    api.clock.advance(30)
    assert api.call("list_messages").status == 200


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
