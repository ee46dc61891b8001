"""The tutorial, from its first command to its last, as its reader types them into three shells."""

import json
import os
import re
import shutil
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.docs.cookbook._recipes import COOKBOOK, blocks
from tests.docs.cookbook.conftest import PLUGINS

pytest_plugins = ["pytester"]

PAGES = [COOKBOOK.parent / "tutorial.md", COOKBOOK.parent / "tutorial.pt.md"]
FILE = re.compile(r"# (\w+\.py)\n")
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")
ASKED_AGAIN = "+244923456789"


def files(page: Path) -> dict[str, str]:
    """Return the text of every file of a page, by its name."""
    named = ((FILE.match(text), text) for _, text in blocks(page.read_text("utf-8")))
    return {name[1]: text for name, text in named if name}


def commands(page: Path) -> list[str]:
    """Return what is typed into a shell, block by block."""
    return [text for language, text in blocks(page.read_text("utf-8")) if language == "sh"]


def printed(page: Path) -> list[str]:
    """Return what the page says comes out."""
    return [text for language, text in blocks(page.read_text("utf-8")) if language == "text"]


def unused_port() -> str:
    """Return a port that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return str(listener.getsockname()[1])


class Reader:
    """Types what a page says, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {"8420": unused_port(), "8000": unused_port()}
        self._servers: list[subprocess.Popen[str]] = []
        scripts = sysconfig.get_path("scripts")
        self._environment = os.environ | {
            "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
            "PYTEST_ADDOPTS": f"-W error {' '.join(PLUGINS)}",
        }

    def at(self, text: str) -> str:
        """Return a text with the reader's ports for those of the page."""
        return PORT.sub(lambda usual: self._ports[usual[0]], text)

    def paste(self, block: str) -> str:
        """Run a block, and return what it prints."""
        return subprocess.run(  # noqa: S603 - the page's own words
            ["sh", "-ec", self.at(block)],  # noqa: S607 - any shell
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=30,
        ).stdout

    def export(self, block: str) -> None:
        """Set what a block exports, for all that is pasted from now on."""
        lines = re.findall(r"^export (\w+)=(.+)$", self.at(block), re.MULTILINE)
        self._environment.update(lines)

    def start(self, block: str, usual_port: str) -> None:
        """Start a server as a block says, and wait until it names its address."""
        server = subprocess.Popen(  # noqa: S603 - the page's own words
            ["sh", "-ec", f"exec {block.strip()} --port {self._ports[usual_port]}"],  # noqa: S607 - any shell
            cwd=self._folder,
            env=self._environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._servers.append(server)
        assert server.stdout is not None
        lines: list[str] = []
        for line in server.stdout:
            lines.append(line)
            if f"http://127.0.0.1:{self._ports[usual_port]}" in line:
                return
        pytest.fail("".join(lines))

    def inbox(self, number: str) -> list[dict[str, object]]:
        """Return the messages that the emulator shows to a number."""
        port = self._ports["8420"]
        with urlopen(f"http://127.0.0.1:{port}/_emulator/messages?to={quote(number)}") as answer:
            found: list[dict[str, object]] = json.load(answer)["messages"]
        return found

    def leave(self) -> None:
        """Stop the servers."""
        for server in self._servers:
            server.kill()
            server.communicate()


@pytest.fixture
def reader(tmp_path: Path, environment: None) -> Iterator[Reader]:
    """Return a reader with an empty folder."""
    del environment
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    reader = Reader(tmp_path)
    yield reader
    reader.leave()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tutorial_is_as_it_says(reader: Reader, tmp_path: Path, page: Path) -> None:
    """Each command runs and prints what stands below it; lost answers make no second message."""
    for name, text in files(page).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    _, emulator, exports, send, serve, login, verify, fault, again, tests = commands(page)
    accepted, welcome, unclear, passed = printed(page)

    reader.start(emulator, "8420")
    reader.export(exports)
    message_id = reader.paste(send).strip()
    reader.start(serve, "8000")
    assert reader.paste(login) == accepted
    code_message, first = reader.inbox("+244990090990")
    assert first["id"] == message_id
    [code] = re.findall(r"[0-9]{6}", str(code_message["content"]))
    assert reader.paste(verify.replace("482910", code)) == welcome
    reader.paste(fault)
    assert reader.paste(again) == unclear
    [message] = reader.inbox(ASKED_AGAIN)
    assert message["attempts"] == 4
    assert passed.strip() in reader.paste(tests)


@pytest.mark.usefixtures("environment")
def test_without_the_key_two_tests_fail(pytester: pytest.Pytester) -> None:
    """As the page tells its reader to see."""
    text = files(PAGES[0])
    line = "            idempotency_key=code.key,\n"
    assert line in text["codes.py"]
    for name, each in text.items():
        pytester.path.joinpath(name).write_text(each.replace(line, ""), encoding="utf-8")
    result = pytester.runpytest_subprocess(*PLUGINS)
    assert result.parseoutcomes() == {"failed": 2, "passed": 2}


def test_both_languages_have_the_same_commands_and_files() -> None:
    """What is typed is the same; only what a person reads is translated."""
    english, portuguese = PAGES
    assert commands(english) == commands(portuguese)
    assert files(english).keys() == files(portuguese).keys()
