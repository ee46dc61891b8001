"""The README's commands are those that CI runs, and the same in both languages."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
README, PORTUGUESE = TOP / "README.md", TOP / "README.pt.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## ", re.MULTILINE)
SCRIPT = TOP / ".ci" / "run"
needs_script = pytest.mark.skipif(not SCRIPT.exists(), reason="the wheel is tested without it")
#: The sessions of a row.
ROW = re.compile(r"^python -m nox --session ((?:[a-z]+ )+)", re.MULTILINE)
#: A comment of a program.
COMMENT = re.compile(r"  # .*")
#: An installation by the name that an index would have, as pip takes it.
BY_NAME = re.compile(r"install\b[^`\n]*[\s'\"]ziett[-_]async(?!/)\b")


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of a language that a page has."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for marked, text in found if marked == language]


@needs_script
def test_ci_runs_the_readmes_test_command() -> None:
    """Step by step, in an environment of its own; the sessions are in rows beside each other."""
    steps = [step.strip() for step in blocks(README, "sh")[2].split("&&")]
    assert steps == [
        "python3 -m venv .venv",
        ".venv/bin/python -m pip install nox",
        ".venv/bin/python -m nox",
    ]
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    assert 'python3 -m venv "$venv"' in lines
    assert "python -m pip install nox" in lines


@needs_script
def test_every_session_of_the_readmes_command_runs_in_ci() -> None:
    """Those that `nox` runs without being told which."""
    noxfile = (TOP / "noxfile.py").read_text(encoding="utf-8")
    [listed] = re.findall(r"nox\.options\.sessions = \[([^]]+)\]", noxfile)
    rows = ROW.findall(SCRIPT.read_text(encoding="utf-8"))
    assert sorted("".join(rows).split()) == sorted(re.findall(r'"(\w+)"', listed))


@pytest.mark.parametrize("language", ["sh", "powershell"])
def test_the_commands_are_the_same_in_both_languages(language: str) -> None:
    """What is typed is not translated."""
    assert blocks(README, language)
    assert blocks(README, language) == blocks(PORTUGUESE, language)


def test_the_programs_are_the_same_in_both_languages() -> None:
    """But for their comments; and there is a section for each."""
    english, portuguese = (
        [COMMENT.sub("", text) for text in blocks(page, "python")] for page in (README, PORTUGUESE)
    )
    assert english == portuguese
    counts = {len(HEADING.findall(page.read_text("utf-8"))) for page in (README, PORTUGUESE)}
    assert len(counts) == 1


def test_what_is_on_no_index_is_not_installed_from_one() -> None:
    """Every page, image and error: a name that is free on an index, anyone can take there."""
    pages = [*TOP.glob("README*.md"), *TOP.glob("docs/*.md"), *TOP.glob("docs/*/*Containerfile")]
    pages += TOP.glob("ziett_async/**/*.py")
    found = {page.name: BY_NAME.findall(page.read_text(encoding="utf-8")) for page in pages}
    assert {name: each for name, each in found.items() if each} == {}
    assert BY_NAME.search("pip install 'ziett-async[cli]'")
    assert BY_NAME.search("pip install fastapi ziett-async")
    assert not BY_NAME.search("pip install '../ziett_async[cli]' fastapi")
