"""`ziett`: from the arguments of the process to its exit code."""

import os
import signal
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from runpy import run_path

import pytest

import ziett_async
from tests.cli._shell import interrupted, ziett
from tests.cli.conftest import Noticing, Start
from tests.support.samples import REMITTER
from ziett_async.cli import main
from ziett_async.cli._parser import COMMANDS
from ziett_async.emulator import Emulator
from ziett_async.testing import Fault


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """As the installed metadata have it, in one line."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ziett {version('ziett_async')}\n"
    assert ziett_async.__version__ == version("ziett_async")


def test_without_arguments_it_shows_its_help() -> None:
    """With exit code 2, and not where a program reads."""
    ended = ziett()
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("usage: ziett")
    assert all(purpose.split()[0] in ended.err for purpose in COMMANDS.values())


def test_an_option_alone_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a usage error."""
    with pytest.raises(SystemExit) as ended:
        main(["--"])
    assert ended.value.code == 2
    assert "usage: ziett" in capsys.readouterr().err


@pytest.mark.parametrize("absent", ["rich", "h11"])
@pytest.mark.parametrize("command", ["demo", "emulator"])
def test_without_the_extra_it_names_what_to_install(
    start: Start, absent: str, command: str
) -> None:
    """In one line, without a traceback."""
    code = "import sys; sys.modules[sys.argv[1]] = None; from ziett_async.cli import main"
    process = start("-c", f"{code}; sys.exit(main([sys.argv[2]]))", absent, command)
    _, said = process.communicate(timeout=30)
    assert said == f"ziett needs {absent}: python -m pip install '.[cli]' in the clone\n".encode()
    assert process.returncode == 2


def test_a_module_that_no_extra_has_is_a_defect() -> None:
    """Which is not taken for a missing extra."""
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        main(["nothing"], {"nothing": "a command whose module is not there"})


def test_python_m_is_the_same_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It takes the arguments of the process, here pytest's, and ends it."""
    # By its path: pytest's importer, which rewrites a plugin's modules, has no way to run one.
    with pytest.raises(SystemExit) as ended:
        run_path(str(Path(ziett_async.__file__).with_name("__main__.py")), run_name="__main__")
    assert ended.value.code == 2
    assert "usage: ziett" in capsys.readouterr().err


def test_a_reader_that_leaves_is_no_error(emulator: Emulator, start: Start) -> None:
    """As in `ziett list | head -1`: nothing on standard error, and the code that shells have."""
    emulator.service.add_message()
    reader, writer = os.pipe()
    os.close(reader)
    process = start("-m", "ziett_async", "list", output=writer)
    assert (process.wait(timeout=30), process.communicate()[1]) == (141, b"")
    with os.fdopen(writer, "w") as output, redirect_stdout(output):
        assert main(["parts", "x"]) == 141


def test_ctrl_c_is_exit_code_130(emulator: Emulator, service: Noticing, start: Start) -> None:
    """Without a traceback."""
    service.faults.add(Fault.stall(operation="list_messages"))
    process = start("-m", "ziett_async", "list")
    assert service.has_arrived.wait(30)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 130
    assert emulator.service.messages == []


@pytest.mark.usefixtures("emulator")
def test_ctrl_c_is_no_word() -> None:
    """As of any command of a shell."""
    ended = interrupted("list", at="stdout")
    assert (ended.code, ended.out, ended.err) == (130, "", "")


@pytest.mark.usefixtures("emulator")
def test_an_error_of_a_command_is_one_line() -> None:
    """Whatever it holds."""
    ended = ziett("get", "no id")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"ziett get: get_message: message_id: must be a UUID like {REMITTER}\n"
