"""`ziett watch`: each change until all are final."""

import json

import pytest

from tests.cli._shell import ziett
from ziett_async.emulator import Emulator


def test_all_delivered_is_exit_code_0(emulator: Emulator) -> None:
    """A line for each."""
    ids = [str(emulator.service.add_message().id) for _ in range(2)]
    ended = ziett("watch", *ids)
    assert (ended.code, ended.err) == (0, "")
    assert sorted(line.split("\t")[1] for line in ended.out.splitlines()) == sorted(ids)
    assert {line.split("\t")[3] for line in ended.out.splitlines()} == {"DELIVERED"}


def test_one_that_is_not_is_exit_code_1(emulator: Emulator) -> None:
    """With its error."""
    message = emulator.service.add_message(status="SENT")
    emulator.service.deliver(message.id, "FAILED", "INVALID_PHONE_NUMBER")
    ended = ziett("watch", str(message.id))
    assert ended.code == 1
    assert ended.out.split("\t")[3:] == ["FAILED", "INVALID_PHONE_NUMBER\n"]


def test_ids_may_come_from_standard_input(emulator: Emulator) -> None:
    """As `ziett bulk --json` has them."""
    message = emulator.service.add_message()
    ended = ziett("watch", "-", "--json", stdin=f"{message.id}\n")
    assert json.loads(ended.out)["id"] == str(message.id)


def test_a_time_that_is_up_is_exit_code_1(emulator: Emulator) -> None:
    """In one line; what was seen until then is shown."""
    message = emulator.service.add_message(status="SENT")
    ended = ziett("watch", str(message.id), "--timeout", "0.2")
    assert (ended.code, ended.err.count("\n")) == (1, 1)


@pytest.mark.usefixtures("emulator")
def test_what_is_no_id_is_a_usage_error() -> None:
    """Which names it by its place."""
    ended = ziett("watch", "x")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("ziett watch: watch_messages: message_ids")


def test_on_a_terminal_a_line_fits(emulator: Emulator) -> None:
    """In 120 columns with its id, number and status."""
    message = emulator.service.add_message()
    ended = ziett("watch", str(message.id), terminal=True)
    assert f"{message.id}  {message.target_e164}  DELIVERED\n" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
