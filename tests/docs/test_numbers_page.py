"""The page about numbers shows what comes out."""

import doctest
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "numbers.md"
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_sessions_of_the_page_are_true() -> None:
    """Each line under a `>>>` is printed by it; the blocks are one session."""
    session = "".join(SESSION.findall(PAGE.read_text("utf-8")))
    test = doctest.DocTestParser().get_doctest(session, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) == 11
    results = doctest.DocTestRunner(verbose=False).run(test)
    assert not results.failed
