"""What the limiter costs when no call waits, and how near to the limit it brings a busy client."""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean

from aiolimiter import AsyncLimiter

from benchmarks._clients import UNTHROTTLED, send
from benchmarks._measure import Row, cpu_pairs, report, say
from benchmarks._samples import KEY
from benchmarks._server import Server, running
from ziett_async import AsyncZiett, Bucket, Limiter, Rate, TokenBucketLimiter

_TIMES = 50_000
#: The API's 120 in 60 seconds, scaled; and for how many periods it is kept busy. As a token
#: is away for `per` and the latency, 40 ms on average, 99.5 % is the most there is to reach.
_RATE, _PERIODS = Rate(50, per=8.0), 3
#: Seconds of an answer.
_LATENCY = (0.005, 0.075)


async def _ours(limiter: Limiter) -> None:
    bucket = Bucket.SEND  # to look up a member of an enum takes longer than to lock a lock
    for _ in range(_TIMES):
        permit = await limiter.acquire(bucket)
        await permit.release()


async def _rivals() -> None:
    limiter = AsyncLimiter(UNTHROTTLED.limit, UNTHROTTLED.per)
    for _ in range(_TIMES):
        await limiter.acquire()


async def _saturate(server: Server) -> None:
    """Send, all at once, what takes the limiter so many periods; the first needs none."""
    limiter, count = TokenBucketLimiter(send=_RATE), _RATE.limit * (_PERIODS + 1)
    async with AsyncZiett(KEY, base_url=server.base_url, limiter=limiter) as client:
        sends = [asyncio.create_task(send(client)) for _ in range(count)]
        for done in asyncio.as_completed(sends):
            await done
            say(f"saturated limiter: {sum(each.done() for each in sends)} of {count} sends")


def _most_in_sliding_windows(arrivals: Sequence[float]) -> int:
    """Return the most arrivals that any stretch `(t - per, t]` saw."""
    return max(
        number + 1 - bisect_left(arrivals, at - _RATE.per) for number, at in enumerate(arrivals)
    )


def _use(arrivals: Sequence[float]) -> float:
    """Return the arrivals per second, as a share of what the limit allows."""
    lag = _RATE.limit * _PERIODS
    spans = [later - at for at, later in zip(arrivals, arrivals[lag:], strict=False)]
    return _PERIODS * _RATE.per / fmean(spans)


def rows() -> Iterator[Row]:
    """Measure."""
    with asyncio.Runner() as runner:
        limiter = TokenBucketLimiter(send=UNTHROTTLED)
        pairs = cpu_pairs(
            lambda: runner.run(_ours(limiter)),
            lambda: runner.run(_rivals()),
            rounds=15,
            operations=_TIMES,
        )
    yield pairs.row("limiter, uncontended `acquire` and `release`", "aiolimiter's acquire", 1.0)
    with running(_LATENCY) as server:
        asyncio.run(_saturate(server))
        arrivals = server.arrivals()
    sliding = _most_in_sliding_windows(arrivals)
    fixed = max(Counter(at // _RATE.per for at in arrivals).values())
    too_many, use = max(sliding, fixed) - _RATE.limit, _use(arrivals)
    yield Row(
        f"saturated limiter, {_RATE.limit} in {_RATE.per:.0f} s, 5 to 75 ms of latency",
        "the server's own count",
        measured=f"{use:.1%} of the limit, {max(too_many, 0)} too many",
        spread=f"at most {sliding} in a sliding and {fixed} in a fixed window",
        reach="≥ 99 %, no 429",
        is_ok=use >= 0.99 and too_many <= 0,
    )


if __name__ == "__main__":
    report(rows())
