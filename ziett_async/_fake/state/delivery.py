"""How messages and campaigns move on by themselves as the clock does."""

import heapq
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from uuid import UUID

import attrs

#: Operators by the start of an Angolan number, or by the whole of it: the documentation's own
#: is at UNITEL. Every other number is `OTHER`.
_OPERATORS = {
    "+244990090990": "UNITEL",
    "+24492": "UNITEL",
    "+24493": "UNITEL",
    "+24494": "UNITEL",
    "+24495": "AFRICELL_AO",
}
_FINAL_AFTER = MappingProxyType({"UNITEL": 3.0, "AFRICELL_AO": 5.0, "OTHER": 10.0})


def operator_of(target_e164: str) -> str:
    """Return the operator of a number: `UNITEL`, `AFRICELL_AO` or `OTHER`."""
    return _OPERATORS.get(target_e164) or _OPERATORS.get(target_e164[:6], "OTHER")


@attrs.frozen
class Step:
    """A status that something will have some time after it was accepted."""

    #: Seconds since acceptance.
    after: float
    status: str
    error_code: str | None = None


@attrs.frozen(kw_only=True)
class Delivery:
    """The fate of messages: PENDING, SENT, and then DELIVERED, FAILED or UNDELIVERED.

    Which of the three follows from the message's id alone, and so from the seed and the
    clock: the same run has the same fates.
    """

    #: Seconds from acceptance to SENT; in a campaign, from the end of PROCESSING.
    sent_after: float = 1.0
    #: Seconds from SENT to the final status, per operator.
    final_after: Mapping[str, float] = _FINAL_AFTER
    #: Shares of the messages, 0.0 to 1.0 together, that end FAILED and UNDELIVERED.
    failed: float = 0.0
    undelivered: float = 0.0
    #: Seconds that a campaign is PROCESSING, then SENDING.
    campaign_processing: float = 1.0
    campaign_sending: float = 5.0

    def of_message(self, message_id: UUID, operator: str, start: float = 0.0) -> tuple[Step, ...]:
        """Return what will happen to a message whose sending begins at `start` seconds."""
        sent = start + self.sent_after
        final = sent + self.final_after.get(operator, _FINAL_AFTER["OTHER"])
        return Step(sent, "SENT"), Step(final, *self._end(message_id))

    def of_campaign(self) -> tuple[Step, ...]:
        """Return what will happen to a campaign."""
        sending = self.campaign_processing
        return Step(sending, "SENDING"), Step(sending + self.campaign_sending, "COMPLETED")

    def _end(self, message_id: UUID) -> tuple[str, str | None]:
        # The last 32 bits of a version 7 id are random, here from the seed.
        lot = (message_id.int & 0xFFFFFFFF) / 2**32
        if lot < self.failed:
            return "FAILED", "PROVIDER_REJECTED"
        if lot < self.failed + self.undelivered:
            return "UNDELIVERED", "HANDSET_UNREACHABLE"
        return "DELIVERED", None


class Schedule:
    """Steps to come, in the order in which they fall due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, UUID, Step]] = []
        self._planned: dict[UUID, int] = {}
        self._count = 0

    def plan(self, subject: UUID, start: float, steps: tuple[Step, ...]) -> None:
        """Plan the steps of something accepted at `start` seconds."""
        for step in steps:
            self._count += 1
            heapq.heappush(self._heap, (start + step.after, self._count, subject, step))
        self._planned[subject] = len(steps)

    def drop(self, subject: UUID) -> None:
        """Cancel what is planned for something, if anything is."""
        self._planned.pop(subject, None)

    def due(self, now: float) -> Iterator[tuple[UUID, Step]]:
        """Take, in order, every step that has fallen due."""
        while self._heap and self._heap[0][0] <= now:
            _, _, subject, step = heapq.heappop(self._heap)
            if self._planned.get(subject):
                self._planned[subject] -= 1
                yield subject, step
