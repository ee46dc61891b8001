"""The browser in which the inbox is tested: Debian's chromium."""

import os
import shutil

import pytest

#: What a run without a browser says.
MISSING = "no chromium on PATH: apt-get install chromium"


def chromium() -> str:
    """Return the path of chromium; without one the test is skipped, where `CI` is set it fails."""
    found = shutil.which("chromium")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    return found
