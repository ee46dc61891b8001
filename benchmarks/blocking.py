"""What a call without async costs: a send through the fake, against the asynchronous client's."""

import asyncio
from collections.abc import Iterator

from benchmarks._clients import send
from benchmarks._measure import Row, cpu_pairs, report
from benchmarks._samples import KEY, REMITTER
from ziett_async import AsyncZiett, SaveContact, Unlimited
from ziett_async.blocking import Ziett
from ziett_async.testing import FakeTransport, FakeZiett

_TIMES = 2000


def _transport() -> FakeTransport:
    return FakeTransport(FakeZiett(limits={}))


def _without_async() -> None:
    with Ziett(KEY, transport=_transport(), limiter=Unlimited()) as client:
        for _ in range(_TIMES):
            client.send_message(
                remitter_id=REMITTER,
                target_e164="+244990090990",
                content="Your code is 482910.",
                save_contact=SaveContact(name="Ana", email="ana@example.ao", tags=["Premium"]),
            )


async def _with_async() -> None:
    async with AsyncZiett(KEY, transport=_transport(), limiter=Unlimited()) as client:
        for _ in range(_TIMES):
            await send(client)


def rows() -> Iterator[Row]:
    """Measure."""
    pairs = cpu_pairs(
        _without_async, lambda: asyncio.run(_with_async()), rounds=9, operations=_TIMES
    )
    yield pairs.row(
        "CPU of a send without async, through `FakeTransport`", "the asynchronous client's", 2.5
    )


if __name__ == "__main__":
    report(rows())
