"""Writes the table of docs/mutation.md from what a run of mutmut has left in `mutants/`.

`python -m tests.docs.mutation_table`, which `python -m nox -s mutation` ends with. Modules that
the run did not cover keep the row that they have, with the time it was measured; those that are
gone lose theirs, without a run, too. It ends with an error if a run notices less than it should.
"""

import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import attrs

import ziett_async

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mutation.md"
#: The package as it is imported: one job tests it without the folder of the checkout.
PACKAGE = Path(ziett_async.__file__).parent
#: How pytest ends when a test has failed, and when the time of all tests was up (SIGXCPU, which
#: Windows has no name for). Any other end has noticed nothing.
KILLED, OUT_OF_TIME = 1, -24
#: The share of mutants, in percent, that must be noticed.
ENOUGH = 90
#: Folders of small modules, which must notice enough together; any other module by itself.
TOGETHER = ("_fake/", "transports/")
HEAD = (
    "| module | killed | out of time | survived | not run | share | measured (UTC) |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | --- |"
)
TABLE = re.compile(r"(<!-- mutation: [^>]+ -->\n).*?(\n<!-- end -->)", re.DOTALL)
ROW = re.compile(r"^\| `([^`]+)` \|.*$", re.MULTILINE)


@attrs.frozen
class Score:
    """What became of the mutants of a module."""

    killed: int = 0
    out_of_time: int = 0
    survived: int = 0
    not_run: int = 0

    @classmethod
    def of(cls, codes: Iterable[int | None]) -> "Score":
        """Count the ends of the tests, one for each mutant; None where they did not run."""
        counts = Counter(codes)
        killed, out_of_time, not_run = counts[KILLED], counts[OUT_OF_TIME], counts[None]
        others = counts.total() - killed - out_of_time - not_run
        return cls(killed, out_of_time, others, not_run)

    def __add__(self, other: "Score") -> "Score":
        pairs = zip(attrs.astuple(self), attrs.astuple(other), strict=True)
        return Score(*(one + more for one, more in pairs))

    @property
    def share(self) -> float:
        """The percentage that was noticed; what did not run was not."""
        total = sum(attrs.astuple(self))
        return 100 * (self.killed + self.out_of_time) / total if total else 100.0

    def row(self, module: str, measured: str) -> str:
        """Return a row of the table; part of a run has no share."""
        share = "-" if self.not_run else f"{self.share:.1f} %"
        cells = (f"`{module}`", *map(str, attrs.astuple(self)), share, measured)
        return f"| {' | '.join(cells)} |"


def scores(results: Path) -> dict[str, Score]:
    """Return the score of each module that a run covers, by its path in the package."""
    return {
        file.relative_to(results / PACKAGE.name).with_suffix("").as_posix(): Score.of(
            json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].values()
        )
        for file in sorted(results.rglob("*.meta"))
    }


def too_low(run: dict[str, Score]) -> list[str]:
    """Return the modules, and folders of small ones, of which not enough was noticed."""
    parts: dict[str, Score] = {}
    for module, score in run.items():
        name = next((each for each in TOGETHER if module.startswith(each)), module)
        parts[name] = parts.get(name, Score()) + score
    return [name for name, score in parts.items() if score.share < ENOUGH]


def covered() -> set[str]:
    """Return the modules that mutmut is to break, by pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    paths = [
        path
        for pattern in settings["tool"]["mutmut"]["only_mutate"]
        # mutmut's `*` matches folders, too.
        for path in PACKAGE.parent.glob(pattern.replace("/*.py", "/**/*.py"))
    ]
    return {path.relative_to(PACKAGE).as_posix() for path in paths if path.name != "__init__.py"}


def not_measured(modules: set[str], lines: list[str]) -> list[str]:
    """Return the modules that have no line; a folder of which none has one stands for them."""
    measured = "\n".join(lines)
    names = {
        next((each for each in TOGETHER if name.startswith(each) and each not in measured), name)
        for name in modules
    }
    return sorted(name for name in names if f"`{name}`" not in measured)


def written(page: str, run: dict[str, Score], measured: str, modules: set[str]) -> str:
    """Return the page with the scores of a run in its table."""
    known = {found[1]: found[0] for found in ROW.finditer(page)}
    known |= {name: score.row(name, measured) for name, score in run.items() if score != Score()}
    lines = [known[name] for name in sorted(known.keys() & modules)]
    if missing := not_measured(modules, lines):
        lines.append(f"\nNot measured yet: {', '.join(f'`{name}`' for name in missing)}.")
    return TABLE.sub(lambda old: "\n".join([old[1], HEAD, *lines, old[2]]), page)


def main(results: Path = ROOT / "mutants") -> None:
    """Write the table, print the run's part of it, and exit with an error if it is too low."""
    run = scores(results)
    latest = max((file.stat().st_mtime for file in results.rglob("*.meta")), default=0)
    measured = datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%d %H:%M")
    page = written(PAGE.read_text(encoding="utf-8"), run, measured, covered())
    PAGE.write_text(page, encoding="utf-8")
    rows = [score.row(name, measured) for name, score in run.items()]
    if run:
        print(HEAD, *rows, sum(run.values(), Score()).row("in all", measured), sep="\n")  # noqa: T201 - a script
    if names := too_low(run):
        sys.exit(f"fewer than {ENOUGH} % noticed: {', '.join(names)}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
