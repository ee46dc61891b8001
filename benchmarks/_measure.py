"""Costs in pairs, ours and the rival's in turn, and what becomes of them: rows of a table.

A machine has slow minutes, so no number here stands alone: each round measures both, one
right after the other, and the result is the median of the rounds' ratios, with the least
and the largest beside it. The garbage collector runs as in any program, and before each
measurement there is nothing left for it to do.
"""

import gc
import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import attrs


@attrs.frozen
class Cost:
    """What a piece of work took, in seconds."""

    #: Of this process's CPU.
    cpu: float
    #: Of everybody's time.
    wall: float


@attrs.frozen
class Row:
    """A line of the table."""

    what: str
    rival: str
    #: The median over the rounds: `0.71`.
    measured: str
    #: The least and the largest: `0.69-0.78`.
    spread: str
    #: `≤ 0.85`.
    reach: str
    #: None where it is only shown.
    is_ok: bool | None
    #: Both costs, so that the ratio can be weighed: `310 / 440 us`.
    costs: str = ""


@attrs.frozen
class Pairs:
    """The costs of several rounds, ours and the rival's, each for so many operations."""

    ours: Sequence[float]
    rivals: Sequence[float]
    operations: int = 1

    def row(self, what: str, rival: str, most: float | None) -> Row:
        """Return the line that compares the ratio with the most it may be, if it has one."""
        ratios = [mine / other for mine, other in zip(self.ours, self.rivals, strict=True)]
        mine, other = (median(each) / self.operations for each in (self.ours, self.rivals))
        unit, scale = ("ms", 1e3) if max(mine, other) >= 1e-2 else ("µs", 1e6)
        return Row(
            what,
            rival,
            measured=f"{median(ratios):.3f}",
            spread=f"{min(ratios):.3f}-{max(ratios):.3f}",
            reach="" if most is None else f"≤ {most}",
            is_ok=None if most is None else median(ratios) <= most,
            costs=f"{mine * scale:.3g} / {other * scale:.3g} {unit}",
        )


def cost(work: Callable[[], object]) -> Cost:
    """Do a piece of work, and return what it took."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def alternate(
    ours: Callable[[], object], rivals: Callable[[], object], *, rounds: int
) -> tuple[Sequence[Cost], Sequence[Cost]]:
    """Do both in turn, and return the costs of every round but a first one to warm up."""
    pairs = list[tuple[Cost, Cost]]()
    for number in range(rounds + 1):
        say(f"round {number} of {rounds}")
        pairs.append((cost(ours), cost(rivals)))
    return [mine for mine, _ in pairs[1:]], [other for _, other in pairs[1:]]


def cpu_pairs(
    ours: Callable[[], object], rivals: Callable[[], object], *, rounds: int, operations: int
) -> Pairs:
    """Do both in turn, and return the CPU time of every round."""
    mine, others = alternate(ours, rivals, rounds=rounds)
    return Pairs([each.cpu for each in mine], [each.cpu for each in others], operations)


def fresh_pairs(ours: str, rivals: str, *arguments: str, rounds: int) -> Pairs:
    """Run two programs in turn, each in a new process; what they print is their cost.

    The first round leaves the bytecode of both in one place: what was installed has some
    already, a checkout may have none, and an environment may forbid to write it.
    """
    pairs = list[tuple[float, float]]()
    with TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for number in range(rounds + 1):
            say(f"round {number} of {rounds}")
            mine, other = (_printed([each, *arguments], environment) for each in (ours, rivals))
            pairs.append((mine, other))
    return Pairs([mine for mine, _ in pairs[1:]], [other for _, other in pairs[1:]])


#: httpx imports its command line where its parts are installed, as uvicorn's and pytest's are
#: here, and httpcore imports trio, which others need here. Both would be slower to import than
#: where httpx is all there is.
_HTTPX_ALONE = "import sys; sys.modules['click'] = sys.modules['trio'] = None\n"


def _printed(program: Sequence[str], environment: Mapping[str, str]) -> float:
    done = subprocess.run(  # noqa: S603 - the programs are constants of this folder
        [sys.executable, "-c", _HTTPX_ALONE + program[0], *program[1:]],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    return float(done.stdout)


def say(text: str) -> None:
    """Show what is going on, in the last line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K  {text}", end="", file=sys.stderr, flush=True)


def report(rows: Iterable[Row]) -> bool:
    """Print rows as a Markdown table, in the end; say whether all reach what they should."""
    lines = list[Row]()
    for row in rows:
        lines.append(row)
        say("")
        print(f"{row.what}: {row.measured} {_VERDICTS[row.is_ok]}", file=sys.stderr, flush=True)
    print(f"\n{_machine()}\n")
    print("| what | against | measured | min-max | reach | | ours / rival |")
    print("|---|---|---|---|---|---|---|")
    for row in lines:
        verdict = _VERDICTS[row.is_ok]
        cells = (row.what, row.rival, row.measured, row.spread, row.reach, verdict, row.costs)
        print(f"| {' | '.join(cells)} |")
    return all(row.is_ok is not False for row in lines)


_VERDICTS = {True: "ok", False: "**not reached**", None: ""}


def _machine() -> str:
    names = (
        "httpx",
        "httpcore",
        "aiohttp",
        "anyio",
        "attrs",
        "cattrs",
        "aiolimiter",
        "h11",
        "uvicorn",
        "starlette",
        "pytest",
    )
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_processor()}, {os.cpu_count()} cores{load}; {python}; {versions}"


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    lines = table.read_text().splitlines() if table.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
