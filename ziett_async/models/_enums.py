"""Open enumerations: the values that the API documents, and any that it adds later."""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """Named strings, to which the server may add new ones at any time.

    A value that is not documented yet becomes a member that equals its string and whose
    `is_unknown` is True; it is never an error and never a different value. The API writes
    its values in upper case; one of its pages shows them in lower case, which is read the same way.

    >>> MessageStatus("DELIVERED") is MessageStatus.DELIVERED
    True
    >>> MessageStatus("HELD_BY_CARRIER") == "HELD_BY_CARRIER"
    True
    >>> MessageStatus("HELD_BY_CARRIER").is_unknown
    True
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        known = cls._member_map_.get(value.upper())
        if isinstance(known, cls):
            return known
        unknown = str.__new__(cls, value)
        unknown._name_ = unknown._value_ = value
        return unknown

    @property
    def is_unknown(self) -> bool:
        """Whether the API's documentation, as of this version, lacks the value."""
        return self._name_ not in type(self)._member_map_

    def __reduce_ex__(self, _: object) -> tuple[type[Self], tuple[str]]:
        # By value: Python 3.11.2, Debian 12's, looks a member up by name, and finds none here.
        return type(self), (self._value_,)

    def __repr__(self) -> str:
        name = "(unknown)" if self.is_unknown else self._name_
        return f"<{type(self).__name__}.{name}: {self._value_!r}>"


class ChannelType(OpenEnum):
    """How a message travels."""

    SMS = "SMS"
    WHATSAPP = "WHATSAPP"


class MessageStatus(OpenEnum):
    """The state of a message (API page, List Messages and Get Message)."""

    PENDING = "PENDING"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    UNDELIVERED = "UNDELIVERED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether it will never change again; an unknown one may."""
        return not self.is_unknown and self not in {self.PENDING, self.SENT}


class CampaignStatus(OpenEnum):
    """The state of a campaign (API page, Get Campaign)."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SENDING = "SENDING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether it will never change again; an unknown one may."""
        return self in {self.COMPLETED, self.CANCELLED, self.FAILED}


class TriggerSource(OpenEnum):
    """What started a message or a campaign."""

    API = "API"
    API_CLIENT = "API_CLIENT"
    CUSTOMER_PORTAL = "CUSTOMER_PORTAL"


class ErrorCode(OpenEnum):
    """Why something was refused or failed (API page, Errors)."""

    AUTH_INVALID_API_KEY = "AUTH_INVALID_API_KEY"
    AUTH_INVALID_SCOPE = "AUTH_INVALID_SCOPE"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    NOT_FOUND = "NOT_FOUND"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    BILLING_INSUFFICIENT_FUNDS = "BILLING_INSUFFICIENT_FUNDS"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class Order(StrEnum):
    """The direction of a list."""

    ASC = "asc"
    DESC = "desc"


class OrderBy(StrEnum):
    """What a list is ordered by."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
