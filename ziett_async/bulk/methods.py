"""Bulk: the calls for many messages at once, whose modules are imported with their first use."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from ziett_async import _validation as check
from ziett_async._operation import Priority
from ziett_async._validation import Fields
from ziett_async.api.campaigns import Campaigns
from ziett_async.api.messages import SEND_MESSAGE, Messages

if TYPE_CHECKING:
    import os

    from ziett_async.bulk.journal import Journal
    from ziett_async.bulk.outcomes import Outcomes
    from ziett_async.bulk.plan import Many
    from ziett_async.bulk.values import CampaignOutcome, NewMessage, SendOutcome


class Bulk(Messages, Campaigns):
    """The calls for many messages at once."""

    def send_many(
        self,
        messages: "Many[NewMessage | Mapping[str, object]]",
        *,
        journal: "Journal | str | os.PathLike[str] | None" = None,
        run: str | None = None,
        concurrency: int = 50,
        priority: Priority = Priority.BULK,
    ) -> "Outcomes[SendOutcome]":
        """Send many messages, however many, and iterate over what becomes of each.

        ```python
        messages = [NewMessage("+244990090990", "Olá", reference=1042)]
        async with AsyncZiett() as client:
            async for outcome in client.send_many(messages):
                if outcome.error is not None:
                    print(outcome.reference, outcome.error)
        ```

        Outcomes come as they happen, at the full speed of the limit that bulk may use, and with
        memory for `concurrency` messages: `messages` is read as outcomes are taken. A message that
        is refused is an outcome like any other. An error that affects all calls (401, 402, 403,
        a journal that cannot be written) ends the run, and is raised after the outcomes.

        Every message gets its key from the name of the run, its `reference` or else its place,
        its recipient and its text. Within 24 hours the same key sends nothing again, so the
        same run can be started again after any failure. With a journal that holds for good: it
        yields what was settled before, in order, and sends what was not. A message whose key is
        older than 23 hours is not sent again, but looked up, or reported as `OutcomeUnknown`.

        Args:
            messages: `NewMessage`s or mappings of its fields, also as a stream, which an async
                iterable or a generator is. Two with the same `reference`, recipient and text
                are one message.
            journal: the path of an SQLite file, or any `Journal`; None keeps nothing.
            run: the name of the run; another name sends the same messages anew. None takes a
                digest of the messages where they are a sequence. Of a stream it takes the name
                that its journal keeps, and without a journal a new one each time.
            concurrency: how many calls are under way, or wait for their turn, at the same time.
            priority: bulk leaves the limiter's reserve to urgent calls.

        Raises:
            InvalidRequest: an argument is wrong; at once.
            ConfigurationError: from the loop: the journal is in use, belongs to another run or
                to other messages, or cannot be written; or the client is closed.
            AuthenticationError, InsufficientFundsError, PermissionDeniedError: from the loop.

        """
        # Here and not above, as few programs need them.
        from ziett_async.bulk.arguments import read_options  # noqa: PLC0415
        from ziett_async.bulk.messages import plan  # noqa: PLC0415
        from ziett_async.bulk.outcomes import Outcomes  # noqa: PLC0415

        options = read_options(
            "send_many", "messages", messages, journal, run, concurrency, priority
        )
        return Outcomes(self._session, plan(options, self._new_message_body, self._allow_message))

    def send_campaign(
        self,
        recipients: "Many[str]",
        *,
        content: str,
        name: str | None = None,
        remitter_id: UUID | str | None = None,
        country: str | None = None,
        journal: "Journal | str | os.PathLike[str] | None" = None,
        priority: Priority = Priority.BULK,
    ) -> "Outcomes[CampaignOutcome]":
        """Send one text to an audience of any size, and iterate over what becomes of its batches.

        ```python
        numbers = ["+244990090990", "+244923456789"]
        async with AsyncZiett() as client:
            async for outcome in client.send_campaign(numbers, content="Olá", name="July"):
                print(len(outcome.recipients), outcome.error or "accepted")
        ```

        Each batch is one call of `send_batch_campaign`, with as few and as equal ones as can
        be: 1001 recipients are 501 and 500. All that `send_many` promises holds for batches: a
        key each, made of the audience, the text, its name and the batch's place, and a journal.
        So the same campaign started again is not sent again; another `name` sends it anew.

        Args:
            recipients: at least 2, as `send_batch_campaign` takes them; all are read before
                the first batch is sent.
            content: 1 to 10,000 characters.
            name: what the campaign is called; of several batches each has its number, too:
                `July (1/2)`.
            remitter_id: the Sender ID; None takes the client's.
            country: two letters; None takes the client's `default_country`.
            journal: as in `send_many`.
            priority: as in `send_many`.

        Raises:
            InvalidRequest: an argument is wrong, at once; or there are fewer than 2 recipients,
                or the name with its number is too long, from the loop.
            ConfigurationError, ApiError: from the loop, as in `send_many`.

        """
        # Here and not above, as few programs need them.
        from ziett_async.bulk.arguments import read_options  # noqa: PLC0415
        from ziett_async.bulk.campaigns import AT_ONCE, plan  # noqa: PLC0415
        from ziett_async.bulk.outcomes import Outcomes  # noqa: PLC0415

        options = read_options(
            "send_campaign", "recipients", recipients, journal, None, AT_ONCE, priority
        )
        fields = Fields("send_campaign")
        if country is not None:
            country = fields.check("country", check.country, country)
        common = self._campaign_body(fields, content, remitter_id, name, country)
        fields.raise_if_invalid()
        return Outcomes(self._session, plan(options, common, self._with_recipients))

    def _new_message_body(self, message: "NewMessage") -> Mapping[str, object]:
        return self._message_body(
            message.target_e164,
            message.content,
            message.remitter_id,
            message.channel_type,
            message.save_contact,
        )

    def _allow_message(self, body: Mapping[str, object]) -> None:
        self._allow(SEND_MESSAGE, [str(body["target_e164"])])
