"""What the pytest plugin costs a start of pytest that does not use it."""

from collections.abc import Iterator
from statistics import median

from benchmarks._measure import Row, fresh_pairs, report

#: Programs that print the CPU seconds of a pytest that runs one empty test, in a folder of its
#: own, so that no settings are read, and without other people's plugins. What is there anyway is
#: not in it: importing pytest, and looking up which packages have plugins.
_START = """\
import os, sys, tempfile, time
from importlib.metadata import entry_points
import pytest

blocked = {{each.name for each in entry_points(group="pytest11")}} - {{{!r}}}
options = ["-qq", "--no-header", *(f"-pno:{{name}}" for name in sorted(blocked))]
out, sys.stdout = sys.stdout, sys.stderr
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("test_it.py", "w") as file:
        file.write("def test_it(): pass\\n")
    began = time.process_time()
    status = pytest.main(options)
    print(time.process_time() - began, file=out)
sys.exit(status)
"""


def rows() -> Iterator[Row]:
    """Measure."""
    pairs = fresh_pairs(_START.format("ziett"), _START.format(""), rounds=21)
    added = [mine - other for mine, other in zip(pairs.ours, pairs.rivals, strict=True)]
    yield Row(
        "CPU that the pytest plugin adds to a start which does not use it",
        "the same start with `-p no:ziett`",
        measured=f"{median(added) * 1e3:.1f} ms",
        spread=f"{min(added) * 1e3:.1f}-{max(added) * 1e3:.1f} ms",
        reach="< 5 ms",
        is_ok=median(added) < 5e-3,
        costs=f"{median(pairs.ours) * 1e3:.0f} / {median(pairs.rivals) * 1e3:.0f} ms",
    )


if __name__ == "__main__":
    report(rows())
