"""For your tests: the Ziett service in memory, and a transport to it."""

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.fault_queue import Faults
from ziett_async._fake.faults import Ending, Exchange, Fault
from ziett_async._fake.idempotency import Idempotency
from ziett_async._fake.operations import SCOPES
from ziett_async._fake.quotas import DEFAULT_LIMITS, Quota
from ziett_async._fake.state.delivery import Delivery
from ziett_async._fake.state.records import Arrival, CampaignRecord, ContactRecord, MessageRecord
from ziett_async.testing._transport import FakeTransport

__all__ = [
    "DEFAULT_LIMITS",
    "SCOPES",
    "Arrival",
    "CampaignRecord",
    "ContactRecord",
    "Delivery",
    "Dialect",
    "Ending",
    "Exchange",
    "FakeTransport",
    "FakeZiett",
    "Fault",
    "Faults",
    "Idempotency",
    "MessageRecord",
    "Quota",
]
