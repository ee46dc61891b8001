"""The pages as a site: what lies beside them, the page at the door, the language of each."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from _site.contents import INDEX, trees

if TYPE_CHECKING:
    from sphinx.application import Sphinx

REDIRECT = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={0}">'


def _add_trees(app: "Sphinx", docname: str, source: list[str]) -> None:
    if docname == app.config.root_doc:
        index = Path(app.srcdir, INDEX).read_text(encoding="utf-8")
        source[0] = "\n".join([source[0], *trees(index)])


def _say_language(_: object, docname: str, __: str, context: dict[str, Any], ___: object) -> None:
    if docname.endswith(".pt"):
        context["language"] = "pt"


def _add_entrance(app: "Sphinx", failed: Exception | None) -> None:
    if failed is None:
        page = REDIRECT.format(f"{app.config.root_doc}.html")
        Path(app.outdir, "index.html").write_text(page, encoding="utf-8")


def setup(app: "Sphinx") -> None:
    """Register the parts, each where Sphinx gets there."""
    app.connect("source-read", _add_trees)
    app.connect("html-page-context", _say_language)
    app.connect("build-finished", _add_entrance)
