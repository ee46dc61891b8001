"""FakeZiett: the Ziett service in memory, for tests, rehearsals and the emulator."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import attrs

from ziett_async._clock import Clock, ManualClock
from ziett_async._fake.dialect import Dialect
from ziett_async._fake.fault_queue import Faults
from ziett_async._fake.faults import Exchange, Fault
from ziett_async._fake.idempotency import Idempotency
from ziett_async._fake.inspection import Inspectable
from ziett_async._fake.quotas import DEFAULT_LIMITS, Quota, WindowName
from ziett_async._fake.settings import Settings
from ziett_async._fake.state.delivery import Delivery
from ziett_async._fake.state.ids import TraceIds
from ziett_async._fake.state.records import CampaignRecord, MessageRecord
from ziett_async._wire import Request, Response

_REMITTER = UUID("019b4b56-e704-7c30-83a0-527df63c3e00")
_SITE, _DOCUMENTED_IDEMPOTENCY, _ALL_DELIVERED = Dialect(), Idempotency(), Delivery()


class FakeZiett(Inspectable):
    """A stateful, deterministic double of the service: same calls, same clock, same responses.

    It implements the API's documentation and shares no rule with the client, so that each
    can reveal the other's mistakes. It reads its clock and never waits. Thread-safe.

    Args:
        clock: the service's clock; by default a new `ManualClock`.
        keys: each API key with its scopes, read at every request; None, the default,
            accepts any key that begins with `zk_test_`, with every scope.
        balance: the balance of the account, from which each message's cost is taken.
        price: the cost of one message, whatever its length.
        price_per_part: whether `price` is the cost of each part of an SMS, as networks charge.
        limits: a `Quota` per bucket (`send`, `list`, `read`, `batch`), by default the
            documented ones; a bucket that is left out has no limit.
        window: how requests are counted: `sliding` (the strictest), `fixed` or
            `token_bucket`.
        seed: the seed of ids, and so of which messages are delivered.
        delivery: how messages change status as the clock moves; None leaves it to `deliver`.
        idempotency: what a repeated `Idempotency-Key` does.
        dialect: the documented shapes of its responses.
        distinct_timestamps: whether every `created_at` is later than the one before. False
            gives rows that are accepted at the same moment the same timestamp.

    Raises:
        ValueError: there is no such window.

    """

    def __init__(  # noqa: PLR0913 (each is a documented switch)
        self,
        *,
        clock: Clock | None = None,
        keys: Mapping[str, Collection[str]] | None = None,
        balance: Decimal | int = 1_000_000_000,
        price: Decimal | int = 15,
        price_per_part: bool = False,
        limits: Mapping[str, Quota] = DEFAULT_LIMITS,
        window: WindowName = "sliding",
        seed: int = 0,
        delivery: Delivery | None = _ALL_DELIVERED,
        idempotency: Idempotency = _DOCUMENTED_IDEMPOTENCY,
        dialect: Dialect = _SITE,
        distinct_timestamps: bool = True,
    ) -> None:
        self.clock: Clock = ManualClock() if clock is None else clock
        #: The faults that wait for their requests.
        self.faults = Faults()
        self._trace_ids = TraceIds(seed)
        self._settings = Settings(
            clock=self.clock,
            keys=keys,
            balance=Decimal(balance),
            price=Decimal(price),
            price_per_part=price_per_part,
            limits=limits,
            window=window,
            seed=seed,
            delivery=delivery,
            idempotency=idempotency,
            dialect=dialect,
            distinct_timestamps=distinct_timestamps,
        )
        super().__init__(self._settings.new_service(self.new_trace_id))

    def handle(self, request: Request) -> Response:
        """Return the service's response to a request, without faults."""
        with self._lock:
            return self._service.handle(request)

    def exchange(self, request: Request) -> Exchange:
        """Apply the next fault that is queued for the request, if any, and else handle it."""
        with self._lock:
            return self._service.exchange(request, self.faults)

    def script(self, *faults: Fault) -> AbstractContextManager[None]:
        """Return a context for faults that must all happen in it, each once and in order."""
        return self.faults.script(*faults)

    def deliver(
        self, message_id: UUID | str, status: str = "DELIVERED", error_code: str | None = None
    ) -> MessageRecord:
        """Set a message's status now; from then on it only changes by hand."""
        with self._lock:
            return self._service.store.deliver(UUID(str(message_id)), status, error_code)

    def use_dialect(self, name: str) -> None:
        """Respond in another dialect from now on: `site`, `reference` or `conventions`.

        Switches that do not differ between the dialects keep their values, and responses
        that are stored under an idempotency key stay as they are.

        Raises:
            ValueError: there is no such dialect.

        """
        with self._lock:
            self._service.store.use_dialect(name)

    def new_trace_id(self) -> str:
        """Return a `trace_id` that no other error has, `clear` or not."""
        with self._lock:
            return self._trace_ids.next()

    def top_up(self, amount: Decimal | int) -> None:
        """Add an amount to the balance."""
        with self._lock:
            self._service.store.balance += amount

    def add_message(
        self,
        *,
        target_e164: str = "+244923000000",
        content: str = "Hello",
        status: str = "DELIVERED",
        created_at: datetime | None = None,
        remitter_id: UUID = _REMITTER,
        campaign_id: UUID | None = None,
    ) -> MessageRecord:
        """Add a message without a request and free of charge; it only changes by hand.

        `created_at` is aware, by default the next distinct moment; messages may share one.
        """
        with self._lock:
            record = attrs.evolve(
                self._service.store.new_message(
                    target_e164,
                    remitter_id=remitter_id,
                    content=content,
                    created_at=created_at,
                    campaign_id=campaign_id,
                ),
                status=status,
            )
            self._service.store.put(record)
            return record

    def put(self, record: MessageRecord | CampaignRecord) -> None:
        """Add a record or replace the one with its id; from then on it only changes by hand."""
        with self._lock:
            self._service.store.put(record)

    def delete_message(self, message_id: UUID | str) -> None:
        """Delete a message.

        Raises:
            KeyError: there is no such message.

        """
        with self._lock:
            self._service.store.delete(UUID(str(message_id)))

    def clear(self) -> None:
        """Start with a new service; only the clock keeps its time."""
        with self._lock:
            self._service = self._settings.new_service(self.new_trace_id)
            self.faults.clear()
