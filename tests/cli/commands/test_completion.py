"""`ziett completion`: its scripts, in the shells that they are for."""

import os
import pty
import shutil
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen, run

import pytest

from tests.cli._shell import ziett
from ziett_async.cli._parser import COMMANDS

#: Words that are typed, and what has to be among their completions, and what may not.
CASES = [
    (["ziett", ""], {*COMMANDS}, {"--json"}),
    (["ziett", "e"], {"export", "emulator"}, {"send"}),
    (["ziett", "list", "--st"], {"--status"}, {"--since"}),
    (["ziett", "list", "--json", "--status", "D"], {"DELIVERED"}, {"SENT"}),
    (["ziett", "completion", ""], {"bash", "fish", "zsh"}, {"list"}),
]


def shell(name: str) -> str:
    """Return the path of a shell, and skip the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed, so its completion was not tested")
    return path


def script(name: str, folder: Path) -> Path:
    """Write a completion script into a folder; return its path."""
    ended = ziett("completion", name)
    assert ended.code == 0
    path = folder / f"_{name}"
    path.write_text(ended.out, "utf-8")
    return path


def ran(*arguments: str) -> set[str]:
    """Run a shell; return the lines that it prints."""
    done = run(arguments, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
    assert not done.stderr
    return {line.rstrip() for line in done.stdout.splitlines()}


@pytest.mark.parametrize(("words", "among", "not_among"), CASES)
def test_bash_completes(
    tmp_path: Path, words: Sequence[str], among: set[str], not_among: set[str]
) -> None:
    """Commands, options and their values."""
    asked = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ziett; '
    program = asked + 'printf "%s\\n" "${COMPREPLY[@]}"'
    path = str(script("bash", tmp_path))
    found = ran(shell("bash"), "--norc", "-c", program, "bash", path, *words)
    assert among <= found
    assert not not_among & found


@pytest.mark.parametrize(("words", "among", "not_among"), CASES)
def test_fish_completes(
    tmp_path: Path, words: Sequence[str], among: set[str], not_among: set[str]
) -> None:
    """Commands, options and their values, with what they are for."""
    program = "source $argv[1]; complete --do-complete $argv[2]"
    path = str(script("fish", tmp_path))
    lines = ran(shell("fish"), "--no-config", "-c", program, path, " ".join(words))
    found = {line.partition("\t")[0] for line in lines}
    assert among <= found
    assert not not_among & found


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("ziett lis", "ziett list "),
        ("ziett list --sta", "ziett list --status "),
        ("ziett list --status DEL", "ziett list --status DELIVERED "),
        ("ziett completion fi", "ziett completion fish "),
    ],
)
def test_zsh_completes(tmp_path: Path, typed: str, completed: str) -> None:
    """Commands, options and their values, at a Tab."""
    path, ours = shell("zsh"), script("zsh", tmp_path)
    settings = f"autoload -Uz compinit; compinit -u -D; source {ours}; PS1='ready> '\n"
    (tmp_path / ".zshrc").write_text(settings, "utf-8")
    environment = {**os.environ, "ZDOTDIR": str(tmp_path), "TERM": "dumb"}
    controlled, theirs = pty.openpty()
    with Popen(  # noqa: S603 (the shell that is tested)
        [path, "-d", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        read_until(controlled, b"ready> ")
        os.write(controlled, typed.encode() + b"\t")
        shown = read_until(controlled, completed.encode())
        process.kill()
    os.close(controlled)
    assert completed in shown


def read_until(terminal: int, text: bytes) -> str:
    """Return what a terminal shows up to a text."""
    shown = b""
    while text not in shown:
        shown += os.read(terminal, 1024)
    return shown.decode()


def test_no_python_runs_at_a_tab() -> None:
    """A script is all that a completion needs."""
    for name in ("bash", "zsh", "fish"):
        assert "$(ziett" not in ziett("completion", name).out
