"""Filters of lists, as options."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta

import pytest

from ziett_async import MessageFilters
from ziett_async.cli._filters import add_filters, filters_of, moment


def parsed(*arguments: str) -> MessageFilters:
    """Return the filters that options set."""
    parser = ArgumentParser()
    add_filters(parser)
    return filters_of(parser.parse_args(arguments))


def test_every_filter_has_its_option() -> None:
    """Named for people, with the client's names behind them."""
    given = {
        "--search": "q",
        "--campaign": "campaign_id",
        "--contact": "contact_id",
        "--remitter": "sms_remitter_id",
        "--operator": "channel_destination",
    }
    for option, name in given.items():
        assert name in parsed(option, "x")
    assert parsed("--channel", "SMS", "--status", "sent", "--order", "asc") == {
        "channel_type": ["SMS"],
        "status": ["SENT"],
        "order": "asc",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-07-14T10:30Z", datetime(2025, 7, 14, 10, 30, tzinfo=UTC)),
        ("2025-07-14T11:30+01:00", datetime(2025, 7, 14, 10, 30, tzinfo=UTC)),
        ("2025-07-14", datetime(2025, 7, 14).astimezone()),
    ],
)
def test_a_moment_is_a_date_with_or_without_a_time(text: str, expected: datetime) -> None:
    """In local time, unless it has an offset."""
    assert moment(text) == expected


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("24h", 86400), ("7d", 604800)])
def test_a_moment_may_be_so_long_ago(text: str, seconds: float) -> None:
    """In minutes, hours or days."""
    ago = datetime.now(UTC) - moment(text)
    assert abs(ago - timedelta(seconds=seconds)) < timedelta(seconds=10)


@pytest.mark.parametrize("text", ["yesterday", "", "d", "0001-01-01T00:00+14:00", "²d", "9999999d"])
def test_what_is_no_moment_is_a_usage_error(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Which shows the forms there are."""
    with pytest.raises(SystemExit):
        parsed("--since", text)
    assert "must look like 2025-07-14" in capsys.readouterr().err
