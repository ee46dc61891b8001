"""The service's state: messages, campaigns, contacts and the balance, and every change of it."""

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
from ziett_async._fake.state.changes import ChangeLog, DeletedMessage, with_history
from ziett_async._fake.state.delivery import (
    Delivery,
    Schedule,
    Step,
    advance_campaign,
    advance_message,
)
from ziett_async._fake.state.ids import IdFactory
from ziett_async._fake.state.records import CampaignRecord, Change, ContactRecord, MessageRecord
from ziett_async._fake.state.table import Table
from ziett_async._telephony.operators import operator_of
from ziett_async._telephony.sms import sms_parts


class Store:
    """The tables, the contacts and the balance. Reading applies every delivery step that is due."""

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
        self._ids = ids
        self._delivery = delivery
        self._schedule = Schedule()
        self._messages: Table[MessageRecord] = Table()
        self._campaigns: Table[CampaignRecord] = Table()
        self._changes = ChangeLog()
        self.contacts: dict[str, ContactRecord] = {}
        self.balance = balance
        self._price = price
        self._price_per_part = price_per_part
        self.organization_id = ids.uuid(ids.now())
        self.billing_account_id = ids.uuid(ids.now())

    @property
    def dialect(self) -> Dialect:
        """The dialect of every response."""
        return self._ids.dialect

    def use_dialect(self, name: str) -> None:
        """Respond in the dialect of this name from now on."""
        self._ids.dialect = self.dialect.named(name)

    @property
    def messages(self) -> Table[MessageRecord]:
        """Every message, with its current status."""
        self._apply_due_steps()
        return self._messages

    @property
    def campaigns(self) -> Table[CampaignRecord]:
        """Every campaign, with its current status."""
        self._apply_due_steps()
        return self._campaigns

    @property
    def changes(self) -> ChangeLog:
        """The log of changes, with every delivery step that is due."""
        self._apply_due_steps()
        return self._changes

    def accept_message(self, submission: MessageSubmission) -> MessageRecord:
        """Charge for a message, save its contact, and add it.

        Raises:
            Refusal: 402, if the balance is too low.

        """
        self._charge(self._cost(submission.content, submission.channel_type))
        created_at = self._ids.next_timestamp()
        if submission.save_contact is not None:
            self._save_contact(submission.target_e164, submission.save_contact, created_at)
        record = self.new_message(
            submission.target_e164,
            remitter_id=submission.remitter_id,
            content=submission.content,
            channel_type=submission.channel_type,
            idempotency_key=submission.idempotency_key,
            created_at=created_at,
        )
        self._add_message(record, start=0.0)
        return record

    def accept_campaign(self, submission: CampaignSubmission) -> CampaignRecord:
        """Charge for a campaign, and add it and its messages.

        Raises:
            Refusal: 402, if the balance is too low.

        """
        self._charge(self._cost(submission.content) * len(submission.recipients))
        campaign = self._create_campaign(submission)
        start = self._delivery.campaign_processing if self._delivery else 0.0
        for number in submission.recipients:
            record = self.new_message(
                number,
                remitter_id=submission.remitter_id,
                content=submission.content,
                campaign_id=campaign.id,
            )
            self._add_message(record, start)
        return campaign

    def new_message(
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
        """Return a new message, without adding it."""
        moment = self.dialect.to_precision(created_at) if created_at else self._ids.next_timestamp()
        contact = self.contacts.get(target_e164)
        return MessageRecord(
            id=self._ids.uuid(moment),
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
        """Add or replace a record; from now on it only changes by hand."""
        self._apply_due_steps()
        self._schedule.cancel(record.id)
        self._write(with_history(record) if isinstance(record, MessageRecord) else record)

    def deliver(self, message_id: UUID, status: str, error_code: str | None) -> MessageRecord:
        """Set a message's status; from now on it only changes by hand."""
        record = attrs.evolve(
            self.messages[message_id],
            status=status,
            error_code=error_code,
            updated_at=self._ids.now(),
        )
        self.put(record)
        return self._messages[message_id]

    def delete(self, message_id: UUID) -> None:
        """Delete a message.

        Raises:
            KeyError: there is no such message.

        """
        self._schedule.cancel(message_id)
        self._messages.remove(message_id)
        self._changes.append(DeletedMessage(message_id))

    def _cost(self, content: str, channel_type: str = "SMS") -> Decimal:
        in_parts = self._price_per_part and channel_type == "SMS"
        return self._price * (sms_parts(content).parts if in_parts else 1)

    def _charge(self, cost: Decimal) -> None:
        if cost > self.balance:
            raise Refusal(402, self.dialect.insufficient_funds, service="billing")
        self.balance -= cost

    def _save_contact(self, number: str, details: ContactDetails, moment: datetime) -> None:
        known = self.contacts.get(number)
        self.contacts[number] = contact = ContactRecord(
            id=known.id if known else self._ids.uuid(moment),
            target_e164=number,
            name=details.name,
            created_at=known.created_at if known else moment,
            updated_at=moment,
            email=details.email or (known.email if known else None),
            tags=tuple(dict.fromkeys((*(known.tags if known else ()), *details.tags))),
        )
        self._changes.append(contact)

    def _create_campaign(self, submission: CampaignSubmission) -> CampaignRecord:
        created_at = self._ids.next_timestamp()
        campaign = CampaignRecord(
            id=self._ids.uuid(created_at),
            remitter_id=submission.remitter_id,
            content=submission.content,
            name=submission.name,
            recipients=len(submission.recipients),
            trigger_source=self.dialect.trigger_source,
            idempotency_key=submission.idempotency_key,
            created_at=created_at,
            updated_at=created_at,
        )
        self._write(campaign)
        if self._delivery:
            self._schedule.add(campaign.id, self._clock.monotonic(), self._delivery.of_campaign())
        return campaign

    def _write(self, record: MessageRecord | CampaignRecord) -> None:
        if isinstance(record, MessageRecord):
            self._messages.put(record)
        else:
            self._campaigns.put(record)
        self._changes.append(record)

    def _add_message(self, record: MessageRecord, start: float) -> None:
        self._write(record)
        if self._delivery:
            steps = self._delivery.of_message(record.id, record.channel_destination, start)
            self._schedule.add(record.id, self._clock.monotonic(), steps)

    def _apply_due_steps(self) -> None:
        for record_id, step in self._schedule.pop_due(self._clock.monotonic()):
            message = self._messages.get(record_id)
            if message is not None:
                self._write(advance_message(message, step, self._time_of(step, message)))
            else:
                campaign = self._campaigns[record_id]
                self._write(advance_campaign(campaign, step, self._time_of(step, campaign)))

    def _time_of(self, step: Step, record: MessageRecord | CampaignRecord) -> datetime:
        return self.dialect.to_precision(record.created_at + timedelta(seconds=step.after))
