"""The service's state: who was sent what, what it cost, and what became of it since."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import attrs

from ziett_async._clock import Clock
from ziett_async._fake.dialect import Dialect
from ziett_async._fake.parsing.submissions import (
    CampaignSubmission,
    ContactDetails,
    MessageSubmission,
)
from ziett_async._fake.responses import Refusal
from ziett_async._fake.state.delivery import Agenda, Delivery, Step, operator_of
from ziett_async._fake.state.ids import IdFactory
from ziett_async._fake.state.records import CampaignRecord, Change, ContactRecord, MessageRecord
from ziett_async._fake.state.table import Table
from ziett_async._telephony.sms import segments_of


class Store:
    """Table, contacts and the balance. What is read from it is settled up to now."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdFactory,
        delivery: Delivery | None,
        balance: Decimal,
        price: Decimal,
        price_per_part: bool,
    ) -> None:
        self._clock = clock
        self._stamps = ids
        self._delivery = delivery
        self._agenda = Agenda()
        self._messages: Table[MessageRecord] = Table()
        self._campaigns: Table[CampaignRecord] = Table()
        self.contacts: dict[str, ContactRecord] = {}
        self.balance = balance
        self._price = price
        self._price_per_part = price_per_part
        self.organization_id = ids.uuid(ids.now())
        self.billing_account_id = ids.uuid(ids.now())

    @property
    def dialect(self) -> Dialect:
        """The dialect of every answer."""
        return self._stamps.dialect

    def use_dialect(self, name: str) -> None:
        """Answer as the pages of this name do from now on."""
        self._stamps.dialect = self.dialect.named(name)

    @property
    def messages(self) -> Table[MessageRecord]:
        """Every message, with the status that it has by now."""
        self._settle()
        return self._messages

    @property
    def campaigns(self) -> Table[CampaignRecord]:
        """Every campaign, with the status that it has by now."""
        self._settle()
        return self._campaigns

    def accept_message(self, order: MessageSubmission) -> MessageRecord:
        """Charge for a message, save its contact, and queue it."""
        self._charge(self._cost(order.content, order.channel_type))
        created_at = self._stamps.next()
        if order.save_contact is not None:
            self._save_contact(order.target_e164, order.save_contact, created_at)
        record = self.compose(
            order.target_e164,
            remitter_id=order.remitter_id,
            content=order.content,
            channel_type=order.channel_type,
            idempotency_key=order.idempotency_key,
            created_at=created_at,
        )
        self._queue(record, start=0.0)
        return record

    def accept_campaign(self, order: CampaignSubmission) -> CampaignRecord:
        """Charge for a campaign and queue its messages."""
        self._charge(self._cost(order.content) * len(order.recipients))
        campaign = self._open_campaign(order)
        start = self._delivery.campaign_processing if self._delivery else 0.0
        for number in order.recipients:
            record = self.compose(
                number,
                remitter_id=order.remitter_id,
                content=order.content,
                campaign_id=campaign.id,
            )
            self._queue(record, start)
        return campaign

    def compose(
        self,
        target_e164: str,
        *,
        remitter_id: UUID,
        content: str,
        created_at: datetime | None = None,
        channel_type: str = "SMS",
        campaign_id: UUID | None = None,
        idempotency_key: str | None = None,
    ) -> MessageRecord:
        """Return a new message that is not in the store yet."""
        moment = self.dialect.keep(created_at) if created_at else self._stamps.next()
        contact = self.contacts.get(target_e164)
        return MessageRecord(
            id=self._stamps.uuid(moment),
            remitter_id=remitter_id,
            target_e164=target_e164,
            content=content,
            channel_type=channel_type,
            channel_destination=operator_of(target_e164),
            campaign_id=campaign_id,
            contact_id=contact.id if contact else None,
            idempotency_key=idempotency_key,
            trigger_source=self.dialect.trigger_source,
            cost=self._cost(content, channel_type),
            created_at=moment,
            updated_at=moment,
            history=(Change("PENDING", moment),),
        )

    def put(self, record: MessageRecord | CampaignRecord) -> None:
        """Add or replace a row; from now on it changes by hand only."""
        self._settle()
        self._agenda.drop(record.id)
        if isinstance(record, MessageRecord):
            self._messages.put(_remembered(record))
        else:
            self._campaigns.put(record)

    def deliver(self, message_id: UUID, status: str, error_code: str | None) -> MessageRecord:
        """Give a message a status, now and for good."""
        record = attrs.evolve(
            self.messages[message_id],
            status=status,
            error_code=error_code,
            updated_at=self._stamps.now(),
        )
        self.put(record)
        return self._messages[message_id]

    def delete(self, message_id: UUID) -> None:
        """Delete a message."""
        self._agenda.drop(message_id)
        self._messages.remove(message_id)

    def _cost(self, content: str, channel_type: str = "SMS") -> Decimal:
        in_parts = self._price_per_part and channel_type == "SMS"
        return self._price * (segments_of(content).parts if in_parts else 1)

    def _charge(self, cost: Decimal) -> None:
        if cost > self.balance:
            raise Refusal(402, self.dialect.no_money, service="billing")
        self.balance -= cost

    def _save_contact(self, number: str, order: ContactDetails, moment: datetime) -> None:
        known = self.contacts.get(number)
        self.contacts[number] = ContactRecord(
            id=known.id if known else self._stamps.uuid(moment),
            target_e164=number,
            name=order.name,
            created_at=known.created_at if known else moment,
            updated_at=moment,
            email=order.email or (known.email if known else None),
            tags=tuple(dict.fromkeys((*(known.tags if known else ()), *order.tags))),
        )

    def _open_campaign(self, order: CampaignSubmission) -> CampaignRecord:
        created_at = self._stamps.next()
        campaign = CampaignRecord(
            id=self._stamps.uuid(created_at),
            remitter_id=order.remitter_id,
            content=order.content,
            name=order.name,
            recipients=len(order.recipients),
            trigger_source=self.dialect.trigger_source,
            idempotency_key=order.idempotency_key,
            created_at=created_at,
            updated_at=created_at,
        )
        self._campaigns.put(campaign)
        if self._delivery:
            self._agenda.plan(campaign.id, self._clock.monotonic(), self._delivery.of_campaign())
        return campaign

    def _queue(self, record: MessageRecord, start: float) -> None:
        self._messages.put(record)
        if self._delivery:
            steps = self._delivery.of_message(record.id, record.channel_destination, start)
            self._agenda.plan(record.id, self._clock.monotonic(), steps)

    def _settle(self) -> None:
        for subject, step in self._agenda.due(self._clock.monotonic()):
            message = self._messages.get(subject)
            if message is not None:
                self._messages.put(self._moved(message, step))
            else:
                self._campaigns.put(self._promoted(self._campaigns[subject], step))

    def _moved(self, message: MessageRecord, step: Step) -> MessageRecord:
        moment = self._later(message.created_at, step)
        return attrs.evolve(
            message,
            status=step.status,
            error_code=step.error_code,
            updated_at=moment,
            history=(*message.history, Change(step.status, moment, step.error_code)),
        )

    def _promoted(self, campaign: CampaignRecord, step: Step) -> CampaignRecord:
        moment = self._later(campaign.created_at, step)
        completed = step.status == "COMPLETED"
        return attrs.evolve(
            campaign,
            status=step.status,
            updated_at=moment,
            processed_at=campaign.processed_at or moment,
            completed_at=moment if completed else None,
        )

    def _later(self, moment: datetime, step: Step) -> datetime:
        return self.dialect.keep(moment + timedelta(seconds=step.after))


def _remembered(record: MessageRecord) -> MessageRecord:
    """Return a row that was changed by hand with the change in its history."""
    change = Change(record.status, record.updated_at, record.error_code)
    last = record.history[-1] if record.history else None
    if last and (last.status, last.error_code) == (change.status, change.error_code):
        return record
    return attrs.evolve(record, history=(*record.history, change))
