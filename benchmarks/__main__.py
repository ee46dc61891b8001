"""Runs all benchmarks and prints one table: `python -m benchmarks`."""

import sys
from collections.abc import Iterator

from benchmarks import (
    blocking,
    emulating,
    faking,
    holding,
    in_memory,
    journal,
    limiting,
    listing,
    plugging,
    sending,
    sharing,
    starting,
    urgent,
)
from benchmarks._measure import Row, report

_ALL = (
    sending,
    listing,
    in_memory,
    starting,
    holding,
    limiting,
    sharing,
    urgent,
    journal,
    faking,
    blocking,
    emulating,
    plugging,
)


def _rows() -> Iterator[Row]:
    for each in _ALL:
        yield from each.rows()


if __name__ == "__main__":
    sys.exit(0 if report(_rows()) else 1)
