"""Filters of the paginated lists: arguments to a query, and a query to a walk."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias, TypedDict, TypeVar
from uuid import UUID

import attrs

from ziett_async import _checks as check
from ziett_async._checks import Fields
from ziett_async._operation import Operation, Query
from ziett_async._pages import Pages
from ziett_async._walk import LARGEST, Row, Window
from ziett_async.api._room import Room
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

T = TypeVar("T")
R = TypeVar("R", bound=Row)

#: One value, or several of which any may match.
OneOrMore: TypeAlias = T | Iterable[T]

Rules = Mapping[str, Callable[[object], object]]


class ListOptions(TypedDict, total=False):
    """What every list takes (API page, Pagination)."""

    #: Entries per page, 1 to 200. The server's default is 30; loops take 200.
    size: int
    #: `desc`, the default, or `asc`.
    order: Order | str
    #: `created_at`, the default, or `updated_at`.
    order_by: OrderBy | str
    #: Inclusive bounds, aware.
    created_at__ge: datetime
    created_at__le: datetime


class CampaignMessageFilters(ListOptions, total=False):
    """What a campaign's messages can be narrowed by (API page, List Messages)."""

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
    """What all messages can be narrowed by (API page, List Messages)."""

    campaign_id: OneOrMore[UUID | str]


class CampaignFilters(ListOptions, total=False):
    """What lists of campaigns can be narrowed by (API page, List Campaigns)."""

    #: Part of a campaign's name.
    q: str
    status: OneOrMore[CampaignStatus | str]
    channel_type: OneOrMore[ChannelType | str]
    tag_id: OneOrMore[UUID | str]
    sms_remitter_id: OneOrMore[UUID | str]
    error_code: OneOrMore[ErrorCode | str]
    trigger_source: OneOrMore[TriggerSource | str]


_OPTIONS: Rules = {
    "page": partial(check.whole, least=1),
    "size": partial(check.whole, least=1, most=LARGEST),
    "order": partial(check.choice, of=Order),
    "order_by": partial(check.choice, of=OrderBy),
    "created_at__ge": check.moment,
    "created_at__le": check.moment,
    "q": check.text,
    "channel_type": partial(check.word, of=ChannelType),
    "trigger_source": partial(check.word, of=TriggerSource),
    "sms_remitter_id": check.uuid,
}
MESSAGE_RULES: Rules = {
    **_OPTIONS,
    "status": partial(check.word, of=MessageStatus),
    "channel_destination": check.text,
    "contact_id": check.uuid,
    "campaign_id": check.uuid,
    "remitter_id": check.uuid,
}
CAMPAIGN_RULES: Rules = {
    **_OPTIONS,
    "status": partial(check.word, of=CampaignStatus),
    "tag_id": check.uuid,
    "error_code": check.text,
}


def to_query(operation: str, rules: Rules, given: Mapping[str, object]) -> Query:
    """Return the parameters of a list; a filter of several values repeats its name.

    Raises `InvalidRequest` for what the rules refuse, `TypeError` for a name without rule.
    """
    fields, query = Fields(operation), list[tuple[str, str]]()
    for name, value in given.items():
        if name not in rules:
            message = f"{operation}() got an unexpected filter {name!r}; has: {', '.join(rules)}"
            raise TypeError(message)
        if value is None:
            continue
        values = fields.check(name, check.at_least_one, value) or []
        query += [(name, str(fields.check(name, rules[name], each))) for each in values]
    fields.done()
    return query


def walk(
    room: Room,
    operation: Operation[Page[R]],
    rules: Rules,
    filters: Mapping[str, object],
    path: Mapping[str, str] | None,
    timeout: float | None,
) -> Pages[R]:
    """Return a walk over a list: exact when it is ordered by `created_at`."""
    given = {name: check.several(value) for name, value in filters.items() if value is not None}
    to_query(operation.name, {name: rules[name] for name in rules if name != "page"}, given)
    options: dict[str, Any] = {
        "size": LARGEST,
        "order": Order.DESC,
        "order_by": OrderBy.CREATED_AT,
        **{name: value for name, value in filters.items() if value is not None},
    }

    async def fetch(window: Window) -> Page[R]:
        query = to_query(operation.name, rules, {**given, **attrs.asdict(window)})
        return await room.call(operation, path=path, query=query, timeout=timeout)

    return Pages(
        fetch,
        size=options["size"],
        order=Order(options["order"]),
        created_at__ge=options.get("created_at__ge"),
        created_at__le=options.get("created_at__le"),
        exact=options["order_by"] == OrderBy.CREATED_AT,
        operation=operation.name,
    )
