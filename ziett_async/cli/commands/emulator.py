"""Serves a Ziett on this machine: real HTTP on loopback, for programs in any language.

No SMS is sent and nothing is charged. A program that talks to the documented API runs against
it as it is, once its settings have this address and a key that does not begin with `zk_live_`:
live keys are refused, any other will do. If the program adds /c/v1 to the address by itself,
leave that out of ZIETT_BASE_URL. If it has the address of the service written into its code, it
cannot be pointed here until it reads the address from a setting.
"""

import argparse
import errno
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path

import anyio
from rich.console import Console

from ziett_async._fake.dialect import DIALECTS
from ziett_async._fake.quotas import WINDOWS
from ziett_async.cli import _options as take
from ziett_async.cli._service import make_latency, make_service
from ziett_async.emulator._tcp import HOST, is_free
from ziett_async.testing import Delivery, FakeZiett
from ziett_async.testing.emulator import Emulator

#: Taken when it is free and no other is asked for, so that scripts may rely on it.
USUAL_PORT = 8420

_EXAMPLE = """\
[bold]Ziett emulator[/bold] at {url}   (stop it with Ctrl-C)

  export ZIETT_BASE_URL={url}/c/v1
  export ZIETT_API_KEY=zk_test_local
  export ZIETT_REMITTER_ID=019b4b56-e704-7c30-83a0-527df63c3e00

  Open {url}/ in a browser to see what your program sends.

  curl {url}/c/v1/messages -H 'X-API-KEY: zk_test_local'
"""

_ANOTHER_PORT = """\
Port {port} is taken, perhaps by another emulator: programs set to it do not reach this one.
"""

_WARNING = """\
[bold]Not on loopback[/bold]: every machine and container that reaches {host}, port {port}, can read
each message with its number and code, send, and clear everything. There is no password. Publish
the port of a container on loopback (docker run -p 127.0.0.1:{port}:{port}), and stop the emulator
on a network that you do not trust.

ziett_async on another machine or in another container refuses an http address as ZIETT_BASE_URL
(base_url), unless it is of loopback. Give it an https address that a proxy of yours serves, or
forward a port of its own loopback to {port} here (ssh -L); a container can share this one's network
(network_mode: service:NAME, or docker run --network container:NAME).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what a Ziett can be set to."""
    add = parser.add_argument
    add(
        "--port", type=take.port, help=f"by default {USUAL_PORT}, or a free one while that is taken"
    )
    add(
        "--host",
        type=take.address,
        default=HOST,
        metavar="ADDRESS",
        help=f"the address to listen on, by default {HOST}; with 0.0.0.0, as in a container,"
        " other machines can read the messages",
    )
    add("--latency", type=take.seconds, default=0.0, metavar="S", help="seconds there and back")
    add("--jitter", type=take.seconds, default=0.0, metavar="S", help="at most so much on top")
    add("--seed", type=int, default=0, help="what ids, fates and jitter are drawn from")
    add("--balance", type=take.money, default=Decimal(1_000_000), metavar="AMOUNT")
    add("--price", type=take.money, default=Decimal(15), metavar="AMOUNT", help="of one message")
    add("--price-per-part", action="store_true", help="the price is that of each part of a text")
    add(
        "--dialect",
        choices=DIALECTS,
        default=DIALECTS[0],
        help="which pages to answer as: the current site, the older reference, the conventions",
    )
    add("--uuid7", action="store_true", help="refuse ids that are UUIDs of another version than 7")
    add("--state", type=Path, metavar="FILE", help="keep what happens there, across restarts")
    _add_limits(parser.add_argument_group("rate limits").add_argument)
    fates = parser.add_argument_group("delivery, for all operators or for one")
    _add_fates(fates.add_argument)


def run(options: argparse.Namespace, console: Console | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    console = console or Console(highlight=False, soft_wrap=True)
    # SIGTERM is as clean an end as Ctrl-C, which every event loop knows how to come to; and
    # a shell that starts it with `&` has it ignore Ctrl-C.
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: _interrupt}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        service = make_service(options)
        with service.persisted_in(options.state) if options.state else nullcontext():
            anyio.run(_serve, options, service, console)
    except KeyboardInterrupt:
        console.print("Stopped.")
    except (OSError, ValueError) as error:  # The port is taken, the file is unusable.
        is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        hint = ". Is another emulator running? Leave out --port for a free one" if is_taken else ""
        sys.stderr.write(f"ziett emulator: {error}{hint}\n")
        return 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _interrupt(_: int, __: object) -> None:
    signal.raise_signal(signal.SIGINT)


async def _serve(options: argparse.Namespace, service: FakeZiett, console: Console) -> None:
    port = options.port
    if port is None:
        port = USUAL_PORT if is_free(USUAL_PORT, options.host) else 0
    latency = make_latency(options)
    async with Emulator(service, port=port, host=options.host, latency=latency) as emulator:
        console.print(_EXAMPLE.format(url=emulator.url))
        if options.port is None and emulator.port != USUAL_PORT:
            console.print(_ANOTHER_PORT.format(port=USUAL_PORT))
        if not ip_address(options.host).is_loopback:
            console.print(_WARNING.format(host=options.host, port=emulator.port))
        await anyio.sleep_forever()


def _add_limits(add: Callable[..., object]) -> None:
    help_limit = "requests per seconds of send, list, read or batch; may be repeated"
    add(
        "--limit",
        type=take.limit,
        action="append",
        default=[],
        metavar="send=120/60",
        help=help_limit,
    )
    add("--scale", type=take.factor, default=1.0, metavar="N", help="all windows N times shorter")
    add("--window", choices=sorted(WINDOWS), default="sliding", help="how requests are counted")
    add("--no-limits", action="store_true", help="count nothing")


def _add_fates(add: Callable[..., object]) -> None:
    usual = Delivery()
    add(
        "--sent-after",
        type=take.seconds,
        default=usual.sent_after,
        metavar="S",
        help="seconds from acceptance to SENT",
    )
    for name, what, value in (
        ("--final-after", "seconds from SENT to the final status", take.seconds),
        ("--failed", "share that ends FAILED, 0 to 1", take.share),
        ("--undelivered", "share that ends UNDELIVERED, 0 to 1", take.share),
    ):
        add(
            name,
            type=take.for_operator(value),
            action="append",
            default=[],
            metavar="[UNITEL=]N",
            help=f"{what}; may be repeated",
        )
