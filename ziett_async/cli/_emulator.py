"""Serves a Ziett on this machine: real HTTP on loopback, for programs in any language.

Everything that talks to the documented API works against it with only the base URL changed.
No SMS is sent, nothing is charged, and live keys are refused.
"""

import argparse
import signal
from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from uuid import UUID

import anyio
import attrs
from rich.console import Console

from ziett_async.cli import _options as take
from ziett_async.testing import DEFAULT_LIMITS, Delivery, FakeZiett, Quota
from ziett_async.testing._delivery import Step
from ziett_async.testing._desk_clock import DeskClock
from ziett_async.testing._tcp import is_free
from ziett_async.testing._windows import WINDOWS
from ziett_async.testing.emulator import Emulator

#: Taken when it is free and no other is asked for, so that scripts may rely on it.
USUAL_PORT = 8420

_EXAMPLE = """\
[bold]Ziett emulator[/bold] at {url}   (stop it with Ctrl-C)

  ZIETT_BASE_URL={url}/c/v1
  ZIETT_API_KEY=zk_test_local
  ZIETT_REMITTER_ID=019b4b56-e704-7c30-83a0-527df63c3e00

  curl {url}/c/v1/messages -H 'X-API-KEY: zk_test_local'
"""


@attrs.frozen(kw_only=True)
class Fates(Delivery):
    """Deliveries of which each operator has its own share of failures."""

    failed_by: Mapping[str, float] = attrs.field(factory=dict[str, float])
    undelivered_by: Mapping[str, float] = attrs.field(factory=dict[str, float])

    def of_message(self, message_id: UUID, operator: str, start: float = 0.0) -> tuple[Step, ...]:
        """Return what will happen to a message."""
        plain = Delivery(
            sent_after=self.sent_after,
            final_after=self.final_after,
            failed=self.failed_by.get(operator, self.failed),
            undelivered=self.undelivered_by.get(operator, self.undelivered),
        )
        return plain.of_message(message_id, operator, start)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what a Ziett can be set to."""
    add = parser.add_argument
    add("--port", type=int, help=f"by default {USUAL_PORT}, or a free one while that is taken")
    add("--latency", type=take.seconds, default=0.0, metavar="S", help="seconds there and back")
    add("--jitter", type=take.seconds, default=0.0, metavar="S", help="at most so much on top")
    add("--seed", type=int, default=0, help="what ids, fates and jitter are drawn from")
    add("--balance", type=Decimal, default=Decimal(1_000_000), metavar="AMOUNT")
    add("--price", type=Decimal, default=Decimal(15), metavar="AMOUNT", help="of one message")
    _add_limits(parser.add_argument_group("rate limits"))
    _add_fates(parser.add_argument_group("delivery, for all operators or for one"))


def run(options: argparse.Namespace, console: Console | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code."""
    console = console or Console(highlight=False, soft_wrap=True)
    # SIGTERM is as clean an end as Ctrl-C, which every event loop knows how to come to.
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        anyio.run(_serve, options, console)
    except KeyboardInterrupt:
        console.print("Stopped.")
    except OSError as error:
        console.print(f"ziett emulator: port {options.port}: {error.strerror}")
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


async def _serve(options: argparse.Namespace, console: Console) -> None:
    port = options.port
    if port is None:
        port = USUAL_PORT if is_free(USUAL_PORT) else 0
    async with Emulator(make_service(options), port=port, latency=make_latency(options)) as emulator:
        console.print(_EXAMPLE.format(url=emulator.url))
        await anyio.sleep_forever()


def make_service(options: argparse.Namespace) -> FakeZiett:
    """Return the service that the options describe."""
    limits = {} if options.no_limits else {**DEFAULT_LIMITS, **dict(options.limit)}
    return FakeZiett(
        clock=DeskClock(),
        limits={name: Quota(each.limit, each.per / options.scale) for name, each in limits.items()},
        window=options.window,
        balance=options.balance,
        price=options.price,
        seed=options.seed,
        delivery=make_delivery(options),
    )


def make_delivery(options: argparse.Namespace) -> Delivery:
    """Return when messages arrive, and which do not."""
    usual = Delivery()
    after, failed, undelivered = (
        dict(pairs) for pairs in (options.final_after, options.failed, options.undelivered)
    )
    every = after.pop(None, None)
    final_after = usual.final_after if every is None else dict.fromkeys(take.OPERATORS, every)
    return Fates(
        sent_after=options.sent_after,
        final_after={**final_after, **after},
        failed=failed.pop(None, 0.0),
        undelivered=undelivered.pop(None, 0.0),
        failed_by=failed,
        undelivered_by=undelivered,
    )


def make_latency(options: argparse.Namespace) -> Callable[[], float]:
    """Return what says each request's latency."""
    random = Random(options.seed)  # noqa: S311 (repeatable is what it has to be)
    return lambda: options.latency + random.uniform(0, options.jitter)


def _add_limits(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    help_limit = "requests per seconds of send, list, read or batch; may be repeated"
    add("--limit", type=take.limit, action="append", default=[], metavar="send=120/60", help=help_limit)
    add("--scale", type=take.factor, default=1.0, metavar="N", help="all windows N times shorter")
    add("--window", choices=sorted(WINDOWS), default="sliding", help="how requests are counted")
    add("--no-limits", action="store_true", help="count nothing")


def _add_fates(group: argparse._ArgumentGroup) -> None:
    usual = Delivery()
    group.add_argument("--sent-after", type=take.seconds, default=usual.sent_after, metavar="S", help="seconds from acceptance to SENT")
    for name, what, value in (
        ("--final-after", "seconds from SENT to the final status", take.seconds),
        ("--failed", "share that ends FAILED, 0 to 1", take.share),
        ("--undelivered", "share that ends UNDELIVERED, 0 to 1", take.share),
    ):
        group.add_argument(name, type=take.for_operator(value), action="append", default=[], metavar="[UNITEL=]N", help=f"{what}; may be repeated")
