"""The client of a command: its key comes from the environment or a prompt, never from argv."""

import os
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from getpass import getpass

import anyio

from ziett_async import AsyncZiett, Limiter
from ziett_async._settings import read_defaults
from ziett_async.cli._failures import UsageError

#: What a command does with a client; returns the exit code.
Command = Callable[[AsyncZiett, Namespace], Awaitable[int]]


def make_client(options: Namespace, limiter: Limiter | None = None) -> AsyncZiett:
    """Return the client of a command, which keeps to the limiter.

    Raises:
        UsageError: there is no key, and no terminal to ask for it.
        ConfigurationError: the environment has something wrong.

    """
    country: str | None = getattr(options, "country", None)
    return AsyncZiett(_ask_for_key(), default_country=country, limiter=limiter)


def run_with(client: AsyncZiett, command: Command, options: Namespace) -> int:
    """Run a command with a client, and close that; return the exit code."""

    async def run() -> int:
        async with client:
            return await command(client, options)

    return anyio.run(run)


def run_with_client(command: Command, options: Namespace) -> int:
    """Run a command with a client of its own; return the exit code."""
    return run_with(make_client(options), command, options)


def remitter_of(options: Namespace) -> str:
    """Return the sender of the messages: the option's, or that of the environment.

    Raises:
        UsageError: there is none; each message would be refused.

    """
    remitter: str | None = options.remitter or read_defaults(None, None, None).remitter_id
    if remitter is None:
        message = "there is no sender: set ZIETT_REMITTER_ID, or give --remitter"
        raise UsageError(message)
    return remitter


def _ask_for_key() -> str | None:
    """Return the key that a person types in, unseen; None where the environment has it."""
    if os.environ.get("ZIETT_API_KEY"):
        return None
    typed = ""
    if sys.stdin.isatty():
        typed = getpass("API key (ZIETT_API_KEY is not set): ").strip()
    if not typed:
        message = "there is no API key: set ZIETT_API_KEY, or type it in where a terminal asks"
        raise UsageError(message)
    return typed
