"""The parser of the command line: a command's module is imported only when it is named."""

import argparse
import re
from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Any, NoReturn

from ziett_async import __version__

_DESCRIPTION = "Sends messages with Ziett, reads them back, and serves a Ziett on your machine."
_EXIT_CODES = (
    "Exit codes: 0 done, 1 some failed, 2 usage, 3 refused by the API, 4 unknown outcome, "
    "130 interrupted. The API key comes from ZIETT_API_KEY, or is asked for on a terminal."
)

_KEY = re.compile(r"(zk_(live|test)_)\S+")

#: What each command is for; its module is `ziett_async.cli.commands.<name>`.
COMMANDS = {
    "send": "send one message",
    "bulk": "send a message to each contact of a file",
    "campaign": "send one text to all contacts of a file",
    "get": "show one message with all that is known of it",
    "list": "show the newest messages",
    "watch": "show each change of messages until all are final",
    "export": "write messages as CSV, for spreadsheets",
    "parts": "show in how many parts a text travels, and what is in the way of fewer",
    "check": "check key, scopes, sender and address, without sending anything",
    "demo": "send 300 messages to a service on this machine, and see what becomes of them",
    "emulator": "serve a Ziett on this machine, for programs in any language",
    "completion": "print a script that completes these commands in a shell",
}


class _Parser(argparse.ArgumentParser):
    """A parser that repeats no API key: its errors end up in logs."""

    def error(self, message: str) -> NoReturn:
        super().error(_KEY.sub(r"\1...", message))


def make_parser(
    named: Collection[str], commands: Mapping[str, str] = COMMANDS
) -> argparse.ArgumentParser:
    """Return the parser, complete for the commands that are named."""
    parser = _Parser("ziett", description=_DESCRIPTION, epilog=_EXIT_CODES, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    subparsers = parser.add_subparsers(metavar="command", title="commands", required=True)
    for name, purpose in commands.items():
        command = subparsers.add_parser(name, help=purpose, allow_abbrev=False)
        if name in named:
            add_arguments(command, name)
    return parser


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """Make the parser that of a command, whose module is imported for it."""
    # Here and not above: another command's imports cost time, and may be extras that are absent.
    module: Any = import_module(f"ziett_async.cli.commands.{name}")
    parser.description = module.__doc__
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
