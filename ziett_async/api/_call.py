"""What `AsyncZiett.call` takes for any operation: path, query and body, checked like the rest."""

from collections.abc import Mapping, Sequence
from typing import cast

from ziett_async import _validation as check
from ziett_async._operation import Operation
from ziett_async._validation import Invalid
from ziett_async.errors import InvalidRequest


def require_operation(value: object) -> None:
    """Raise `InvalidRequest` if a value is not an `Operation`."""
    if not isinstance(value, Operation):
        wrong = {"operation": f"must be an Operation, got {type(value).__name__}"}
        raise InvalidRequest("call", wrong)


def path_parameters(value: object) -> dict[str, str]:
    """Return the strings that fill in a path, by name."""
    if not isinstance(value, Mapping):
        raise Invalid(f"must be a mapping of names to strings, got {type(value).__name__}")
    given = cast("Mapping[object, object]", value)
    return {check.text(name): _parameter(name, each) for name, each in given.items()}


def query_parameters(value: object) -> list[tuple[str, str]]:
    """Return names and strings in order; a string may be empty here."""
    given = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ["not pairs"]
    pairs = [cast("Sequence[object]", each) for each in given if isinstance(each, list | tuple)]
    if len(pairs) != len(given) or any(len(pair) != 2 for pair in pairs):
        raise Invalid('must be a list of pairs of strings, like [("size", "200")]')
    return [
        (check.text(name), "" if each == "" else _parameter(name, each)) for name, each in pairs
    ]


def _parameter(name: object, value: object) -> str:
    try:
        return check.text(value)
    except Invalid as invalid:
        raise Invalid(f"{name} {invalid}") from None


def json_object(value: object) -> dict[str, object]:
    """Return the body of a request; what is in it is encoded later."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value)
    raise Invalid(f"must be a JSON object as a dict, got {type(value).__name__}")
