"""`openapi.yaml`, read: its operations, and whether an answer is one that they document."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs
import yaml
from jsonschema import Draft202012Validator

Tree = Mapping[str, Any]

PATH = Path(__file__).parents[2] / "openapi.yaml"
DOCUMENT: Tree = yaml.safe_load(PATH.read_text("utf-8"))

#: Headers of HTTP itself, which no operation documents.
_HTTP = {"content-type", "content-length", "date", "server", "connection", "allow"}


@attrs.frozen
class Operation:
    """One operation of the description."""

    name: str
    method: str
    #: `/messages/{message_id}`.
    path: str
    tree: Tree = attrs.field(repr=False)

    @property
    def scope(self) -> str:
        """The scope that a key needs."""
        [scopes] = self.tree["security"]
        [scope] = scopes["ApiKey"]
        return str(scope)

    @property
    def success(self) -> int:
        """The one status that is not an error."""
        [status] = [status for status in self.statuses if status < 400]
        return status

    @property
    def statuses(self) -> Sequence[int]:
        """The statuses that it documents one by one."""
        return [int(status) for status in self.tree["responses"] if status.isdigit()]

    def response(self, status: int) -> Tree:
        """Return the description of an answer; KeyError for a status that has none."""
        responses = self.tree["responses"]
        found = responses.get(str(status)) or responses[f"{status // 100}XX"]
        return resolve(found)


def resolve(tree: Tree) -> Tree:
    """Follow a `$ref` to what it means."""
    while "$ref" in tree:
        found: Any = DOCUMENT
        for name in tree["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        tree = cast("Tree", found)
    return tree


def _operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, tree in methods.items():
            yield Operation(tree["operationId"], method.upper(), path, tree)


OPERATIONS: Mapping[str, Operation] = {found.name: found for found in _operations()}
SCHEMAS: Tree = DOCUMENT["components"]["schemas"]


def fields_of(schema: str) -> frozenset[str]:
    """Return every field that a schema names, in all its parts."""
    return frozenset(_fields({"$ref": f"#/components/schemas/{schema}"}))


def _fields(tree: Tree) -> Iterator[str]:
    tree = resolve(tree)
    yield from tree.get("properties", ())
    for part in (*tree.get("allOf", ()), *tree.get("anyOf", ()), *tree.get("oneOf", ())):
        yield from _fields(part)


def problems(schema: Tree, value: object) -> list[str]:
    """Return what is wrong with a value, by a schema whose references are the document's."""
    # The document around it is where `#/components` leads.
    validator: Any = Draft202012Validator({**DOCUMENT, **schema})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def check(name: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Assert that an answer is as its operation documents it."""
    described = OPERATIONS[name].response(status)
    known = {header.lower(): tree for header, tree in described.get("headers", {}).items()}
    assert set(headers) <= known.keys() | _HTTP, f"undocumented headers of a {status}"
    for header in set(headers) & known.keys():
        assert not problems(resolve(known[header])["schema"], int(headers[header])), header
    if not body:
        assert 502 <= status <= 504, f"a {status} without a body"
        return
    kind = headers["content-type"]
    assert kind in described["content"], f"{kind} is no documented type of a {status}"
    if kind == "application/json":
        found = problems(described["content"][kind]["schema"], json.loads(body))
        assert not found, f"{name} answered {status}: {found}"
