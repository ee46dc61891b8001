"""EventStream: the stream of server-sent events behind the inbox."""

import json
from collections.abc import Collection, Iterator, Sequence
from time import perf_counter

import anyio

from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.responses import Document
from ziett_async._fake.state.changes import ChangedRow, ChangeLog, DeletedMessage
from ziett_async._fake.state.records import CampaignRecord, ContactRecord, MessageRecord
from ziett_async.emulator._application import Send
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.request_views import request_view
from ziett_async.emulator.control.views import Views

#: Seconds between two reads of the logs, and the share of its time that a listener may cost.
_PAUSE, _SHARE = 0.1, 0.05
#: Seconds without an event after which a comment is sent, so that a dead connection is noticed.
_KEEP_ALIVE = 15.0
#: Messages and requests in a `state` event.
_MOST_IN_STATE = 1000


class EventStream:
    """One listener and its positions in the service's logs.

    The logs are read at intervals, since deliveries fall due with the clock and nothing else;
    a read that finds nothing new costs the same however many messages there are.
    """

    def __init__(
        self, service: FakeZiett, views: Views, log: RequestLog, *, keep_alive: float = _KEEP_ALIVE
    ) -> None:
        self._service = service
        self._views = views
        self._log = log
        self._keep_alive = keep_alive
        #: The log of changes that the positions are in; none before the first event.
        self._changes: object = None
        self._position = 0
        #: The last request read, and how many had reached the service by then.
        self._latest: object = None
        self._arrivals = 0
        self._requests = 0
        self._account: object = None

    async def feed(self, send: Send) -> None:
        """Send events until cancelled."""
        await send(b"retry: 1000\n\n")
        silent = 0.0
        while True:
            began = perf_counter()
            events = b"".join(_encode(name, document) for name, document in self.events())
            if events or silent >= self._keep_alive:
                await send(events or b": still here\n\n")
                silent = 0.0
            pause = max(_PAUSE, (perf_counter() - began) / _SHARE)
            await anyio.sleep(pause)
            silent += pause

    def events(self) -> Iterator[tuple[str, Document]]:
        """Return what has happened since the last call.

        The first event is the whole `state`, and so is the first one after a `clear` or after
        messages were deleted, which no other event can express.
        """
        changes = self._service.changes
        rows = changes.since(self._position)
        if changes is not self._changes or any(isinstance(row, DeletedMessage) for row in rows):
            self._begin(changes)
            yield "state", self._views.state(_MOST_IN_STATE)
            return
        self._position += len(rows)
        if changed := self._changed_messages(rows):
            for document in self._views.messages(changed):
                yield "message", document
        if campaigns := self._changed_campaigns(rows):
            for document in self._views.campaigns(campaigns):
                yield "campaign", document
        for entry in self._log.since(self._requests):
            self._requests = entry.number
            yield "request", request_view(entry)
        account = self._account_facts()
        if account != self._account:
            self._account = account
            yield "account", self._views.account()

    def _begin(self, changes: ChangeLog) -> None:
        """Move every position to the end of its log."""
        self._changes, self._position = changes, changes.position
        self._latest, self._arrivals = self._service.latest, len(self._service.requests)
        self._requests = self._log.count
        self._account = self._account_facts()

    def _changed_messages(self, rows: Sequence[ChangedRow]) -> Collection[MessageRecord]:
        """Return the messages that are shown differently after these changes and new requests."""
        changed = {row.id: row for row in rows if isinstance(row, MessageRecord)}
        numbers = {row.target_e164 for row in rows if isinstance(row, ContactRecord)}
        repeated = self._repeated_keys()
        # A new contact or a repeated request changes what is shown of older messages.
        older = self._service.messages if numbers or repeated else ()
        for each in older:
            if each.target_e164 in numbers or each.idempotency_key in repeated:
                changed[each.id] = each
        return changed.values()

    def _changed_campaigns(self, rows: Sequence[ChangedRow]) -> Collection[CampaignRecord]:
        """Return the campaigns that changed, or whose messages did."""
        ids = {row.id for row in rows if isinstance(row, CampaignRecord)}
        ids |= {
            row.campaign_id for row in rows if isinstance(row, MessageRecord) and row.campaign_id
        }
        return [each for each in self._service.campaigns if each.id in ids] if ids else []

    def _repeated_keys(self) -> Collection[str | None]:
        """Return the idempotency keys of new requests that earlier requests carried as well."""
        latest = self._service.latest
        if latest is self._latest:
            return ()
        requests, attempts = self._service.requests_since(self._arrivals), self._views.attempts()
        keys = {each.idempotency_key for each in requests}
        self._latest, self._arrivals = latest, self._arrivals + len(requests)
        return {key for key in keys if attempts.get(key or "", 0) > 1}

    def _account_facts(self) -> object:
        """Return the facts whose change sends an `account` event; the time is not one of them."""
        levels = [(each.owner, each.bucket, each.free) for each in self._service.levels]
        service, clock = self._service, self._service.clock
        advanced = clock.advanced if isinstance(clock, AdjustableClock) else 0
        return service.balance, service.dialect, service.faults.pending, levels, advanced


def _encode(name: str, document: Document) -> bytes:
    # In ASCII: some parsers take U+2028 in a text for the end of a line.
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
