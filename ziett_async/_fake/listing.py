"""One page of a list: filters, order, and the envelope (API page, List messages)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import attrs

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.parsing.query import QueryString
from ziett_async._fake.responses import Document
from ziett_async._fake.state.table import Row, Table

R = TypeVar("R", bound=Row)

Filter = Callable[[R], bool]


@attrs.frozen
class Paging:
    """The query parameters that every list accepts."""

    page: int
    size: int
    order: str
    order_by: str
    oldest: datetime | None
    newest: datetime | None

    @classmethod
    def of(cls, query: QueryString, dialect: Dialect) -> "Paging":
        """Read the parameters from a query."""
        return cls(
            page=query.integer("page", 1, least=1),
            size=query.integer("size", 30, least=1, most=200),
            order=query.choice("order", ("desc", "asc")),
            order_by=query.choice("order_by", ("created_at", "updated_at")),
            oldest=dialect.to_bound(query.timestamp("created_at__ge")),
            newest=dialect.to_bound(query.timestamp("created_at__le")),
        )


def envelope(
    rows: Table[R], filters: Sequence[Filter[R]], paging: Paging, entry: Callable[[R], Document]
) -> Document:
    """Return the page as a document; rows that tie are in order of acceptance, or its reverse."""
    ids = rows.ids_between(paging.oldest, paging.newest)
    if filters:
        ids = [row_id for row_id in ids if all(accepts(rows[row_id]) for accepts in filters)]
    if paging.order_by == "updated_at":
        ids = sorted(ids, key=lambda row_id: rows[row_id].updated_at)
    if paging.order == "desc":
        ids = ids[::-1]
    start = (paging.page - 1) * paging.size
    return {
        "entries": [entry(rows[row_id]) for row_id in ids[start : start + paging.size]],
        "total": len(ids),
        "page": paging.page,
        "size": paging.size,
        "pages": -(-len(ids) // paging.size),
    }
