"""How a recipe is run: copied into a folder of its own, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import ziett_async
from tests.docs.cookbook._recipes import write

#: Where the package is, which need not be installed.
ROOT = Path(ziett_async.__file__).parents[1]
#: The plugins that come with the package, anyio's and its own, and no other of this machine.
PLUGINS = ("-p", "anyio", "-p", "_ziett_async_pytest")

#: Runs the tests of a recipe; `spoilt` says what is to be replaced in it, and by what.
RunSuite = Callable[..., pytest.RunResult]
#: Starts a script of the folder that the test is given.
StartScript = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find the package, and nothing that was set for anything else."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in list(os.environ):
        if name.startswith(("ZIETT_", "DJANGO_", "CELERY_")):
            monkeypatch.delenv(name)


@pytest.fixture
def run_suite(pytester: pytest.Pytester, environment: None) -> RunSuite:
    """Run a recipe's tests as a reader does, with warnings as errors."""
    del environment

    def run(
        heading: str, *arguments: str, spoilt: Mapping[str, str] | None = None
    ) -> pytest.RunResult:
        write(heading, pytester.path, spoilt)
        return pytester.runpytest_subprocess(*PLUGINS, "-W", "error", *arguments)

    return run


@pytest.fixture
def start_script(tmp_path: Path, environment: None) -> StartScript:
    """Start a script that sends to a base URL."""
    del environment

    def start(base_url: str, *arguments: str) -> subprocess.Popen[str]:
        settings = {
            "ZIETT_BASE_URL": base_url,
            "ZIETT_API_KEY": "zk_test_x",
            "ZIETT_REMITTER_ID": "019b4b56-e704-7c30-83a0-527df63c3e00",
        }
        return subprocess.Popen(  # noqa: S603 (the recipe)
            [sys.executable, "-W", "error", *arguments],
            cwd=tmp_path,
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
