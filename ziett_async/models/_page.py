"""Page: one page of a list."""

from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import attrs

from ziett_async.models._answer import Answer
from ziett_async.models._call import CallInfo

T_co = TypeVar("T_co", covariant=True)

#: The most rows of a page (API page, List Messages).
LARGEST = 200


class Row(Protocol):
    """The fields of a row that a walk needs."""

    @property
    def id(self) -> UUID:
        """Identifies the row; never changes."""
        ...

    @property
    def created_at(self) -> datetime | None:
        """Aware, and never changes; without it a row has no place in an exact walk."""
        ...


@attrs.frozen(repr=False)
class Page(Answer, Generic[T_co]):
    """The envelope of every list (API page, Pagination)."""

    entries: tuple[T_co, ...]
    #: How many match on the server, over all pages.
    total: int
    #: Which page this is, from 1.
    page: int
    #: The most entries a page holds, 1 to 200.
    size: int
    #: How many pages there are; 0 when nothing matches.
    pages: int
    call: CallInfo
