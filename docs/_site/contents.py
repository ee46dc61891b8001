"""The tree of pages: what docs/README.md lists is what the site shows beside every page."""

import posixpath
import re
from collections.abc import Iterator

INDEX = "docs/README.md"
SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n?)*)", re.MULTILINE)
#: The first cell of a row that leads to a page: its title, and where it is from the index on.
ENTRY = re.compile(r"^\| \[([^]]+)\]\(([^)#]+)\.(?:md|rst)\)", re.MULTILINE)


def trees(index: str) -> Iterator[str]:
    """Return the trees of contents: the index itself, then one for each of its sections."""
    yield f"```{{toctree}}\n:hidden:\n\n{docname('README')}\n```\n"
    for caption, text in SECTION.findall(index):
        entries = "\n".join(f"{title} <{docname(target)}>" for title, target in ENTRY.findall(text))
        yield f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def docname(target: str) -> str:
    """Return how Sphinx calls a page that the index names: from the repository's top on."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(INDEX), target))
