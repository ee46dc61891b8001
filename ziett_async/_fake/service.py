"""The service itself: one request in, one answer out, one line in the ledger."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import attrs

from ziett_async._clock import Clock
from ziett_async._fake.access import ApiKeys, BucketLevel, Quotas, too_many
from ziett_async._fake.idempotency import HEADER, Idempotency, IdempotencyStore
from ziett_async._fake.request import Action, MatchedRequest
from ziett_async._fake.responses import Refusal, invalid, proxy_response, refuse
from ziett_async._fake.routes import Route, find, split
from ziett_async._fake.state.records import Arrival
from ziett_async._fake.state.store import Store
from ziett_async._wire import Headers, Request, Response

_PROXIES = {502, 503, 504}


@attrs.frozen(repr=False, kw_only=True)
class IncomingRequest:
    """A request with its headers, key and digest extracted."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    digest: str
    api_key: str | None
    idempotency_key: str | None

    @classmethod
    def of(cls, request: Request) -> "IncomingRequest":
        """Return it."""
        path, query = split(request.url)
        headers = {name.lower(): value for name, value in request.headers}
        return cls(
            method=request.method,
            path=path,
            query=query,
            headers=headers,
            body=request.body,
            digest=sha256(request.body).hexdigest(),
            api_key=headers.get("x-api-key"),
            idempotency_key=headers.get("idempotency-key") if request.method == "POST" else None,
        )

    @property
    def fingerprint(self) -> str:
        """What must be the same in every request with one idempotency key."""
        return f"{self.path} {self.digest}"


