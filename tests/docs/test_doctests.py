"""Every example that a reader may copy runs: in docstrings, in the README, in listed pages.

Two kinds of example. `>>>` lines are run by doctest. A fenced block that is marked `python`
is a program: it is run as a whole, with `await` allowed at its top, against an emulator on
loopback that the environment names, as the README tells its reader to name the service. A
block that is not for running is marked `text` or `console`.
"""

import ast
import asyncio
import doctest
import gc
import importlib
import inspect
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

import ziett_async
from tests.support.samples import REMITTER
from ziett_async.testing.emulator import Emulator

PACKAGE = Path(ziett_async.__path__[0])
SOURCES = sorted(PACKAGE.rglob("*.py"))
README = Path(__file__).parents[2] / "README.md"
_SHOWN = ("blocking.md", "bulk.md", "numbers.md", "observing.md", "transports.md")
#: Pages whose programs stand on their own.
PAGES = [README, README.with_suffix(".pt.md"), *(README.parent / "docs" / name for name in _SHOWN)]
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def shown(path: Path) -> str:
    """Return a file's name from the package on: `ziett_async/_mask.py`."""
    return path.relative_to(PACKAGE.parent).as_posix()


def docstrings(path: Path) -> Iterator[str]:
    """Return every docstring of a module, without importing it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, DOCUMENTED):
            yield ast.get_docstring(node) or ""


def module(path: Path) -> ModuleType:
    """Import a file of the package by its name."""
    name = shown(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return importlib.import_module(name)


def programs(text: str, name: str) -> Iterator[Any]:
    """Return every fenced block of a text, named by its line."""
    for block in FENCED.finditer(text):
        line = text.count("\n", 0, block.start()) + 2
        yield pytest.param(block[1], f"{name}:{line}", id=f"{name}:{line}")


EXAMPLES = [path for path in SOURCES if any(">>> " in each for each in docstrings(path))]
PROGRAMS = [
    *(program for page in PAGES for program in programs(page.read_text("utf-8"), page.name)),
    *(
        program
        for path in SOURCES
        for i, each in enumerate(docstrings(path))
        for program in programs(each, f"{shown(path)}[{i}]")
    ),
]


def run(code: CodeType, namespace: dict[str, object]) -> None:
    """Run a program, on an event loop of its own if it awaits at its top."""
    result: object = eval(code, namespace)  # noqa: S307 - our own documents
    if inspect.iscoroutine(result):
        asyncio.run(result)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Name an emulator in the environment, as a reader names the service."""
    with Emulator() as emulator:
        monkeypatch.setenv("ZIETT_API_KEY", "zk_test_reader")
        monkeypatch.setenv("ZIETT_REMITTER_ID", REMITTER)
        monkeypatch.setenv("ZIETT_BASE_URL", emulator.base_url)
        yield emulator


@pytest.mark.parametrize("path", EXAMPLES, ids=shown)
def test_the_examples_of_a_docstring_are_true(path: Path) -> None:
    """What stands under a `>>>` is what comes out."""
    results = doctest.testmod(module(path), verbose=False)
    assert results.attempted
    assert not results.failed


@pytest.fixture
def log() -> Iterator[None]:
    """Take back what a program does to the logger of the package."""
    logger = logging.getLogger("ziett_async")
    level, handlers = logger.level, logger.handlers[:]
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.mark.usefixtures("service", "log")
@pytest.mark.parametrize(("program", "name"), PROGRAMS)
def test_a_program_that_is_shown_runs(program: str, name: str) -> None:
    """A block marked `python` runs from its first line to its last, on its own."""
    namespace: dict[str, object] = {"__name__": "__main__", "Emulator": Emulator}
    if not name.startswith(tuple(page.name for page in PAGES)):
        # A docstring takes for granted what the package exports.
        namespace.update({each: getattr(ziett_async, each) for each in ziett_async.__all__})
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    run(compile(program, f"<{name}>", "exec", flags, dont_inherit=True), namespace)
    # What a program leaves open warns when it goes, and here it is known whose it was.
    namespace.clear()
    gc.collect()


def test_there_are_examples() -> None:
    """The search finds what it is for."""
    assert PACKAGE / "_mask.py" in EXAMPLES
    assert any(program.id and program.id.startswith("README.md:") for program in PROGRAMS)
