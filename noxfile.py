"""The checks, each in a fresh environment: `nox -l` lists them, `nox` runs them."""

import os
import shutil
import sys
from itertools import chain
from pathlib import Path

import nox

# Every test runs in many processes: where this is set, each of them compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

nox.needs_version = ">=2025.10.14"
nox.options.sessions = [
    "lint",
    "typing",
    "docs",
    "coverage",
    "tests",
    "wheel",
    "lowest",
    "fidelity",
]
nox.options.reuse_existing_virtualenvs = False
# uv installs in a tenth of the time, and is not needed.
nox.options.default_venv_backend = "uv|virtualenv"
# A Python that this machine lacks is skipped, and never fetched.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
#: Always there, so a run that skips every Python is impossible.
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
#: The wheel is tested on these, and where there are none on this one.
OTHER_PYTHONS = [each for each in PYTHONS if each != THIS_PYTHON]
if not any(shutil.which(f"python{each}") for each in OTHER_PYTHONS):
    OTHER_PYTHONS.append(THIS_PYTHON)
#: Debian's own Python, where it is of the oldest version: also the oldest of its patches.
SYSTEM_PYTHON = Path(f"/usr/bin/python{PYTHONS[0]}")
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
ALL_EXTRAS = ",".join(EXTRAS)
#: Where `build` leaves the wheel, for the sessions that test it.
DIST = Path(".nox", "dist").absolute()
#: Where `docs` leaves the site.
SITE = Path(".nox", "site").absolute()
#: For another Python, or other versions, than those under which everything was run: fewer drawn
#: examples, and of each test's cases a share, without what takes its time (faults that are waited
#: out, proofs) or does not depend on either (trio, the house, the browser, other people's
#: frameworks).
QUICK = (
    *("python", "-m", "pytest", "--hypothesis-profile=quick", "--numprocesses=2", "-k", "not trio"),
    *("--ignore=tests/faults", "--ignore=tests/proofs", "--ignore=tests/house"),
    *("--ignore=tests/emulator/page", "--ignore=tests/docs/cookbook"),
    *("--ignore=tests/docs/workers", "--ignore=tests/docs/test_deployment.py"),
    "--ignore=tests/limits/test_distributed_failures.py",
    "--ignore=tests/limits/test_redis_servers.py",
)
#: The tests that reach every line of the package. Tests take half as long again under coverage,
#: and all others reach no line beyond.
COVERED = [
    *(f"tests/{each}" for each in ("blocking", "client", "fake", "limits", "transports")),
    *(f"tests/{each}" for each in ("emulator", "cli", "plugin", "wire")),
    *("tests/house/test_house.py", "tests/house/test_security.py"),
    "tests/faults/test_strange_answers.py",
]


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


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation as a site, in .nox/site; a warning is an error."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("docs"))
    shutil.rmtree(SITE, ignore_errors=True)
    strict = ("--fail-on-warning", "--keep-going", "--nitpicky", "--quiet")
    cache = ("--doctree-dir", session.create_tmp(), "--fresh-env")
    session.run("sphinx-build", *strict, *cache, "--conf-dir=docs", ".", str(SITE))


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests that reach every line of the package, and measure that they do."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("tests"))
    # What an interrupted run has left would be combined as well.
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "--numprocesses=2", *COVERED)
    session.run("coverage", "combine")
    session.run("coverage", "report")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all other tests on this Python; or those that are named."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("tests"))
    others = ("--numprocesses=2", *(f"--ignore={each}" for each in COVERED))
    session.run("python", "-m", "pytest", *(session.posargs or others))


@nox.session
def build(session: nox.Session) -> None:
    """Build the wheel that other sessions test."""
    session.install(*PYPROJECT["build-system"]["requires"])
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("hatchling", "build", "--target", "wheel", "--directory", str(DIST))


def test_installed(session: nox.Session, share: int) -> None:
    """Test the installed wheel away from the checkout, as a user has it."""
    # No test may depend on what the folder of the checkout is called.
    away = Path(session.create_tmp(), "ziett_async")
    leave = shutil.ignore_patterns("ziett_async", "_ziett_async_pytest.py", ".*", "__pycache__")
    shutil.rmtree(away, ignore_errors=True)
    shutil.copytree(".", away, ignore=leave)
    session.chdir(away)
    # The last share is that of the lowest versions.
    session.run(*QUICK, f"--share={share}/{len(OTHER_PYTHONS) + 1}", *session.posargs)


@nox.session(python=OTHER_PYTHONS, requires=["build"])
def wheel(session: nox.Session) -> None:
    """Test the wheel on every other Python."""
    [built] = DIST.glob("*.whl")
    session.install(f"{built}[{ALL_EXTRAS}]", *group("tests"))
    test_installed(session, OTHER_PYTHONS.index(str(session.python)) + 1)


@nox.session(
    python=str(SYSTEM_PYTHON) if SYSTEM_PYTHON.exists() else PYTHONS[0], requires=["build"]
)
def lowest(session: nox.Session) -> None:
    """Test the wheel with the lowest versions that the package says it works with."""
    bounds = chain(PYPROJECT["project"]["dependencies"], *EXTRAS.values())
    pins = sorted({bound.replace(">=", "==") for bound in bounds})
    session.install(*pins, *group("tests"))
    session.install("--no-deps", *map(str, DIST.glob("*.whl")))
    test_installed(session, len(OTHER_PYTHONS) + 1)


@nox.session
def fidelity(session: nox.Session) -> None:
    """Fuzz the emulator with what the API's description allows and forbids."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("fidelity"))
    session.run("python", "-m", "pytest", "tests/fake/test_fuzz.py", *session.posargs)


@nox.session
def long_runs(session: nox.Session) -> None:
    """Send to thousands through kills, and a million rows. Not among the default sessions."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("tests"))
    session.run("python", "-m", "pytest", "-m", "long_run", "--durations=0", *session.posargs)


@nox.session
def temporal(session: nox.Session) -> None:
    """Kill workers of Temporal, with its server; not among the default sessions."""
    session.install("-e", f".[{ALL_EXTRAS}]", *group("temporal"))
    session.run("python", "-m", "pytest", "tests/docs/workers/test_temporal.py", *session.posargs)


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
