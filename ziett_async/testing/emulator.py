"""The emulator, by name: it needs h11, which the rest of the test house does not."""

from ziett_async.testing._emulator import Emulator, Room
from ziett_async.testing._http import Send, Stream

__all__ = ["Emulator", "Room", "Send", "Stream"]
