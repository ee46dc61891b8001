"""A server of PostgreSQL for a test, which may kill, restart and freeze it and set its clock.

psycopg is imported where it is used: `conftest.py` imports this for every run.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from subprocess import DEVNULL, Popen
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import Any, NamedTuple

import pytest

from tests.support.faketime import Clock
from tests.support.valkey import HOST, free_port

#: Seconds until a server answers or has ended, at the most.
_START = 20.0
#: What a run without a server says.
MISSING = "no server of PostgreSQL: apt-get install postgresql"
#: It does not run as root.
_NAME = "postgres"


def _folder() -> Path | None:
    """Return where the server's programs are: on PATH, or where Debian puts the newest."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: each.parts[-2])
    return folders[-1] if folders else None


PROGRAMS = _folder()


class _User(NamedTuple):
    """Who runs a server; nothing is the user of the tests."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None


def _user() -> _User:
    """Return another user than root."""
    if os.geteuid():
        return _User()
    try:
        found = pwd.getpwnam(_NAME)
    except KeyError:
        found = pwd.getpwnam("nobody")
    return _User(found.pw_uid, found.pw_gid, ())


class PostgresServer:
    """A server of its own, which is removed with all that it has."""

    def __init__(self) -> None:
        if PROGRAMS is None:
            pytest.skip(MISSING)
        self._programs = PROGRAMS
        self.port = free_port()
        # Not below the test's own folder, which another user cannot enter.
        self.folder = Path(mkdtemp(prefix="ziett-postgres-"))
        self._user = _user()
        if self._user.user is not None:
            shutil.chown(self.folder, self._user.user, self._user.group)
        self.clock = Clock(self.folder / "ahead")
        self._process: Popen[bytes] | None = None
        given = ("--username", "postgres", "--auth", "trust", "--no-sync", "--wal-segsize", "1")
        self._run(
            "initdb", "--pgdata", str(self._data), "--locale", "C", "--encoding", "UTF8", *given
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://postgres@{HOST}:{self.port}/postgres"

    def start(self, ahead: float | None = None) -> "PostgresServer":
        """Start it and wait until it answers; `ahead` gives it a clock that can be set."""
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        if ahead is not None:
            self.clock.set(ahead)
            environment |= self.clock.environment
        settings = {
            "port": str(self.port),
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [str(self._programs / "postgres"), "-D", str(self._data), *options]
        with (self.folder / "log").open("ab") as log:
            self._process = Popen(  # noqa: S603 - a server, with our options
                command,
                stdin=DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self.folder,
                user=self._user.user,
                group=self._user.group,
                extra_groups=self._user.extra_groups,
            )
        deadline = monotonic() + _START
        while not self._answers():
            if self._process.poll() is not None or monotonic() > deadline:
                text = (self.folder / "log").read_text(encoding="utf-8")
                self.kill()
                pytest.fail(f"no answer: {text}")
            sleep(0.02)
        return self

    def kill(self) -> None:
        """End it as a crash does, also if it is frozen: unlogged tables are empty afterwards."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """Shut it down: it has all that it had when it is started again."""
        self._end(signal.SIGINT)

    def remove(self) -> None:
        """Kill it and remove what it had."""
        self.kill()
        shutil.rmtree(self.folder)

    def empty(self) -> None:
        """Remove all that it has."""
        self.do("TRUNCATE ziett.buckets, ziett.permits")

    def freeze(self) -> None:
        """Stop all its processes in the middle of what they do; connections stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Carry out a statement; return its rows."""
        return do(self.url, statement, *values)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self.thaw()
        self._process.send_signal(how)
        self._process.wait(timeout=_START)
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        for each in self._processes():
            with suppress(ProcessLookupError):
                os.kill(each, number)

    def _processes(self) -> Iterator[int]:
        """Yield the ids of its first process, and of those that that has started."""
        assert self._process
        first = self._process.pid
        yield first
        children = Path(f"/proc/{first}/task/{first}/children")
        with suppress(FileNotFoundError):
            yield from map(int, children.read_text(encoding="ascii").split())

    def _answers(self) -> bool:
        psycopg: Any = import_module("psycopg")
        with suppress(psycopg.Error):
            return bool(self.do("SELECT 1"))
        return False

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, with our options
            [self._programs / program, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            user=self._user.user,
            group=self._user.group,
            extra_groups=self._user.extra_groups,
        )
        assert done.returncode == 0, done.stderr


def do(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Carry out a statement on a server; return its rows."""
    psycopg: Any = import_module("psycopg")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return rows
