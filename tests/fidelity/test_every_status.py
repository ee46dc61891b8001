"""Every status that the description names, from every operation, heard over the wire."""

from collections.abc import Callable

import attrs
import pytest

from tests.fidelity.conftest import WireTo
from tests.support.description import OPERATIONS
from tests.support.http import UNKNOWN_ID, Answer, Wire
from ziett_async.testing import SCOPES, Dialect, Fault, Idempotency, Quota

EVERY = [
    pytest.param(name, status, id=f"{name}-{status}")
    for name, operation in OPERATIONS.items()
    for status in operation.statuses
]
KEYS = {"zk_test_none": frozenset[str](), "zk_test_all": SCOPES}
#: The error codes of `api-contract.md`, section 2.
CODES = {
    401: "AUTH_INVALID_API_KEY",
    402: "BILLING_INSUFFICIENT_FUNDS",
    403: "AUTH_INVALID_SCOPE",
    404: "NOT_FOUND",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_SERVER_ERROR",
}


@attrs.frozen
class Case:
    """An operation on a wire, with something there to be read."""

    wire: Wire
    name: str
    of: str

    def ask(self, **changes: object) -> Answer:
        """Ask for it as one does when all is well, with changes."""
        ask: Callable[..., Answer] = self.wire.ask
        return ask(self.name, **{"of": self.of, "api_key": "zk_test_all", **changes})

    def twice(self, **changes: object) -> Answer:
        """Ask for it twice; return the second answer."""
        self.ask(**changes)
        return self.ask(**changes)

    def invalid(self) -> Answer:
        """Ask for it with a body, an id or a query that is none."""
        if OPERATIONS[self.name].method == "POST":
            return self.ask(body={})
        return self.ask(of="x", query=[("page", 0)])

    def fail(self, status: int) -> Answer:
        """Ask for it while something is wrong with the service."""
        with self.wire.fake.script(Fault.status(status)):
            return self.ask()

    def reuse(self) -> Answer:
        """Ask for it with a key that has had another body."""
        self.ask(key="k")
        other = {**self.body(), "content": "Another"}
        return self.ask(key="k", body=other)

    def body(self) -> dict[str, object]:
        """Return what all `POST` bodies have, and the recipients of either."""
        return {
            "remitter_id": UNKNOWN_ID,
            "channel_type": "SMS",
            "content": "Hello",
            "target_e164": "+244923456789",
            "recipients": ["923456789", "923456780"],
        }


PROVOKE: dict[int, Callable[[Case], Answer]] = {
    200: Case.ask,
    202: Case.ask,
    401: lambda case: case.ask(api_key="zk_test_unknown"),
    402: Case.twice,
    403: lambda case: case.ask(api_key="zk_test_none"),
    404: lambda case: case.ask(of=UNKNOWN_ID),
    409: Case.reuse,
    422: Case.invalid,
    429: Case.twice,
    500: lambda case: case.fail(500),
    502: lambda case: case.fail(502),
    503: lambda case: case.fail(503),
    504: lambda case: case.fail(504),
}


def case_of(wire_to: WireTo, name: str, status: int) -> Case:
    """Serve an operation such that it can answer this status."""
    limit = OPERATIONS[name].tree["x-rate-limit"]
    wire = wire_to(
        keys=KEYS,
        # Enough for one message.
        balance=15 if status == 402 else 1000,
        limits={limit.get("bucket", "list"): Quota(1)} if status == 429 else {},
        idempotency=Idempotency(reused=409),
    )
    if "{campaign_id}" in OPERATIONS[name].path:
        accepted = wire.ask("send_batch_campaign", api_key="zk_test_all")
        return Case(wire, name, accepted.json["campaign_id"])
    return Case(wire, name, str(wire.fake.add_message().id))


@pytest.mark.parametrize(("name", "status"), EVERY)
def test_every_status_is_answered(wire_to: WireTo, name: str, status: int) -> None:
    """Each operation answers each of its statuses, with the object and the code for it."""
    case = case_of(wire_to, name, status)
    answer = PROVOKE[status](case)
    assert answer.status == status
    if status in CODES:
        assert (answer.code, answer.json["status"]) == (CODES[status], status)
        assert ("fields" in answer.json) == (status == 422)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_may_tell_its_limit(wire_to: WireTo, name: str) -> None:
    """The three `X-RateLimit` headers come together, on every operation, as whole numbers."""
    wire = wire_to(dialect=Dialect(rate_limit_headers=True))
    headers = wire.ask(name).headers
    limit = OPERATIONS[name].tree["x-rate-limit"]
    most = limit.get("limit") or limit["anyOf"][0]["limit"]
    told = [headers[f"x-ratelimit-{what}"] for what in ("limit", "remaining", "reset")]
    now = int(wire.clock.time())
    assert told == [str(most), str(most - 1), str(now + 60)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_needs_a_scope(wire_to: WireTo, name: str) -> None:
    """A key with all scopes but the operation's is refused, one with that alone is not."""
    scope = OPERATIONS[name].scope
    wire = wire_to(keys={"zk_test_all_but": SCOPES - {scope}, "zk_test_only": {scope}})
    assert wire.ask(name, api_key="zk_test_all_but").status == 403
    assert wire.ask(name, api_key="zk_test_only").status in {200, 202, 404}
