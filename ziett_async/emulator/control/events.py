"""What happens, told to a listener as server-sent events."""

import json
from collections.abc import Iterator
from time import perf_counter
from uuid import UUID

import anyio

from ziett_async._fake.fake import FakeZiett
from ziett_async._fake.responses import Document
from ziett_async._fake.state.records import ContactRecord, MessageRecord
from ziett_async.emulator._application import Send
from ziett_async.emulator.control.request_log import RequestLog
from ziett_async.emulator.control.views import Views, request_view

#: Seconds between two looks, and the share of its time that a listener may cost.
_PAUSE, _SHARE = 0.1, 0.05
#: Seconds without news after which a sign of life is sent, so that a dead listener is noticed.
_SILENCE = 15.0
#: Messages and requests of the first event.
MOST_AT_FIRST = 1000

#: All that a view of a message is made of.
_Seen = tuple[MessageRecord, ContactRecord | None, int]


class EventStream:
    """What one listener has been told already, so that what is left is news.

    It looks at the service again and again: messages change with the clock, and in memory, too.
    """

    def __init__(
        self, service: FakeZiett, views: Views, log: RequestLog, *, silence: float = _SILENCE
    ) -> None:
        self._service = service
        self._views = views
        self._log = log
        self._silence = silence
        self._epoch: object = None
        self._messages: dict[UUID, _Seen] = {}
        self._request = 0
        self._account: object = None

    async def feed(self, send: Send) -> None:
        """Tell the news for as long as somebody listens."""
        await send(b"retry: 1000\n\n")
        silent = 0.0
        while True:
            began = perf_counter()
            news = b"".join(_event(name, document) for name, document in self.news())
            if news or silent >= self._silence:
                await send(news or b": still here\n\n")
                silent = 0.0
            pause = max(_PAUSE, (perf_counter() - began) / _SHARE)
            await anyio.sleep(pause)
            silent += pause

    def news(self) -> Iterator[tuple[str, Document]]:
        """Return what has happened since the last time: first of all, the state."""
        messages = self._look()
        is_gone = not self._messages.keys() <= messages.keys()
        if self._epoch is not self._log.epoch or is_gone:
            self._epoch = self._log.epoch
            self._messages, self._account = messages, self._weigh()
            self._request = self._log.count
            yield "state", self._views.state(MOST_AT_FIRST)
            return
        changed = [seen[0] for key, seen in messages.items() if self._messages.get(key) != seen]
        self._messages = messages
        for document in self._views.messages(changed):
            yield "message", document
        for entry in self._log.since(self._request):
            self._request = entry.number
            yield "request", request_view(entry)
        account = self._weigh()
        if account != self._account:
            self._account = account
            yield "account", self._views.account()

    def _look(self) -> dict[UUID, _Seen]:
        attempts, contacts = self._views.attempts(), self._service.contacts
        return {
            each.id: (
                each,
                contacts.get(each.target_e164),
                attempts.get(each.idempotency_key or "", 1),
            )
            for each in self._service.messages
        }

    def _weigh(self) -> object:
        """Return what of an account is news when it changes; a moment later is none."""
        levels = [(each.owner, each.bucket, each.free) for each in self._service.levels]
        service = self._service
        return service.balance, service.dialect, service.faults.pending, levels


def _event(name: str, document: Document) -> bytes:
    # In ASCII: U+2028 in a text must not be taken for the end of a line, as some parsers do.
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
