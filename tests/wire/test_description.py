"""The OpenAPI description is valid, and says what the package says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.description import (
    DOCUMENT,
    OPERATIONS,
    SCHEMAS,
    Tree,
    fields_of,
    problems,
    resolve,
)
from ziett_async import AcceptedCampaign, Campaign, Message, Operation, SaveContact
from ziett_async.api import campaigns, messages
from ziett_async.models import (
    CampaignStatus,
    ChannelType,
    ErrorCode,
    MessageStatus,
    OpenEnum,
    Order,
    OrderBy,
    TriggerSource,
)
from ziett_async.testing import DEFAULT_LIMITS, SCOPES

#: The client's names for what the documentation calls otherwise, too.
OTHER_NAMES = {"e164_format", "to", "sms_remitter_id", "body"}
#: What a client adds to what was answered.
OWN = {"call", "idempotency_key", "extra"}
#: What the published pages print, verbatim.
PUBLISHED: Tree = json.loads((Path(__file__).parent / "published/answers.json").read_bytes())
#: Those of them that are no answer of one operation's page.
CONVENTIONS = {
    "conventions.entry (abridged on the page)": "ConventionsMessage",
    "conventions.list (abridged on the page)": "MessagePage",
}


def client_operations() -> Iterator[Operation[Any]]:
    """Return every operation that a method of the client is made of."""
    for module in (messages, campaigns):
        yield from (each for each in vars(module).values() if isinstance(each, Operation))


def attributes(kind: type[Any]) -> set[str]:
    """Return the fields of an attrs class."""
    return {field.name for field in kind.__attrs_attrs__}


def test_it_is_openapi() -> None:
    """It is an OpenAPI 3.1 document without an error, defaults included."""
    assert DOCUMENT["openapi"].startswith("3.1")
    assert [str(error) for error in OpenAPIV31SpecValidator(dict(DOCUMENT)).iter_errors()] == []


def test_every_operation_is_described() -> None:
    """The client's operations and the description's are the same, by name, method and path."""
    described = {(each.name, each.method, each.path) for each in OPERATIONS.values()}
    assert {(each.name, each.method, each.path) for each in client_operations()} == described


def test_every_scope_is_described() -> None:
    """The fake asks for the scopes that the description names, and for no other."""
    assert {operation.scope for operation in OPERATIONS.values()} == SCOPES


def test_every_limit_is_described() -> None:
    """The fake's limits are the description's; an open one is one of its two readings."""
    for operation in client_operations():
        described = OPERATIONS[operation.name].tree["x-rate-limit"]
        readings = {
            (each["bucket"], each["limit"], each["per"])
            for each in described.get("anyOf", [described])
        }
        quota = DEFAULT_LIMITS[operation.bucket.value]
        assert (operation.bucket.value, quota.limit, quota.per) in readings


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("ChannelType", ChannelType),
        ("MessageStatus", MessageStatus),
        ("CampaignStatus", CampaignStatus),
        ("TriggerSource", TriggerSource),
    ],
)
def test_every_word_is_described(schema: str, words: type[OpenEnum]) -> None:
    """The enums of the client and of the description have the same words."""
    assert SCHEMAS[schema]["enum"] == [word.value for word in words]


def test_every_order_is_described() -> None:
    """So have the two ways of ordering a list."""
    parameters = DOCUMENT["components"]["parameters"]
    assert parameters["Order"]["schema"]["enum"] == [word.value for word in Order]
    assert parameters["OrderBy"]["schema"]["enum"] == [word.value for word in OrderBy]


def test_every_code_is_described() -> None:
    """The client's error codes are those that the description gives to a status."""
    described: set[str] = set()
    for response in DOCUMENT["components"]["responses"].values():
        schema = response["content"].get("application/json", {}).get("schema", {})
        for part in schema.get("allOf", ()):
            code = part.get("properties", {}).get("code", {})
            described.update(code.get("enum", [code["const"]] if "const" in code else []))
    assert described == {code.value for code in ErrorCode}


@pytest.mark.parametrize(
    ("kind", "schemas"),
    [
        (Message, ["ListedMessage", "ConventionsMessage", "Message"]),
        (Campaign, ["Campaign"]),
        (AcceptedCampaign, ["AcceptedCampaign"]),
        (SaveContact, ["SaveContact"]),
    ],
)
def test_every_field_is_described(kind: type[Any], schemas: list[str]) -> None:
    """A model has the fields that the description gives it, under one set of names."""
    described = frozenset[str]().union(*map(fields_of, schemas))
    names = described - (OTHER_NAMES if kind is Message else set())
    assert attributes(kind) - OWN == names


def test_every_error_is_the_one_object() -> None:
    """All documented errors but the proxies' are the object with the same six fields."""
    for operation in OPERATIONS.values():
        for status in operation.tree["responses"]:
            tree = resolve(operation.tree["responses"][status])
            if status[0] in "45" and "text/html" not in tree["content"]:
                schema = tree["content"]["application/json"]["schema"]
                fields = resolve(next(iter(schema.get("allOf", [schema]))))["required"]
                assert fields == ["code", "message", "status", "trace_id", "timestamp", "service"]


def schema_of(published: str) -> Tree:
    """Return the schema of a published answer."""
    if published in CONVENTIONS:
        return cast("Tree", SCHEMAS[CONVENTIONS[published]])
    operation, status, *_ = published.split(".")
    content = OPERATIONS[operation].response(int(status))["content"]
    return resolve(content["application/json"]["schema"])


@pytest.mark.promise("Every published answer becomes a value: nothing lost, nothing invented")
@pytest.mark.parametrize("name", sorted(PUBLISHED.keys() - {"_about"}))
def test_every_published_answer_is_as_described(name: str) -> None:
    """The description allows what the pages print, whatever generation it is of."""
    assert problems(schema_of(name), PUBLISHED[name]) == []


def examples(tree: object) -> Iterator[tuple[Tree, object]]:
    """Return every schema of the document that has examples, with each of them."""
    if isinstance(tree, dict):
        known = cast("Tree", tree)
        yield from ((known, example) for example in known.get("examples", ()))
        tree = list(known.values())
    if isinstance(tree, list):
        for child in cast("list[object]", tree):
            yield from examples(child)


def test_every_example_is_valid() -> None:
    """What stands beside a schema as an example is one."""
    found = list(examples(DOCUMENT))
    assert len(found) > 5
    for schema, example in found:
        assert not problems(schema, example), json.dumps(example)
