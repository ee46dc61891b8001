"""The emulator by its older name; it is `ziett_async.emulator` now."""

from ziett_async.emulator import Emulator

__all__ = ["Emulator"]
