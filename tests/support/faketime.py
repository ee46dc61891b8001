"""libfaketime: the clock of another process, which a test sets while it runs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

#: What is not tested without it.
MISSING = "no libfaketime: apt-get install libfaketime"
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)

#: Skips a test where it is not installed.
needs_faketime = pytest.mark.skipif(LIBRARY is None, reason=MISSING)


def ahead_by(seconds: float) -> Mapping[str, str]:
    """Return the environment of a process whose clock is ahead of the machine's for good."""
    return {**_environment(), "FAKETIME": f"{seconds:+.0f}s"}


class Clock:
    """The clock of a process, which reads from a file how far it is ahead, before each use."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def environment(self) -> Mapping[str, str]:
        """What the process has to be started with."""
        file = {"FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1"}
        return {**_environment(), **file}

    def set(self, ahead: float) -> None:
        """Set it so many seconds ahead of the machine's."""
        waiting = self._file.with_suffix(".new")
        waiting.write_text(f"{ahead:+.3f}s\n", encoding="utf-8")
        waiting.chmod(0o644)  # the process may be another user's
        waiting.replace(self._file)


def _environment() -> Mapping[str, str]:
    assert LIBRARY, MISSING
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
