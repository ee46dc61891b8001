"""Answer: what all values that the server returns have in common."""

from collections.abc import Mapping
from typing import NoReturn

import attrs

from ziett_async._repr import Value


def _refuse(*_: object, **__: object) -> NoReturn:
    message = "extra is read-only; change a copy of it, dict(value.extra)"
    raise TypeError(message)


class Extra(dict[str, object]):
    """A dict that cannot be changed: one empty instance serves every value without extra keys."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type["Extra"], tuple[dict[str, object]]]:
        # A dict is otherwise unpickled item by item, through `__setitem__`.
        return Extra, (dict(self),)


@attrs.frozen(repr=False)
class Answer(Value):
    """A value that the server returned."""

    #: Keys of the server's object that have no field here, as received; read-only. They may be
    #: anything, so the repr leaves them out and equality ignores them.
    extra: Mapping[str, object] = attrs.field(default=Extra(), kw_only=True, repr=False, eq=False)
