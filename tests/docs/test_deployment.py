"""The example of docs/deployment.md: its files, and their commands as processes on loopback."""

import json
import os
import re
import shlex
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from pathlib import Path
from subprocess import run
from time import monotonic, sleep
from typing import Any, TypeAlias

import httpx
import pytest
import yaml

from tests.docs.cookbook._recipes import WORKERS, files
from tests.support.fleet import ROOT, Fleet
from tests.support.valkey import StoreServer, free_port

FOLDER = Path(__file__).parents[2] / "docs" / "deployment"
COMPOSE = FOLDER / "compose.yaml"
CONTAINERS = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*Containerfile")}
NUMBERS = [f"+2449231{index:05}" for index in range(40)]
#: Of both workers, as the compose file has them.
THREADS = 2 * 8
#: Where the programs of the environment are, as in an image.
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

#: One service of the compose file.
Part: TypeAlias = Mapping[str, Any]


def parts(text: str) -> Mapping[str, Part]:
    """Return the services of a compose file."""
    services: Mapping[str, Part] = yaml.safe_load(text)["services"]
    return services


def instruction(container: str, name: str) -> str:
    """Return the words of an instruction of a container file."""
    found = re.search(rf"^(?:\w+ .*)?\b{name} (.+)$", CONTAINERS[container], re.MULTILINE)
    assert found, name
    return found[1]


class Stack:
    """The parts of the compose file as processes, each with the command that it has there."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        (folder / "valkey").mkdir()
        text = COMPOSE.read_text(encoding="utf-8")
        _, *options = shlex.split(parts(text)["valkey"]["command"])
        self._store = StoreServer(folder / "valkey", *options)
        self._emulator, self._service = free_port(), free_port()
        # As in the file, but for ports that are free here.
        ports = {"6379": self._store.port, "8420": self._emulator, "8000": self._service}
        self._ports = {each: str(port) for each, port in ports.items()}
        self._parts = parts(self._translated(text))
        self.running: dict[str, Fleet] = {}

    def start(self) -> None:
        """Start all of them, and wait until they are healthy."""
        stack = self._stack
        stack.callback(self._store.kill)
        self._store.start()
        entry = self._translated(instruction("emulator.Containerfile", "ENTRYPOINT"))
        self._start("emulator", json.loads(entry))
        check = instruction("emulator.Containerfile", "HEALTHCHECK --interval=5s CMD")
        self._wait_for(json.loads(self._translated(check)))
        for name, part in self._parts.items():
            if "Containerfile" in part.get("build", {}).get("dockerfile", "") and "command" in part:
                self._start(name, shlex.split(part["command"]))
        self._wait_for(self._parts["service"]["healthcheck"]["test"][1:])

    def post(self, path: str, number: str, key: str) -> int:
        """Ask the service to send a message; return the status."""
        url = f"http://127.0.0.1:{self._service}{path}"
        body = {"number": number, "content": "A sua factura está pronta."}
        return httpx.post(url, json=body, headers={"Idempotency-Key": key}).status_code

    def add_fault(self, **fault: object) -> None:
        """Have the emulator fail."""
        url = f"http://127.0.0.1:{self._emulator}/_emulator/faults"
        httpx.post(url, json=fault).raise_for_status()

    def of_emulator(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Read from the emulator's control API."""
        return httpx.get(f"http://127.0.0.1:{self._emulator}/_emulator{path}").json()

    @property
    def received(self) -> Counter[str]:
        """How many messages each number has got, by the emulator's ledger."""
        messages = self.of_emulator("/messages?limit=1000")["messages"]
        return Counter(message["target_e164"] for message in messages)

    @property
    def statuses(self) -> Counter[int | None]:
        """How many requests were answered how; None is not yet, or never."""
        requests = self.of_emulator("/requests?limit=500")["requests"]
        answers = (each["answer"] for each in requests if each["ending"] != "stalled")
        held = sum(each["ending"] == "stalled" for each in requests)
        return Counter({None: held}) + Counter(each["status"] for each in answers)

    def _translated(self, text: str) -> str:
        for name, value in {"0.0.0.0": "127.0.0.1", **self._ports}.items():  # noqa: S104 - not here
            text = re.sub(rf"\b{re.escape(name)}\b", value, text)
        return text

    def _start(self, name: str, command: list[str]) -> None:
        folder = self._folder / name
        folder.mkdir()
        for program in FOLDER.glob("*.py"):
            shutil.copy(program, folder)
        settings = self._parts[name].get("environment", {})
        environment = {"PATH": PATH, "PYTHONPATH": str(ROOT), **settings}
        if "VISIBILITY_TIMEOUT" in settings:
            environment["VISIBILITY_TIMEOUT"] = "1"
        fleet = Fleet([command], folder, environment, pause=1.0)
        self.running[name] = self._stack.enter_context(fleet)

    def _wait_for(self, check: list[str]) -> None:
        """Return when a health check succeeds."""
        wait_until(lambda: run(check, env={"PATH": PATH}, capture_output=True).returncode == 0)  # noqa: S603, PLW1510


