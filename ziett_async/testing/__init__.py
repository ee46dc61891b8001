"""For your tests: the Ziett service in memory, and the way to it."""

from ziett_async.testing._delivery import Delivery
from ziett_async.testing._dialect import Dialect
from ziett_async.testing._fake import FakeZiett
from ziett_async.testing._faults import Ending, Exchange, Fault, Faults
from ziett_async.testing._memory import Idempotency
from ziett_async.testing._records import Arrival, CampaignRecord, ContactRecord, MessageRecord
from ziett_async.testing._routes import SCOPES
from ziett_async.testing._transport import FakeTransport
from ziett_async.testing._windows import DEFAULT_LIMITS, Quota

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
