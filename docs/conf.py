"""The documentation site: the pages of this repository, and a reference from the docstrings.

`python -m nox -s docs` builds it, with warnings as errors. Its source folder is the repository's
top, so that a link between two pages leads to the same place here and there.
"""

import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
sys.path.insert(0, str(TOP / "docs"))

import ziett_async  # noqa: E402 - beside it lies what builds the site

project = "ziett_async"
author = "The ziett_async authors"
release = ziett_async.__version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "_site.docstrings",
    "_site.names",
    "_site.pages",
    "_site.sources",
]
include_patterns = ["*.md", "docs/**.md", "docs/**.rst"]
exclude_patterns = [".*", "**/.*"]
root_doc = "README"
nitpicky = True

# Anchors of headings as GitHub makes them.
myst_heading_anchors = 4

autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_member_order = "bysource"
autoclass_content = "both"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "ziett_async"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
# What a reader copies leaves out the prompt and what was printed.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
