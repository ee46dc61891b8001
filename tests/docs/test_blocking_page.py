"""The fixture of docs/blocking.md, as a reader copies it; its programs run with all others."""

from pathlib import Path

import pytest

import ziett_async
from tests.support.examples import FENCED

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "blocking.md"


def test_the_fixture_of_the_page_works_beside_those_of_the_plugin(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With warnings as errors, and without a network."""
    [suite] = [each for each in FENCED.findall(PAGE.read_text("utf-8")) if "pytest.fixture" in each]
    # Else pytest reads that of a folder around this one.
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(suite)
    monkeypatch.setenv("PYTHONPATH", str(Path(ziett_async.__file__).parents[1]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = pytester.runpytest_subprocess("-p", "_ziett_async_pytest", "-W", "error")
    assert result.parseoutcomes() == {"passed": 1}
