"""The contract's section 4 over the wire: so many requests a minute, by whichever algorithm."""

import pytest

from tests.fidelity.conftest import WireTo
from tests.support.http import Wire, read
from ziett_async.testing import Quota

WINDOWS = ["fixed", "sliding", "token_bucket"]
#: The table of `api-contract.md`, section 4, as far as its endpoints are published.
LIMITS = {"send_message": 120, "list_messages": 60, "get_message": 300, "send_batch_campaign": 10}
TOLD = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")


def statuses(wire: Wire, name: str, times: int) -> list[int]:
    """Ask so many times; return the statuses, of which 404 is as good as 200."""
    return [wire.ask(name).status for _ in range(times)]


@pytest.mark.parametrize(("name", "limit"), LIMITS.items())
@pytest.mark.parametrize("window", WINDOWS)
def test_a_minute_holds_so_many(wire_to: WireTo, name: str, limit: int, window: str) -> None:
    """The documented number gets through at once; the next one is a 429 until it is time."""
    wire = wire_to(window=window)
    assert 429 not in statuses(wire, name, limit)
    refused = wire.ask(name)
    assert refused.status == 429
    wire.clock.advance(float(refused.headers["retry-after"]))
    assert wire.ask(name).status != 429


@pytest.mark.parametrize(
    ("window", "after"), [("fixed", 60), ("sliding", 60), ("token_bucket", 30)]
)
def test_retry_after_is_in_whole_seconds(wire_to: WireTo, window: str, after: int) -> None:
    """It says when, and no sooner is it so."""
    wire = wire_to(window=window, limits={"list": Quota(2)})
    statuses(wire, "list_messages", 2)
    assert wire.ask("list_messages").headers["retry-after"] == str(after)
    wire.clock.advance(after - 0.5)
    assert wire.ask("list_messages").headers["retry-after"] == "1"
    wire.clock.advance(0.5)
    assert wire.ask("list_messages").status == 200


def test_retry_after_may_be_missing(wire_to: WireTo) -> None:
    """Only the wider pages promise it."""
    wire = wire_to(limits={"list": Quota(1)}, dialect=read(retry_after=False))
    assert statuses(wire, "list_messages", 2) == [200, 429]
    assert not set(wire.ask("list_messages").headers) & set(TOLD)


def test_buckets_are_apart(wire_to: WireTo) -> None:
    """Who may send no more may still read."""
    wire = wire_to(limits={"send": Quota(1), "list": Quota(1)})
    assert statuses(wire, "send_message", 2) == [202, 429]
    assert statuses(wire, "list_messages", 2) == [200, 429]
    assert statuses(wire, "get_campaign", 2) == [404, 404]


@pytest.mark.parametrize(("owner", "status"), [("key", 200), ("organisation", 429)])
def test_limits_are_of_a_key_or_of_all(wire_to: WireTo, owner: str, status: int) -> None:
    """Today each key has its own; they are to move to the organisation."""
    wire = wire_to(limits={"list": Quota(1)}, dialect=read(limits_per=owner))
    wire.ask("list_messages", api_key="zk_test_a")
    assert wire.ask("list_messages", api_key="zk_test_b").status == status


@pytest.mark.parametrize(("bucket", "last"), [("list", 429), ("read", 200)])
@pytest.mark.parametrize("name", ["list_campaigns", "list_campaign_messages"])
def test_campaign_lists_are_lists_or_reads(
    wire_to: WireTo, name: str, bucket: str, last: int
) -> None:
    """They share the limit of the message list, or that of the other GETs."""
    wire = wire_to(limits={"list": Quota(1)}, dialect=read(campaign_lists=bucket))
    of = wire.ask("send_batch_campaign").json["campaign_id"]
    wire.ask("list_messages")
    assert wire.ask(name, of=of).status == last


def test_headers_are_absent_by_default(wire: Wire) -> None:
    """They are under development, so nothing may rest on them."""
    assert not set(wire.ask("list_messages").headers) & set(TOLD)


def test_headers_count_down(wire_to: WireTo) -> None:
    """What remains goes to nothing and says until when."""
    wire = wire_to(limits={"list": Quota(2)}, dialect=read(rate_limit_headers=True))
    remaining = [wire.ask("list_messages").headers["x-ratelimit-remaining"] for _ in range(3)]
    assert remaining == ["1", "0", "0"]
    reset = int(wire.ask("list_messages").headers["x-ratelimit-reset"])
    assert reset == int(wire.clock.time()) + 60


def test_an_unknown_key_uses_up_nothing(wire_to: WireTo) -> None:
    """A 401 comes before the limit."""
    wire = wire_to(limits={"list": Quota(1)})
    assert [wire.ask("list_messages", api_key=None).status for _ in range(3)] == [401] * 3
    assert wire.ask("list_messages").status == 200
