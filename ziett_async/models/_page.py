"""Page: one page of a list."""

from typing import Generic, TypeVar

import attrs

from ziett_async.models._answer import Answer
from ziett_async.models._call import CallInfo

T_co = TypeVar("T_co", covariant=True)


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
