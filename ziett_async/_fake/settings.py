"""The switches of a fake, from which each new service is made."""

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

import attrs

from ziett_async._clock import Clock
from ziett_async._fake.access import ApiKeys
from ziett_async._fake.dialect import Dialect
from ziett_async._fake.idempotency import Idempotency
from ziett_async._fake.quotas import Quota, Quotas, WindowName
from ziett_async._fake.service import Service
from ziett_async._fake.state.delivery import Delivery
from ziett_async._fake.state.ids import IdFactory
from ziett_async._fake.state.store import Store


@attrs.frozen(repr=False, kw_only=True)
class Settings:
    """The arguments of `FakeZiett`, which documents them."""

    clock: Clock
    keys: Mapping[str, Collection[str]] | None
    balance: Decimal
    price: Decimal
    price_per_part: bool
    limits: Mapping[str, Quota]
    window: WindowName
    seed: int
    delivery: Delivery | None
    idempotency: Idempotency
    dialect: Dialect
    distinct_timestamps: bool

    def new_service(self, new_trace_id: Callable[[], str]) -> Service:
        """Return a service that has received nothing yet."""
        ids = IdFactory(self.clock, self.dialect, seed=self.seed, distinct=self.distinct_timestamps)
        store = Store(
            clock=self.clock,
            ids=ids,
            delivery=self.delivery,
            balance=self.balance,
            price=self.price,
            price_per_part=self.price_per_part,
        )
        return Service(
            clock=self.clock,
            store=store,
            api_keys=ApiKeys(self.keys),
            quotas=Quotas(self.limits, self.window),
            idempotency=self.idempotency,
            new_trace_id=new_trace_id,
        )
