"""Where the tests of a module are: a reader who knows its path knows theirs.

The tests of `ziett_async/<...>/_name.py` are `test_name.py`, or several `test_name_<aspect>.py`, in
the folder of `tests/` that `FOLDERS` gives, or below it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

import ziett_async

PACKAGE = Path(ziett_async.__file__).parent
TESTS = Path(__file__).parents[1]

#: The tests of the package's folders; all that is not listed is the client's.
FOLDERS = {
    "_fake": "fake",
    "blocking": "blocking",
    "cli": "cli",
    "emulator": "emulator",
    "limits": "limits",
    "testing": "plugin",
    "transports": "transports",
}
#: The modules, or folders, that are tested under another name than their own.
ELSEWHERE = {
    "_fake/operations.py": "wire/test_description.py",
    "_fake/parsing/submissions.py": "fake/test_body.py",
    "_fake/request.py": "fake/test_faults.py",
    "_fake/settings.py": "fake/test_fake.py",
    "_fake/state/records.py": "fake/test_inspection.py",
    "_fake/state/store.py": "fake/test_messages.py",
    "_fake/state/table.py": "fake/test_listing.py",
    "_loops.py": "transports/test_pool_loops.py",
    "_repr.py": "client/test_models.py",
    "_scalars.py": "client/test_codec.py",
    "_session.py": "client/test_client.py",
    "_structuring.py": "client/test_codec.py",
    "api/_call.py": "client/test_arguments.py",
    "api/_contact.py": "client/test_validation.py",
    "api/_lists.py": "client/test_messages.py",
    "api/_resource.py": "client/test_client.py",
    "blocking/_caller.py": "blocking/test_client.py",
    "blocking/_iterators.py": "blocking/test_methods.py",
    "bulk/facts.py": "client/test_settling.py",
    "bulk/lookup.py": "client/test_journal.py",
    "bulk/outcomes.py": "client/test_run.py",
    "bulk/values.py": "client/test_run.py",
    "cli/_audience.py": "cli/commands/test_bulk.py",
    "cli/_bar.py": "cli/test_progress.py",
    "cli/_client.py": "cli/commands/test_send.py",
    "cli/_consent.py": "cli/commands/test_bulk.py",
    "cli/_draft.py": "cli/commands/test_bulk.py",
    "cli/_failures.py": "cli/commands/test_send.py",
    "cli/_output.py": "cli/commands/test_list.py",
    "cli/_screen.py": "cli/commands/test_demo.py",
    "cli/_service.py": "cli/commands/test_emulator.py",
    "cli/_shells.py": "cli/commands/test_completion.py",
    "cli/_tally.py": "cli/commands/test_bulk.py",
    "emulator/_application.py": "emulator/test_server.py",
    "emulator/_journal.py": "emulator/test_persistence.py",
    "emulator/control/command_body.py": "emulator/test_commands.py",
    "emulator/control/request_facts.py": "emulator/test_request_log.py",
    "emulator/control/request_views.py": "emulator/test_request_log.py",
    "errors": "client/test_errors.py",
    "limits/_guard.py": "limits/test_base_port.py",
    "limits/_rates.py": "limits/test_local.py",
    "limits/distributed": "limits/test_distributed.py",
    "models": "client/test_models.py",
    "testing/_fixtures.py": "plugin/test_plugin.py",
    "testing/conformance.py": "transports/test_broken.py",
    "testing/emulator.py": "emulator/test_server.py",
    "transports/_base.py": "transports/test_conformance.py",
    "transports/httpx.py": "transports/test_conformance.py",
    "transports/httpx2.py": "transports/test_conformance.py",
}


def modules() -> Iterator[Path]:
    """Yield the modules of the package, by their paths within it."""
    paths = (path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py")))
    return (path for path in paths if not path.stem.startswith("__"))


def own_tests(module: Path) -> list[Path]:
    """Return the files of tests that are named after a module."""
    folder = TESTS / FOLDERS.get(module.parts[0], "client")
    name = module.stem.strip("_")
    return [*folder.rglob(f"test_{name}.py"), *folder.rglob(f"test_{name}_*.py")]


def keys_of(module: Path) -> set[str]:
    """Return under what a module may be listed: its own path, or that of a folder around it."""
    return {each.as_posix() for each in (module, *module.parents[:-1])}


def test_a_module_has_tests_under_its_name() -> None:
    """Or it is listed with the file that tests it."""
    lost = [
        module.as_posix()
        for module in modules()
        if not own_tests(module) and not keys_of(module) & ELSEWHERE.keys()
    ]
    assert lost == []


@pytest.mark.parametrize("listed", ELSEWHERE)
def test_what_is_tested_elsewhere_needs_its_entry(listed: str) -> None:
    """The file is there, and some module has no other."""
    assert (TESTS / ELSEWHERE[listed]).is_file()
    assert [each for each in modules() if listed in keys_of(each) and not own_tests(each)]


def test_no_folder_of_tests_is_without_modules() -> None:
    """A folder is listed once there is something to test in it."""
    for folder, tests in FOLDERS.items():
        assert (PACKAGE / folder).is_dir()
        assert (TESTS / tests).is_dir()
