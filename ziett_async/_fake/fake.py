"""FakeZiett: the Ziett service in memory, for tests, rehearsals and the emulator."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from threading import RLock
from uuid import UUID

import attrs

from ziett_async._clock import Clock, ManualClock
from ziett_async._fake.access import ApiKeys, BucketLevel, Quotas
from ziett_async._fake.assertions import find_code, find_sent
from ziett_async._fake.dialect import Dialect
from ziett_async._fake.faults import Ending, Exchange, Fault, Faults
from ziett_async._fake.idempotency import Idempotency
from ziett_async._fake.quotas import DEFAULT_LIMITS, Quota, WindowName
from ziett_async._fake.service import Service
from ziett_async._fake.state.delivery import Delivery
from ziett_async._fake.state.ids import IdFactory, TraceIds
from ziett_async._fake.state.records import Arrival, CampaignRecord, ContactRecord, MessageRecord
from ziett_async._fake.state.store import Store
from ziett_async._wire import Request, Response

_REMITTER = UUID("019b4b56-e704-7c30-83a0-527df63c3e00")
_CORE, _KEYS_FOR_A_DAY, _ALL_DELIVERED = Dialect(), Idempotency(), Delivery()


class FakeZiett:
    """A stateful, deterministic double of the service: same calls, same clock, same answers.

    It knows the API's documentation and nothing of the client, so that each can catch the
    other out. It reads its clock and never waits. Safe to share between threads.

    Args:
        clock: what time it is; by default a `ManualClock` of its own.
        keys: each API key with its scopes, read at every request; None, the default,
            accepts any key that begins with `zk_test_`, with every scope.
        balance: what is on the account; every message takes its cost off it.
        price: of one message, whatever its length.
        price_per_part: whether `price` is that of each part of an SMS instead, as networks charge.
        limits: a `Quota` per bucket (`send`, `list`, `read`, `batch`), by default the
            documented ones; a bucket that is left out has no limit.
        window: how requests are counted: `sliding` (the strictest), `fixed` or
            `token_bucket`.
        seed: what ids and the fates of messages are drawn from.
        delivery: how messages move on with the clock; None leaves it to `deliver`.
        idempotency: what a repeated `Idempotency-Key` does.
        dialect: which of the documented shapes it answers in.
        distinct_timestamps: whether every `created_at` is later than the one before. False
            gives rows accepted at one moment of the clock one timestamp.

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
        idempotency: Idempotency = _KEYS_FOR_A_DAY,
        dialect: Dialect = _CORE,
        distinct_timestamps: bool = True,
    ) -> None:
        self.clock: Clock = ManualClock() if clock is None else clock
        #: Faults waiting for their request.
        self.faults = Faults()
        self._lock = RLock()
        self._trace_ids = TraceIds(seed)

        def fresh() -> Service:
            ids = IdFactory(self.clock, dialect, seed=seed, distinct=distinct_timestamps)
            store = Store(
                clock=self.clock,
                ids=ids,
                delivery=delivery,
                balance=Decimal(balance),
                price=Decimal(price),
                price_per_part=price_per_part,
            )
            return Service(
                clock=self.clock,
                store=store,
                api_keys=ApiKeys(keys),
                quotas=Quotas(limits, window),
                rules=idempotency,
                trace_id=self.new_trace_id,
            )

        self._fresh = fresh
        self._service = fresh()

    def handle(self, request: Request) -> Response:
        """Answer a request as the service does when nothing goes wrong on the way."""
        with self._lock:
            return self._service.answer(request)

    def exchange(self, request: Request) -> Exchange:
        """Meet the next fault, if one waits for this request, and else handle it."""
        with self._lock:
            if not self.faults:
                return Exchange(self._service.answer(request))
            fault = self.faults.take(self._service.operation(request))
            if fault is None:
                return Exchange(self._service.answer(request))
            return fault.to_exchange(self._said(fault, request))

    def script(self, *faults: Fault) -> AbstractContextManager[None]:
        """Return a context for faults that must all happen in it, each once and in order."""
        return self.faults.script(*faults)

    @property
    def messages(self) -> Sequence[MessageRecord]:
        """Every message as it is now, in order of acceptance."""
        with self._lock:
            return list(self._service.store.messages)

    def inbox(self, number: str) -> Sequence[MessageRecord]:
        """Return the messages to a number in E.164, the newest first."""
        return [record for record in reversed(self.messages) if record.target_e164 == number]

    def assert_sent(
        self,
        *,
        to: str | None = None,
        content: str | re.Pattern[str] | None = None,
        count: int | None = 1,
    ) -> Sequence[MessageRecord]:
        """Fail, and show what was sent instead, unless so many messages are as described.

        - `to`: their number in E.164; None is any.
        - `content`: their whole text, or a pattern that is found in it; None is any.
        - `count`: how many, exactly; 0 says that there is none, None at least one.

        Returns those messages, in order of acceptance. Whatever was accepted counts, from a
        campaign, too, and delivered or not.

        Raises:
            AssertionError: there are more or fewer. It shows numbers and texts in full: here
                they are a test's own.
            ValueError: `to` is not in E.164, so no message could ever be found.

        """
        __tracebackhide__ = True
        return find_sent(self.messages, to=to, content=content, count=count)

    def last_code(self, number: str) -> str:
        """Return the one-time code, 4 to 8 digits, in the newest message to a number.

        Digits of an amount, a date or a longer number are none.

        Raises:
            AssertionError: there is no message, or no code in it, or there are several.
            ValueError: the number is not in E.164.

        """
        __tracebackhide__ = True
        return find_code(self.inbox(number), number)

    @property
    def campaigns(self) -> Sequence[CampaignRecord]:
        """Every campaign as it is now, in order of acceptance."""
        with self._lock:
            return list(self._service.store.campaigns)

    @property
    def contacts(self) -> Mapping[str, ContactRecord]:
        """Every contact, by its number."""
        return dict(self._service.store.contacts)

    @property
    def balance(self) -> Decimal:
        """What is left on the account."""
        return self._service.store.balance

    @property
    def requests(self) -> Sequence[Arrival]:
        """Every request that reached the service, in order."""
        return list(self._service.ledger)

    @property
    def latest(self) -> Arrival | None:
        """The request that reached the service last."""
        ledger = self._service.ledger
        return ledger[-1] if ledger else None

    @property
    def levels(self) -> Sequence[BucketLevel]:
        """How full each bucket is now, for each key that has used one."""
        with self._lock:
            return self._service.levels()

    def arrivals(self, bucket: str) -> Sequence[float]:
        """Return when requests of a bucket arrived, in seconds on the service's clock."""
        return [arrival.at for arrival in self.requests if arrival.bucket == bucket]

    def deliver(
        self, message_id: UUID | str, status: str = "DELIVERED", error_code: str | None = None
    ) -> MessageRecord:
        """Give a message a status now; from then on it changes by hand only."""
        with self._lock:
            return self._service.store.deliver(UUID(str(message_id)), status, error_code)

    @property
    def dialect(self) -> Dialect:
        """Which of the documented shapes it answers in."""
        return self._service.store.dialect

    def use_dialect(self, name: str) -> None:
        """Answer as other pages do from now on: `site`, `reference` or `conventions`.

        Switches that do not differ between the pages stay as they are, and so do answers that
        an idempotency key has got.

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
        """Put money on the account."""
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
        """Add a row without a request, free of charge; it changes by hand only.

        `created_at` is aware, by default the next distinct moment; rows may share one.
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
        """Add a row or replace the one with its id; from then on it changes by hand only."""
        with self._lock:
            self._service.store.put(record)

    def delete_message(self, message_id: UUID | str) -> None:
        """Delete a row, as if it had never been; KeyError where there is none."""
        with self._lock:
            self._service.store.delete(UUID(str(message_id)))

    def clear(self) -> None:
        """Begin anew: only the clock keeps its time."""
        with self._lock:
            self._service = self._fresh()
            self.faults.clear()

    def _said(self, fault: Fault, request: Request) -> Response | None:
        if fault.reply is not None:
            return self._service.say(request, fault.reply, stored=fault.stored)
        if fault.executes:
            return self._service.answer(request, fault.busy)
        if fault.ending is not Ending.REFUSED:
            self._service.ignore(request)
        return None
