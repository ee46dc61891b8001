"""A control request's JSON being read: the API's form, and what else JSON has."""

import re
from collections.abc import Mapping, Sequence
from typing import cast

from ziett_async._fake.parsing.body import JsonBody, text_problem
from ziett_async._wire import Headers

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_YEAR = 366 * 86_400


class CommandBody(JsonBody):
    """An object of which every field has to be known, so that a slip of the pen is seen."""

    def __init__(self, document: Mapping[str, object], *known: str) -> None:
        super().__init__(document)
        for name in sorted(document.keys() - set(known)):
            self.note(
                _safe_name(name), f"is no field here; there are: {', '.join(known) or 'none'}"
            )

    def number(self, name: str, *, least: float = 0, most: float = _YEAR) -> float:
        """Return a required number within its bounds."""
        value = self._present(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if least <= value <= most:
                return value
            self.note(name, f"must be at least {least:g} and at most {most:g}")
        elif value is not None:
            self.note(name, "must be a number")
        return least

    def integer(self, name: str, default: int | None = None, *, least: int, most: int) -> int:
        """Return an integer within its bounds; without a default it is required."""
        if default is not None and name not in self:
            return default
        value = self.number(name, least=least, most=most)
        if value % 1:
            self.note(name, "must be an integer")
        return int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._document.get(name, default)
        if not isinstance(value, bool):
            self.note(name, "must be true or false")
        return value is True

    def optional_choice(self, name: str, accepted: Sequence[str]) -> str | None:
        """Return one of the accepted strings; null is as good as left out."""
        if self._document.get(name) is None:
            return None
        return self.choice(name, accepted, f"must be one of: {', '.join(accepted)}")

    def headers(self, name: str) -> Headers:
        """Return an object of strings as headers, none where it is left out."""
        value = self._document.get(name, {})
        if not isinstance(value, dict):
            self.note(name, "must be an object of strings")
            return ()
        found = cast("Mapping[str, object]", value)
        for key, each in found.items():
            problem = text_problem(key, 100, _TOKEN.fullmatch, "is not the name of a header")
            problem = problem or text_problem(
                each, 8192, _PRINTABLE.fullmatch, "must be printable ASCII"
            )
            if problem:
                self.note(f"{name}.{_safe_name(key)}", problem)
        return tuple((key, str(each)) for key, each in found.items())

    def bytes(self, name: str) -> bytes | None:
        """Return a string's bytes, which may be none; None where it is left out."""
        if name not in self or self._document[name] == "":
            return b"" if name in self else None
        return self.text(name).encode(errors="replace")


def _safe_name(name: str) -> str:
    """Return somebody else's name for a field as an answer can hold it."""
    return name[:100].encode("ascii", "backslashreplace").decode()
