"""The service: one request in, one response out, one arrival recorded."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import attrs

from ziett_async._clock import Clock
from ziett_async._fake.access import ApiKeys
from ziett_async._fake.fault_queue import Faults
from ziett_async._fake.faults import Ending, Exchange, Fault
from ziett_async._fake.idempotency import Idempotency, IdempotencyStore, check_idempotency_key
from ziett_async._fake.quotas import BucketLevel, Quotas, too_many_requests
from ziett_async._fake.request import Action, IncomingRequest, MatchedRequest
from ziett_async._fake.responses import Refusal, error_response, proxy_response
from ziett_async._fake.routes import HANDLERS, match, no_match
from ziett_async._fake.state.records import Arrival
from ziett_async._fake.state.store import Store
from ziett_async._wire import Headers, Request, Response

_PROXY_STATUSES = {502, 503, 504}


class Service:
    """Checks, in this order: path, API key, scope, rate limit, idempotency key, body.

    Args:
        clock: the clock of rate limits, arrivals and stored responses.
        store: the service's state.
        api_keys: the keys that it accepts.
        quotas: the rate limits.
        idempotency: what a repeated idempotency key does.
        new_trace_id: returns the `trace_id` of the next error.

    """

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        api_keys: ApiKeys,
        quotas: Quotas,
        idempotency: Idempotency,
        new_trace_id: Callable[[], str],
    ) -> None:
        self.store = store
        #: Every request that was received, in order.
        self.arrivals: list[Arrival] = []
        self._clock = clock
        self._api_keys = api_keys
        self._quotas = quotas
        self._rules = idempotency
        self._responses = IdempotencyStore(idempotency)
        self._new_trace_id = new_trace_id

    def handle(self, request: Request) -> Response:
        """Execute a request and return the response."""
        incoming = IncomingRequest.of(request)
        return self._respond(incoming, match(incoming, self.store.dialect))

    def exchange(self, request: Request, faults: Faults) -> Exchange:
        """Apply the next fault that is queued for the request, if any, and else execute it."""
        incoming, count = IncomingRequest.of(request), len(self.arrivals)
        matched = match(incoming, self.store.dialect)
        fault = faults.take(matched.operation.name if matched else None)
        if fault is None:
            exchange = Exchange(self._respond(incoming, matched))
        else:
            exchange = fault.to_exchange(self._respond_with_fault(fault, incoming, matched))
        return attrs.evolve(exchange, arrival=next(iter(self.arrivals[count:]), None))

    def levels(self) -> Sequence[BucketLevel]:
        """Return the level of each bucket of each API key now."""
        return self._quotas.levels(self._clock.monotonic())

    def _respond(
        self, incoming: IncomingRequest, matched: MatchedRequest | None, running: float = 0.0
    ) -> Response:
        """Execute a request; its idempotency key gets a 409 for `running` seconds."""
        replayed = False
        try:
            if matched is None:
                raise no_match(incoming, self.store.dialect)
            response, replayed = self._process(matched, running)
        except Refusal as refusal:
            response = self._error_response(refusal)
        self._record(incoming, matched, response.status, replayed=replayed)
        if matched and self.store.dialect.rate_limit_headers:
            response = self._with_rate_limit_headers(matched, response)
        return _without_body(response) if incoming.method == "HEAD" else response

    def _respond_with_fault(
        self, fault: Fault, incoming: IncomingRequest, matched: MatchedRequest | None
    ) -> Response | None:
        """Return the response that the service gives under a fault, or None."""
        if fault.reply is not None:
            response = self._scripted_response(*fault.reply)
            self._store_scripted(incoming, response, stored=fault.stored)
            self._record(incoming, matched, response.status)
            return response
        if fault.executes:
            return self._respond(incoming, matched, fault.busy)
        if fault.ending is not Ending.REFUSED:
            self._record(incoming, matched, None)
        return None

    def _process(self, matched: MatchedRequest, running: float) -> tuple[Response, bool]:
        """Return the response, and whether it is a replay."""
        incoming = matched.incoming
        api_key = self._api_keys.authorize(incoming.api_key, matched.operation.scope)
        if incoming.idempotency_key is None:
            self._count(api_key, matched)
            return self._validate(matched)(), False
        now, key = self._clock.monotonic(), (api_key, incoming.idempotency_key)
        if self._rules.replays_count:
            self._count(api_key, matched)
        check_idempotency_key(incoming.idempotency_key)
        if self._rules.validates_first:
            self._validate(matched)
        stored = self._responses.find(key, incoming.fingerprint, now)
        if stored is not None:
            return stored, True
        if not self._rules.replays_count:
            self._count(api_key, matched)
        response = self._execute(matched)
        if self._rules.stores(response.status):
            self._responses.store(key, incoming.fingerprint, response, now, running)
        return response, False

    def _validate(self, matched: MatchedRequest) -> Action:
        """Return the action that executes a valid request; raise `Refusal` for another one."""
        is_json = matched.incoming.media_type == "application/json"
        if matched.operation.method == "POST" and not is_json:
            raise Refusal(415, "The body must be application/json")
        return HANDLERS[matched.operation.name](self.store, matched)

    def _execute(self, matched: MatchedRequest) -> Response:
        """Return the response, even if it is a refusal, so that it can be stored."""
        try:
            return self._validate(matched)()
        except Refusal as refusal:
            return self._error_response(refusal)

    def _count(self, api_key: str, matched: MatchedRequest) -> None:
        owner, bucket = self._bucket_owner(api_key), matched.operation.bucket
        result = self._quotas.take(owner, bucket, self._clock.monotonic())
        if result and result.wait:
            raise too_many_requests(result, with_retry_after=self.store.dialect.retry_after)

    def _bucket_owner(self, api_key: str) -> str:
        """Return the API key whose limits a request counts against; empty for all keys."""
        return api_key if self.store.dialect.limits_per == "key" else ""

    def _with_rate_limit_headers(self, matched: MatchedRequest, response: Response) -> Response:
        owner = self._bucket_owner(matched.incoming.api_key or "")
        headers = self._quotas.headers(owner, matched.operation.bucket, self._clock.time())
        return attrs.evolve(response, headers=response.headers + headers)

    def _scripted_response(self, status: int, headers: Headers, body: bytes | None) -> Response:
        usual = self._usual_response(status)
        return attrs.evolve(
            usual, headers=usual.headers + headers, body=usual.body if body is None else body
        )

    def _usual_response(self, status: int) -> Response:
        """Return what the service, or a proxy in front of it, sends with a status."""
        if status in _PROXY_STATUSES:
            return proxy_response(status)
        if status < 400:
            return Response(status, ())
        dialect = self.store.dialect
        documented = {
            402: Refusal(402, dialect.insufficient_funds),
            404: Refusal(404, code=dialect.not_found),
        }
        return self._error_response(documented.get(status) or Refusal(status))

    def _store_scripted(
        self, incoming: IncomingRequest, response: Response, *, stored: bool
    ) -> None:
        stored = stored or (response.status == 500 and self._rules.stores_server_errors)
        if stored and incoming.idempotency_key and incoming.api_key:
            key = (incoming.api_key, incoming.idempotency_key)
            self._responses.store(key, incoming.fingerprint, response, self._clock.monotonic())

    def _error_response(self, refusal: Refusal) -> Response:
        moment = datetime.fromtimestamp(self._clock.time(), UTC)
        timestamp = self.store.dialect.format_timestamp(moment)
        return error_response(refusal, self._new_trace_id(), timestamp)

    def _record(
        self,
        incoming: IncomingRequest,
        matched: MatchedRequest | None,
        status: int | None,
        *,
        replayed: bool = False,
    ) -> None:
        self.arrivals.append(
            Arrival(
                at=self._clock.monotonic(),
                operation=matched.operation.name if matched else None,
                bucket=matched.operation.bucket if matched else None,
                method=incoming.method,
                path=incoming.path,
                query=incoming.query,
                idempotency_key=incoming.idempotency_key,
                body_digest=incoming.digest,
                status=status,
                replayed=replayed,
            )
        )


def _without_body(response: Response) -> Response:
    """Return the response to HEAD: the headers of GET and the length of its body."""
    length = ("content-length", str(len(response.body)))
    return attrs.evolve(response, headers=(*response.headers, length), body=b"")
