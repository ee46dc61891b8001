"""The emulator: a `FakeZiett` behind HTTP on loopback. It needs h11, the extra `emulator`."""

from ziett_async.emulator._server import Emulator

__all__ = ["Emulator"]
