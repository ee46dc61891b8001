"""CommandBody: the JSON body of a control request, read field by field."""

import re
from collections.abc import Mapping, Sequence
from typing import cast

from ziett_async._fake.parsing.body import JsonBody, text_problem
from ziett_async._wire import Headers

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_YEAR = 366 * 86_400


class CommandBody(JsonBody):
    """A JSON object in which an unknown field is an error, so that a typo is noticed."""

    def __init__(self, document: Mapping[str, object], *known: str) -> None:
        super().__init__(document)
        for name in sorted(document.keys() - set(known)):
            self.add_error(
                _safe_name(name),
                f"is not a field here; the fields are: {', '.join(known) or 'none'}",
            )

    def number(self, name: str, *, least: float = 0, most: float = _YEAR) -> float:
        """Return a required number within bounds."""
        value = self._present(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            if least <= value <= most:
                return value
            self.add_error(name, f"must be at least {least:g} and at most {most:g}")
        elif value is not None:
            self.add_error(name, "must be a number")
        return least

    def integer(self, name: str, default: int | None = None, *, least: int, most: int) -> int:
        """Return an integer within bounds; without a default it is required."""
        if default is not None and name not in self:
            return default
        value = self.number(name, least=least, most=most)
        if value % 1:
            self.add_error(name, "must be an integer")
        return int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._document.get(name, default)
        if not isinstance(value, bool):
            self.add_error(name, "must be true or false")
        return value is True

    def optional_choice(self, name: str, accepted: Sequence[str]) -> str | None:
        """Return one of the accepted strings, or None for null or a missing field."""
        if self._document.get(name) is None:
            return None
        return self.choice(name, accepted, f"must be one of: {', '.join(accepted)}")

    def headers(self, name: str) -> Headers:
        """Return an object of strings as headers; none if it is missing."""
        value = self._document.get(name, {})
        if not isinstance(value, dict):
            self.add_error(name, "must be an object of strings")
            return ()
        found = cast("Mapping[str, object]", value)
        for key, each in found.items():
            problem = text_problem(key, 100, _TOKEN.fullmatch, "is not a header name")
            problem = problem or text_problem(
                each, 8192, _PRINTABLE.fullmatch, "must be printable ASCII"
            )
            if problem:
                self.add_error(f"{name}.{_safe_name(key)}", problem)
        return tuple((key, str(each)) for key, each in found.items())

    def bytes(self, name: str) -> bytes | None:
        """Return a string as UTF-8, which may be empty; None if it is missing."""
        if name not in self or self._document[name] == "":
            return b"" if name in self else None
        return self.text(name).encode(errors="replace")


def _safe_name(name: str) -> str:
    """Return a field's name, which the client chose, in ASCII and at most 100 characters."""
    return name[:100].encode("ascii", "backslashreplace").decode()
