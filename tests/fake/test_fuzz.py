"""Schemathesis asks the emulator for everything that `openapi.yaml` allows, and for more.

Valid requests have to be accepted, invalid ones refused, and every answer has to be one that
is described. Its seed is fixed: the same code is asked the same in every run.
"""

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, cast

import pytest
import schemathesis
from hypothesis import settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks as checks_of_openapi

from tests.support import description as document
from tests.support.samples import API_KEY
from tests.support.service_client import ServiceClient
from tests.support.services import Service
from ziett_async import ManualClock
from ziett_async.testing import Dialect, FakeZiett, Idempotency
from ziett_async.testing.emulator import Emulator

AnyTest: TypeAlias = Callable[..., None]

# pyright cannot follow schemathesis' own types to their ends.
Case: TypeAlias = Any
loaders: Any = schemathesis.openapi
checks: Any = checks_of_openapi

HEADERS = {"X-API-KEY": API_KEY}
BOTH_CHANNELS = ("SMS", "WHATSAPP")
ONCE = settings(max_examples=40, derandomize=True, deadline=None, database=None)
WALKS = settings(ONCE, max_examples=10, stateful_step_count=8)

#: What a pattern cannot say: numbers that some network has.
numbers = st.from_regex(
    r"\+(2449[0-9]{8}|25884[0-9]{7}|1[2-9][0-9]{9}|44[1-9][0-9]{8,9}|6834[0-9]{3})", fullmatch=True
)
loaders.format("phone-number", numbers)

schema = loaders.from_path(document.PATH)
schema.config.seed = 20250714
schema.config.generation.update(
    # The key is the tests' own; one of schemathesis' checks takes it away again.
    with_security_parameters=False,
    # Undocumented parameters are ignored, which no page forbids.
    allow_extra_parameters=False,
)


#: Filters that take any words.
WORDS = {"trigger_source", "channel_destination"}


def filter_query(_: object, query: dict[str, Any] | None) -> bool:
    """Leave out what is another value once it is sent: nothing, or a word."""
    given = query or {}
    words = all(is_words(given[name]) for name in WORDS & given.keys())
    return words and not any(is_sent_empty(value) for value in given.values())


schema.hook(filter_query)


def is_words(value: object) -> bool:
    """Return whether it is a list of strings; what else there is reads like one in a query."""
    return isinstance(value, list) and all(
        isinstance(each, str) for each in cast("list[object]", value)
    )


def is_sent_empty(value: object) -> bool:
    """Return whether `name=` may be all that is sent of a value; an object has many forms."""
    if isinstance(value, list):
        return not all(cast("list[object]", value))
    return value in {"", None} if isinstance(value, str | None) else isinstance(value, dict)


every_operation: Callable[[AnyTest], AnyTest] = schema.parametrize()


def serve(dialect: Dialect) -> Generator[ServiceClient]:
    """Serve a fake that counts nothing, and says 409 to a key that was drawn before."""
    clock, rules = ManualClock(), Idempotency(reused=409)
    fake = FakeZiett(clock=clock, limits={}, idempotency=rules, dialect=dialect)
    with Emulator(fake) as emulator:
        api = ServiceClient(Service(fake, clock, emulator.base_url))
        api.call("send_batch_campaign")
        yield api


@pytest.fixture(scope="module")
def core() -> Generator[ServiceClient]:
    """Serve it as the current pages describe it."""
    yield from serve(Dialect(channels=BOTH_CHANNELS))


@pytest.fixture(scope="module")
def reference() -> Generator[ServiceClient]:
    """Serve it as the older, wider reference describes it."""
    yield from serve(Dialect(name="reference", channels=BOTH_CHANNELS))


@pytest.fixture(scope="module")
def conventions() -> Generator[ServiceClient]:
    """Serve it as the conventions describe it, with every other switch set otherwise, too."""
    yield from serve(
        Dialect(
            name="conventions",
            timestamps="z",
            accepted_status=True,
            rate_limit_headers=True,
            channels=BOTH_CHANNELS,
            campaign_lists="read",
        )
    )


def hold(case: Case, response: Any) -> None:  # noqa: ANN401 (one of schemathesis')
    """Hold an answer to our own reading of the description, too."""
    name = case.operation.definition.raw["operationId"]
    headers = {header.lower(): values[0] for header, values in response.headers.items()}
    document.check(name, response.status_code, headers, response.content)
    assert response.status_code < 500


def not_checked(case: Case) -> list[object]:
    """Return the checks that ask for what the contract does not say."""
    if case.operation.path == "/campaigns/batch":
        # GET /campaigns/batch is Get Campaign with an id that is none: a 422.
        return [checks.allow_header_conformance, checks.unsupported_method]
    return [checks.allow_header_conformance]


@every_operation
@ONCE
def test_every_request_is_answered_as_described(case: Case, core: ServiceClient) -> None:
    """Whatever comes, valid or not, the answer is a documented one and never a 5xx."""
    but = not_checked(case)
    hold(case, case.call_and_validate(core.service.base_url, headers=HEADERS, excluded_checks=but))
    if case.path_parameters:
        # Ids that are drawn are of nothing, so the same is asked of something, too.
        there = {"message_id": core.fake.messages[0].id, "campaign_id": core.fake.campaigns[0].id}
        case.path_parameters = {name: str(there[name]) for name in case.path_parameters}
        hold(case, case.call(core.service.base_url, headers=HEADERS))


def walk(api: ServiceClient) -> None:
    """Follow the description's links: what was accepted is read back."""
    machine: Any = schema.as_state_machine()

    class Walk(machine):  # type: ignore[misc]
        """Creates messages and campaigns, and requests them by the ids it received."""

        def get_call_kwargs(self, _: Case) -> dict[str, Any]:
            return {"base_url": api.service.base_url, "headers": HEADERS}

        def validate_response(self, response: Any, case: Case, **_: Any) -> None:  # noqa: ANN401
            case.validate_response(response, excluded_checks=not_checked(case))
            hold(case, response)

    run: Any = Walk.run
    run(settings=WALKS)


def test_what_was_accepted_can_be_read(core: ServiceClient) -> None:
    """Ids that were answered are good for the operations that take them."""
    walk(core)


def test_the_older_reference_is_described(reference: ServiceClient) -> None:
    """So it is in the shapes of the older, wider pages."""
    walk(reference)


def test_the_conventions_are_described(conventions: ServiceClient) -> None:
    """And in those of the conventions."""
    walk(conventions)


def test_the_fuzzer_got_everywhere(core: ServiceClient) -> None:
    """It was answered with a success and with a refusal of every operation."""
    heard = {(arrival.operation, arrival.status) for arrival in core.fake.requests}
    for operation in document.OPERATIONS.values():
        assert {(operation.name, operation.success), (operation.name, 422)} <= heard
