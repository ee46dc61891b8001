"""The client of a command: its key comes from the environment or a prompt, never from argv."""

import os
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from getpass import getpass

import anyio

from ziett_async import AsyncZiett, Limiter

#: What a command does with a client; returns the exit code.
Command = Callable[[AsyncZiett, Namespace], Awaitable[int]]


def make_client(options: Namespace, limiter: Limiter | None = None) -> AsyncZiett:
    """Return the client of a command, which keeps to the limiter.

    Raises:
        ConfigurationError: the environment lacks what a client needs, or has it wrong.

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


def _ask_for_key() -> str | None:
    """Return the key that a person types in, unseen; None where the environment has it."""
    if os.environ.get("ZIETT_API_KEY") or not sys.stdin.isatty():
        return None
    return getpass("API key (ZIETT_API_KEY is not set): ").strip() or None
