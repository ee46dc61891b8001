"""`ziett check`: what works, found out by reading alone."""

import json
from collections.abc import Iterable

import pytest

from tests.cli._shell import Ended, ziett
from tests.support.samples import API_KEY, REMITTER
from ziett_async import SystemClock
from ziett_async.emulator import Emulator
from ziett_async.testing import SCOPES, FakeZiett, Fault

READING = {f"apikey:{scope}" for scope in ("messages:list", "messages:read", "campaign:read")}


def results(ended: Ended) -> dict[str, str]:
    """Return the result of each check, by what was checked."""
    return dict(line.split("\t")[:2] for line in ended.out.splitlines())


def use(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """Name an emulator in the environment, without a sender."""
    monkeypatch.setenv("ZIETT_API_KEY", API_KEY)
    monkeypatch.setenv("ZIETT_BASE_URL", emulator.base_url)


def service_for(scopes: Iterable[str]) -> FakeZiett:
    """Return a service whose key has these scopes."""
    return FakeZiett(clock=SystemClock(), keys={API_KEY: set(scopes)})


def test_it_sends_nothing(emulator: Emulator) -> None:
    """It reads, and tells what reading cannot tell."""
    ended = ziett("check")
    assert {each.method for each in emulator.service.requests} == {"GET"}
    assert emulator.service.messages == []
    assert (ended.code, ended.err) == (0, "")
    assert results(ended) == {
        "address": "ok",
        "key": "ok",
        "scope messages:list": "ok",
        "scope messages:read": "ok",
        "scope campaign:read": "ok",
        "scope messages:send": "unknown",
        "scope campaign:send": "unknown",
        "sender": "unknown",
    }
    assert "zk_test_...: simulates" in ended.out
    assert API_KEY not in ended.out


def test_a_sender_is_known_by_its_messages(emulator: Emulator) -> None:
    """How many, and the name that recipients see, where the list has it."""
    emulator.service.add_message()
    ended = ziett("check")
    assert results(ended)["sender"] == "ok"
    assert "1 messages were sent with it" in ended.out


@pytest.mark.parametrize("lacking", sorted(READING))
def test_a_scope_that_is_lacking_is_named(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are still checked; exit code 3."""
    with Emulator(service_for(SCOPES - {lacking})) as emulator:
        use(monkeypatch, emulator)
        ended = ziett("check")
    found = results(ended)
    assert ended.code == 3
    assert [name for name, result in found.items() if result == "no"] == [
        f"scope {lacking.removeprefix('apikey:')}"
    ]
    assert found["key"] == "ok"


def test_without_the_list_a_sender_stays_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is known by the messages that a list has."""
    with Emulator(service_for(SCOPES - {"apikey:messages:list"})) as emulator:
        use(monkeypatch, emulator)
        monkeypatch.setenv("ZIETT_REMITTER_ID", REMITTER)
        assert results(ziett("check"))["sender"] == "unknown"


def test_a_key_that_is_wrong_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the rest depends on it."""
    with Emulator(FakeZiett(keys={})) as emulator:
        use(monkeypatch, emulator)
        ended = ziett("check")
    assert (ended.code, results(ended)) == (3, {"address": "ok", "key": "no"})
    assert API_KEY not in ended.out


def test_an_address_where_nothing_answers_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1."""
    with Emulator() as closed:
        use(monkeypatch, closed)
    ended = ziett("check")
    assert (ended.code, results(ended)) == (1, {"address": "no"})


def test_an_address_of_something_else_ends_it(emulator: Emulator) -> None:
    """As of a web server, whose answers are no messages."""
    emulator.service.faults.add(Fault.status(404, operation="list_messages"))
    assert (results(ended := ziett("check")), ended.code) == ({"address": "no"}, 3)


def test_a_check_that_fails_is_unknown(emulator: Emulator) -> None:
    """Neither is there evidence for the scope nor against it."""
    emulator.service.faults.add(*[Fault.status(500, operation="get_message")] * 3)
    ended = ziett("check")
    assert (results(ended)["scope messages:read"], ended.code) == ("unknown", 3)


def test_programs_get_an_object_a_line(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each check."""
    monkeypatch.delenv("ZIETT_REMITTER_ID")
    lines = [json.loads(line) for line in ziett("check", "--json").out.splitlines()]
    held = {"check": "address", "result": "ok", "detail": emulator.base_url, "exit_code": 0}
    assert lines[0] == held
    assert lines[-1]["detail"] == "ZIETT_REMITTER_ID is not set"


def test_a_key_of_another_kind_is_not_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that are documented are."""
    service = FakeZiett(clock=SystemClock(), keys={"other": SCOPES})
    with Emulator(service) as other:
        use(monkeypatch, other)
        monkeypatch.setenv("ZIETT_API_KEY", "other")
        assert "key\tok\t\n" in ziett("check").out


def test_it_fits_the_terminal(emulator: Emulator, width: int) -> None:
    """Long details are cut."""
    ended = ziett("check", terminal=True)
    assert emulator.service.messages == []
    assert max(map(len, ended.out.splitlines())) <= width
