"""Messages: send one, read it back, list and iterate (API pages, Messages)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Unpack
from uuid import UUID

from ziett_async import _validation as check
from ziett_async._operation import Bucket, Operation
from ziett_async._validation import Fields
from ziett_async.api._contact import contact_body
from ziett_async.api._lists import MESSAGE_RULES, MessageFilters, to_query, walk
from ziett_async.api._resource import Resource
from ziett_async.models import AcceptedMessage, ChannelType, Message, Page, SaveContact

if TYPE_CHECKING:
    from ziett_async._pages import Pages

SEND_MESSAGE = Operation("send_message", "POST", "/messages", AcceptedMessage, Bucket.SEND)
GET_MESSAGE = Operation("get_message", "GET", "/messages/{message_id}", Message, Bucket.READ)
LIST_MESSAGES = Operation("list_messages", "GET", "/messages", Page[Message], Bucket.LIST)

#: The most characters of a channel; of an SMS, the network concatenates the parts.
LONGEST: Mapping[str | None, int] = {ChannelType.SMS: 1600}


class Messages(Resource):
    """The calls for single messages."""

    async def send_message(
        self,
        target_e164: str,
        *,
        content: str,
        remitter_id: UUID | str | None = None,
        channel_type: ChannelType | str = ChannelType.SMS,
        save_contact: SaveContact | Mapping[str, object] | None = None,
        idempotency_key: UUID | str | None = None,
        timeout: float | None = None,
    ) -> AcceptedMessage:
        """Send one message to one recipient (API page, Send a Message).

        One call is one message, however many attempts it takes: all carry the same
        idempotency key, a new UUID unless `idempotency_key` is given. Within 24 hours the
        same key gives the same `message_id` and sends nothing again. So make one before the
        first call, stored with your own record if it has to outlive a crash, and no later
        call can send twice, whatever error the earlier one raised.

        The result means accepted and queued, not delivered: see `get_message`.

        Args:
            target_e164: the number with its country code, `+244990090990`; a client with a
                `default_country` takes local forms too.
            content: 1 to 1600 characters for SMS.
            remitter_id: the Sender ID; None takes the client's.
            channel_type: how the message travels.
            save_contact: upserts the recipient into the contacts.
            idempotency_key: printable ASCII, at most 255 characters; None makes a new one.
            timeout: seconds for the limiter, attempts and backoff together. None takes the
                client's, which by default waits at the limiter (120 sends a minute) however
                long that takes.

        Raises:
            InvalidRequest: refused before anything was sent; `fields` has the reasons.
            RecipientNotAllowed: the client's `allowed_recipients` does not contain the number.
            NotSent: it certainly never reached the server.
            OutcomeUnknown: it may have been sent, for example after a 5xx; call again with the
                same key, which is also the error's `idempotency_key`.
            DeadlineExceeded: `timeout` ran out, and certainly nothing was sent.
            ApiError: the server refused it; by status: `AuthenticationError`,
                `InsufficientFundsError`, `ValidationError`, `RateLimitError`.

        """
        body = self._message_body(target_e164, content, remitter_id, channel_type, save_contact)
        self._allow(SEND_MESSAGE, [str(body["target_e164"])])
        return await self._session.call(
            SEND_MESSAGE, body=body, idempotency_key=idempotency_key, timeout=timeout
        )

    def _message_body(
        self,
        target_e164: object,
        content: object,
        remitter_id: UUID | str | None,
        channel_type: object,
        save_contact: object,
    ) -> dict[str, object]:
        """Return the body of a send.

        Raises:
            InvalidRequest: an argument is refused.

        """
        fields = Fields(SEND_MESSAGE.name)
        channel = fields.check("channel_type", check.open_enum, channel_type, ChannelType)
        target = fields.check(
            "target_e164", check.phone_number, target_e164, self._session.defaults.country
        )
        body: dict[str, object] = {
            "remitter_id": self._remitter(fields, remitter_id),
            "channel_type": channel,
            "target_e164": target,
            "content": fields.check("content", check.text, content, LONGEST.get(channel)),
        }
        if save_contact is not None:
            body["save_contact"] = contact_body(fields, save_contact)
        fields.raise_if_invalid()
        return body

    async def get_message(self, message_id: UUID | str, *, timeout: float | None = None) -> Message:
        """Return one message with everything the server knows about it (API page, Get Message).

        The server asks clients not to poll in a tight loop: read a message that is not
        `is_final` again after some seconds. `timeout` is in seconds, for the whole call.

        Raises:
            InvalidRequest: `message_id` is not a UUID.
            NotFoundError: there is no such message, or it is another organisation's.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: the read failed.

        """
        path = self._path(GET_MESSAGE, message_id=message_id)
        return await self._session.call(GET_MESSAGE, path=path, timeout=timeout)

    async def list_messages(
        self, *, page: int = 1, timeout: float | None = None, **filters: Unpack[MessageFilters]
    ) -> Page[Message]:
        """Return one page of the messages, the newest first (API page, List Messages).

        Pages are offsets into a list that grows and changes: to read more than one page,
        `iter_messages` is exact. The filters are those of `MessageFilters`; each takes one
        value or several, of which any may match. `timeout` is in seconds.

        Raises:
            InvalidRequest: a filter the server would refuse.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: the read failed.

        """
        query = to_query(LIST_MESSAGES.name, MESSAGE_RULES, {"page": page, **filters})
        return await self._session.call(LIST_MESSAGES, query=query, timeout=timeout)

    def iter_messages(
        self, *, timeout: float | None = None, **filters: Unpack[MessageFilters]
    ) -> "Pages[Message]":
        """Return all messages that match, to loop over; each loop starts from the beginning.

        `async for message in ...` gives messages, `async for page in ....pages()` pages of
        `size`, 200 by default. Ordered by `created_at`, the default, every message that
        existed when the loop began and matches throughout is yielded exactly once, nothing
        twice, while others arrive, change, leave the filter or are deleted.

        This requires a server that returns messages with the same `created_at` in the same
        order each time. If it does not, still nothing comes twice, but some may be missed
        where more than half a page of messages lie within two milliseconds.

        Ordered by `updated_at`, the pages are offsets into a list that moves: even a message
        that does not change may be missed or come twice, because others change.

        `timeout` is in seconds, for each page. The filters are those of `MessageFilters`.

        Raises:
            InvalidRequest: a filter the server would refuse; raised at once.
            ApiError, TransportError, InvalidResponse, DeadlineExceeded: a page could not be
                read; raised from the loop, whose next step requests it again.

        """
        return walk(self._session, LIST_MESSAGES, MESSAGE_RULES, filters, None, timeout)
