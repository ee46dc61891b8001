"""Paths, keys, scopes and quotas of the fake."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from ziett_async._clock import ManualClock
from ziett_async._fake.quotas import FixedWindow, SlidingWindow, TokenBucket, Window
from ziett_async._wire import Request, Response
from ziett_async.testing import SCOPES, Dialect, FakeZiett, Quota

Ask = Callable[..., Response]
Body = Callable[..., dict[str, object]]


def code(response: Response) -> str:
    """Return the code of an error."""
    return str(json.loads(response.body)["code"])


def test_an_error_is_one_documented_object(ask: Ask) -> None:
    """Every error has the six documented keys, and a trace id of 32 hexadecimal digits."""
    response = ask(FakeZiett(), "GET", "/nowhere")
    assert response.status == 404
    assert response.header("Content-Type") == "application/json"
    error = json.loads(response.body)
    assert re.fullmatch("[0-9a-f]{32}", error.pop("trace_id"))
    assert error == {
        "code": "NOT_FOUND",
        "message": "No such path",
        "status": 404,
        "timestamp": "2025-07-14T10:30:00.000000+00:00",
        "service": "core",
    }


def test_no_trace_id_comes_twice(ask: Ask) -> None:
    """Not after `clear` either; the same seed gives the same ones, another seed others."""

    def traces(seed: int) -> list[str]:
        fake = FakeZiett(seed=seed)
        found = list[str]()
        for _ in range(2):
            found += [json.loads(ask(fake, "GET", "/x").body)["trace_id"] for _ in range(50)]
            fake.clear()
        return found

    assert len(set(traces(0) + traces(1))) == 200
    assert traces(1) == traces(1)


def test_a_base_path_that_is_there_twice_is_said(ask: Ask) -> None:
    """A program that adds `/c/v1` to a base URL which has it learns why nothing is found."""
    response = ask(FakeZiett(), "GET", "/c/v1/messages")
    message = "No such path: /c/v1 is in it twice, from the base URL and from the program"
    assert (response.status, json.loads(response.body)["message"]) == (404, message)


def test_any_prefix_may_stand_before_the_base_path(request_of: Callable[..., Request]) -> None:
    """An emulator on loopback has the same paths, and nothing is outside the base path."""
    fake = FakeZiett()
    headers = request_of("GET", "/messages").headers
    assert fake.handle(Request("GET", "http://[::1]:8/x/c/v1/messages", headers)).status == 200
    assert fake.handle(Request("GET", "http://[::1]:8/messages", headers)).status == 404


def test_a_wrong_method_is_a_405_that_says_which_are_right(ask: Ask) -> None:
    """`Allow` names every method of the path, HEAD among them where there is GET."""
    fake = FakeZiett()
    response = ask(fake, "DELETE", "/messages")
    assert (response.status, response.header("allow")) == (405, "GET, HEAD, POST")
    assert ask(fake, "PUT", "/campaigns/batch/messages").header("allow") == "GET, HEAD"


def test_head_is_get_without_its_body(ask: Ask) -> None:
    """HEAD has the status and headers of GET."""
    fake = FakeZiett()
    whole, response = (ask(fake, method, "/messages") for method in ("GET", "HEAD"))
    assert (response.status, response.body) == (200, b"")
    assert response.headers == (*whole.headers, ("content-length", str(len(whole.body))))


@pytest.mark.parametrize("api_key", [None, "", "zk_test_", "zk_live_x"])
def test_an_unknown_key_is_a_401(ask: Ask, api_key: str | None) -> None:
    """By default only test keys are known."""
    response = ask(FakeZiett(), "GET", "/messages", api_key=api_key)
    assert (response.status, code(response)) == (401, "AUTH_INVALID_API_KEY")


def test_a_key_does_only_what_its_scopes_allow(ask: Ask) -> None:
    """With `keys`, each key has its own scopes, and a mapping may change meanwhile."""
    keys = {"zk_live_a": SCOPES, "zk_live_b": {"apikey:messages:read"}}
    fake = FakeZiett(keys=keys)
    assert ask(fake, "GET", "/messages", api_key="zk_live_a").status == 200
    refused = ask(fake, "GET", "/messages", api_key="zk_live_b")
    assert (refused.status, code(refused)) == (403, "AUTH_INVALID_SCOPE")
    del keys["zk_live_a"]
    assert ask(fake, "GET", "/messages", api_key="zk_live_a").status == 401


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
    """So many requests a minute for a key; the next is a 429 that says when to come back."""
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


def test_rate_limit_headers_are_hints_that_can_be_switched_on(ask: Ask) -> None:
    """Limit, remaining, and the Unix second at which the quota is whole again."""
    clock = ManualClock()
    limits = {"list": Quota(2, per=10.0)}
    fake = FakeZiett(clock=clock, limits=limits, dialect=Dialect(rate_limit_headers=True))
    response = ask(fake, "GET", "/messages")
    assert response.header("X-RateLimit-Limit") == "2"
    assert response.header("X-RateLimit-Remaining") == "1"
    assert response.header("X-RateLimit-Reset") == str(int(clock.time()) + 10)
    assert ask(fake, "GET", "/nowhere").header("X-RateLimit-Limit") is None


def test_campaign_lists_may_count_as_other_reads(ask: Ask) -> None:
    """The API page can be read so: only `GET /messages` is in the list bucket."""
    fake = FakeZiett(dialect=Dialect(campaign_lists="read"))
    ask(fake, "GET", "/campaigns")
    ask(fake, "GET", "/messages")
    assert (len(fake.arrivals("read")), len(fake.arrivals("list"))) == (1, 1)


def admitted(window: Window, moments: list[float]) -> list[float]:
    """Return the moments at which a window admits an arrival."""
    return [moment for moment in moments if not window.take(moment).wait]


def test_a_fixed_window_begins_anew_at_each_multiple() -> None:
    """So twice the limit fits around the boundary."""
    window = FixedWindow(Quota(2, per=60.0))
    assert admitted(window, [59.0, 59.0, 59.0, 60.0, 60.0, 60.0]) == [59.0, 59.0, 60.0, 60.0]
    assert window.take(61.0).wait == 59.0


def test_a_sliding_window_admits_no_more_in_any_stretch() -> None:
    """A place is free again exactly one period after it was taken."""
    window = SlidingWindow(Quota(2, per=60.0))
    assert admitted(window, [0.0, 59.0, 59.9, 60.0, 60.1, 119.0]) == [0.0, 59.0, 60.0, 119.0]
    assert window.take(119.5).wait == 0.5


def test_a_token_bucket_refills_evenly() -> None:
    """The whole bucket at once, then one token each half period."""
    window = TokenBucket(Quota(2, per=60.0))
    assert admitted(window, [0.0, 0.0, 0.0, 30.0, 45.0, 60.0]) == [0.0, 0.0, 30.0, 60.0]
    assert window.take(75.0).wait == pytest.approx(15.0)


class Unrounded(TokenBucket):
    """The naive one: what arithmetic falls short of by a millionth of a millionth counts."""

    _ROUNDING = 0.0


def rightly_refilled(kind: type[TokenBucket], quota: Quota) -> bool:
    """Return whether each token is there at its moment: to be taken, and to be counted."""
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
def test_a_token_is_there_at_its_moment(quota: Quota) -> None:
    """Whatever binary fractions make of the arithmetic."""
    assert rightly_refilled(TokenBucket, quota)


def test_unrounded_tokens_are_late() -> None:
    """One of 49 a minute is refused at the moment for which it was announced."""
    assert not rightly_refilled(Unrounded, Quota(49))


def test_a_limiting_algorithm_is_chosen_by_name(ask: Ask) -> None:
    """A token bucket lets a third request in when a sliding window would not yet."""
    clock = ManualClock()
    fake = FakeZiett(clock=clock, limits={"list": Quota(2)}, window="token_bucket")
    assert [ask(fake, "GET", "/messages").status for _ in range(3)] == [200, 200, 429]
    clock.advance(30)
    assert ask(fake, "GET", "/messages").status == 200


def test_a_quota_admits_something() -> None:
    """A limit below one, or no period, is a mistake."""
    with pytest.raises(ValueError, match="limit"):
        Quota(0)
    with pytest.raises(ValueError, match="per"):
        Quota(1, per=0)


def test_a_window_that_there_is_not_is_refused() -> None:
    """With the choices, when the fake is made."""
    expected = "one of: fixed, sliding, token_bucket; got 'x'"
    with pytest.raises(ValueError, match=expected):
        FakeZiett(window=cast("Any", "x"))
