"""PostgreSQL's SKIP LOCKED, as docs/workers.md has it: killed workers send every message once."""

import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from tests.docs.cookbook._recipes import WORKERS, blocks, chapters, files, write
from tests.support.deadly import DeadlyZiett
from tests.support.fleet import Fleet, environment, received
from ziett_async import SystemClock
from ziett_async.emulator import Emulator

RECIPE = "PostgreSQL and SKIP LOCKED"
NUMBERS = [f"+2449231{index:05}" for index in range(40)]
[SCHEMA] = [text for language, text in blocks(chapters(WORKERS)[RECIPE]) if language == "sql"]


class Outbox:
    """The table, and workers that send its rows."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._db = psycopg.connect(url, autocommit=True)

    def create(self, *numbers: str) -> None:
        """Create the table, with a row for each number."""
        self._db.execute("DROP TABLE IF EXISTS outbox")
        self._db.execute(SCHEMA.encode())
        self.add(*numbers)

    def add(self, *numbers: str) -> None:
        """Insert a row for each number."""
        with self._db.cursor() as cursor:
            rows = [(each, "A sua factura está pronta.") for each in numbers]
            cursor.executemany("INSERT INTO outbox (number, content) VALUES (%s, %s)", rows)

    def count(self, status: str) -> int:
        """Return how many rows have a status."""
        row = self._db.execute("SELECT count(*) FROM outbox WHERE status = %s", [status]).fetchone()
        assert row is not None
        return int(row[0])

    def run(self, fake: DeadlyZiett, machines: int = 2) -> int:
        """Send all rows with workers that are killed; return how often they were."""
        with Emulator(fake, latency=0.02) as emulator:
            settings = environment(emulator.base_url, DATABASE_URL=self._url)
            commands = [[sys.executable, "-W", "error", "outbox.py"]] * machines
            with Fleet(commands, self._folder, settings) as fleet:
                fake.sender = fleet
                fleet.run_until(lambda: not self.count("queued"))
        return fleet.kills

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


@pytest.fixture
def outbox(tmp_path: Path, postgres_url: str) -> Generator[Outbox]:
    """Lend the recipe, as it is printed, with its table."""
    write(RECIPE, tmp_path, page=WORKERS)
    outbox = Outbox(tmp_path, postgres_url)
    outbox.create(*NUMBERS)
    yield outbox
    outbox.close()


def test_killed_three_times_the_table_is_sent_once(outbox: Outbox) -> None:
    """All workers at once, each with a message that was accepted and of which it never hears."""
    fake = DeadlyZiett(5, 15, 25, clock=SystemClock(), held=2)
    assert outbox.run(fake) == 3
    assert received(fake) == Counter(NUMBERS)
    assert outbox.count("sent") == len(NUMBERS)


@pytest.mark.naive("A row of a table that is sent without a key of its own", "two for one kill")
def test_without_its_key_a_row_is_sent_twice(outbox: Outbox, tmp_path: Path) -> None:
    """The same kill finds out."""
    write(RECIPE, tmp_path, {", idempotency_key=key": ""}, WORKERS)
    fake = DeadlyZiett(5, clock=SystemClock())
    assert outbox.run(fake, machines=1) == 1
    assert (received(fake) - Counter(NUMBERS)).total() == 1


def test_what_is_refused_is_not_tried_again(outbox: Outbox) -> None:
    """Its row says so, and all others are sent."""
    outbox.create("12", *NUMBERS[:3])
    fake = DeadlyZiett(clock=SystemClock())
    outbox.run(fake, machines=1)
    assert (outbox.count("sent"), outbox.count("refused")) == (3, 1)


def test_the_worker_is_25_lines() -> None:
    """Imports and SQL included, blank lines not."""
    program = files(RECIPE, WORKERS)["outbox.py"]
    lines = [line for line in program.splitlines() if line.strip()]
    assert len(lines) - 1 <= 25  # the first one names the file
