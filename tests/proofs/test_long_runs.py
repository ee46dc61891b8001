"""The longest runs, in a session of their own: `python -m nox -s long_runs`.

5,000 contacts of a CSV file through twenty kills, at the full speed of an account that is allowed
3,000 sends a minute; and a million rows in the memory of some thousand.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import pytest

from tests.docs.cookbook import _recipes
from tests.support.deadly import DeadlyZiett
from tests.support.samples import API_KEY, REMITTER
from ziett_async import SystemClock
from ziett_async.emulator import Emulator
from ziett_async.testing import Quota

# Ten times what they take where nothing else runs.
pytestmark = [pytest.mark.long_run, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
#: Every hundredth contact has no number; the others get a message.
CONTACTS = [f"+2449{20_000_000 + row}" if row % 100 else "12" for row in range(5000)]
ACCEPTED = Counter(number for number in CONTACTS if number != "12")
#: Messages that are accepted when a run is killed.
KILLS = [ACCEPTED.total() * kill // 21 for kill in range(1, 21)]
#: Sends a minute, which the emulator enforces: it takes more than one minute.
LIMIT = 3000
ROWS = 1_000_000
#: Kilobytes that a run may grow by, from its ten-thousandth row to its last.
MOST_GROWTH = 4096

#: Starts a program that sends to a base URL.
Start = Callable[[str], subprocess.Popen[str]]


def popen(folder: Path, base_url: str, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start Python in a folder, with what a user has in the environment."""
    settings = {
        "PYTHONPATH": str(ROOT),
        "ZIETT_API_KEY": API_KEY,
        "ZIETT_BASE_URL": base_url,
        "ZIETT_REMITTER_ID": REMITTER,
    }
    return subprocess.Popen(  # noqa: S603 - Python itself
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def from_python(tmp_path: Path) -> Start:
    """Start the cookbook's script; it differs in the limit of the account."""
    limiter = f"TokenBucketLimiter(send=Rate({LIMIT}, per=60.0))"
    changed = {
        "import AsyncZiett, NewMessage": "import AsyncZiett, NewMessage, Rate, TokenBucketLimiter",
        "AsyncZiett()": f"AsyncZiett(limiter={limiter})",
    }
    _recipes.write("A CSV file that survives a crash", tmp_path, changed)
    lines = ["number,content", *(f'{number},"Olá, {number}"' for number in CONTACTS)]
    (tmp_path / "contacts.csv").write_text("\n".join(lines), "utf-8")
    return lambda base_url: popen(tmp_path, base_url, ["send_csv.py", "contacts.csv"])


@pytest.fixture
def from_the_command_line(tmp_path: Path) -> Start:
    """Start `ziett bulk`."""
    (tmp_path / "contacts.csv").write_text("\n".join(["telefone", *CONTACTS]), "utf-8")
    command = ["-m", "ziett_async", "bulk", "contacts.csv", "--template", "Olá, {telefone}"]
    options = ["--yes", "--per-minute", str(LIMIT)]
    return lambda base_url: popen(tmp_path, base_url, [*command, *options])


@pytest.mark.promise("A run killed at any moment and started again sends every message once")
@pytest.mark.parametrize(
    ("way", "finished"), [("from_python", 0), ("from_the_command_line", 1)], ids=["python", "cli"]
)
def test_five_thousand_contacts_killed_twenty_times_get_one_message_each(
    request: pytest.FixtureRequest, way: str, finished: int
) -> None:
    """At the limit's full speed: 3,000 in the first minute, and the rest after it."""
    start: Start = request.getfixturevalue(way)
    fake = DeadlyZiett(*KILLS, clock=SystemClock(), limits={"send": Quota(LIMIT)})
    codes, began = list[int](), monotonic()
    with Emulator(fake) as emulator:
        while not codes or codes[-1] < 0:
            code, _ = fake.run(lambda: start(emulator.base_url), timeout=300)
            codes.append(code)
    assert codes == [-signal.SIGKILL] * 20 + [finished]
    assert Counter(message.target_e164 for message in fake.messages) == ACCEPTED
    # A minute is unavoidable; the rest is twenty starts, and what else the machine is doing.
    assert monotonic() - began < 3 * 60


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_a_million_rows_take_the_memory_of_some_thousand(tmp_path: Path) -> None:
    """A stream of them with a journal, which is read again when the run is started again."""
    command = [sys.executable, "-m", "tests.support.long_list", "million.journal", str(ROWS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for _ in range(2):
        printed = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True)  # noqa: S603
        early, late, accepted = map(int, printed.split())
        assert accepted == ROWS
        assert late - early < MOST_GROWTH
