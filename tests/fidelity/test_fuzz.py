"""Schemathesis asks the emulator for everything that `openapi.yaml` allows, and for more.

Valid requests have to be accepted, invalid ones refused, and every answer has to be one that
is described. Its seed is fixed: the same requests come in every run.
"""

from collections.abc import Generator
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case, Response
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import allow_header_conformance, unsupported_method

from tests.fidelity import _document as document
from ziett_async.testing import Dialect, FakeZiett, Idempotency
from ziett_async.testing.emulator import Emulator

HEADERS = {"X-API-KEY": "zk_test_fuzz"}
BOTH_CHANNELS = ("SMS", "WHATSAPP")

schema = schemathesis.openapi.from_path(document.PATH)
schema.config.seed = 20250714
schema.config.generation.update(
    # The key is the tests' own; one of schemathesis' checks takes it away again.
    with_security_parameters=False,
    # Parameters that nobody documents are ignored, which no page forbids.
    allow_extra_parameters=False,
)


def serve(dialect: Dialect) -> Generator[Emulator]:
    """Serve a fake that counts nothing, and says 409 to a key that was drawn before."""
    rules = Idempotency(reused=409)
    with Emulator(FakeZiett(limits={}, idempotency=rules, dialect=dialect)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def core() -> Generator[Emulator]:
    """Serve it as the core pages describe it."""
    yield from serve(Dialect(channels=BOTH_CHANNELS))


@pytest.fixture(scope="module")
def other() -> Generator[Emulator]:
    """Serve it in every other reading."""
    yield from serve(
        Dialect(
            list_entry="conventions",
            retrieve="wider",
            timestamps="milliseconds",
            not_found="NOT_FOUND",
            accepted_status=True,
            rate_limit_headers=True,
            channels=BOTH_CHANNELS,
            campaign_lists="read",
        )
    )


def hold(response: Response, case: Case) -> None:
    """Hold an answer to our own reading of the description, too."""
    name = case.operation.definition.raw["operationId"]
    headers = {header.lower(): values[0] for header, values in response.headers.items()}
    document.check(name, response.status_code, headers, response.content)
    assert response.status_code < 500


def not_checked(case: Case) -> list[CheckFunction]:
    """Return the checks that ask for what the contract does not say."""
    if case.operation.path == "/campaigns/batch":
        # GET /campaigns/batch is Get Campaign with an id that is none: a 422.
        return [allow_header_conformance, unsupported_method]
    return [allow_header_conformance]


@schema.parametrize()
@settings(max_examples=40, derandomize=True, deadline=None, database=None)
def test_every_request_is_answered_as_described(case: Case, core: Emulator) -> None:
    """Whatever comes, valid or not, the answer is a documented one and never a 5xx."""
    response = case.call_and_validate(
        core.base_url, headers=HEADERS, excluded_checks=not_checked(case)
    )
    hold(response, case)


def walk(emulator: Emulator, scenarios: int) -> None:
    """Follow the description's links: what was accepted is read back."""

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        """Sends, and asks for what it was told."""

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"base_url": emulator.base_url, "headers": HEADERS}

        def validate_response(
            self, response: Response, case: Case, *args: object, **kwargs: object
        ) -> None:
            case.validate_response(response, excluded_checks=not_checked(case))
            hold(response, case)

    run: Any = Walk.run
    run(
        settings=settings(
            max_examples=scenarios,
            stateful_step_count=8,
            derandomize=True,
            deadline=None,
            database=None,
        )
    )


def test_what_was_accepted_can_be_read(core: Emulator) -> None:
    """Ids that were answered are good for the operations that take them."""
    walk(core, 10)


def test_every_reading_is_described(other: Emulator) -> None:
    """So it is where the documentation contradicts itself."""
    walk(other, 10)


def test_the_fuzzer_got_everywhere(core: Emulator) -> None:
    """It was answered with a success and with a refusal of every operation."""
    heard = {(arrival.operation, arrival.status) for arrival in core.service.requests}
    for operation in document.OPERATIONS.values():
        assert {(operation.name, operation.success), (operation.name, 422)} <= heard
