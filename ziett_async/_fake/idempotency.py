"""Idempotency keys: what a repeated key does, and the responses that keys got so far."""

import attrs

from ziett_async._fake.responses import Refusal, invalid
from ziett_async._wire import Response

HEADER = "Idempotency-Key"


@attrs.frozen(kw_only=True)
class Idempotency:
    """What a repeated `Idempotency-Key` does; the API page defines only the lifetime."""

    #: Seconds for which a key's response is stored.
    lifetime: float = 86_400.0
    #: The status for a key that is reused with another path or body; 202 replays the first
    #: response regardless, which is what the API page literally says.
    reused: int = attrs.field(default=422, validator=attrs.validators.in_((202, 409, 422)))
    #: Whether a replay counts against the rate limit.
    replays_count: bool = True
    #: Whether a repeated request is validated before its key is looked up.
    validates_first: bool = False
    #: Whether a 4xx of an execution (402, 422) is stored as the key's response.
    stores_refusals: bool = False
    #: Whether a scripted `Fault.status(500)` is stored too; a proxy's 502 to 504 never is.
    stores_server_errors: bool = False

    def stores(self, status: int) -> bool:
        """Return whether the response of an execution is stored under its key."""
        return status < 400 or self.stores_refusals


#: An API key and an idempotency key: two organisations may use the same idempotency key.
StoreKey = tuple[str, str]


@attrs.define
class _Entry:
    fingerprint: str
    response: Response
    expires_at: float
    running_until: float


class IdempotencyStore:
    """Responses by idempotency key. Times are seconds on the service's clock."""

    def __init__(self, rules: Idempotency) -> None:
        self._rules = rules
        self._entries: dict[StoreKey, _Entry] = {}

    def find(self, key: StoreKey, fingerprint: str, now: float) -> Response | None:
        """Return the response that is stored under a key, or None.

        Raises:
            Refusal: the key was used with another request, or its first request is still
                running.

        """
        self._drop_expired(now)
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.fingerprint != fingerprint and self._rules.reused != 202:
            raise self._reused()
        if now < entry.running_until:
            message = "The first request with this Idempotency-Key is still running"
            raise Refusal(409, message, code="IDEMPOTENCY_IN_PROGRESS")
        return entry.response

    def store(
        self, key: StoreKey, fingerprint: str, response: Response, now: float, running: float = 0.0
    ) -> None:
        """Store a key's first response; for `running` seconds the key gets a 409 instead."""
        self._drop_expired(now)
        entry = _Entry(fingerprint, response, now + self._rules.lifetime, now + running)
        self._entries.setdefault(key, entry)

    def _reused(self) -> Refusal:
        message = "was used with another request"
        if self._rules.reused == 422:
            return invalid({HEADER: message})
        return Refusal(409, f"{HEADER} {message}", code="IDEMPOTENCY_KEY_REUSED")

    def _drop_expired(self, now: float) -> None:
        # All entries have the same lifetime, so the oldest expires first.
        while self._entries:
            key = next(iter(self._entries))
            if now < self._entries[key].expires_at:
                break
            del self._entries[key]


def check_idempotency_key(key: str) -> None:
    """Check that a key is printable and not empty.

    Raises:
        Refusal: 422, if it is not.

    """
    if not key or not key.isprintable():
        raise invalid({HEADER: "must be a non-empty printable string"})
