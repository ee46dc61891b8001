"""The checks, each in a fresh environment: `nox -l` lists them, `nox` runs them."""

import shutil
import sys
from itertools import chain
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14"
nox.options.sessions = ["lint", "typing", "tests", "fidelity", "wheel", "lowest"]
nox.options.reuse_existing_virtualenvs = False
# A Python that this machine lacks is skipped, and never fetched.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
#: Always there, so a run that skips every Python is impossible.
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
ALL_EXTRAS = ",".join(EXTRAS)
#: For another Python, or other versions, than those under which everything was run: fewer drawn
#: examples, side by side, without what takes its time (faults that are waited out, proofs) or
#: does not depend on either (the browser, other people's frameworks).
QUICK = (
    *("python", "-m", "pytest", "--hypothesis-profile=quick", "--numprocesses=2"),
    *("--ignore=tests/faults", "--ignore=tests/proofs"),
    *("--ignore=tests/page", "--ignore=tests/cookbook"),
)


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group."""
    return nox.project.dependency_groups(PYPROJECT, name)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the floors of the house."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types of package and tests with mypy and pyright, both strict."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("typing"))
    session.run("mypy")
    session.run("pyright")


@nox.session(python=list(dict.fromkeys([*PYTHONS, THIS_PYTHON])))
def tests(session: nox.Session) -> None:
    """Run the tests, on one Python under coverage; or those that are named."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("tests"))
    if session.posargs:
        session.run("python", "-m", "pytest", *session.posargs)
    elif session.python == THIS_PYTHON:
        pytest = ("coverage", "run", "-m", "pytest")
        # What an interrupted run has left would be combined as well.
        session.run("coverage", "erase")
        session.run(*pytest, "--numprocesses=2", "--ignore=tests/faults")
        # Waits for faults are measured: side by side they disturb each other.
        session.run(*pytest, "tests/faults")
        session.run("coverage", "combine")
        session.run("coverage", "report")
    else:
        session.run(*QUICK)


@nox.session
def fidelity(session: nox.Session) -> None:
    """Fuzz the emulator with what the API's description allows and forbids."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("fidelity"))
    session.run("python", "-m", "pytest", "tests/fidelity/test_fuzz.py", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Test the built wheel away from the checkout, as a user has it."""
    away = Path(session.create_tmp())
    session.run("pip", "wheel", "--no-deps", "--wheel-dir", str(away / "dist"), ".")
    [built] = (away / "dist").glob("*.whl")
    session.install(f"{built}[{ALL_EXTRAS}]", *group("tests"))
    leave = shutil.ignore_patterns("ziett_async", "_ziett_async_pytest.py", ".*", "__pycache__")
    # No test may depend on what the folder of the checkout is called.
    shutil.copytree(".", away / "ziett_async", ignore=leave)
    session.chdir(away / "ziett_async")
    session.run(*QUICK, *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Test with the lowest versions that the package says it works with."""
    bounds = chain(PYPROJECT["project"]["dependencies"], *EXTRAS.values())
    pins = sorted({bound.replace(">=", "==") for bound in bounds})
    session.install(*pins, *group("tests"))
    session.install("--no-deps", "-e", ".")
    session.run(*QUICK, *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Break the rules in every small way; the tests must notice. Not among the default sessions."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("mutation"))
    # mutmut keeps what it found before, also when the tests have changed since.
    shutil.rmtree("mutants", ignore_errors=True)
    session.run("nice", "mutmut", "run", "--max-children=2", external=True)
    session.run("python", "-m", "tests.docs.mutation_table")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks; not among the default sessions."""
    # Without the extras: they make the rival's import slower than a user's is. What the emulator
    # needs, h11, comes with httpx.
    session.install(".", *group("bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)
