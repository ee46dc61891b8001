"""The code that a page links to, such as the test that proves a word, as pages of the site."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders.html import StandaloneHTMLBuilder

SUFFIX = ".py"
#: The lines of a page of code: `#line-45`.
LINE = "line"
#: The paths of the files that pages link to, from the repository's top on.
linked = set[str]()


class SourceLinks(SphinxTransform):
    """Makes of a link to a file of code a link to its page; a title is the test that is meant."""

    # Before Sphinx collects what is to be downloaded.
    default_priority = 400

    def apply(self, **_: object) -> None:
        """Look at every link to a file that is no page."""
        for link in list(self.document.findall(addnodes.download_reference)):
            path = posixpath.join(posixpath.dirname(self.env.docname), str(link["reftarget"]))
            if path.endswith(SUFFIX):
                link.replace_self(self._reference(link, posixpath.normpath(path)))

    def _reference(self, link: nodes.Element, path: str) -> nodes.reference:
        linked.add(path)
        page = self.app.builder.get_relative_uri(self.env.docname, path.removesuffix(SUFFIX))
        title = str(link.get("reftitle", ""))
        place = _line_of(title, Path(self.app.srcdir, path).read_text(encoding="utf-8"))
        target = f"{page}#{LINE}-{place}"
        return nodes.reference("", "", *link.children, refuri=target, reftitle=title or path)


def _line_of(test: str, text: str) -> int:
    """Return the line in which a function begins, or the first one."""
    found = re.search(rf"^(async )?def {re.escape(test)}\(", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _pages(app: "Sphinx") -> Iterator[tuple[str, dict[str, Any], str]]:
    highlighter = cast("StandaloneHTMLBuilder", app.builder).highlighter
    for path in sorted(linked):
        text = Path(app.srcdir, path).read_text(encoding="utf-8")
        code = highlighter.highlight_block(text, "python", lineanchors=LINE)
        body = f"<h1>{path}</h1>\n{code}"
        yield path.removesuffix(SUFFIX), {"title": path, "body": body}, "page.html"


def setup(app: "Sphinx") -> None:
    """Register the links while reading, the pages while writing."""
    app.add_transform(SourceLinks)
    app.connect("html-collect-pages", _pages)
