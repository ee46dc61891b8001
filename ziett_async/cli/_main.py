"""`ziett`: from the arguments of the process to its exit code."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ziett_async import ZiettError
from ziett_async._extras import how_to_install
from ziett_async.cli._failures import (
    BROKEN_PIPE,
    INTERRUPTED,
    USAGE,
    UsageError,
    complain,
    exit_code,
)
from ziett_async.cli._parser import COMMANDS, make_parser

#: Which extra of the package has what a command imports.
_EXTRAS = {"rich": "cli", "h11": "cli", "python_calamine": "xlsx"}


def main(argv: Sequence[str] | None = None, commands: Mapping[str, str] = COMMANDS) -> int:
    """Run the command line; return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    # The options before a command take no value, so the first word is its name.
    name = next((each for each in arguments if not each.startswith("-")), "")
    try:
        try:
            return _run(arguments, name, commands)
        finally:
            # Now, and not when Python ends: the reader may be gone.
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ZiettError, UsageError) as error:
        complain(name, error)
        return exit_code(error)


def _run(arguments: Sequence[str], name: str, commands: Mapping[str, str]) -> int:
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        # A name that the terminal or the file cannot spell is no reason to end.
        reconfigure(errors="replace")
    try:
        parser = make_parser({name}, commands)
        if not arguments:
            parser.print_help(sys.stderr)
            return USAGE
        options = parser.parse_args(arguments)
        code: int = options.run(options)
    except ModuleNotFoundError as error:
        lacking = str(error.name).partition(".")[0]
        if lacking not in _EXTRAS:
            raise
        sys.stderr.write(f"ziett needs {lacking}: {how_to_install(_EXTRAS[lacking])}\n")
        return USAGE
    return code


def _discard_output() -> None:
    """Let what is still buffered go nowhere: flushing it again would fail again."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
