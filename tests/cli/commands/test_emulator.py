"""`ziett emulator`: a Ziett for programs in any language."""

import json
import re
import signal
import socket
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from http.client import HTTPConnection
from io import StringIO
from pathlib import Path
from subprocess import Popen, check_output
from time import sleep
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from ziett_async.cli import main
from ziett_async.cli._service import make_delivery, make_latency, make_limits, make_service
from ziett_async.cli.commands import emulator
from ziett_async.emulator._tcp import listen
from ziett_async.testing import Dialect, Quota

Start = Callable[..., Popen[bytes]]
SEND = json.dumps(
    {
        "remitter_id": "019b4b56-e704-7c30-83a0-527df63c3e00",
        "channel_type": "SMS",
        "target_e164": "+244923456789",
        "content": "Olá",
    }
)


def request(url: str, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
    """Make a request as the printed lines say."""
    client = HTTPConnection(url.removeprefix("http://"), timeout=10)
    headers = {"X-API-KEY": "zk_test_local", "Content-Type": "application/json"}
    client.request(method, path, body, headers)
    response = client.getresponse()
    document = json.loads(response.read())
    client.close()
    return response.status, document


def url_of(process: Popen[bytes]) -> str:
    """Wait for the line with the address."""
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline().decode())
    assert found is not None
    return found[0]


def pasted(said: str) -> set[str]:
    """Give the printed settings to a shell; return those that a program is given by it then."""
    lines = [line for line in said.splitlines() if " ZIETT_" in line]
    script = "\n".join([*lines, "env"])
    output = check_output(["/bin/sh", "-c", script], env={}, text=True)  # noqa: S603 (our own lines)
    return {line for line in output.splitlines() if line.startswith("ZIETT_")}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(start: Start, ending: signal.Signals) -> None:
    """It prints settings that a shell understands, and ends with exit code 0 and one line."""
    process = start("-m", "ziett_async", "emulator", "--port", "0")
    url = url_of(process)
    assert request(url, "POST", "/c/v1/messages", SEND)[0] == 202
    process.send_signal(ending)
    said, complaints = process.communicate(timeout=30)
    assert pasted(said.decode()) == {
        f"ZIETT_BASE_URL={url}/c/v1",
        "ZIETT_API_KEY=zk_test_local",
        "ZIETT_REMITTER_ID=019b4b56-e704-7c30-83a0-527df63c3e00",
    }
    assert (said.splitlines()[-1], complaints, process.returncode) == (b"Stopped.", b"", 0)


def test_a_kill_loses_nothing_that_was_answered(start: Start, tmp_path: Path) -> None:
    """With `--state` the next start has it all."""
    arguments = ("-m", "ziett_async", "emulator", "--port", "0", "--state", str(tmp_path / "s"))
    first = start(*arguments)
    _, accepted = request(url_of(first), "POST", "/c/v1/messages", SEND)
    first.kill()
    first.wait(timeout=30)
    second = start(*arguments)
    _, page = request(url_of(second), "GET", "/c/v1/messages")
    assert [entry["id"] for entry in page["entries"]] == [accepted["message_id"]]


def test_a_second_emulator_on_one_state_file_is_one_line(start: Start, tmp_path: Path) -> None:
    """It does not start, and the first one goes on."""
    file = tmp_path / "s"
    arguments = ("-m", "ziett_async", "emulator", "--port", "0", "--state", str(file))
    url = url_of(start(*arguments))
    second = start(*arguments)
    said, complaints = second.communicate(timeout=30)
    assert (said, second.returncode) == (b"", 1)
    assert complaints.decode() == f"ziett emulator: {file} is in use by another emulator\n"
    assert request(url, "POST", "/c/v1/messages", SEND)[0] == 202


class Closing(Console):
    """A console that ends the program as soon as the address is printed."""

    def print(self, *args: object, **kwargs: object) -> None:
        """Print, and tell the process to stop."""
        print_: Callable[..., None] = super().print
        print_(*args, **kwargs)
        if "http" in str(args):
            signal.raise_signal(signal.SIGTERM)


def options(*arguments: str) -> Namespace:
    """Return what the command line makes of arguments."""
    parser = ArgumentParser()
    emulator.add_arguments(parser)
    return parser.parse_args(arguments)


def served(*arguments: str) -> str:
    """Serve in this process until SIGTERM; return what was printed."""
    screen, before = StringIO(), signal.getsignal(signal.SIGTERM)
    assert emulator.run(options(*arguments), Closing(file=screen, soft_wrap=True)) == 0
    assert signal.getsignal(signal.SIGTERM) is before
    return screen.getvalue()


def test_it_leaves_the_process_as_it_was(tmp_path: Path) -> None:
    """Stopped, with the signal's handler put back; a state file is there."""
    assert served("--port", "0").endswith("Stopped.\n")
    assert served("--state", str(tmp_path / "state")).endswith("Stopped.\n")
    assert (tmp_path / "state").exists()


