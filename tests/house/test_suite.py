"""The suite itself: how it ends where a test hangs, a browser is missing or Ctrl-C is ignored."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import share_of
from tests.support.chromium import chromium

ROOT = Path(__file__).parents[2]
HANGING = """
import anyio, pytest

@pytest.mark.anyio
async def test_waits_for_ever():
    await anyio.sleep_forever()
"""
NEEDS_NGINX = """
import pytest
from tests.support.nginx import MISSING

@pytest.mark.skip(reason=MISSING)
def test_a_real_proxy():
    pass
"""


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run the suite with these arguments and this environment; return exit code and output."""
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=50,
        check=False,
    )
    return done.returncode, done.stdout


def write(folder: Path, suite: str) -> list[str]:
    """Write a suite of one file; return the arguments that run it here."""
    file = folder / "test_it.py"
    file.write_text(suite, encoding="utf-8")
    return ["-c", "pyproject.toml", "-p", "tests.conftest", f"--rootdir={folder}", str(file)]


def hanging(folder: Path) -> list[str]:
    """Write a suite of one test that waits for ever; return the arguments that run it here."""
    return [*write(folder, HANGING), "--timeout=0.3"]


def test_every_test_has_a_time_limit(pytestconfig: pytest.Config) -> None:
    """Long enough for the slowest of them on a busy machine."""
    assert 30 <= float(pytestconfig.getini("timeout")) <= 120
    assert pytestconfig.pluginmanager.hasplugin("timeout")


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_test_that_hangs_ends_the_run_under_its_name(tmp_path: Path, loop: str) -> None:
    """Whatever it waits for: no signal ends a test on trio."""
    code, output = run(*hanging(tmp_path), "-k", loop)
    assert code == 1
    assert f"Stack of test_it.py::test_waits_for_ever[{loop}] " in output


def test_side_by_side_a_test_that_hangs_is_a_failure(tmp_path: Path) -> None:
    """A worker of xdist is lost, and its report names the test."""
    code, output = run(*hanging(tmp_path), "-n1", "--max-worker-restart=0", "-k", "trio")
    assert code == 1
    assert "crashed while running 'test_it.py::test_waits_for_ever[trio]'" in output, output


def test_without_chromium_the_run_ends_with_what_to_install() -> None:
    """Its tests are skipped, also where xdist has them run in other processes."""
    code, output = run("-n1", "tests/emulator/page/test_controls.py", PATH="")
    assert code == 0
    assert "The inbox was not tested" in output
    assert re.search(
        r"\d tests were skipped, no chromium on PATH: apt-get install chromium", output
    )


def test_without_nginx_the_run_ends_with_what_to_install(tmp_path: Path) -> None:
    """The same words as those of the tests that need it."""
    suite = write(tmp_path, NEEDS_NGINX)
    code, output = run(*suite, "-n1")
    assert code == 0
    assert "No real proxy was tested" in output
    assert "1 tests were skipped, no nginx on PATH: apt-get install nginx-light" in output


def test_faults_on_a_socket_are_not_disturbed_by_each_other() -> None:
    """One of the workers tests them; those of the other libraries on one event loop."""
    _, output = run("-n2", "-v", "tests/faults/test_clocks.py")
    done = re.findall(r"^\[(gw\d)\] .*\[(\w+-\w+)-\w+\] *$", output, re.MULTILINE)
    sockets = {"asyncio-httpx", "trio-httpx", "asyncio-httpx2", "asyncio-aiohttp"}
    assert {way for _, way in done} == {"asyncio-memory", "trio-memory", *sockets}
    assert len({worker for worker, way in done if way in sockets}) == 1


@pytest.mark.parametrize("of", [1, 2, 3, 4])
def test_every_run_that_has_a_share_of_the_cases_has_every_test(of: int) -> None:
    """And all of them together have every case."""
    cases = {"one": [""], "two": ["[a]", "[b]"], "many": [f"[{case}]" for case in range(30)]}
    nodeids = [f"tests/test_it.py::{test}{case}" for test in cases for case in cases[test]]
    shares = [share_of(nodeids, share, of) for share in range(1, of + 1)]
    assert set().union(*shares) == set(nodeids)
    for share in shares:
        counts = [sum(f"::{test}" in nodeid for nodeid in share) for test in cases]
        assert counts[0] == 1
        assert counts[1] == max(1, 2 // of)
        assert 30 // of <= counts[2] <= 30 // of + 1


def test_where_ci_is_set_chromium_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that is left out there would not be missed."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        chromium()


def test_it_passes_where_ctrl_c_is_ignored() -> None:
    """As started by `nohup` or a shell's `&`: a process passes that on to its children."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code, output = run("tests/cli/commands/test_demo.py", "-k", "ctrl_c or exit_code")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, "2 passed" in output) == (0, True), output
