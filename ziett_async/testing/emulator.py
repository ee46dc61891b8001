"""The emulator, by name: it needs h11, which the rest of the test house does not."""

from ziett_async.testing._desk import Answer, Send, Stream
from ziett_async.testing._emulator import Emulator, Room

__all__ = ["Answer", "Emulator", "Room", "Send", "Stream"]
