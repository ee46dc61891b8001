"""Looking up what became of a call whose key is too old: a list of the day it was made on."""

from datetime import UTC, datetime
from typing import TypeVar

from ziett_async._operation import Operation, Priority
from ziett_async._session import Session
from ziett_async._unsettled_keys import KEY_LIFETIME
from ziett_async.api._lists import Rules, to_query
from ziett_async.models import Page
from ziett_async.models._page import LARGEST

R = TypeVar("R")

#: Seconds by which the server's clock and this one may differ.
_CLOCKS_DIFFER = 60 * 60.0


async def list_day(
    session: Session,
    operation: Operation[Page[R]],
    rules: Rules,
    q: str | None,
    begun_at: float,
    priority: Priority,
) -> Page[R] | None:
    """Return what matches `q` of the day after `begun_at`; None if one page cannot hold it.

    A call is made again with its key for less than a day, so later than that it cannot have
    been accepted.
    """
    filters = {
        "q": q,
        "size": LARGEST,
        "created_at__ge": datetime.fromtimestamp(begun_at - _CLOCKS_DIFFER, UTC),
        "created_at__le": datetime.fromtimestamp(begun_at + KEY_LIFETIME + _CLOCKS_DIFFER, UTC),
    }
    query = to_query(operation.name, rules, filters)
    page = await session.call(operation, query=query, priority=priority)
    return page if page.total <= len(page.entries) else None
