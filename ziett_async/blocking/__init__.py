"""Ziett without async: the client for programs that have no event loop of their own."""

from ziett_async.blocking._client import Ziett
from ziett_async.blocking._iterators import Outcomes, Pages

__all__ = ["Outcomes", "Pages", "Ziett"]
