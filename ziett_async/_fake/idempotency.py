"""The idempotency keys of the last day, and the answers that they got."""

import attrs

from ziett_async._fake.responses import Refusal, invalid
from ziett_async._wire import Response

HEADER = "Idempotency-Key"


@attrs.frozen(kw_only=True)
class Idempotency:
    """What a repeated `Idempotency-Key` does; the API page leaves all but the first open."""

    #: Seconds for which a key is remembered.
    lifetime: float = 86_400.0
    #: The status for a key that comes again with another path or other bytes; 202 is the
    #: first answer all the same, as the API page has it to the incoming.
    reused: int = attrs.field(default=422, validator=attrs.validators.in_((202, 409, 422)))
    #: Whether a replay counts against the rate limit.
    replays_count: bool = True
    #: Whether a repeat's body is validated before the key is looked up.
    validates_first: bool = False
    #: Whether a 4xx of an execution (402, 422) is the key's answer from then on.
    stores_refusals: bool = False
    #: Whether a scripted `Fault.status(500)` is too; proxies' 502 to 504 never are.
    stores_server_errors: bool = False

    def stores(self, status: int) -> bool:
        """Return whether the answer to an execution is kept for its key."""
        return status < 400 or self.stores_refusals


@attrs.define
class _Entry:
    fingerprint: str
    response: Response
    forgotten_at: float
    busy_until: float


#: An API key and an idempotency key: two organisations may use the same one.
Owner = tuple[str, str]


class IdempotencyStore:
    """Answers by idempotency key. Times are seconds on the service's clock."""

    def __init__(self, rules: Idempotency) -> None:
        self._rules = rules
        self._entries: dict[Owner, _Entry] = {}

    def recall(self, owner: Owner, fingerprint: str, now: float) -> Response | None:
        """Return the answer that the key got before; None the first time."""
        self._forget(now)
        entry = self._entries.get(owner)
        if entry is None:
            return None
        if entry.fingerprint != fingerprint and self._rules.reused != 202:
            raise self._reused()
        if now < entry.busy_until:
            message = "The first request with this Idempotency-Key is still running"
            raise Refusal(409, message, code="IDEMPOTENCY_IN_PROGRESS")
        return entry.response

    def keep(
        self, owner: Owner, fingerprint: str, response: Response, now: float, busy: float = 0.0
    ) -> None:
        """Remember a key's first answer, and that it is busy for so many seconds."""
        self._forget(now)
        end = now + self._rules.lifetime
        self._entries.setdefault(owner, _Entry(fingerprint, response, end, now + busy))

    def _reused(self) -> Refusal:
        message = "was used with another request"
        if self._rules.reused == 422:
            return invalid({HEADER: message})
        return Refusal(409, f"{HEADER} {message}", code="IDEMPOTENCY_KEY_REUSED")

    def _forget(self, now: float) -> None:
        # Entries are in the order of their ends: all live equally long.
        while self._entries:
            owner = next(iter(self._entries))
            if now < self._entries[owner].forgotten_at:
                break
            del self._entries[owner]
