"""The command `ziett`: its commands, and what it says without its extra."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from runpy import run_path
from subprocess import Popen

import pytest

import ziett_async
from ziett_async.cli import main

Start = Callable[..., Popen[bytes]]


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """With what they are for."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert "demo" in said
    assert "emulator" in said


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """As the installed metadata have it, in one line."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ziett {version('ziett_async')}\n"
    assert ziett_async.__version__ == version("ziett_async")


@pytest.mark.parametrize("command", ["demo", "emulator"])
def test_each_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every option explained."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: ziett" in capsys.readouterr().out


def test_the_emulators_help_says_what_has_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The key if it is a live one, the address, and what is in the way of that."""
    with pytest.raises(SystemExit):
        main(["emulator", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "a key that does not begin with `zk_live_`" in said
    assert "If the program adds /c/v1 to the address by itself, leave that out" in said
    assert "cannot be pointed here until it reads the address from a setting" in said


def test_without_a_command_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    """As any command of a shell."""
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "required" in capsys.readouterr().err


@pytest.mark.parametrize("absent", ["rich", "h11"])
@pytest.mark.parametrize("command", ["demo", "emulator"])
def test_without_the_extra_it_names_what_to_install(
    start: Start, absent: str, command: str
) -> None:
    """In one line, without a traceback."""
    code = "import sys; sys.modules[sys.argv[1]] = None; from ziett_async.cli import main"
    process = start("-c", f"{code}; sys.exit(main([sys.argv[2]]))", absent, command)
    _, said = process.communicate(timeout=30)
    assert said == f"ziett needs {absent}: pip install 'ziett-async[cli]'\n".encode()
    assert process.returncode == 2


def test_what_is_lacking_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever module it is."""
    assert main([], {"nothing": "a command whose module is not there"}) == 2
    assert capsys.readouterr().err.startswith("ziett needs ziett_async: ")


def test_python_m_is_the_same_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It takes the arguments of the process, here pytest's, and ends it."""
    # By its path: pytest's importer, which rewrites a plugin's modules, has no way to run one.
    with pytest.raises(SystemExit) as ended:
        run_path(str(Path(ziett_async.__file__).with_name("__main__.py")), run_name="__main__")
    assert ended.value.code == 2
    assert "usage: ziett" in capsys.readouterr().err