def test_off_loopback_it_says_who_can_read_the_messages() -> None:
    """And how to keep them to this machine; on loopback there is no such line."""
    said = served("--port", "0", "--host", "0.0.0.0")  # noqa: S104 (that is what is tested)
    assert re.search(r"http://127\.0\.0\.1:\d+/c/v1", said)
    assert "Not on loopback" in said
    assert re.search(r"reaches 0\.0\.0\.0, port \d+, can read\neach message", said)
    assert re.search(r"-p 127\.0\.0\.1:(\d+):\1", said)
    assert "refuses an http address as ZIETT_BASE_URL" in said
    assert "Not on loopback" not in served("--port", "0", "--host", "127.0.0.1")


def hold(port: int) -> socket.socket:
    """Listen on a port that another run of these tests may have for an instant."""
    for _ in range(100):
        try:
            return listen(port)
        except OSError:
            sleep(0.05)
    return socket.socket()  # Another program keeps it, which will do, too.


def test_another_port_is_taken_when_the_usual_one_is() -> None:
    """Unless one was asked for; it says so, since programs may be set to the usual one."""
    taken = f"Port {emulator.USUAL_PORT} is taken"
    with hold(emulator.USUAL_PORT):
        said = served()
    assert f":{emulator.USUAL_PORT} " not in said
    assert taken in said
    assert taken not in served("--port", "0")


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It says who may have it and what to do; exit code 1."""
    with listen(0) as taken:
        assert main(["emulator", "--port", str(taken.getsockname()[1])]) == 1
    pattern = r"ziett emulator: .* in use.*another emulator running\? Leave out --port.*\n"
    assert re.fullmatch(pattern, capsys.readouterr().err)


def test_an_unusable_state_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether it cannot be read, or holds something else."""
    (tmp_path / "other").write_text("{}\n")
    for path in (tmp_path, tmp_path / "other"):
        assert main(["emulator", "--state", str(path)]) == 1
        said = capsys.readouterr().err
        assert said.startswith("ziett emulator: ")
        assert said.count("\n") == 1
        assert "--port" not in said


def test_limits_are_scaled_replaced_and_left_out() -> None:
    """What `--limit`, `--scale` and `--no-limits` make of the documented ones."""
    limits = make_limits(options("--limit", "send=5/2", "--scale", "2"))
    assert limits["send"] == Quota(5, 1.0)
    assert limits["list"] == Quota(60, 30.0)
    assert make_limits(options("--no-limits")) == {}


def test_each_operator_may_have_its_times_and_failures() -> None:
    """What is said of one counts for it, what is said of none for all."""
    delivery = make_delivery(
        options("--sent-after", "2", "--final-after", "UNITEL=7", "--failed", "OTHER=1")
    )
    lot = UUID(int=0)
    unitel, other = (delivery.of_message(lot, name) for name in ("UNITEL", "OTHER"))
    assert [(step.after, step.status) for step in unitel] == [(2, "SENT"), (9, "DELIVERED")]
    assert [(step.after, step.status) for step in other] == [(2, "SENT"), (12, "FAILED")]


def test_latency_has_its_jitter() -> None:
    """Drawn from the seed, so that a run repeats."""
    draws = [make_latency(options("--latency", "1", "--jitter", "0.5")) for _ in range(2)]
    first, second = ([draw() for _ in range(20)] for draw in draws)
    assert first == second
    assert all(1 <= seconds <= 1.5 for seconds in first)
    assert len(set(first)) > 1


def test_money_is_as_it_is_set() -> None:
    """Balance and price, of a message or of each of its parts."""
    service = make_service(options("--balance", "20"))
    assert service.balance == 20
    assert service.add_message(content="x" * 161).cost == 15
    service = make_service(options("--price", "3", "--price-per-part"))
    assert service.add_message(content="x" * 161).cost == 6


@pytest.mark.parametrize("name", ["site", "reference", "conventions"])
def test_it_speaks_the_dialect_that_is_named(name: str) -> None:
    """One of the three; ids of version 7 only are asked for apart from it."""
    assert make_service(options("--dialect", name)).dialect == Dialect.named(Dialect(), name)
    assert make_service(options("--uuid7")).dialect == Dialect(ids="uuid7")


def test_a_dialect_that_there_is_not_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """With the choices, and exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main(["emulator", "--dialect", "core"])
    said = capsys.readouterr().err
    assert all(name in said for name in ("site", "reference", "conventions"))


def test_no_trace_id_comes_twice_across_restarts(start: Start, tmp_path: Path) -> None:
    """Of the service's errors and of the emulator's own, with the same seed and state file."""
    arguments = ("-m", "ziett_async", "emulator", "--port", "0", "--state", str(tmp_path / "s"))
    traces = list[str]()
    for _ in range(2):
        process = start(*arguments)
        url = url_of(process)
        for method, path, body in (
            ("GET", f"/c/v1/messages/{UUID(int=1)}", None),
            ("GET", "/_emulator/nothing", None),
            ("POST", "/c/v1/messages", "{}"),
            ("POST", "/c/v1/messages", SEND),
        ):
            traces += [request(url, method, path, body)[1].get("trace_id", "")]
        process.kill()
        process.wait(timeout=30)
    errors = [trace for trace in traces if trace]
    assert all(re.fullmatch("[0-9a-f]{32}", trace) for trace in errors)
    assert len(set(errors)) == len(errors) == 6
