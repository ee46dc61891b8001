"""A Python of its own, for a test of what is imported."""

import subprocess
import sys


def run(code: str, *arguments: str) -> list[str]:
    """Run a program in a new process; return the lines that it prints."""
    done = subprocess.run(  # noqa: S603 - the code is the test's
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
