"""A JSON body, read as the API documents it; all invalid fields are reported at once."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NoReturn, cast
from uuid import UUID

from ziett_async._fake.dialect import Dialect
from ziett_async._fake.responses import REQUIRED, Refusal, invalid

NIL_UUID = UUID(int=0)
_EMPTY = "must not be empty"
_SURROGATE = re.compile("[\ud800-\udfff]")

#: Returns a true value for a valid string; it is never called with an empty one.
Check = Callable[[str], object]

#: The most bytes of a request body; a full batch of the longest content is a tenth of it.
MOST_BYTES = 1 << 20


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


#: JSON as specified: without NaN and Infinity.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def json_object(body: bytes) -> Mapping[str, object]:
    """Return the JSON object in a body.

    Raises:
        Refusal: 413, if the body is too long; 422, if it is not a JSON object.

    """
    if len(body) > MOST_BYTES:
        raise Refusal(413, f"The body is longer than {MOST_BYTES} bytes")
    if not body:
        raise invalid({"body": REQUIRED})
    try:
        document: object = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise invalid({"body": "must be valid JSON"}) from None
    if not isinstance(document, dict):
        raise invalid({"body": "must be a JSON object"})
    return cast("Mapping[str, object]", document)


class JsonBody:
    """A JSON object whose fields are read one by one; invalid ones are collected in `errors`.

    A method returns a placeholder for an invalid field, since `raise_if_invalid` refuses the
    request.
    """

    def __init__(
        self, document: Mapping[str, object], errors: dict[str, str] | None = None, prefix: str = ""
    ) -> None:
        self.errors = {} if errors is None else errors
        self._document = document
        self._prefix = prefix

    def __contains__(self, name: str) -> bool:
        return name in self._document

    def add_error(self, name: str, problem: str) -> None:
        """Record that a field is invalid."""
        self.errors[self._prefix + name] = problem

    def text(
        self,
        name: str,
        *,
        most: int | None = None,
        accepts: Check = bool,
        message: str = "",
        empty: str = REQUIRED,
    ) -> str:
        """Return a required string of 1 to `most` characters that passes the check."""
        value = self._present(name)
        if value is None:
            return ""
        problem = empty if value == "" else text_problem(value, most, accepts, message)
        if problem:
            self.add_error(name, problem)
        return str(value)

    def optional_text(
        self, name: str, *, most: int | None = None, accepts: Check = bool, message: str = ""
    ) -> str | None:
        """Return an optional string as `text` does, or None if left out; null is invalid."""
        if name not in self:
            return None
        return self.text(name, most=most, accepts=accepts, message=message, empty=_EMPTY)

    def uuid(self, name: str, dialect: Dialect) -> UUID:
        """Return a required id that the dialect accepts."""
        value = self._present(name)
        found = dialect.parse_id(value) if isinstance(value, str) else None
        if found is None and value is not None:
            self.add_error(name, dialect.id_problem)
        return found or NIL_UUID

    def choice(self, name: str, accepted: Collection[str], message: str) -> str:
        """Return a required string that is one of the accepted values."""
        value = self._present(name)
        if value is not None and not (isinstance(value, str) and value in accepted):
            self.add_error(name, message)
        return str(value)

    def texts(
        self,
        name: str,
        *,
        least: int = 0,
        most: int | None = None,
        accepts: Check = bool,
        message: str = "",
    ) -> Sequence[str]:
        """Return a required array of strings; an invalid one is recorded as `name.3`."""
        value = self._present(name)
        if not isinstance(value, list):
            if value is not None:
                self.add_error(name, "must be an array of strings")
            return []
        items = cast("list[object]", value)
        if len(items) < least or (most is not None and len(items) > most):
            self.add_error(name, f"must have {least} to {most} items")
        for index, item in enumerate(items):
            problem = text_problem(item, None, accepts, message)
            if problem:
                self.add_error(f"{name}.{index}", problem)
        return [str(item) for item in items]

    def inner(self, name: str) -> "JsonBody | None":
        """Return the body of an optional object, or None if it is left out or invalid."""
        if name not in self:
            return None
        value = self._document[name]
        if not isinstance(value, dict):
            self.add_error(name, "must be an object")
            return None
        return JsonBody(cast("Mapping[str, object]", value), self.errors, f"{self._prefix}{name}.")

    def raise_if_invalid(self) -> None:
        """Refuse the request if a field was invalid.

        Raises:
            Refusal: 422, with every invalid field.

        """
        if self.errors:
            raise invalid(self.errors)

    def _present(self, name: str) -> object:
        value = self._document.get(name)
        if name not in self._document:
            self.add_error(name, REQUIRED)
        elif value is None:
            self.add_error(name, "must not be null")
        return value


def text_problem(value: object, most: int | None, accepts: Check, message: str) -> str:
    """Return what is wrong with a value that has to be a string; empty if it is valid."""
    if not isinstance(value, str):
        return "must be a string"
    if not value:
        return _EMPTY
    if most is not None and len(value) > most:
        return f"must have at most {most} characters"
    if _SURROGATE.search(value):
        return "must be valid Unicode"
    return "" if accepts(value) else message