class Service:
    """Routing, key, scope, quota, idempotency, handler: in this order."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        api_keys: ApiKeys,
        quotas: Quotas,
        rules: Idempotency,
        trace_id: Callable[[], str],
    ) -> None:
        self.store = store
        self.ledger: list[Arrival] = []
        self._clock = clock
        self._api_keys = api_keys
        self._quotas = quotas
        self._rules = rules
        self._memory = IdempotencyStore(rules)
        self._trace_id = trace_id

    def operation(self, request: Request) -> str | None:
        """Return the name of the operation that a request is for."""
        route = self._route(IncomingRequest.of(request))
        return route.name if route else None

    def answer(self, request: Request, busy: float = 0.0) -> Response:
        """Carry a request out; its idempotency key stays busy for so many seconds."""
        incoming, replayed = IncomingRequest.of(request), False
        route: Route | None = None
        try:
            route, path_parameters = find(incoming.method, incoming.path, self.store.dialect)
            response, replayed = self._attend(incoming, route, path_parameters, busy)
        except Refusal as refusal:
            response = self._refused(refusal)
        self._enter(incoming, route, response.status, replayed=replayed)
        return self._finished(incoming, route, response)

    def say(
        self, request: Request, reply: tuple[int, Headers, bytes | None], *, stored: bool
    ) -> Response:
        """Answer as told to, without carrying the request out."""
        incoming = IncomingRequest.of(request)
        status, headers, body = reply
        usual = self._usual(status)
        response = attrs.evolve(
            usual, headers=usual.headers + headers, body=usual.body if body is None else body
        )
        stored = stored or (status == 500 and self._rules.stores_server_errors)
        if stored and incoming.idempotency_key and incoming.api_key:
            owner = (incoming.api_key, incoming.idempotency_key)
            self._memory.keep(owner, incoming.fingerprint, response, self._clock.monotonic())
        self._enter(incoming, self._route(incoming), status)
        return response

    def ignore(self, request: Request) -> None:
        """Note that a request came, and say nothing."""
        incoming = IncomingRequest.of(request)
        self._enter(incoming, self._route(incoming), None)

    def levels(self) -> Sequence[BucketLevel]:
        """Return how full each bucket of each key is now."""
        return self._quotas.levels(self._clock.monotonic())

    def _route(self, incoming: IncomingRequest) -> Route | None:
        try:
            return find(incoming.method, incoming.path, self.store.dialect)[0]
        except Refusal:
            return None

    def _attend(
        self,
        incoming: IncomingRequest,
        route: Route,
        path_parameters: Mapping[str, str],
        busy: float,
    ) -> tuple[Response, bool]:
        api_key = self._api_keys.admit(incoming.api_key, route.scope)
        prepare = self._preparation(incoming, route, path_parameters)
        if incoming.idempotency_key is None:
            self._count(api_key, route)
            return prepare()(), False
        now, owner = self._clock.monotonic(), (api_key, incoming.idempotency_key)
        if self._rules.replays_count:
            self._count(api_key, route)
        self._check_key(incoming.idempotency_key)
        if self._rules.validates_first:
            prepare()
        earlier = self._memory.recall(owner, incoming.fingerprint, now)
        if earlier is not None:
            return earlier, True
        if not self._rules.replays_count:
            self._count(api_key, route)
        response = self._carried_out(prepare)
        if self._rules.stores(response.status):
            self._memory.keep(owner, incoming.fingerprint, response, now, busy)
        return response, False

    def _preparation(
        self, incoming: IncomingRequest, route: Route, path_parameters: Mapping[str, str]
    ) -> Callable[[], Action]:
        matched = MatchedRequest(
            arguments=path_parameters,
            query=incoming.query,
            body=incoming.body,
            idempotency_key=incoming.idempotency_key,
        )

        def prepare() -> Action:
            media_type = incoming.headers.get("content-type", "").partition(";")[0].strip()
            if route.method == "POST" and media_type.lower() != "application/json":
                raise Refusal(415, "The body must be application/json")
            return route.handler(self.store, matched)

        return prepare

    def _carried_out(self, prepare: Callable[[], Action]) -> Response:
        try:
            return prepare()()
        except Refusal as refusal:
            return self._refused(refusal)

    def _check_key(self, idempotency_key: str) -> None:
        if not idempotency_key or not idempotency_key.isprintable():
            raise invalid({HEADER: "must be a non-empty printable string"})

    def _count(self, api_key: str, route: Route) -> None:
        result = self._quotas.take(self._payer(api_key), route, self._clock.monotonic())
        if result and result.wait:
            raise too_many(result, says_when=self.store.dialect.retry_after)

    def _payer(self, api_key: str) -> str:
        """Return whose limits a request uses up."""
        return api_key if self.store.dialect.limits_per == "key" else ""

    def _finished(
        self, incoming: IncomingRequest, route: Route | None, response: Response
    ) -> Response:
        if route and self.store.dialect.rate_limit_headers:
            payer = self._payer(incoming.api_key or "")
            extra = self._quotas.headers(payer, route, self._clock.time())
            response = attrs.evolve(response, headers=response.headers + extra)
        if incoming.method == "HEAD":
            length = ("content-length", str(len(response.body)))
            response = attrs.evolve(response, headers=(*response.headers, length), body=b"")
        return response

    def _refused(self, refusal: Refusal) -> Response:
        moment = datetime.fromtimestamp(self._clock.time(), UTC)
        return refuse(refusal, self._trace_id(), self.store.dialect.format_timestamp(moment))

    def _usual(self, status: int) -> Response:
        if status in _PROXIES:
            return proxy_response(status)
        if status < 400:
            return Response(status, ())
        dialect = self.store.dialect
        own = {
            402: Refusal(402, dialect.insufficient_funds),
            404: Refusal(404, code=dialect.not_found),
        }
        return self._refused(own.get(status) or Refusal(status))

    def _enter(
        self,
        incoming: IncomingRequest,
        route: Route | None,
        status: int | None,
        *,
        replayed: bool = False,
    ) -> None:
        self.ledger.append(
            Arrival(
                at=self._clock.monotonic(),
                operation=route.name if route else None,
                bucket=route.bucket if route else None,
                method=incoming.method,
                path=incoming.path,
                query=incoming.query,
                idempotency_key=incoming.idempotency_key,
                body_digest=incoming.digest,
                status=status,
                replayed=replayed,
            )
        )
