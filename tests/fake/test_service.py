"""Every status that the description names, from every operation."""

from collections.abc import Callable

import attrs
import pytest

from tests.fake.conftest import ServeApi
from tests.support.description import OPERATIONS
from tests.support.requests import batch, message
from tests.support.service_client import HttpResponse, ServiceClient
from ziett_async.testing import SCOPES, Fault, Idempotency, Quota

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
    """An operation of a service, and the id of something that it can read."""

    api: ServiceClient
    operation: str
    path_id: str

    def call(self, **changes: object) -> HttpResponse:
        """Call it as one does when all is well, with changes."""
        call: Callable[..., HttpResponse] = self.api.call
        usual = {"path_id": self.path_id, "api_key": "zk_test_all"}
        return call(self.operation, **(usual | changes))

    def twice(self, **changes: object) -> HttpResponse:
        """Call it twice; return the second response."""
        self.call(**changes)
        return self.call(**changes)

    def invalid(self) -> HttpResponse:
        """Call it with an invalid body, or an invalid id and query."""
        if OPERATIONS[self.operation].method == "POST":
            return self.call(body={})
        return self.call(path_id="x", query={"page": 0})

    def fail(self, status: int) -> HttpResponse:
        """Call it while the service, or a proxy in front of it, fails."""
        with self.api.fake.script(Fault.status(status)):
            return self.call()

    def reuse(self) -> HttpResponse:
        """Call it with a key that has had another body."""
        self.call(key="k")
        body = message if self.operation == "send_message" else batch
        return self.call(key="k", body=body(content="Another"))


PROVOKE: dict[int, Callable[[Case], HttpResponse]] = {
    200: Case.call,
    202: Case.call,
    401: lambda case: case.call(api_key="zk_test_unknown"),
    402: Case.twice,
    403: lambda case: case.call(api_key="zk_test_none"),
    404: lambda case: case.call(path_id="019b4b56-e704-7c30-83a0-000000000000"),
    409: Case.reuse,
    422: Case.invalid,
    429: Case.twice,
    500: lambda case: case.fail(500),
    502: lambda case: case.fail(502),
    503: lambda case: case.fail(503),
    504: lambda case: case.fail(504),
}


def case_of(serve_api: ServeApi, operation: str, status: int) -> Case:
    """Serve an operation such that it can answer with this status."""
    limit = OPERATIONS[operation].tree["x-rate-limit"]
    api = serve_api(
        keys=KEYS,
        # Enough for one message or one batch, and not for two.
        balance={"send_message": 15, "send_batch_campaign": 45}[operation]
        if status == 402
        else 1e6,
        limits={limit.get("bucket", "list"): Quota(1)} if status == 429 else {},
        idempotency=Idempotency(reused=409),
    )
    if "{campaign_id}" in OPERATIONS[operation].path:
        accepted = api.call("send_batch_campaign", api_key="zk_test_all")
        return Case(api, operation, accepted.json["campaign_id"])
    return Case(api, operation, str(api.fake.add_message().id))


@pytest.mark.parametrize(("operation", "status"), EVERY)
def test_every_documented_status_is_given(serve_api: ServeApi, operation: str, status: int) -> None:
    """Each operation has each of its statuses, with the error object and the code for it."""
    response = PROVOKE[status](case_of(serve_api, operation, status))
    assert response.status == status
    if status in CODES:
        assert (response.code, response.json["status"]) == (CODES[status], status)
        assert ("fields" in response.json) == (status == 422)
