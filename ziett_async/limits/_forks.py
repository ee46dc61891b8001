"""What a forked child process does first: it leaves locks and waiting calls to its parent."""

import os
from collections.abc import Callable


def _no_forks(**_: object) -> None:
    """Do nothing: this system has no fork."""


#: `register_at_fork(after_in_child=function)`.
register_at_fork: Callable[..., None] = getattr(os, "register_at_fork", _no_forks)
