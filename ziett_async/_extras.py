"""The extras of the package: how one is installed, and the error where it is missing."""

from collections.abc import Generator
from contextlib import contextmanager


def how_to_install(extra: str, *others: str) -> str:
    """Return the command that installs an extra, and other packages with it."""
    packages = " ".join(f"'{each}'" for each in (f".[{extra}]", *others))
    return f"python -m pip install {packages} in the clone"


@contextmanager
def needs_extra(user: str, extra: str, *others: str) -> Generator[None]:
    """Import what an extra brings, in a `with` block.

    Args:
        user: what needs it: a public class.
        extra: its name.
        others: packages that it leaves to the program to choose.

    Raises:
        ImportError: a library is missing, or cannot be imported; the message says how to
            install it. It is a `ModuleNotFoundError` where Python's is, with the same `name`.

    """
    try:
        yield
    except ImportError as error:
        reason = str(error).partition("\n")[0]
        message = f"{user} needs an extra: {how_to_install(extra, *others)} ({reason})"
        is_missing = isinstance(error, ModuleNotFoundError)
        kind = ModuleNotFoundError if is_missing else ImportError
        raise kind(message, name=error.name, path=error.path) from error
