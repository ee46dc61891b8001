"""Views: messages, campaigns, buckets and the account as JSON documents."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from ziett_async._fake.codes import codes_in
from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.quotas import BucketLevel
from ziett_async._fake.responses import Document
from ziett_async._fake.shapes import sender
from ziett_async._fake.state.records import (
    CampaignRecord,
    Change,
    ContactRecord,
    MessageRecord,
)
from ziett_async._telephony.sms import sms_parts
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.request_views import fault_view, masked, request_view

#: How many of the characters that need UCS-2 are named.
_MOST_NAMED = 5


class Views:
    """What is shown of one service and of the log of its requests."""

    def __init__(self, service: FakeZiett, log: RequestLog) -> None:
        self._service = service
        self._log = log
        self._attempts: Counter[str] = Counter()
        self._counted = 0
        #: The log of changes at the last count: `FakeZiett.clear` begins another.
        self._changes: object = None

    def attempts(self) -> Mapping[str, int]:
        """Return how many requests carried each idempotency key."""
        changes = self._service.changes
        if changes is not self._changes:
            self._changes, self._counted = changes, 0
            self._attempts.clear()
        new = self._service.requests_since(self._counted)
        self._attempts.update(key for each in new if (key := each.idempotency_key) is not None)
        self._counted += len(new)
        return self._attempts

    def messages(self, records: Iterable[MessageRecord]) -> Sequence[Document]:
        """Return messages with contact, parts, codes, history and attempts."""
        attempts, contacts = self.attempts(), self._service.contacts
        names = {each.id: each.name for each in self._service.campaigns}
        return [
            {
                "id": str(each.id),
                "target_e164": each.target_e164,
                "contact": _contact(contacts.get(each.target_e164)),
                "remitter": sender(each.remitter_id),
                "channel_type": each.channel_type,
                "channel_destination": each.channel_destination,
                "content": each.content,
                "codes": codes_in(each.content),
                "segments": _segments(each.content) if each.channel_type == "SMS" else None,
                "status": each.status,
                "error_code": each.error_code,
                "history": [_change(change) for change in each.history],
                "idempotency_key": each.idempotency_key,
                "attempts": max(1, attempts.get(each.idempotency_key or "", 1)),
                "cost": str(each.cost),
                "campaign": _campaign(each.campaign_id, names),
                "created_at": _iso(each.created_at),
                "updated_at": _iso(each.updated_at),
            }
            for each in records
        ]

    def campaigns(self, records: Iterable[CampaignRecord]) -> Sequence[Document]:
        """Return campaigns with how many of their messages have which status, and their cost."""
        statuses = defaultdict[UUID, Counter[str]](Counter)
        costs = defaultdict[UUID, Decimal](Decimal)
        for each in self._service.messages:
            if each.campaign_id is not None:
                statuses[each.campaign_id][each.status] += 1
                costs[each.campaign_id] += each.cost
        return [
            {
                "id": str(each.id),
                "name": each.name,
                "status": each.status,
                "content": each.content,
                "segments": _segments(each.content),
                "recipients": each.recipients,
                "statuses": statuses[each.id],
                "cost": str(costs[each.id]),
                "idempotency_key": each.idempotency_key,
                "created_at": _iso(each.created_at),
                "completed_at": _iso(each.completed_at) if each.completed_at else None,
            }
            for each in records
        ]

    def account(self) -> Document:
        """Return the time, the dialect, the balance, the buckets and the pending faults."""
        clock = self._service.clock
        return {
            "now": _iso(datetime.fromtimestamp(clock.time(), UTC)),
            # Seconds by which the clock was set forward.
            "advanced": round(clock.advanced) if isinstance(clock, AdjustableClock) else 0,
            "dialect": self._service.dialect.name,
            "balance": str(self._service.balance),
            "limits": [_level(each) for each in self._service.levels],
            "faults": [fault_view(each) for each in self._service.faults.pending],
        }

    def state(self, limit: int) -> Document:
        """Return the account, and the newest messages, campaigns and requests, newest first."""
        messages = self._service.messages
        return {
            **self.account(),
            "messages": self.messages(messages[: -limit - 1 : -1]),
            "messages_in_all": len(messages),
            "campaigns": self.campaigns(self._service.campaigns[: -limit - 1 : -1]),
            "requests": self.requests(limit),
        }

    def requests(self, limit: int) -> Sequence[Document]:
        """Return the newest requests, newest first."""
        return [request_view(each) for each in self._log.since()[: -limit - 1 : -1]]


def _contact(contact: ContactRecord | None) -> Document | None:
    if contact is None:
        return None
    return {"name": contact.name, "email": contact.email, "tags": list(contact.tags)}


def _campaign(campaign_id: UUID | None, names: Mapping[UUID, str | None]) -> Document | None:
    if campaign_id is None:
        return None
    return {"id": str(campaign_id), "name": names.get(campaign_id)}


def _segments(content: str) -> Document:
    found = sms_parts(content)
    return {
        "encoding": found.encoding,
        "parts": found.parts,
        "units": found.units,
        "room": found.units + found.units_left,
        "because_of": "".join(found.not_gsm[:_MOST_NAMED]),
    }


def _change(change: Change) -> Document:
    return {"status": change.status, "at": _iso(change.at), "error_code": change.error_code}


def _level(level: BucketLevel) -> Document:
    return {
        "api_key": masked(level.owner),
        "bucket": level.bucket,
        "limit": level.quota.limit,
        "per": level.quota.per,
        "free": level.free,
        "wait": round(level.wait, 3),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
