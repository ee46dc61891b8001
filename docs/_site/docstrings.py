"""The reference: docstrings with Markdown in them, and signatures without what is not for users."""

import re
from typing import TYPE_CHECKING

from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer

from _site.markdown import to_rst

if TYPE_CHECKING:
    from sphinx.application import Sphinx

#: A member of an enum as a default: `<Order.DESC: 'desc'>`.
MEMBER = re.compile(r"<(\w+\.\w+): [^>]+>")


def _translate(_: object, what: str, __: str, ___: object, ____: object, lines: list[str]) -> None:
    text = to_rst("\n".join(lines))
    # Napoleon would take what stands before a colon in the words of a field for its type.
    is_field = what in {"attribute", "data", "property"}
    lines[:] = text.split("\n") if is_field else GoogleDocstring(text).lines()


def _signature(
    _: object, __: str, ___: str, ____: object, _____: object, arguments: str | None, result: str
) -> tuple[str, str] | None:
    """Show members of enums by their names, and of an error that only a call makes nothing."""
    if arguments is None:
        return None
    return ("" if "Trail" in arguments else MEMBER.sub(r"\1", arguments)), result


def _read_errors(_: object) -> None:
    """Find the comments of the errors' fields, which say that they are of `ziett_async.errors`."""
    errors = ModuleAnalyzer.for_module("ziett_async.errors")
    errors.analyze()
    for name in ("_call", "_api"):
        part = ModuleAnalyzer.for_module(f"ziett_async.errors.{name}")
        part.analyze()
        errors.attr_docs |= part.attr_docs
        errors.tagorder |= part.tagorder


def setup(app: "Sphinx") -> None:
    """Translate each docstring as autodoc reads it."""
    app.connect("builder-inited", _read_errors)
    app.connect("autodoc-process-docstring", _translate)
    app.connect("autodoc-process-signature", _signature)