def wait_until(is_done: Callable[[], bool], seconds: float = 40.0) -> None:
    """Return when it is done."""
    end = monotonic() + seconds
    while not is_done():
        assert monotonic() < end
        sleep(0.05)


@pytest.fixture
def stack(tmp_path: Path) -> Generator[Stack]:
    """Lend the example, running."""
    with ExitStack() as exits:
        stack = Stack(tmp_path, exits)
        stack.start()
        yield stack


def test_the_example_sends_every_message_once(stack: Stack) -> None:
    """Also those that are asked for twice, and those that the workers have when they are killed."""
    code, reminders = NUMBERS[0], NUMBERS[1:]
    for _ in range(2):
        assert stack.post("/codes", code, "code") == 202
    # Each thread of both workers gets no answer to a message that was accepted.
    stack.add_fault(kind="stall", operation="send_message", times=THREADS)
    for number in [*reminders, *reminders[:5]]:
        assert stack.post("/reminders", number, f"reminder-{number}") == 202
    wait_until(lambda: stack.statuses[None] == THREADS)
    workers = [stack.running["worker-1"], stack.running["worker-2"]]
    for each in workers:
        each.kill()
    for each in workers:
        each.run_until(lambda: len(stack.received) == len(NUMBERS))
    wait_until(lambda: stack.statuses.total() >= 2 + THREADS + len(reminders) + 5)
    assert stack.received == Counter(NUMBERS)
    assert set(stack.statuses) == {202, None}


def test_the_worker_is_the_recipe() -> None:
    """What docs/workers.md explains is what runs."""
    program = (FOLDER / "worker.py").read_text(encoding="utf-8")
    assert files("Celery on Valkey", WORKERS)["worker.py"] == f"# worker.py\n{program}"


@pytest.mark.parametrize("container", sorted(CONTAINERS))
def test_a_container_file_names_what_there_is(container: str) -> None:
    """Extras that the package has, and files of the clone, in which it is built."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [wanted] = re.findall(r"/ziett_async\[(\w+)\]", instruction(container, "RUN"))
    assert wanted in extras["optional-dependencies"]
    copied = re.findall(r"^COPY (.+) \S+$", CONTAINERS[container], re.MULTILINE)
    assert [name for each in copied for name in each.split() if not (ROOT / name).exists()] == []


def test_every_container_file_is_built() -> None:
    """The compose file names each of them, and no other."""
    built = {
        Path(part["build"]["dockerfile"]).name
        for part in parts(COMPOSE.read_text(encoding="utf-8")).values()
        if "build" in part
    }
    assert built == set(CONTAINERS)


def test_the_programs_import_what_is_installed() -> None:
    """What the container file of the service installs brings all that its programs import."""
    installs = re.findall(r"[\w-]+(?=\[|\"|\s|$)", instruction("Containerfile", "RUN"))
    brought = {"pydantic": "fastapi", "coredis": "ziett_async", "redis": "celery"}
    for program in FOLDER.glob("*.py"):
        found = re.findall(r"^(?:from|import) (\w+)", program.read_text("utf-8"), re.MULTILINE)
        outside = {each for each in found if each not in sys.stdlib_module_names}
        own = {path.stem for path in FOLDER.glob("*.py")}
        assert {brought.get(each, each) for each in outside - own} <= set(installs)
