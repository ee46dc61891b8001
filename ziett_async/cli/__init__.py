"""The command `ziett`: sends messages, reads them back, and serves a Ziett on your machine."""

from ziett_async.cli._main import main

__all__ = ["main"]
