"""ziett_async: an asyncio-first client for Ziett that is exact about what was sent."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from ziett_async._client import AsyncZiett
from ziett_async._clock import Clock, ManualClock, SystemClock
from ziett_async._operation import Bucket, Operation, Priority
from ziett_async._retry import RetryPolicy
from ziett_async._wire import Request, Response, SendFailed
from ziett_async.api._lists import CampaignFilters, CampaignMessageFilters, MessageFilters
from ziett_async.errors import (
    ApiError,
    AuthenticationError,
    CallError,
    ConfigurationError,
    ConflictError,
    DeadlineExceeded,
    InsufficientFundsError,
    InvalidRequest,
    InvalidResponse,
    LimiterUnavailable,
    NotFoundError,
    NotSent,
    OutcomeUnknown,
    PermissionDeniedError,
    RateLimitError,
    RecipientNotAllowed,
    ServerError,
    TransportError,
    ValidationError,
    ZiettError,
)
from ziett_async.limits import Limiter, Permit, Rate, TokenBucketLimiter, Unlimited
from ziett_async.models import (
    AcceptedCampaign,
    AcceptedMessage,
    Attempt,
    CallInfo,
    Campaign,
    CampaignStatus,
    ChannelType,
    ErrorCode,
    Message,
    MessageStatus,
    OpenEnum,
    Order,
    OrderBy,
    Page,
    SaveContact,
    Sender,
    TriggerSource,
)
from ziett_async.transports import Transport

if TYPE_CHECKING:
    from ziett_async._pages import Pages
    from ziett_async._telephony.sms import GsmText, SmsParts
    from ziett_async.bulk.journal import Journal
    from ziett_async.bulk.keys import idempotency_key_for
    from ziett_async.bulk.numbers import normalize_number
    from ziett_async.bulk.recipients import (
        PreparedRecipients,
        Recipient,
        Rejection,
        RejectionReason,
        prepare_recipients,
    )
    from ziett_async.bulk.sqlite import SqliteJournal
    from ziett_async.bulk.texts import sms_parts, to_gsm
    from ziett_async.bulk.values import CampaignOutcome, NewMessage, SendOutcome
    from ziett_async.instrumentation import ObservedCall, Observer
else:
    #: Public names that few programs need, to the module that is imported with their first use.
    _LAZY = {
        "CampaignOutcome": "ziett_async.bulk.values",
        "GsmText": "ziett_async._telephony.sms",
        "Journal": "ziett_async.bulk.journal",
        "NewMessage": "ziett_async.bulk.values",
        "ObservedCall": "ziett_async.instrumentation",
        "Observer": "ziett_async.instrumentation",
        "Pages": "ziett_async._pages",
        "PreparedRecipients": "ziett_async.bulk.recipients",
        "Recipient": "ziett_async.bulk.recipients",
        "Rejection": "ziett_async.bulk.recipients",
        "RejectionReason": "ziett_async.bulk.recipients",
        "SendOutcome": "ziett_async.bulk.values",
        "SmsParts": "ziett_async._telephony.sms",
        "SqliteJournal": "ziett_async.bulk.sqlite",
        "idempotency_key_for": "ziett_async.bulk.keys",
        "normalize_number": "ziett_async.bulk.numbers",
        "prepare_recipients": "ziett_async.bulk.recipients",
        "sms_parts": "ziett_async.bulk.texts",
        "to_gsm": "ziett_async.bulk.texts",
    }

    def __getattr__(name: str) -> object:
        if name not in _LAZY:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return globals().setdefault(name, getattr(_import_module(_LAZY[name]), name))

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


#: The package's metadata take it from here.
__version__ = "0.1.0"

__all__ = [
    "AcceptedCampaign",
    "AcceptedMessage",
    "ApiError",
    "AsyncZiett",
    "Attempt",
    "AuthenticationError",
    "Bucket",
    "CallError",
    "CallInfo",
    "Campaign",
    "CampaignFilters",
    "CampaignMessageFilters",
    "CampaignOutcome",
    "CampaignStatus",
    "ChannelType",
    "Clock",
    "ConfigurationError",
    "ConflictError",
    "DeadlineExceeded",
    "ErrorCode",
    "GsmText",
    "InsufficientFundsError",
    "InvalidRequest",
    "InvalidResponse",
    "Journal",
    "Limiter",
    "LimiterUnavailable",
    "ManualClock",
    "Message",
    "MessageFilters",
    "MessageStatus",
    "NewMessage",
    "NotFoundError",
    "NotSent",
    "ObservedCall",
    "Observer",
    "OpenEnum",
    "Operation",
    "Order",
    "OrderBy",
    "OutcomeUnknown",
    "Page",
    "Pages",
    "PermissionDeniedError",
    "Permit",
    "PreparedRecipients",
    "Priority",
    "Rate",
    "RateLimitError",
    "Recipient",
    "RecipientNotAllowed",
    "Rejection",
    "RejectionReason",
    "Request",
    "Response",
    "RetryPolicy",
    "SaveContact",
    "SendFailed",
    "SendOutcome",
    "Sender",
    "ServerError",
    "SmsParts",
    "SqliteJournal",
    "SystemClock",
    "TokenBucketLimiter",
    "Transport",
    "TransportError",
    "TriggerSource",
    "Unlimited",
    "ValidationError",
    "ZiettError",
    "idempotency_key_for",
    "normalize_number",
    "prepare_recipients",
    "sms_parts",
    "to_gsm",
]
