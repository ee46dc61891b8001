"""What the documentation leaves open, as the fake's switches, and tables that mix them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import attrs

from ziett_async import ManualClock
from ziett_async.testing import Dialect, FakeZiett, Idempotency

Row = Mapping[str, object]
Choice = frozenset[tuple[str, object]]

#: Every switch with every setting; a `Dialect`'s, an `Idempotency`'s, or the fake's own.
SWITCHES: Mapping[str, Sequence[object]] = {
    "dialect.name": ("site", "reference", "conventions"),
    "dialect.list_entry": ("site", "reference", "conventions"),
    "dialect.retrieve": ("site", "reference"),
    "dialect.timestamps": ("offset", "z", "milliseconds", "truncated"),
    "dialect.not_found": ("NOT_FOUND", "RESOURCE_NOT_FOUND"),
    "dialect.ids": ("uuid", "uuid7"),
    "dialect.accepted_status": (False, True),
    "dialect.rate_limit_headers": (False, True),
    "dialect.retry_after": (True, False),
    "dialect.limits_per": ("key", "organisation"),
    "dialect.channels": (("SMS",), ("SMS", "WHATSAPP")),
    "dialect.campaign_lists": ("list", "read"),
    "idempotency.reused": (422, 409, 202),
    "idempotency.replays_count": (True, False),
    "idempotency.validates_first": (False, True),
    "idempotency.stores_refusals": (False, True),
    "idempotency.stores_server_errors": (False, True),
    "price_per_part": (False, True),
    "window": ("sliding", "fixed", "token_bucket"),
    "distinct_timestamps": (True, False),
}


def mixed(strength: int) -> list[Row]:
    """Return rows in which every `strength` switches meet in all of their settings.

    Greedy, and the same in every run: a row begins with a meeting that has not been yet, and
    each further switch gets the setting that makes the most of those.
    """
    missing = dict.fromkeys(meetings(strength))
    rows = list[Row]()
    while missing:
        row = _filled(dict(next(iter(missing))), missing, strength)
        for meeting in met(row, strength):
            missing.pop(meeting, None)
        rows.append(row)
    return rows


def meetings(strength: int) -> Iterator[Choice]:
    """Yield every mixture of settings of every so many switches."""
    for names in combinations(SWITCHES, strength):
        for settings in product(*(SWITCHES[name] for name in names)):
            yield frozenset(zip(names, settings, strict=True))


def _filled(row: dict[str, object], missing: Mapping[Choice, None], strength: int) -> Row:
    for name, settings in SWITCHES.items():
        if name in row:
            continue
        others = list(combinations(row.items(), strength - 1))
        counts = [
            sum(frozenset((*each, (name, setting))) in missing for each in others)
            for setting in settings
        ]
        row[name] = settings[counts.index(max(counts))]
    # In one order, whichever meeting it began with.
    return {name: row[name] for name in SWITCHES}


def met(row: Row, strength: int) -> set[Choice]:
    """Return the mixtures that meet in a row."""
    return {frozenset(meeting) for meeting in combinations(row.items(), strength)}


def title(row: Row) -> str:
    """Return a row in few words: what is not as it is by default."""
    changed = [
        f"{name.rpartition('.')[2]}={row[name]}"
        for name, settings in SWITCHES.items()
        if row[name] != settings[0]
    ]
    return ",".join(changed) or "default"


def serve(row: Row, clock: ManualClock, **settings: Any) -> FakeZiett:  # noqa: ANN401 (any of its)
    """Return a fake with these settings."""
    parts: dict[str, dict[str, Any]] = {"dialect": {}, "idempotency": {}, "": {}}
    for name, setting in row.items():
        part, _, field = name.rpartition(".")
        parts[part][field] = setting
    return FakeZiett(
        clock=clock,
        dialect=Dialect(**parts["dialect"]),
        idempotency=Idempotency(**parts["idempotency"]),
        **parts[""],
        **settings,
    )


def names_of(kind: type[Any], prefix: str) -> set[str]:
    """Return the switches of one of the fake's parts."""
    return {f"{prefix}.{field.name}" for field in attrs.fields(kind)}
