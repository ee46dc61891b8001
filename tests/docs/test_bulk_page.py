"""The worker of docs/bulk.md, run against the fake: 500 reminders in 15 lines."""

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.bulk import client_of
from tests.support.examples import BULK, FENCED, function_of
from ziett_async import AsyncZiett
from ziett_async.testing import FakeZiett, Fault

pytestmark = pytest.mark.anyio

Remind = Callable[[AsyncZiett, str, list[dict[str, str]]], Awaitable[None]]

ROWS = [
    {"id": f"a{index}", "phone": f"+2449234{index:05}", "name": "Ana", "time": "09:30"}
    for index in range(500)
]


@pytest.fixture
def remind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remind:
    """Lend the worker, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    worker: Remind = function_of(BULK, "remind")
    return worker


async def test_every_reminder_is_sent_once(
    remind: Remind, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the limit's speed, though answers are lost and one number is wrong; again, none is."""
    fake = FakeZiett()
    rows = [*ROWS, {**ROWS[0], "id": "wrong", "phone": "12"}]
    async with client_of(fake) as client:
        with fake.script(*[Fault.lose_answer(operation="send_message")] * 2):
            await remind(client, "2025-07-15", rows)
        assert fake.clock.monotonic() < 6 * 60
        requests = len(fake.requests)
        await remind(client, "2025-07-15", rows)
        assert len(fake.requests) == requests
    assert Counter(each.target_e164 for each in fake.messages) == Counter(r["phone"] for r in ROWS)
    printed = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in printed] == ["appointment wrong"] * 2


def test_the_worker_is_15_lines() -> None:
    """Imports and text included, blank lines not."""
    (program,) = [each for each in FENCED.findall(BULK.read_text("utf-8")) if "def remind" in each]
    assert len([line for line in program.splitlines() if line.strip()]) <= 15
