"""Delivery: what becomes of messages (API pages, Get Message and List Messages)."""

from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from ziett_async import _validation as check
from ziett_async._operation import Priority
from ziett_async._validation import Fields, Invalid
from ziett_async.api._lists import MESSAGE_RULES, to_query
from ziett_async.api._resource import Resource
from ziett_async.api.messages import GET_MESSAGE, LIST_MESSAGES
from ziett_async.models import Message, MessageStatus, OrderBy, Page
from ziett_async.models._page import LARGEST

if TYPE_CHECKING:
    from ziett_async.delivery._scan import ReadPage
    from ziett_async.delivery._watch import Watch

#: The final statuses that a list can be asked for; `get_message` knows more of them.
_FINAL = [MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.UNDELIVERED]


class Delivery(Resource):
    """The calls that wait for messages to be delivered."""

    async def wait_until_final(
        self, message_ids: Iterable[UUID | str] | UUID | str, *, timeout: float | None = None
    ) -> dict[UUID, Message]:
        """Return messages by their ids, in the order given, once the status of all is final.

        Few requests are made for it, within the limits and after every urgent call: lists of
        those that have changed, or reads by id where that is cheaper. They come every 2 seconds
        at first; after t seconds of waiting the next list comes t later and the next read t/2
        later, at most 10 minutes. All calls of a client in one event loop share these requests.
        A message that came from a list has the fields that lists have.

        A request that fails and may succeed later is made again. Cancelling ends this call
        alone. No ids give an empty mapping at once.

        Args:
            message_ids: one id or several; a repeated one counts once.
            timeout: seconds; None waits as long as it takes, whatever the client's is.

        Raises:
            InvalidRequest: an id is no UUID; the message has its index.
            DeadlineExceeded: `timeout` was up; its `messages` has all that is known, also of
                messages that are not final. Where lists are read, these may be left out.
            NotFoundError: some ids are of no message, as three reads found. Raised when all
                others are final; its `messages` has these.
            ConfigurationError: the client is closed, or was closed meanwhile.
            ApiError: another refusal that concerns all messages: 401, 402, 403.

        """
        return await self._watch("wait_until_final", message_ids, timeout).until_final()

    def watch_messages(
        self, message_ids: Iterable[UUID | str] | UUID | str, *, timeout: float | None = None
    ) -> AsyncIterable[Message]:
        """Return the changes of messages, to loop over until all are final.

        `async for message in ...` gives each message as it is first seen, and then again with
        each new status that a request shows; a status that lasts for less than the time
        between two requests may be missed. Each loop starts anew and has its own `timeout`.
        It may be left at any point, as nothing runs between two steps: while the body of the
        loop works, it makes no requests.

        Otherwise it is like `wait_until_final`. After an error the next step continues to wait.

        Raises:
            InvalidRequest: an id is no UUID, at once.
            DeadlineExceeded, NotFoundError, ConfigurationError, ApiError: from the loop, as
                `wait_until_final`.

        """
        return self._watch("watch_messages", message_ids, timeout)

    def _watch(self, operation: str, message_ids: object, timeout: float | None) -> "Watch":
        # Here, as a program that only sends needs none of it.
        from ziett_async.delivery._watch import Watch  # noqa: PLC0415
        from ziett_async.delivery._watcher import Reader  # noqa: PLC0415

        fields = Fields(operation)
        ids = fields.check("message_ids", _ids, message_ids) or []
        if timeout is not None:
            timeout = fields.check("timeout", check.seconds, timeout)
        fields.raise_if_invalid()
        return Watch(self._session, Reader(self._read_message, self._read_page), ids, timeout)

    async def _read_message(self, message_id: UUID, timeout: float | None) -> Message:
        return await self._session.call(
            GET_MESSAGE,
            path={"message_id": str(message_id)},
            timeout=timeout,
            priority=Priority.BULK,
        )

    async def _read_page(self, ask: "ReadPage", timeout: float | None) -> Page[Message]:
        filters: dict[str, object] = {
            "page": ask.page,
            "size": LARGEST,
            "order_by": OrderBy.UPDATED_AT,
            "created_at__ge": ask.created_at__ge,
            "created_at__le": ask.created_at__le,
            "status": _FINAL if ask.only_final else None,
        }
        return await self._session.call(
            LIST_MESSAGES,
            query=to_query(LIST_MESSAGES.name, MESSAGE_RULES, filters),
            timeout=timeout,
            priority=Priority.BULK,
        )


def _ids(value: object) -> list[UUID]:
    return [_id(index, each) for index, each in enumerate(check.as_list(value))]


def _id(index: int, value: object) -> UUID:
    try:
        return UUID(check.uuid(value))
    except Invalid as invalid:
        message = f"the one at index {index} {invalid}"
        raise Invalid(message) from None
