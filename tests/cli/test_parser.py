"""The parser: what is imported, and what each command says of itself."""

import sys

import pytest

from tests.cli.conftest import Start
from ziett_async.cli import main
from ziett_async.cli._parser import COMMANDS

#: Prints what is imported when a command line has been run.
LOADED = """
import sys
from ziett_async.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    print("", *sys.modules, sep="\\nmodule ")
"""


def loaded(start: Start, *arguments: str) -> set[str]:
    """Return the modules that a command line imports."""
    out, _ = start("-c", LOADED, *arguments).communicate(timeout=30)
    lines = out.decode().splitlines()
    return {line.removeprefix("module ") for line in lines if line.startswith("module ")}


def test_help_imports_no_command(start: Start) -> None:
    """Nor anything that a command needs."""
    modules = loaded(start, "--help")
    assert "ziett_async.cli._parser" in modules
    assert not modules & {"rich", "h11", "httpx", "ziett_async.testing"}
    assert not modules & {f"ziett_async.cli.commands.{name}" for name in COMMANDS}


def test_a_command_imports_no_other(start: Start) -> None:
    """And rich only on a terminal."""
    modules = loaded(start, "list", "--help")
    assert modules & {f"ziett_async.cli.commands.{name}" for name in COMMANDS} == {
        "ziett_async.cli.commands.list"
    }
    assert not modules & {"rich", "h11", "ziett_async.testing"}


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """With what they are for."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert all(f"{name} {purpose}" in said for name, purpose in COMMANDS.items())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it does, and its options."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"usage: ziett {command}" in said
    module = sys.modules[f"ziett_async.cli.commands.{command}"]
    assert " ".join(str(module.__doc__).split()) in said


def test_the_emulators_help_says_what_has_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The key if it is a live one, the address, and what is in the way of that."""
    with pytest.raises(SystemExit):
        main(["emulator", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "a key that does not begin with `zk_live_`" in said
    assert "If the program adds /c/v1 to the address by itself, leave that out" in said
    assert "cannot be pointed here until it reads the address from a setting" in said


def test_options_are_not_abbreviated(capsys: pytest.CaptureFixture[str]) -> None:
    """A script goes on working when a later version has another option that begins so."""
    with pytest.raises(SystemExit) as ended:
        main(["list", "--lim", "3"])
    assert ended.value.code == 2
    assert "--lim" in capsys.readouterr().err


def test_a_key_among_the_arguments_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """It is no argument, and the error is for a log."""
    with pytest.raises(SystemExit):
        main(["send", "--api-key=zk_live_hushhush", "+244923456789", "x"])
    said = capsys.readouterr().err
    assert "unrecognized arguments: --api-key=zk_live_...\n" in said
    assert "hushhush" not in said
