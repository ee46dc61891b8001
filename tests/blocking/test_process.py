"""Real processes: interrupted from outside, and at their end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ziett_async
from tests.support.samples import REMITTER
from ziett_async import Request
from ziett_async._fake.faults import Ending, Exchange
from ziett_async.emulator import Emulator
from ziett_async.testing import FakeZiett, Fault

ROOT = Path(ziett_async.__file__).parents[1]
BEGIN = """
import atexit, contextlib, threading
from ziett_async import ConfigurationError, NewMessage
from ziett_async.blocking import Ziett

NUMBER = "+244923456789"
"""


class Service(FakeZiett):
    """Sends Ctrl-C to its client when a message has come that is not answered."""

    process: subprocess.Popen[str] | None = None

    def exchange(self, request: Request) -> Exchange:
        """Answer, or interrupt."""
        exchange = super().exchange(request)
        if exchange.ending is Ending.STALLED and self.process is not None:
            self.process.send_signal(signal.SIGINT)
        return exchange


@pytest.fixture
def fake() -> Service:
    """Return the service."""
    return Service(limits={})


@pytest.fixture
def base_url(fake: Service) -> Iterator[str]:
    """Yield its address."""
    with Emulator(fake) as emulator:
        yield emulator.base_url


def start(code: str, base_url: str) -> subprocess.Popen[str]:
    """Start a program, with every warning as an error."""
    settings = {
        "PYTHONPATH": str(ROOT),
        "ZIETT_BASE_URL": base_url,
        "ZIETT_API_KEY": "zk_test_x",
        "ZIETT_REMITTER_ID": REMITTER,
    }
    return subprocess.Popen(  # noqa: S603 (ours)
        [sys.executable, "-W", "error", "-c", BEGIN + code],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, base_url: str) -> tuple[int, str, str]:
    """Run a program; return its exit code and what it printed."""
    with start(code, base_url) as process:
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err


def test_ctrl_c_ends_a_call_at_once_and_the_program_goes_on(fake: Service, base_url: str) -> None:
    """The same key sends nothing twice."""
    code = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
with Ziett() as client:
    try:
        client.send_message(NUMBER, content="Olá", idempotency_key="order-7")
    except KeyboardInterrupt:
        print("interrupted")
    client.send_message(NUMBER, content="Olá", idempotency_key="order-7")
"""
    with fake.script(Fault.stall()), start(code, base_url) as process:
        fake.process = process
        assert process.communicate(timeout=30) == ("interrupted\n", "")
    assert process.returncode == 0
    fake.assert_sent(to="+244923456789")


def test_ctrl_c_ends_a_program(fake: Service, base_url: str) -> None:
    """With its traceback alone, and the exit code of every interrupted program."""
    code = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
client = Ziett()
for outcome in client.send_many([NewMessage(NUMBER, f"Olá {n}") for n in range(5)]):
    pass
"""
    with fake.script(Fault.stall()), start(code, base_url) as process:
        fake.process = process
        _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert err.count("Traceback") == 1


ENDINGS = {
    "with an open client, after a name was looked up": """
import os
client = Ziett(base_url=os.environ["ZIETT_BASE_URL"].replace("127.0.0.1", "localhost"))
client.send_message(NUMBER, content="Olá")
""",
    "in the middle of a run with a journal": """
import tempfile
client = Ziett()
messages = (NewMessage(NUMBER, f"Olá {n}") for n in range(100))
outcomes = client.send_many(messages, journal=f"{tempfile.mkdtemp()}/run.journal")
next(outcomes)
""",
    "while a daemon waits": """
client = Ziett()
client.send_message(NUMBER, content="Olá")
def wait():
    with contextlib.suppress(ConfigurationError):
        client.wait_until_final(client.send_message(NUMBER, content="Olá").message_id)
threading.Thread(target=wait, daemon=True).start()
""",
    "and closes its client then, beside one that was never used": """
unused, client = Ziett(), Ziett()
atexit.register(client.close)
client.send_message(NUMBER, content="Olá")
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_process_ends_and_prints_nothing(base_url: str, ending: str) -> None:
    """At once, and nothing is left behind that would warn."""
    assert run(ENDINGS[ending], base_url) == (0, "", "")


def test_threads_that_outlive_the_main_one_finish_their_calls(fake: Service, base_url: str) -> None:
    """The event loop ends after them."""
    code = """
client = Ziett()
client.send_message(NUMBER, content="Olá")
def send():
    for number in range(20):
        client.send_message(NUMBER, content=f"Olá {number}")
for _ in range(2):
    threading.Thread(target=send).start()
"""
    assert run(code, base_url) == (0, "", "")
    assert len(fake.messages) == 41
