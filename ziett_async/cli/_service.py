"""From the options of `ziett emulator` to the service that they describe."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from random import Random
from uuid import UUID

import attrs

from ziett_async._fake.state.delivery import Step
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator._persistence import PersistentZiett
from ziett_async.testing import DEFAULT_LIMITS, Delivery, Dialect, Quota


@attrs.frozen(kw_only=True)
class Fates(Delivery):
    """Deliveries of which each operator may have its own share of failures."""

    #: Shares by operator; those that are left out take `failed` and `undelivered`.
    failed_by: Mapping[str, float]
    undelivered_by: Mapping[str, float]

    def of_message(self, message_id: UUID, operator: str, start: float = 0.0) -> tuple[Step, ...]:
        """Return what will happen to a message."""
        plain = Delivery(
            sent_after=self.sent_after,
            final_after=self.final_after,
            failed=self.failed_by.get(operator, self.failed),
            undelivered=self.undelivered_by.get(operator, self.undelivered),
        )
        return plain.of_message(message_id, operator, start)


def make_service(options: argparse.Namespace) -> PersistentZiett:
    """Return the service that the options describe."""
    return PersistentZiett(
        clock=AdjustableClock(),
        limits=make_limits(options),
        window=options.window,
        balance=options.balance,
        price=options.price,
        price_per_part=options.price_per_part,
        dialect=Dialect(name=options.dialect, ids="uuid7" if options.uuid7 else "uuid"),
        seed=options.seed,
        delivery=make_delivery(options),
    )


def make_limits(options: argparse.Namespace) -> Mapping[str, Quota]:
    """Return the documented limits, as far as the options do not say otherwise."""
    limits = {} if options.no_limits else {**DEFAULT_LIMITS, **dict(options.limit)}
    return {name: Quota(each.limit, each.per / options.scale) for name, each in limits.items()}


def make_delivery(options: argparse.Namespace) -> Fates:
    """Return when messages arrive, and which do not."""
    return Fates(
        sent_after=options.sent_after,
        final_after={**Delivery().final_after, **_together(options.final_after)},
        failed_by=_together(options.failed),
        undelivered_by=_together(options.undelivered),
    )


def make_latency(options: argparse.Namespace) -> Callable[[], float]:
    """Return what says each request's latency, in seconds."""
    random = Random(options.seed)  # noqa: S311 (repeatable is what it has to be)
    return lambda: options.latency + random.uniform(0, options.jitter)


def _together(given: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    """Return all that was said of operators; what is said later is what counts."""
    return {operator: value for each in given for operator, value in each.items()}
