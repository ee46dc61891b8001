"""Delivery: how the status of messages and campaigns changes as the clock moves."""

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import attrs

from ziett_async._fake.state.records import CampaignRecord, Change, MessageRecord

#: Seconds, by the operators of `OPERATORS`.
_FINAL_AFTER = MappingProxyType({"UNITEL": 3.0, "AFRICELL_AO": 5.0, "OTHER": 10.0})


@attrs.frozen
class Step:
    """A status that a message or campaign gets some time after it is accepted."""

    #: Seconds since acceptance.
    after: float
    status: str
    error_code: str | None = None


@attrs.frozen(kw_only=True)
class Delivery:
    """When messages become SENT, and then DELIVERED, FAILED or UNDELIVERED.

    The final status depends only on the message's id, and so on the seed and the clock: a
    run can be repeated exactly.
    """

    #: Seconds from acceptance, or in a campaign from the end of PROCESSING, to SENT.
    sent_after: float = 1.0
    #: Seconds from SENT to the final status, per operator.
    final_after: Mapping[str, float] = _FINAL_AFTER
    #: The shares of messages that become FAILED and UNDELIVERED, together 0.0 to 1.0.
    failed: float = 0.0
    undelivered: float = 0.0
    #: Seconds for which a campaign is PROCESSING, and then SENDING.
    campaign_processing: float = 1.0
    campaign_sending: float = 5.0

    def __attrs_post_init__(self) -> None:
        """Refuse shares that are none.

        Raises:
            ValueError: a share is below 0, or both together are more than 1.

        """
        if min(self.failed, self.undelivered) < 0 or self.failed + self.undelivered > 1:
            message = "failed and undelivered: must be shares of at least 0, together at most 1"
            raise ValueError(message)

    def of_message(self, message_id: UUID, operator: str, start: float = 0.0) -> tuple[Step, ...]:
        """Return the steps of a message that is sent from `start` seconds after its acceptance."""
        sent = start + self.sent_after
        final = sent + self.final_after.get(operator, _FINAL_AFTER["OTHER"])
        return Step(sent, "SENT"), Step(final, *self._final_status(message_id))

    def of_campaign(self) -> tuple[Step, ...]:
        """Return the steps of a campaign."""
        sending = self.campaign_processing
        return Step(sending, "SENDING"), Step(sending + self.campaign_sending, "COMPLETED")

    def _final_status(self, message_id: UUID) -> tuple[str, str | None]:
        # The last 32 bits of a version 7 id are random, here from the seed.
        sample = (message_id.int & 0xFFFFFFFF) / 2**32
        if sample < self.failed:
            return "FAILED", "PROVIDER_REJECTED"
        if sample < self.failed + self.undelivered:
            return "UNDELIVERED", "HANDSET_UNREACHABLE"
        return "DELIVERED", None


class Schedule:
    """The steps to come, in the order in which they are due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, UUID, Step]] = []
        self._pending: dict[UUID, int] = {}
        self._count = 0

    def add(self, record_id: UUID, start: float, steps: tuple[Step, ...]) -> None:
        """Add the steps of a message or campaign accepted at `start`, in seconds."""
        for step in steps:
            self._count += 1
            heapq.heappush(self._heap, (start + step.after, self._count, record_id, step))
        self._pending[record_id] = len(steps)

    def cancel(self, record_id: UUID) -> None:
        """Cancel the steps of a message or campaign, if there are any."""
        self._pending.pop(record_id, None)

    def pop_due(self, now: float) -> Iterator[tuple[UUID, Step]]:
        """Remove and return, in order, every step that is due."""
        while self._heap and self._heap[0][0] <= now:
            _, _, record_id, step = heapq.heappop(self._heap)
            if self._pending.get(record_id):
                self._pending[record_id] -= 1
                yield record_id, step


def advance_message(message: MessageRecord, step: Step, moment: datetime) -> MessageRecord:
    """Return a message after a step, which took place at a moment."""
    return attrs.evolve(
        message,
        status=step.status,
        error_code=step.error_code,
        updated_at=moment,
        history=(*message.history, Change(step.status, moment, step.error_code)),
    )


def advance_campaign(campaign: CampaignRecord, step: Step, moment: datetime) -> CampaignRecord:
    """Return a campaign after a step, which took place at a moment."""
    return attrs.evolve(
        campaign,
        status=step.status,
        updated_at=moment,
        processed_at=campaign.processed_at or moment,
        completed_at=moment if step.status == "COMPLETED" else None,
    )
