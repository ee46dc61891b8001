"""Names of the package, wherever a page has them as code, lead to the reference."""

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

if TYPE_CHECKING:
    from sphinx import addnodes
    from sphinx.application import Sphinx

CLIENT = "ziett_async.AsyncZiett."
#: What is a link already, or is shown beside the page as well.
WITHIN = (nodes.reference, nodes.title)


class NameLinks(SphinxPostTransform):
    """Makes a link of `send_message`, `AsyncZiett` or `Fault.lose_answer()`."""

    default_priority = 500

    def run(self, **_: object) -> None:
        """Look at every piece of code that is not a link already."""
        known = self._names()
        for literal in list(self.document.findall(nodes.literal)):
            target = known.get(literal.astext().partition("(")[0])
            if target and not _is_within(literal):
                self._link(literal, *target)

    def _link(self, literal: nodes.literal, docname: str, anchor: str) -> None:
        here, shown = self.env.docname, literal.deepcopy()
        literal.replace_self(make_refnode(self.app.builder, here, docname, anchor, shown, anchor))

    def _names(self) -> dict[str, tuple[str, str]]:
        """Return where each name is documented: in full, by class, or alone."""
        found = dict[str, tuple[str, str]]()
        objects = self.env.domains.python_domain.objects
        # Where two have one name, the root's is meant.
        for full in sorted(objects, key=lambda full: full.count(".")):
            entry = objects[full]
            place = (entry.docname, entry.node_id)
            short = full.rpartition(".")[2]
            is_word = short.islower() and "_" not in short
            if entry.objtype in {"class", "exception", "function", "data"} and not is_word:
                found.setdefault(short, place)
            if entry.objtype in {"method", "attribute", "property"}:
                found.setdefault(".".join(full.split(".")[-2:]), place)
            if full.startswith(CLIENT) and "_" in short:
                found[short] = place
            found[full] = place
        return found


def _is_within(node: nodes.Node) -> bool:
    """Tell whether some node around it takes no link."""
    around = node.parent
    return around is not None and (isinstance(around, WITHIN) or _is_within(around))


def _as_it_is(
    _: object, __: object, node: "addnodes.pending_xref", shown: nodes.TextElement
) -> nodes.TextElement | None:
    """Show a type of another project, or of a private module, without a link."""
    top, *parts = str(node["reftarget"]).split(".")
    is_ours = top == "ziett_async" and not any(part.startswith("_") for part in parts)
    return None if is_ours else shown


def setup(app: "Sphinx") -> None:
    """Register the transform, and what a name does that leads nowhere."""
    app.add_post_transform(NameLinks)
    app.connect("missing-reference", _as_it_is)
