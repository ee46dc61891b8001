"""`ziett get`: one message with all that is known of it."""

import json
from uuid import UUID

from tests.cli._shell import ziett
from tests.support.samples import NUMBER
from ziett_async.emulator import Emulator


def test_it_shows_what_is_known(emulator: Emulator, width: int) -> None:
    """Line by line, and no line for what is not."""
    message = emulator.service.add_message(
        target_e164=NUMBER, content="Olá, " + 40 * "Ana ", status="FAILED"
    )
    shown = ziett("get", str(message.id), terminal=True)
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= width
    lines = dict(line.split(maxsplit=1) for line in shown.out.splitlines() if line[0] != " ")
    assert lines["id"].strip() == str(message.id)
    assert lines["number"].strip() == NUMBER
    assert "campaign" not in lines
    piped = ziett("get", str(message.id))
    assert f"number\t{NUMBER}\n" in piped.out


def test_programs_get_one_object(emulator: Emulator) -> None:
    """With everything, also what the table leaves out."""
    message = emulator.service.add_message()
    held = json.loads(ziett("get", str(message.id), "--json").out)
    assert held["id"] == str(message.id)
    assert held["organization_id"]


def test_one_that_is_not_there_is_exit_code_3(emulator: Emulator) -> None:
    """In one line with the trace id."""
    ended = ziett("get", str(UUID(int=1)))
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    assert "404" in ended.err
    assert "(trace " in ended.err
    assert emulator.service.messages == []
