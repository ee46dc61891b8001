"""How a command ends: its exit code, and one line about an error."""

import sys

from ziett_async import (
    ApiError,
    ConfigurationError,
    InvalidRequest,
    OutcomeUnknown,
    RecipientNotAllowed,
    ZiettError,
)
from ziett_async.cli._values import printable

DONE, SOME_FAILED, USAGE, REFUSED, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 4, 130
#: What a shell reports of a command whose reader left, as in `ziett list | head -1`.
BROKEN_PIPE = 141


class UsageError(Exception):
    """A file or an option cannot be used as it is; nothing was sent."""


#: Refused on this machine: other arguments or settings are what it takes.
_USAGE = UsageError, InvalidRequest, ConfigurationError, RecipientNotAllowed


def exit_code(error: ZiettError | UsageError) -> int:
    """Return how a command ends that an error ended."""
    if isinstance(error, OutcomeUnknown):
        return UNKNOWN
    if isinstance(error, ApiError):
        return REFUSED
    return USAGE if isinstance(error, _USAGE) else SOME_FAILED


def complain(command: str, reason: object) -> None:
    """Write one line about what went wrong to standard error."""
    sys.stderr.write(f"ziett {command}: {printable(str(reason))}\n")
