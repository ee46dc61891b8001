"""Every recipe passes its own tests as it is printed, and fails them without what makes it safe."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.cookbook._recipes import COOKBOOK, WORKERS, blocks, chapters, files
from tests.docs.cookbook.conftest import RunSuite

pytest_plugins = ["pytester"]

SUITES = [heading for heading in chapters() if any(map(re.compile("test_").match, files(heading)))]
#: A recipe, what a careless copy has instead of some lines, and the tests that find out.
CARELESS = [
    (
        "One-time codes with FastAPI",
        {"            idempotency_key=code.key,\n": "", "        code.tries_left -= 1\n": ""},
        [
            "test_asking_again_sends_no_second_message",
            "test_asking_again_after_that_sends_no_second_message",
            "test_guessing_ends_soon",
        ],
    ),
    (
        "Django views",
        {'            idempotency_key=f"shipped-{order}",\n': ""},
        [
            "test_two_clicks_are_one_message[shipped]",
            "test_trying_again_after_lost_answers_is_one_message[shipped]",
        ],
    ),
    (
        "A Celery task",
        {
            "idempotency_key=self.request.id, ": "",
            "if not error.is_retryable": "if not error",
        },
        # The other one fails as well; with its worker it takes four seconds.
        [
            "test_a_retry_of_celery_sends_nothing_twice[lose_answer() for any operation]",
            "TestWithoutMoney::test_it_is_not_tried_again",
        ],
    ),
    (
        "A campaign with trio",
        {"sorted(set(numbers))": "list(numbers)"},
        ["test_started_again_it_sends_nothing_twice"],
    ),
    (
        "A test suite",
        {", reference=number)\n": ")\n"},
        ["test_started_again_it_sends_nothing_twice[asyncio]"],
    ),
]
pages = pytest.mark.parametrize("page", [COOKBOOK, WORKERS], ids=["cookbook", "workers"])


@pytest.mark.parametrize("heading", SUITES)
def test_a_recipe_passes_its_own_tests(run_suite: RunSuite, heading: str) -> None:
    """As it is printed, in a folder of its own, with warnings as errors."""
    result = run_suite(heading)
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}, outcomes
    assert not result.errlines


@pytest.mark.parametrize(("heading", "spoilt", "names"), CARELESS)
def test_a_careless_copy_fails_them(
    run_suite: RunSuite, heading: str, spoilt: dict[str, str], names: list[str]
) -> None:
    """What keeps a recipe safe is what its tests are about."""
    (suite,) = (name for name in files(heading) if name.startswith("test_"))
    tests = [f"{suite}::{name}" for name in names]
    outcomes = run_suite(heading, *tests, spoilt=spoilt).parseoutcomes()
    assert outcomes == {"failed": len(names)}


@pages
def test_every_recipe_says_first_what_it_is_for(page: Path) -> None:
    """In a sentence, before any code."""
    for heading, text in chapters(page).items():
        assert re.match(r"\n[A-Z].+?\.\s", text.partition("```")[0], re.DOTALL), heading


@pages
def test_every_program_is_a_file_with_a_name_of_its_own(page: Path) -> None:
    """Nothing that is marked as a program is left out of the tests, or overwrites another."""
    names = Counter(name for heading in chapters(page) for name in files(heading, page))
    assert set(names.values()) == {1}
    marked = [
        text
        for chapter in chapters(page).values()
        for language, text in blocks(chapter)
        if language in {"python", "toml"}
    ]
    assert len(marked) == names.total()


@pages
def test_the_contents_list_every_recipe(page: Path) -> None:
    """In order, with links as GitHub makes them of headings."""
    listed = re.findall(r"^- \[(.+)\]\(#(.+)\)$", page.read_text("utf-8"), re.MULTILINE)
    headings = list(chapters(page))
    links = [(each, re.sub(r"[^\w -]", "", each).lower().replace(" ", "-")) for each in headings]
    assert listed == links


def test_the_index_lists_every_page() -> None:
    """With its title."""
    index = (COOKBOOK.parent / "README.md").read_text(encoding="utf-8")
    for page in COOKBOOK.parent.glob("*.md"):
        title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        assert page.name == "README.md" or f"| [{title}]({page.name}) |" in index
