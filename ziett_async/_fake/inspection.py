"""What a test reads from a fake: records, requests and buckets, and assertions about them."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from threading import RLock

from ziett_async._fake.assertions import find_code, find_sent
from ziett_async._fake.dialect import Dialect
from ziett_async._fake.quotas import BucketLevel
from ziett_async._fake.service import Service
from ziett_async._fake.state.changes import ChangeLog
from ziett_async._fake.state.records import Arrival, CampaignRecord, ContactRecord, MessageRecord


class Inspectable:
    """A service that can be read; reading applies every delivery step that is due."""

    def __init__(self, service: Service) -> None:
        self._lock = RLock()
        self._service = service

    @property
    def messages(self) -> Sequence[MessageRecord]:
        """Every message as it is now, in order of acceptance."""
        with self._lock:
            return list(self._service.store.messages)

    def inbox(self, number: str) -> Sequence[MessageRecord]:
        """Return the messages to a number in E.164, the newest first."""
        return [record for record in reversed(self.messages) if record.target_e164 == number]

    def assert_sent(
        self,
        *,
        to: str | None = None,
        content: str | re.Pattern[str] | None = None,
        count: int | None = 1,
    ) -> Sequence[MessageRecord]:
        """Assert how many accepted messages match, and return them in order of acceptance.

        Messages of campaigns count too, whether delivered or not.

        Args:
            to: the number in E.164; None matches any.
            content: the whole text, or a pattern that is found in it; None matches any.
            count: exactly how many messages match; None is at least one.

        Raises:
            AssertionError: more or fewer match. The error shows what was sent instead, with
                numbers and texts in full, since a test made them up.
            ValueError: `to` is not in E.164, so that no message could match.

        """
        __tracebackhide__ = True
        return find_sent(self.messages, to=to, content=content, count=count)

    def last_code(self, number: str) -> str:
        """Return the one-time code, 4 to 8 digits, in the newest message to a number.

        It is the rule by which the inbox offers a code, too: amounts, quantities, dates, years,
        times, and the numbers of phones, hotlines, houses, orders, accounts and cards are not a
        code, in Portuguese and English. Four digits like a year are one where a word such as
        `código` says so, and so are two groups of three: of `482-910` the code is `482910`.

        Raises:
            AssertionError: there is no message, no code in it, or more than one.
            ValueError: the number is not in E.164.

        """
        __tracebackhide__ = True
        return find_code(self.inbox(number), number)

    @property
    def campaigns(self) -> Sequence[CampaignRecord]:
        """Every campaign as it is now, in order of acceptance."""
        with self._lock:
            return list(self._service.store.campaigns)

    @property
    def contacts(self) -> Mapping[str, ContactRecord]:
        """Every contact, by its number."""
        return dict(self._service.store.contacts)

    @property
    def balance(self) -> Decimal:
        """The balance of the account."""
        return self._service.store.balance

    @property
    def changes(self) -> ChangeLog:
        """The log of every change to messages, campaigns and contacts; another after `clear`."""
        with self._lock:
            return self._service.store.changes

    @property
    def requests(self) -> Sequence[Arrival]:
        """Every request that reached the service, in order."""
        return list(self._service.arrivals)

    def requests_since(self, position: int) -> Sequence[Arrival]:
        """Return the requests that reached the service after the first `position`, in order."""
        return self._service.arrivals[position:]

    @property
    def latest(self) -> Arrival | None:
        """The last request that reached the service."""
        arrivals = self._service.arrivals
        return arrivals[-1] if arrivals else None

    def arrivals(self, bucket: str) -> Sequence[float]:
        """Return when requests of a bucket arrived, in seconds on the service's clock."""
        return [arrival.at for arrival in self.requests if arrival.bucket == bucket]

    @property
    def levels(self) -> Sequence[BucketLevel]:
        """The level of each bucket now, for each API key that has used one."""
        with self._lock:
            return self._service.levels()

    @property
    def dialect(self) -> Dialect:
        """The dialect of every response."""
        return self._service.store.dialect
