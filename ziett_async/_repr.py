"""Value: how an attrs value shows itself."""

from typing import Any, cast

import attrs


class Value:
    """Shows in its repr the fields that say something, and none that is private.

    What is None is left out, for most of a listed message is, as are the fields declared
    with `repr=False`: numbers, texts and names of people.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        fields = attrs.fields(cast("type[Any]", type(self)))
        shown = {each.name: getattr(self, each.name) for each in fields if each.repr}
        said = (f"{name}={value!r}" for name, value in shown.items() if value is not None)
        return f"{type(self).__name__}({', '.join(said)})"
