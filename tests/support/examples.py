"""Functions of the README and of the pages in docs, as a reader copies them."""

import ast
import re
from pathlib import Path
from typing import Any

README = Path(__file__).parents[2] / "README.md"
BULK = README.parent / "docs" / "bulk.md"
DELIVERY = README.parent / "docs" / "delivery.md"
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def readme_function(name: str) -> Any:  # noqa: ANN401 - as the README writes it
    """Return a function of the README, without running the program that it is in."""
    return function_of(README, name)


def function_of(page: Path, name: str) -> Any:  # noqa: ANN401 - as the page writes it
    """Return a function of a page, without running the program that it is in."""
    [program] = [text for text in FENCED.findall(page.read_text("utf-8")) if f"def {name}(" in text]
    tree = ast.parse(program)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Expr)]
    namespace: dict[str, Any] = {}
    exec(compile(tree, page.name, "exec"), namespace)  # noqa: S102 - our own document
    return namespace[name]
