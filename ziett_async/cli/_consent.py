"""Asking before money is spent, and where the journal of a run lies."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from ziett_async.cli._failures import UsageError

_YES = {"y", "yes", "s", "sim"}


def add_consent(parser: ArgumentParser) -> None:
    """Take what a command has that spends money."""
    add = parser.add_argument
    add("--dry-run", action="store_true", help="show what would be sent, and send nothing")
    add("--yes", action="store_true", help="do not ask")
    add(
        "--journal",
        type=Path,
        metavar="FILE",
        help="what is sent already; by default beside the file. Its name is that of the run",
    )


def is_confirmed(options: Namespace, question: str) -> bool:
    """Return whether it may go on: a person says so, or `--yes` did.

    Raises:
        UsageError: there is no terminal to ask on.

    """
    if options.yes:
        return True
    if not sys.stdin.isatty():
        message = "nothing was sent: give --yes where there is no terminal to ask on"
        raise UsageError(message)
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in _YES


def journal_of(options: Namespace, *texts: str) -> Path:
    """Return the journal of a run: that of the option, or one beside the file for these texts.

    Another text is another run; so the same command again goes on with the same journal.
    """
    if options.journal is not None:
        path: Path = options.journal
        return path
    file: Path = options.file
    return file.with_name(f"{file.name}-{_digest(texts)}.journal")


def _digest(texts: Iterable[str]) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:8]
