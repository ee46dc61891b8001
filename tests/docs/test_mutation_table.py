"""The table of docs/mutation.md, and that what mutmut breaks and runs is there."""

import json
import tomllib
from pathlib import Path

from tests.docs.mutation_table import PACKAGE, PAGE, ROOT, Score, covered, scores, too_low, written

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
TABLE = "<!-- mutation: x -->\n\n{}\n\n<!-- end -->\n"


def test_what_is_broken_and_what_judges_it_is_there() -> None:
    """A module that was renamed would leave the run without a sound."""
    patterns = SETTINGS["only_mutate"]
    assert [each for each in patterns if not list(PACKAGE.parent.glob(each))] == []
    tests = SETTINGS["pytest_add_cli_args_test_selection"]
    chosen = tests[: tests.index("-k")]
    assert [each for each in chosen if not (ROOT / each).exists()] == []
    options = [each.split("=")[1] for each in SETTINGS["pytest_add_cli_args"] if "ignore" in each]
    assert [each for each in options if not list(ROOT.glob(each))] == []


def test_the_rules_of_the_fake_and_the_transports_are_broken_too() -> None:
    """Whole, with their folders."""
    names = covered()
    assert {"_fake/service.py", "_fake/state/store.py"} <= names
    assert "transports/_pool.py" in names
    assert len(names) > 40


def test_the_page_has_a_row_for_no_module_that_is_gone() -> None:
    """What is not measured is named, and what is no longer there is not."""
    page = PAGE.read_text(encoding="utf-8")
    message = "docs/mutation.md is out of date; run: python -m tests.docs.mutation_table"
    assert written(page, {}, "never", covered()) == page, message


def test_the_ends_of_the_tests_are_counted(tmp_path: Path) -> None:
    """Killed, out of time, not run; whatever else pytest ends with has noticed nothing."""
    file = tmp_path / "ziett_async" / "_fake" / "ids.py.meta"
    file.parent.mkdir(parents=True)
    codes = {"a": 1, "b": 1, "c": -24, "d": 0, "e": 255, "f": None}
    file.write_text(json.dumps({"exit_code_by_key": codes}), encoding="utf-8")
    assert scores(tmp_path) == {"_fake/ids.py": Score(2, 1, 2, 1)}
    assert Score(2, 1, 2, 1).share == 50.0


def test_each_module_must_notice_enough_and_small_ones_together() -> None:
    """Ninety of a hundred are enough; what was not run counts as not noticed."""
    run = {
        "_a.py": Score(killed=80, out_of_time=10, survived=10),
        "_b.py": Score(killed=89, survived=11),
        "_c.py": Score(killed=89, not_run=11),
        "_empty.py": Score(),
        "_fake/ids.py": Score(killed=1, survived=1),
        "_fake/state/store.py": Score(killed=98),
        "transports/_pool.py": Score(killed=1, survived=1),
    }
    assert too_low(run) == ["_b.py", "_c.py", "transports/"]


def test_a_run_of_some_modules_leaves_the_rows_of_the_others() -> None:
    """Each row says when it was measured, and part of a run has no share."""
    old = "| `a.py` | 9 | 0 | 1 | 0 | 90.0 % | before |"
    gone = "| `gone.py` | 1 | 0 | 0 | 0 | 100.0 % | before |"
    run = {"b.py": Score(3, 0, 1), "c.py": Score(3, 0, 0, 1)}
    fakes = {"_fake/a.py", "_fake/b.py"}
    modules = {"a.py", "b.py", "c.py", "d.py"} | fakes
    page = written(TABLE.format(f"{old}\n{gone}"), run, "today", modules)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [
        old,
        "| `b.py` | 3 | 0 | 1 | 0 | 75.0 % | today |",
        "| `c.py` | 3 | 0 | 0 | 1 | - | today |",
    ]
    assert "\n\nNot measured yet: `_fake/`, `d.py`.\n\n<!-- end -->" in page
