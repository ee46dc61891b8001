"""Filters of the paginated lists: arguments to a query, and a query to a walk."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, TypeVar
from uuid import UUID

import attrs

from ziett_async import _validation as check
from ziett_async._operation import Operation
from ziett_async._session import Session
from ziett_async._validation import Fields, Invalid
from ziett_async.models import (
    CampaignStatus,
    ChannelType,
    ErrorCode,
    MessageStatus,
    Order,
    OrderBy,
    Page,
    TriggerSource,
)
from ziett_async.models._page import LARGEST, Row

if TYPE_CHECKING:
    from ziett_async._pages import Pages
    from ziett_async._paging import Window

T = TypeVar("T")
R = TypeVar("R", bound=Row)

#: One value, or several of which any may match.
OneOrMore: TypeAlias = T | Iterable[T]

#: For each filter, what turns its argument into the values of the query, or refuses it.
Rules = Mapping[str, Callable[[object], list[str]]]


class ListOptions(TypedDict, total=False):
    """Options of every list (API page, Pagination)."""

    #: Entries per page, 1 to 200. The server's default is 30; loops request 200.
    size: int
    #: `desc`, the default, or `asc`.
    order: Order | str
    #: `created_at`, the default, or `updated_at`.
    order_by: OrderBy | str
    #: Inclusive bounds, aware.
    created_at__ge: datetime
    created_at__le: datetime


class CampaignMessageFilters(ListOptions, total=False):
    """Filters of a campaign's messages (API page, List Messages)."""

    #: Part of a recipient's number, or exactly a message's UUID.
    q: str
    status: OneOrMore[MessageStatus | str]
    channel_type: OneOrMore[ChannelType | str]
    contact_id: OneOrMore[UUID | str]
    sms_remitter_id: OneOrMore[UUID | str]
    #: The wider reference's name for the same.
    remitter_id: OneOrMore[UUID | str]
    trigger_source: OneOrMore[TriggerSource | str]
    #: The operator: `UNITEL`, `AFRICELL_AO`.
    channel_destination: OneOrMore[str]


class MessageFilters(CampaignMessageFilters, total=False):
    """Filters of all messages (API page, List Messages)."""

    campaign_id: OneOrMore[UUID | str]


class CampaignFilters(ListOptions, total=False):
    """Filters of the campaigns (API page, List Campaigns)."""

    #: Part of a campaign's name.
    q: str
    status: OneOrMore[CampaignStatus | str]
    channel_type: OneOrMore[ChannelType | str]
    tag_id: OneOrMore[UUID | str]
    sms_remitter_id: OneOrMore[UUID | str]
    error_code: OneOrMore[ErrorCode | str]
    trigger_source: OneOrMore[TriggerSource | str]


def _one(rule: Callable[[object], object]) -> Callable[[object], list[str]]:
    return lambda value: [str(rule(value))]


def _any(rule: Callable[[object], object]) -> Callable[[object], list[str]]:
    def values(value: object) -> list[str]:
        given = check.as_list(value)
        if not given:
            # A filter without values would match everything, not nothing.
            raise Invalid("must hold at least one value; leave it out for all")
        return [str(rule(each)) for each in given]

    return values


#: Beyond the last page of any list; the API documents no maximum.
_LAST_PAGE = 10**9
_OPTIONS: Rules = {
    "page": _one(partial(check.integer, minimum=1, maximum=_LAST_PAGE)),
    "size": _one(partial(check.integer, minimum=1, maximum=LARGEST)),
    "order": _one(partial(check.choice, of=Order)),
    "order_by": _one(partial(check.choice, of=OrderBy)),
    "created_at__ge": _one(check.timestamp),
    "created_at__le": _one(check.timestamp),
    "q": _one(check.text),
    "channel_type": _any(partial(check.open_enum, of=ChannelType)),
    "trigger_source": _any(partial(check.open_enum, of=TriggerSource)),
    "sms_remitter_id": _any(check.uuid),
}
MESSAGE_RULES: Rules = {
    **_OPTIONS,
    "status": _any(partial(check.open_enum, of=MessageStatus)),
    "channel_destination": _any(check.text),
    "contact_id": _any(check.uuid),
    "campaign_id": _any(check.uuid),
    "remitter_id": _any(check.uuid),
}
CAMPAIGN_RULES: Rules = {
    **_OPTIONS,
    "status": _any(partial(check.open_enum, of=CampaignStatus)),
    "tag_id": _any(check.uuid),
    "error_code": _any(check.text),
}


def to_query(operation: str, rules: Rules, given: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the parameters of a list; a filter of several values repeats its name.

    Raises:
        InvalidRequest: a rule refuses a value.
        TypeError: a name has no rule.

    """
    fields, query = Fields(operation), list[tuple[str, str]]()
    for name, value in given.items():
        if name not in rules:
            message = f"{operation}() got an unexpected filter {name!r}; has: {', '.join(rules)}"
            raise TypeError(message)
        if value is None:
            continue
        query += [(name, each) for each in fields.check(name, rules[name], value) or []]
    fields.raise_if_invalid()
    return query


def walk(
    session: Session,
    operation: Operation[Page[R]],
    rules: Rules,
    filters: Mapping[str, object],
    path: Mapping[str, str] | None,
    timeout: float | None,
) -> "Pages[R]":
    """Return a walk over a list: exact when it is ordered by `created_at`."""
    # Here, as a program that only sends needs none of it.
    from ziett_async._pages import Pages  # noqa: PLC0415

    given = {name: value for name, value in filters.items() if value is not None}
    fixed = to_query(operation.name, {name: rules[name] for name in rules if name != "page"}, given)
    options: dict[str, Any] = {
        "size": LARGEST,
        "order": Order.DESC,
        "order_by": OrderBy.CREATED_AT,
        **given,
    }

    async def fetch(window: "Window") -> Page[R]:
        moving = attrs.asdict(window)
        query = to_query(operation.name, rules, moving)
        query += [(name, value) for name, value in fixed if name not in moving]
        return await session.call(operation, path=path, query=query, timeout=timeout)

    return Pages(
        fetch,
        size=options["size"],
        order=Order(options["order"]),
        created_at__ge=options.get("created_at__ge"),
        created_at__le=options.get("created_at__le"),
        exact=options["order_by"] == OrderBy.CREATED_AT,
        operation=operation.name,
    )
