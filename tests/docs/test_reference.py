"""The reference has every public name, and the site every page."""

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import ziett_async
from docs._site.contents import docname, trees
from docs._site.markdown import to_rst

PACKAGE = Path(ziett_async.__file__).parent
TOP = Path(__file__).parents[2]
REFERENCE = TOP / "docs" / "reference"
INDEX = (TOP / "docs" / "README.md").read_text(encoding="utf-8")
ENTRY = re.compile(r"^\.\. auto(\w+):: ([\w.]+)$", re.MULTILINE)
#: Modules whose names are not for users, or are public elsewhere.
INTERNAL = {
    "__main__": "`python -m ziett_async`",
    "api": "its methods are the client's",
    "bulk": "the root has its public names",
    "cli": "the command, docs/cli.md",
    "delivery": "its methods are the client's",
    "emulator.control": "its HTTP is on docs/emulator.md",
    "emulator.inbox": "a page for people",
    "errors": "the root has its public names",
    "limits.distributed": "what the shared limiters have in common",
    "models": "the root has its public names",
}


def modules() -> Iterator[str]:
    """Yield the names of the modules that a user may import."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        inner = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
        is_private = any(part.startswith("_") for part in parts)
        if not is_private and not inner & INTERNAL.keys():
            yield ".".join(["ziett_async", *parts])


def public_names(module: ModuleType) -> list[str]:
    """Return what a module exports: `__all__`, or else the classes and functions it defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    values = vars(module).items()
    return [
        name
        for name, value in values
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]


def entries() -> dict[str, str]:
    """Return the kind of each entry of the reference, by the name that it is about."""
    pages = sorted(REFERENCE.glob("*.rst"))
    found = [entry for page in pages for entry in ENTRY.findall(page.read_text(encoding="utf-8"))]
    assert len({name for _, name in found}) == len(found)
    return {name: kind for kind, name in found}


def value_of(name: str) -> object:
    """Return what a full name stands for."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


@pytest.mark.parametrize("name", list(modules()))
def test_every_public_name_is_in_the_reference(name: str) -> None:
    """Under this name, or under another one that it has."""
    documented = [value_of(each) for each in entries()]
    module = import_module(name)
    missing = [
        f"{name}.{each}"
        for each in public_names(module)
        if not any(getattr(module, each) is value for value in documented)
    ]
    assert missing == [], (
        "add `.. autoclass:: NAME` or `.. autofunction:: NAME` to the page of docs/reference that "
        "it belongs to; a module that is not for users has a line in INTERNAL here"
    )


def test_the_reference_says_what_each_name_is() -> None:
    """A class, a function or a value; a name that is gone is no entry."""
    kinds: dict[str, Callable[[object], bool]] = {
        "class": inspect.isclass,
        "function": inspect.isfunction,
    }
    for name, kind in entries().items():
        value = value_of(name)
        found = [each for each, is_kind in kinds.items() if is_kind(value)] or ["data"]
        assert found == [kind], name


def test_what_is_internal_is_there() -> None:
    """A module that is gone, or was renamed, needs no exception."""
    lost = [each for each in INTERNAL if not list(PACKAGE.glob(each.replace(".", "/") + "*"))]
    assert lost == []


def test_the_site_has_every_page() -> None:
    """The index lists all pages of the repository, and the site shows what it lists."""
    pages = {*TOP.glob("*.md"), *TOP.glob("docs/*.md"), *REFERENCE.glob("*.rst")}
    names = {"/" + page.relative_to(TOP).with_suffix("").as_posix() for page in pages}
    shown = set(re.findall(r"(/\S+?)>?$", "".join(trees(INDEX)), re.MULTILINE))
    assert names - shown == {"/README"}
    assert shown <= names


def test_a_section_of_the_index_is_a_tree_of_pages() -> None:
    """With the titles that the index gives them; the index itself comes first."""
    index = "# All\n\n## How to\n\n| [A b](a.md) | Why? |\n| [Keys](../KEYS.md) | x |\n\n## More\n"
    first, how_to, more = trees(index)
    assert first == "```{toctree}\n:hidden:\n\n/docs/README\n```\n"
    assert ":caption: How to\n\nA b </docs/a>\nKeys </KEYS>\n```" in how_to
    assert ":caption: More\n\n\n```" in more
    assert docname("reference/client") == "/docs/reference/client"


MARKDOWN = """Send `one` message,
or ``two``.

```python
if sent:

    pass
```

Raises:
    NotSent, OutcomeUnknown: it failed,
        for any reason.
    ValueError: `x` is wrong.
"""
RST = """Send ``one`` message,
or ``two``.

.. code-block:: python

   if sent:

       pass


Raises:
    NotSent: it failed,
        for any reason.
    OutcomeUnknown: it failed,
        for any reason.
    ValueError: ``x`` is wrong.
"""


def test_the_markdown_of_docstrings_is_translated() -> None:
    """Words in backticks, blocks of code, and several errors of one cause."""
    assert to_rst(MARKDOWN) == RST
    indented = "Args:\n    x: as in\n\n    ```text\n    a `b`\n    ```\n"
    assert to_rst(indented) == "Args:\n    x: as in\n\n    .. code-block:: text\n\n       a `b`\n\n"
    assert to_rst("Method generated by attrs for class Rate.") == ""
