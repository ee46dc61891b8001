"""Dialects: where the API's pages contradict each other, which of them the fake follows."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, get_args
from uuid import UUID

import attrs

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: The switches that differ between the generations of pages, by dialect.
_PAGES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "site": {
            "list_entry": "site",
            "retrieve": "site",
            "timestamps": "offset",
            "not_found": "NOT_FOUND",
        },
        "reference": {
            "list_entry": "reference",
            "retrieve": "reference",
            "timestamps": "milliseconds",
            "not_found": "NOT_FOUND",
        },
        # No page of the conventions shows Get Message, so it is as on the site.
        "conventions": {
            "list_entry": "conventions",
            "retrieve": "site",
            "timestamps": "offset",
            "not_found": "RESOURCE_NOT_FOUND",
        },
    }
)
#: The names of the dialects, the current one first.
DIALECTS = tuple(_PAGES)


def parse_uuid(text: str) -> UUID | None:
    """Return the id, or None if the text is not in the canonical form with hyphens."""
    return UUID(text) if _UUID.fullmatch(text) else None


def _check_choice(_: object, attribute: "attrs.Attribute[object]", value: object) -> None:
    choices = get_args(attribute.type)
    if value not in choices:
        message = f"{attribute.name} must be one of: {', '.join(choices)}; got {value!r}"
        raise ValueError(message)


def _choice(default: object) -> Any:  # noqa: ANN401 (an attribute may have any type)
    return attrs.field(default=default, validator=_check_choice)


def _as_named(switch: str) -> Any:  # noqa: ANN401 (an attribute may have any type)
    """Return an attribute whose default is the setting of the dialect's pages."""

    def default(dialect: "Dialect") -> str | None:
        return _PAGES.get(dialect.name, {}).get(switch)

    return _choice(attrs.Factory(default, takes_self=True))


@attrs.frozen(kw_only=True)
class Dialect:
    """One reading of the documented API; by default that of its current pages.

    `Dialect(name="reference")` follows the older, wider reference; each of the four switches
    below the name can be set independently of it.

    Raises:
        ValueError: a switch has no such setting.

    """

    #: The pages that it follows: `site`, the current reference; `reference`, the older, wider
    #: one; or `conventions`.
    name: Literal["site", "reference", "conventions"] = _choice("site")
    #: An entry of a message list. `site`: `target_e164`, `remitter_id`, `content`, `SENT`.
    #: `reference`: the same keys as Get Message. `conventions`: `to`, `body`, `sent`.
    list_entry: Literal["site", "reference", "conventions"] = _as_named("list_entry")
    #: One message, and campaigns. `site`: `provider_name`, and `sms_remitter` has `id` and
    #: `name`. `reference`: `provider_id`, `contact`, `campaign`; `sms_remitter` has `name` alone.
    retrieve: Literal["site", "reference"] = _as_named("retrieve")
    #: `offset`: `.123456+00:00`. `z`: `.123456Z`. `milliseconds`: `.123Z`, and nothing finer
    #: is stored, so that bounds and rows agree. `truncated`: `.123Z`, while rows are stored,
    #: compared and sorted by microseconds and bounds are truncated, as in a JavaScript
    #: server in front of a database.
    timestamps: Literal["offset", "z", "milliseconds", "truncated"] = _as_named("timestamps")
    #: The code of a 404.
    not_found: Literal["NOT_FOUND", "RESOURCE_NOT_FOUND"] = _as_named("not_found")
    #: Which ids are accepted: any UUID, or only version 7, as some pages require.
    ids: Literal["uuid", "uuid7"] = _choice("uuid")
    #: Whether the 202 has `"status": "QUEUED"` beside `message_id`.
    accepted_status: bool = False
    #: Whether responses carry `X-RateLimit-*`.
    rate_limit_headers: bool = False
    #: Whether a 429 carries `Retry-After`, which only the wider pages document.
    retry_after: bool = True
    #: Whether rate limits are per API key, or per organisation, as the API plans.
    limits_per: Literal["key", "organisation"] = _choice("key")
    #: The values of `channel_type` that `POST /messages` accepts; any other is a 422.
    channels: tuple[str, ...] = ("SMS",)
    #: The bucket of the campaign lists: that of `GET /messages`, or that of the other GETs.
    campaign_lists: Literal["list", "read"] = _choice("list")

    def named(self, name: str) -> "Dialect":
        """Return this dialect with the switches of other pages.

        Raises:
            ValueError: there is no such dialect.

        """
        changes: Mapping[str, Any] = {"name": name, **_PAGES.get(name, {})}
        return attrs.evolve(self, **changes)

    @property
    def trigger_source(self) -> str:
        """The `trigger_source` of a message that was sent through the API."""
        return "API_CLIENT" if self.retrieve == "reference" else "API"

    @property
    def insufficient_funds(self) -> str:
        """The message of a 402."""
        message = "Your account balance is too low to process this request."
        advice = " Please top up your credits."
        return message if self.name == "conventions" else message + advice

    def parse_id(self, text: str) -> UUID | None:
        """Return an id, or None if this dialect does not accept it."""
        found = parse_uuid(text)
        return None if found and self.ids == "uuid7" and found.version != 7 else found

    @property
    def id_problem(self) -> str:
        """The field message for an id that is not accepted."""
        return "must be a valid UUID v7" if self.ids == "uuid7" else "must be a UUID"

    def to_precision(self, moment: datetime) -> datetime:
        """Return a moment in UTC, at the precision of stored timestamps.

        Raises:
            ValueError: the moment is naive.

        """
        if moment.tzinfo is None:
            message = f"a moment must be aware, got the naive {moment.isoformat()}"
            raise ValueError(message)
        moment = moment.astimezone(UTC)
        return _truncated(moment) if self.timestamps == "milliseconds" else moment

    def to_bound(self, moment: datetime | None) -> datetime | None:
        """Return the bound of a list at the precision with which it is compared."""
        return _truncated(moment) if moment and self.timestamps == "truncated" else moment

    def format_timestamp(self, moment: datetime) -> str:
        """Return a UTC moment as a response shows it."""
        if self.timestamps == "offset":
            return moment.isoformat(timespec="microseconds")
        timespec = "microseconds" if self.timestamps == "z" else "milliseconds"
        return moment.replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def _truncated(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
