"""Prints a script that completes the commands and their options in a shell.

Put it where the shell looks for such scripts: for bash as `ziett` into
~/.local/share/bash-completion/completions, for zsh as `_ziett` into a folder of $fpath, for fish
as `ziett.fish` into ~/.config/fish/completions.
"""

from argparse import ArgumentParser, Namespace

from ziett_async.cli._failures import DONE
from ziett_async.cli._output import write
from ziett_async.cli._parser import COMMANDS
from ziett_async.cli._parser import add_arguments as add_arguments_of
from ziett_async.cli._shells import SHELLS, Command, describe


def add_arguments(parser: ArgumentParser) -> None:
    """Take a shell."""
    parser.add_argument("shell", choices=sorted(SHELLS))


def run(options: Namespace) -> int:
    """Print the script; return the exit code."""
    commands = [_describe(name, purpose) for name, purpose in COMMANDS.items()]
    write(SHELLS[options.shell](commands))
    return DONE


def _describe(name: str, purpose: str) -> Command:
    parser = ArgumentParser()
    add_arguments_of(parser, name)
    return describe(name, purpose, parser)
