"""How these tests open the inbox: in Debian's chromium, driven by Playwright.

On a machine without them the tests are skipped; where `CI` is set they fail.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from typing import Any

import pytest

_CHROMIUM = shutil.which("chromium")
_LACKING = (
    "chromium (apt-get install chromium)" if _CHROMIUM is None else "",
    "playwright (pip install playwright)" if find_spec("playwright") is None else "",
)
collect_ignore_glob = list[str]()
if any(_LACKING) and not os.environ.get("CI"):
    pytest.skip
