"""The service's state: who was sent what, what it cost, and what became of it since."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import attrs

from ziett_async._clock import Clock
from ziett_async.testing._answers import Refusal
from ziett_async.testing._delivery import Agenda, Delivery, Step, operator_of
from ziett_async.testing._dialect import Dialect
from ziett_async.testing._records import CampaignRecord, Change, ContactRecord, MessageRecord
from ziett_async.testing._rows import Rows
from ziett_async.testing._stamps import Stamps


@attrs.frozen(repr=False, kw_only=True)
class ContactOrder:
    """A checked `save_contact`."""

    name: str
    email: str | None
    tags: tuple[str, ...]


@attrs.frozen(repr=False, kw_only=True)
class MessageOrder:
    """A checked `POST /messages`."""

    remitter_id: UUID
    channel_type: str
    target_e164: str
    content: str
    save_contact: ContactOrder | None
    idempotency_key: str | None


@attrs.frozen(repr=False, kw_only=True)
class CampaignOrder:
    """A checked `POST /campaigns/batch`; the recipients are in E.164."""

    remitter_id: UUID
    content: str
    recipients: Sequence[str]
    name: str | None
    idempotency_key: str | None


class Books:
    """Rows, contacts and the balance. What is read from it is settled up to now."""

    def __init__(
        self,
        *,
        clock: Clock,
        stamps: Stamps,
        dialect: Dialect,
        delivery: Delivery | None,
        balance: Decimal,
        price: Decimal,
    ) -> None:
        self._clock = clock
        self._stamps = stamps
        self._delivery = delivery
        self._agenda = Agenda()
        self._messages: Rows[MessageRecord] = Rows()
        self._campaigns: Rows[CampaignRecord] = Rows()
        self.dialect = dialect
        self.contacts: dict[str, ContactRecord] = {}
        self.balance = balance
        self.price = price
        self.organization_id = stamps.uuid(stamps.now())
        self.billing_account_id = stamps.uuid(stamps.now())

    @property
    def messages(self) -> Rows[MessageRecord]:
        """Every message, with the status that it has by now."""
        self._settle()
        return self._messages

    @property
    def campaigns(self) -> Rows[CampaignRecord]:
        """Every campaign, with the status that it has by now."""
        self._settle()
        return self._campaigns

    def accept_message(self, order: MessageOrder) -> MessageRecord:
        """Charge for a message, save its contact, and queue it."""
        self._charge(self.price)
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

    def accept_campaign(self, order: CampaignOrder) -> CampaignRecord:
        """Charge for a campaign and queue its messages."""
        self._charge(self.price * len(order.recipients))
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
        """Return a new message that is not in the books yet."""
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
            cost=self.price,
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

    def _charge(self, cost: Decimal) -> None:
        if cost > self.balance:
            raise Refusal(402, "Insufficient balance", service="billing")
        self.balance -= cost

    def _save_contact(self, number: str, order: ContactOrder, moment: datetime) -> None:
        known = self.contacts.get(number)
        self.contacts[number] = ContactRecord(
            id=known.id if known else self._stamps.uuid(moment),
            target_e164=number,
            name=order.name,
            email=order.email or (known.email if known else None),
            tags=tuple(dict.fromkeys((*(known.tags if known else ()), *order.tags))),
        )

    def _open_campaign(self, order: CampaignOrder) -> CampaignRecord:
        created_at = self._stamps.next()
        campaign = CampaignRecord(
            id=self._stamps.uuid(created_at),
            remitter_id=order.remitter_id,
            content=order.content,
            name=order.name,
            recipients=len(order.recipients),
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
