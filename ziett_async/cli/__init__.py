"""The command `ziett`: a demonstration, and a Ziett on your own machine."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from ziett_async import __version__

_COMMANDS = {
    "demo": "send 300 messages to a service on this machine, and see what becomes of them",
    "emulator": "serve a Ziett on this machine, for programs in any language",
}


def main(argv: Sequence[str] | None = None, commands: Mapping[str, str] = _COMMANDS) -> int:
    """Run the command line; return the exit code."""
    try:
        options = _parser(commands).parse_args(argv)
    except ModuleNotFoundError as error:
        lacking = str(error.name).partition(".")[0]
        sys.stderr.write(f"ziett needs {lacking}: pip install 'ziett-async[cli]'\n")
        return 2
    reconfigure: Any = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        # A name that the terminal or the file cannot spell is no reason to end.
        reconfigure(errors="replace")
    code: int = options.run(options)
    return code


def _parser(names: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("ziett", description=__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, purpose in names.items():
        # Here and not above: what a command needs is an extra, which may not be installed.
        module: Any = import_module(f"ziett_async.cli._{name}")
        command = commands.add_parser(name, help=purpose, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
