"""The queue of faults, each of which waits for a request of its operation."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from threading import Lock

from ziett_async._fake.faults import Fault


class Faults:
    """The queue of faults that wait for their requests; each happens once."""

    def __init__(self) -> None:
        self._waiting: dict[int, Fault] = {}
        self._count = 0
        # A test adds faults while an emulator's thread takes them.
        self._lock = Lock()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that have not happened yet."""
        with self._lock:
            return tuple(self._waiting.values())

    def add(self, *faults: Fault) -> None:
        """Add faults at the end of the queue.

        Raises:
            TypeError: something is not a `Fault`.

        """
        self._queue(faults)

    def clear(self) -> None:
        """Remove every fault."""
        self._waiting.clear()

    def take(self, operation: str | None) -> Fault | None:
        """Remove and return the first fault for this operation or for any, or None."""
        with self._lock:
            waiting = self._waiting.items()
            found = (number for number, each in waiting if each.operation in (None, operation))
            number = next(found, None)
            return None if number is None else self._waiting.pop(number)

    @contextmanager
    def script(self, *faults: Fault) -> Generator[None]:
        """Queue faults that must all happen within a `with` block.

        Raises:
            AssertionError: at the end of the block, with the faults that did not happen.
            TypeError: at its beginning, if something is not a `Fault`.

        """
        numbers = self._queue(faults)
        try:
            yield
            unused = [str(self._waiting[number]) for number in numbers if number in self._waiting]
            if unused:
                message = f"faults that never happened: {', '.join(unused)}"
                raise AssertionError(message)
        finally:
            for number in numbers:
                self._waiting.pop(number, None)

    def _queue(self, faults: tuple[Fault, ...]) -> list[int]:
        _check_faults(faults)
        with self._lock:
            numbers = [self._count + index for index in range(len(faults))]
            self._waiting.update(zip(numbers, faults, strict=True))
            self._count += len(faults)
        return numbers


def _check_faults(faults: Sequence[object]) -> None:
    for each in faults:
        if not isinstance(each, Fault):
            message = f"give a Fault, such as Fault.lose_answer(), not {each!r}"
            raise TypeError(message)
