"""Where the API's pages contradict each other: which reading this fake answers in."""

from datetime import UTC, datetime
from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Dialect:
    """One reading of the documented API; the defaults are those of its core pages."""

    #: `core`: `target_e164`, `content`, `SENT`. `conventions`: `to`, `body`, `sent`.
    list_entry: Literal["core", "conventions"] = "core"
    #: `core`: `target_e164`, `remitter_id`, `provider_name`. `wider`: `e164_format`,
    #: `sms_remitter_id`, `provider_id`.
    retrieve: Literal["core", "wider"] = "core"
    #: `offset`: `.123456+00:00`. `z`: `.123456Z`. `milliseconds`: `.123Z`, and nothing is
    #: kept that is finer than what is shown, so that bounds and rows still agree.
    #: `truncated`: `.123Z`, cut from the microseconds that are kept, compared and sorted by,
    #: and bounds are cut, too: as where JavaScript stands in front of a database.
    timestamps: Literal["offset", "z", "milliseconds", "truncated"] = "offset"
    #: The code of a 404.
    not_found: Literal["RESOURCE_NOT_FOUND", "NOT_FOUND"] = "RESOURCE_NOT_FOUND"
    #: Whether `"status": "QUEUED"` stands beside `message_id`.
    accepted_status: bool = False
    #: Whether answers carry `X-RateLimit-*`.
    rate_limit_headers: bool = False
    #: Whether a 429 carries `Retry-After`, which only the wider pages promise.
    retry_after: bool = True
    #: Whose the limits are: each API key's, or all keys' together, as they are to become.
    limits_per: Literal["key", "organisation"] = "key"
    #: What `POST /messages` takes for `channel_type`; everything else is a 422.
    channels: tuple[str, ...] = ("SMS",)
    #: The bucket of the campaign lists: with `GET /messages` or with the other GETs.
    campaign_lists: Literal["list", "read"] = "list"

    def keep(self, moment: datetime) -> datetime:
        """Return the moment in UTC, as finely as this service knows it; it must be aware."""
        if moment.tzinfo is None:
            message = f"a moment must be aware, got the naive {moment.isoformat()}"
            raise ValueError(message)
        moment = moment.astimezone(UTC)
        return _cut(moment) if self.timestamps == "milliseconds" else moment

    def bound(self, moment: datetime | None) -> datetime | None:
        """Return the bound of a list as this service reads it."""
        return _cut(moment) if moment and self.timestamps == "truncated" else moment

    def stamp(self, moment: datetime) -> str:
        """Return a UTC moment as it stands in an answer."""
        if self.timestamps == "offset":
            return moment.isoformat(timespec="microseconds")
        finest = "microseconds" if self.timestamps == "z" else "milliseconds"
        return moment.replace(tzinfo=None).isoformat(timespec=finest) + "Z"


def _cut(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
