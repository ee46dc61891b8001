"""The emulator by its older name; it is `ziett_async.emulator` now."""

from ziett_async.emulator import Answer, Emulator, Room, Send, StreamingResponse

__all__ = ["Answer", "Emulator", "Room", "Send", "StreamingResponse"]
