"""What it costs to begin: to import, to send the first message, to make a second client."""

import asyncio
from collections.abc import Iterator

import httpx

from benchmarks._measure import Row, cpu_pairs, fresh_pairs, report
from benchmarks._samples import BODY, KEY, REMITTER
from benchmarks._server import running
from ziett_async import AsyncZiett

#: Programs that print the CPU seconds of what they import, the interpreter's start aside.
_IMPORT = """\
import time
began = time.process_time()
import {}
print(time.process_time() - began)
"""
#: Programs that send one message and print the CPU seconds of their whole life.
_SEND = f"""\
import asyncio, sys, time
from ziett_async import AsyncZiett, SaveContact

async def main(url):
    async with AsyncZiett({KEY!r}, base_url=url) as client:
        await client.send_message(
            remitter_id={REMITTER!r},
            target_e164="+244990090990",
            content="Your code is 482910.",
            save_contact=SaveContact(name="Ana", email="ana@example.ao", tags=["Premium"]),
        )

asyncio.run(main(sys.argv[1]))
print(time.process_time())
"""
_POST = f"""\
import asyncio, sys, time, uuid
import httpx

async def main(url):
    async with httpx.AsyncClient() as client:
        headers = {{"X-API-KEY": {KEY!r}, "Idempotency-Key": str(uuid.uuid4())}}
        response = await client.post(url + "/messages", json={BODY!r}, headers=headers)
        response.json()

asyncio.run(main(sys.argv[1]))
print(time.process_time())
"""
#: httpx reads the trusted certificates for every client; here that is done for https only,
#: which this server does not speak. So that neither wins by it, this one reads them too.
_SEND_WITH_CERTIFICATES = _SEND.replace(
    "async def main(url):",
    "import httpx\nfrom ziett_async.transports import HttpxTransport\n\nasync def main(url):",
).replace(
    "base_url=url)",
    "base_url=url, transport=HttpxTransport(ssl_context=httpx.create_ssl_context()))",
)
_CLIENTS = 5


async def _ours() -> None:
    for _ in range(_CLIENTS):
        await AsyncZiett(KEY).aclose()


async def _rivals() -> None:
    for _ in range(_CLIENTS):
        await httpx.AsyncClient().aclose()


def rows() -> Iterator[Row]:
    """Measure."""
    imports = fresh_pairs(
        _IMPORT.format("ziett_async"), _IMPORT.format("asyncio, httpx"), rounds=15
    )
    yield imports.row("CPU of `import ziett_async`", "`import asyncio, httpx`", most=1.0)
    with running() as server:
        cold = fresh_pairs(_SEND, _POST, server.base_url, rounds=21)
        secure = fresh_pairs(_SEND_WITH_CERTIFICATES, _POST, server.base_url, rounds=11)
    what, rival = "CPU of a cold process that sends one message", "the same with bare httpx"
    yield cold.row(what, rival, most=1.0)
    yield secure.row(f"{what}, certificates read as for https", rival, most=None)
    with asyncio.Runner() as runner:
        second = cpu_pairs(
            lambda: runner.run(_ours()),
            lambda: runner.run(_rivals()),
            rounds=9,
            operations=_CLIENTS,
        )
        yield second.row("CPU of a second client", "`httpx.AsyncClient()`", most=0.1)


if __name__ == "__main__":
    report(rows())
