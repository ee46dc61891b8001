"""The API's resources as frozen values."""

from ziett_async.models._call import Attempt, CallInfo
from ziett_async.models._campaign import AcceptedCampaign, Campaign
from ziett_async.models._enums import (
    CampaignStatus,
    ChannelType,
    ErrorCode,
    MessageStatus,
    OpenEnum,
    Order,
    OrderBy,
    TriggerSource,
)
from ziett_async.models._message import AcceptedMessage, Message, SaveContact, Sender
from ziett_async.models._page import Page

__all__ = [
    "AcceptedCampaign",
    "AcceptedMessage",
    "Attempt",
    "CallInfo",
    "Campaign",
    "CampaignStatus",
    "ChannelType",
    "ErrorCode",
    "Message",
    "MessageStatus",
    "OpenEnum",
    "Order",
    "OrderBy",
    "Page",
    "SaveContact",
    "Sender",
    "TriggerSource",
]
