"""The script that survives a crash: killed for good, in the moments that matter."""

import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.docs.cookbook._recipes import write
from tests.docs.cookbook.conftest import StartScript
from tests.support.deadly import DeadlyZiett
from ziett_async import SystemClock
from ziett_async.emulator._tcp import listen
from ziett_async.testing import Fault
from ziett_async.testing.emulator import Emulator

RECIPE = "A CSV file that survives a crash"
NUMBERS = [f"+2449231{index:05}" for index in range(50)]
#: More than are under way at the same time, and as many as the limit lets through at once.
MORE_NUMBERS = [f"+2449232{index:05}" for index in range(90)]
DAY = 24 * 60 * 60


class Outbox:
    """The script with its file, and the service it sends to."""

    def __init__(self, folder: Path, start: StartScript) -> None:
        self._start = start
        self.csv = folder / "messages.csv"
        self.fake = DeadlyZiett()
        self.printed = ""

    def write(self, *numbers: str) -> None:
        """Write the CSV file anew."""
        lines = [f'{number},"Olá, {number}"\n' for number in numbers]
        self.csv.write_text("".join(["number,content\n", *lines]), encoding="utf-8")

    def run(self) -> int:
        """Start the script, wait for its end and return its exit code."""
        with Emulator(self.fake) as emulator:
            return self.run_against(emulator.base_url)

    def run_against(self, base_url: str) -> int:
        """Run it against any service, or none."""
        code, self.printed = self.fake.run(
            lambda: self._start(base_url, "send_csv.py", self.csv.name)
        )
        return code

    def until_done(self) -> list[int]:
        """Run it until it ends by itself; return the exit codes."""
        codes = [self.run()]
        while codes[-1] < 0:
            codes.append(self.run())
        return codes

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        """Ask the journal, or change it."""
        with closing(sqlite3.connect(self.csv.with_suffix(".journal"))) as journal, journal:
            return journal.execute(statement).fetchall()

    @property
    def received(self) -> Counter[str]:
        """How many messages each number has got."""
        return Counter(message.target_e164 for message in self.fake.messages)


@pytest.fixture
def outbox(tmp_path: Path, start_script: StartScript) -> Outbox:
    """Lend the script, as it is printed."""
    write(RECIPE, tmp_path)
    return Outbox(tmp_path, start_script)


def test_killed_three_times_it_sends_every_message_once(outbox: Outbox) -> None:
    """Each time when the service has accepted what the script will never hear of."""
    outbox.fake = DeadlyZiett(1, 17, 40)
    outbox.write(*NUMBERS)
    assert outbox.until_done() == [-signal.SIGKILL] * 3 + [0]
    assert outbox.received == Counter(NUMBERS)


def test_without_the_journal_messages_are_sent_twice(outbox: Outbox, tmp_path: Path) -> None:
    """The same kills find out."""
    write(RECIPE, tmp_path, {', journal=path.with_suffix(".journal")': ""})
    outbox.fake = DeadlyZiett(1, 17, 40)
    outbox.write(*NUMBERS)
    assert outbox.until_done() == [-signal.SIGKILL] * 3 + [0]
    assert max(outbox.received.values()) > 1


def test_only_what_is_unknown_is_sent_again(outbox: Outbox) -> None:
    """What was answered, and is stored, is no request any more."""
    outbox.fake = DeadlyZiett(80)
    outbox.write(*MORE_NUMBERS)
    assert outbox.run() == -signal.SIGKILL
    known = {key for (key,) in outbox.ask("SELECT key FROM records WHERE accepted_id > ''")}
    before = len(outbox.fake.requests)
    assert outbox.run() == 0
    again = [request.idempotency_key for request in outbox.fake.requests[before:]]
    assert known
    assert known.isdisjoint(again)
    assert len(again) == len(set(again)) == len(MORE_NUMBERS) - len(known)


def test_lines_may_be_added(outbox: Outbox) -> None:
    """The next start sends them and no other."""
    outbox.write(*NUMBERS[:2])
    assert outbox.run() == 0
    outbox.write(*NUMBERS[:4])
    assert outbox.run() == 0
    assert len(outbox.fake.requests) == 4
    assert outbox.received == Counter(NUMBERS[:4])


def test_what_is_refused_is_reported_and_not_tried_again(outbox: Outbox) -> None:
    """It is no reason to start again."""
    outbox.write("12", NUMBERS[0])
    for _ in range(2):
        assert outbox.run() == 0
        assert outbox.printed.startswith("line 2: send_message: target_e164: ")
    assert outbox.received == Counter(NUMBERS[:1])


@pytest.mark.parametrize("fault", [Fault.lose_answer(), Fault.gateway_error(502)], ids=str)
def test_what_was_not_answered_is_sent_at_the_next_start(outbox: Outbox, fault: Fault) -> None:
    """Within a day, with the same key; a proxy's answer is none."""
    outbox.write(NUMBERS[0])
    with outbox.fake.script(*[fault] * 3):
        assert outbox.run() == 1
    assert outbox.printed.startswith("line 2, start again: send_message (attempt 3): ")
    assert (outbox.run(), outbox.printed) == (0, "")
    assert outbox.received == Counter(NUMBERS[:1])


@pytest.mark.parametrize(
    ("fault", "code"), [(Fault.lose_answer(), 0), (Fault.reset(), 1)], ids=["found", "not found"]
)
def test_after_a_day_a_line_is_looked_up(outbox: Outbox, fault: Fault, code: int) -> None:
    """The service has forgotten the key: what its list does not show, a person has to look for."""
    outbox.fake = DeadlyZiett(clock=SystemClock())
    outbox.write(*NUMBERS[:2])
    with outbox.fake.script(*[fault] * 6):
        assert outbox.run() == 1
    # As if the machine's clock had been wrong by so much, but not the service's.
    outbox.ask(f"UPDATE records SET begun_at = begun_at - {DAY} WHERE row = 0")  # noqa: S608 (ours)
    sends = len(outbox.fake.arrivals("send"))
    assert outbox.run() == code
    assert ("more than 23 hours old" in outbox.printed) is bool(code)
    assert len(outbox.fake.arrivals("send")) == sends + 1


def test_what_certainly_was_not_sent_can_be_sent_whenever(outbox: Outbox) -> None:
    """A service that could not be reached has nothing to remember."""
    outbox.write(NUMBERS[0])
    with closing(listen(0)) as listener:
        port = listener.getsockname()[1]
    assert outbox.run_against(f"http://127.0.0.1:{port}/c/v1") == 1
    assert outbox.ask("SELECT begun_at FROM records") == [(None,)]
    assert outbox.run() == 0
    assert outbox.received == Counter(NUMBERS[:1])
