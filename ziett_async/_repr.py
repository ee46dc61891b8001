"""Value: the repr of attrs values."""

from typing import Any, cast

import attrs


class Value:
    """A base class whose repr shows the fields that are set, and none that is private.

    Fields that are None are left out, as most of a listed message are, and so are those
    declared with `repr=False`: numbers, texts and names of people.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        fields = attrs.fields(cast("type[Any]", type(self)))
        shown = {each.name: getattr(self, each.name) for each in fields if each.repr}
        shown_fields = (f"{name}={value!r}" for name, value in shown.items() if value is not None)
        return f"{type(self).__name__}({', '.join(shown_fields)})"
