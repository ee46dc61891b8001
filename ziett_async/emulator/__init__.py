"""The emulator: a `FakeZiett` behind HTTP on loopback. It needs h11, the extra `emulator`."""

from ziett_async.emulator._application import Answer, Send, StreamingResponse
from ziett_async.emulator._server import Emulator, Room

__all__ = ["Answer", "Emulator", "Room", "Send", "StreamingResponse"]
