"""The recipes of the cookbook and of other pages, as files: what is printed there is what runs.

A recipe is a chapter; a file is a fenced block whose first line names it. To write all of the
cookbook's to a folder: `python -m tests.docs.cookbook._recipes FOLDER`.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

COOKBOOK = Path(__file__).parents[3] / "docs" / "cookbook.md"
WORKERS = COOKBOOK.with_name("workers.md")

_CHAPTER = re.compile(r"^## (.+)\n((?:(?!## ).*\n)*)", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# (\w+\.\w+)\n")


def chapters(page: Path = COOKBOOK) -> Mapping[str, str]:
    """Return the text of every chapter, by its heading."""
    return dict(_CHAPTER.findall(page.read_text(encoding="utf-8")))


def blocks(chapter: str) -> list[tuple[str, str]]:
    """Return the language and the text of every fenced block."""
    return _BLOCK.findall(chapter)


def files(heading: str, page: Path = COOKBOOK) -> Mapping[str, str]:
    """Return the text of every file of a recipe, by its name."""
    named = ((_NAME.match(text), text) for _, text in blocks(chapters(page)[heading]))
    return {name[1]: text for name, text in named if name}


def write(
    heading: str, folder: Path, spoilt: Mapping[str, str] | None = None, page: Path = COOKBOOK
) -> None:
    """Write a recipe's files; `spoilt` says what is to be replaced in them, and by what."""
    written = files(heading, page)
    for good, bad in (spoilt or {}).items():
        assert any(good in text for text in written.values()), good
        written = {name: text.replace(good, bad) for name, text in written.items()}
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for title in chapters():
        write(title, Path(sys.argv[1]))
