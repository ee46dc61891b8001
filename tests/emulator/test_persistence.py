"""A service whose state is persisted in a file that survives a crash."""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.requests import batch, message, request_of
from ziett_async._fake.responses import Refusal
from ziett_async.emulator._clock import AdjustableClock
from ziett_async.emulator._journal import Journal
from ziett_async.emulator._persistence import PersistentZiett
from ziett_async.testing import Delivery, FakeZiett, Fault
from ziett_async.testing.emulator import Emulator


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "state"


def start(clock: AdjustableClock | None = None, balance: int = 1000) -> PersistentZiett:
    """Return a service with the same options at each start."""
    return PersistentZiett(
        clock=clock or AdjustableClock(),
        balance=balance,
        delivery=Delivery(failed=0.5, sent_after=60),
    )


def restore(path: Path) -> None:
    """Restore the state in a file, and end."""
    with start().persisted_in(path):
        pass


@contextmanager
def disk_of(size: int) -> Generator[None]:
    """Limit files to a size, as a full disk does."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def state(fake: FakeZiett) -> object:
    """Return what a restart must preserve."""
    return fake.messages, fake.campaigns, fake.contacts, fake.balance


def test_a_restart_restores_the_state(file: Path) -> None:
    """Messages with their ids and deliveries, campaigns, contacts, balance and keys."""
    send = request_of("POST", "/messages", message(save_contact={"name": "João"}), key="a")
    clocks = AdjustableClock(), AdjustableClock()
    first, second = map(start, clocks)
    with first.persisted_in(file):
        accepted = first.exchange(send)
        first.exchange(request_of("POST", "/campaigns/batch", batch()))
        first.exchange(request_of("POST", "/messages", message(content="\U0001f30d")))
        first.deliver(first.messages[-1].id, "UNDELIVERED", "HANDSET_OFF")
        first.top_up(Decimal("0.50"))
    with second.persisted_in(file):
        for later in (0, 3600):
            moments = [clock.stopped(clocks[0].time() + later) for clock in clocks]
            with moments[0], moments[1]:
                assert state(second) == state(first)
        assert second.exchange(send).response == accepted.response
    assert (len(second.messages), second.requests[-1].replayed) == (5, True)


def test_a_deleted_message_stays_deleted_after_a_restart(file: Path) -> None:
    """Its key is remembered; a deletion of what is not there leaves no line."""
    send = request_of("POST", "/messages", message(), key="a")
    first, second = start(), start()
    with first.persisted_in(file):
        accepted = first.exchange(send)
        first.exchange(request_of("POST", "/messages", message(content="Kept")))
        first.delete_message(first.messages[0].id)
        lines = file.read_bytes()
        with pytest.raises(KeyError):
            first.delete_message(UUID(int=0))
        assert file.read_bytes() == lines
    with second.persisted_in(file):
        assert [each.content for each in second.messages] == ["Kept"]
        assert second.exchange(send).response == accepted.response
        assert len(second.messages) == 1


def test_requests_that_change_nothing_are_not_journaled(file: Path) -> None:
    """Reads, refusals, and requests that a fault stopped."""
    fake = start()
    with fake.persisted_in(file):
        fake.exchange(request_of("GET", "/messages"))
        fake.exchange(request_of("POST", "/messages", {}))
        with fake.script(Fault.reset(), Fault.status(202)):
            fake.exchange(request_of("POST", "/messages", message()))
            fake.exchange(request_of("POST", "/messages", message()))
    assert file.read_bytes() == b""


def test_only_changes_during_the_block_are_journaled(file: Path) -> None:
    """Not those before it or after it."""
    fake = start()
    fake.exchange(request_of("POST", "/messages", message()))
    with fake.persisted_in(file):
        pass
    fake.exchange(request_of("POST", "/messages", message()))
    fake.clear()
    assert file.read_bytes() == b""


def test_two_services_at_once_do_not_share_a_file(file: Path) -> None:
    """The second is refused and changes nothing; after the first the file is free."""
    first = start()
    with first.persisted_in(file):
        first.exchange(request_of("POST", "/messages", message()))
        before = file.read_bytes()
        with (
            pytest.raises(BlockingIOError, match="state is in use by another emulator"),
            start().persisted_in(file),
        ):
            pass
        assert file.read_bytes() == before
        first.exchange(request_of("POST", "/messages", message()))
    second = start()
    with second.persisted_in(file):
        assert len(second.messages) == 2


def test_clearing_empties_the_file(file: Path) -> None:
    """Later changes are journaled."""
    fake = start()
    with fake.persisted_in(file):
        fake.exchange(request_of("POST", "/messages", message()))
        fake.clear()
        fake.exchange(request_of("POST", "/messages", message(content="Again")))
    again = start()
    with again.persisted_in(file):
        assert [each.content for each in again.messages] == ["Again"]


def test_the_dialect_is_persisted(file: Path) -> None:
    """Messages accepted before it and after it have the same timestamps again."""
    first, send = start(), request_of("POST", "/messages", message())
    with first.persisted_in(file):
        first.exchange(send)
        first.use_dialect("reference")
        first.exchange(send)
    second = start()
    with second.persisted_in(file):
        assert second.dialect.name == "reference"
        assert [row.created_at for row in second.messages] == [
            row.created_at for row in first.messages
        ]
        second.clear()
        assert (second.dialect.name, file.read_bytes()) == ("site", b"")


def test_no_trace_id_comes_twice_across_restarts(file: Path) -> None:
    """Although the seed is the same and errors are not journaled."""
    traces = list[str]()
    for _ in range(2):
        fake = start()
        with fake.persisted_in(file):
            for _ in range(2):
                exchange = fake.exchange(request_of("POST", "/messages", {}))
                assert exchange.response is not None
                traces.append(json.loads(exchange.response.body)["trace_id"])
                fake.clear()
    assert len(set(traces)) == 4


def test_an_incomplete_last_line_is_cut_off(file: Path) -> None:
    """However long it is; the lines before it count, and new ones follow them."""
    fake = start()
    with fake.persisted_in(file):
        fake.exchange(request_of("POST", "/messages", message()))
        whole = file.read_bytes()
        fake.exchange(request_of("POST", "/messages", message()))
    both = file.read_bytes()
    for cut in range(len(whole), len(both)):
        file.write_bytes(both[:cut])
        fake = start()
        with fake.persisted_in(file):
            assert len(fake.messages) == 1
            assert file.read_bytes() == whole
            fake.top_up(1)
        with start().persisted_in(file):
            assert file.read_bytes().count(b"\n") == 2


def test_a_line_counts_once_it_is_committed(file: Path) -> None:
    """A program that ends before has not answered, and the next start ignores the line."""
    lines = list[bytes]()
    with Journal.open(file) as journal:
        for number in range(2):
            with journal.appending([number]) as commit:
                file.with_suffix(".copy").write_bytes(file.read_bytes())
                commit()
        with suppress(KeyError), journal.appending([2]):
            raise KeyError
    with Journal.open(file) as journal:
        journal.replay(lines.append)
    with Journal.open(file.with_suffix(".copy")) as journal:
        journal.replay(lines.append)
    assert lines == [b"[0]\n", b"[1]\n", b"[0]\n"]


def test_a_full_disk_is_noticed_before_the_change(file: Path) -> None:
    """The newline included, since the change cannot be undone."""
    begun = list[int]()
    with Journal.open(file) as journal:
        for size in range(5):
            with disk_of(size), suppress(OSError), journal.appending([0]) as commit:
                begun.append(size)
                commit()
            assert file.read_bytes() == (b"[0]\n" if size == 4 else b"")
    assert begun == [4]


@pytest.mark.parametrize("torn", [b"", b"[", b'[17.5, "top'])
def test_what_a_power_failure_leaves_is_cut_off(
    file: Path, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """NULs after complete lines or an incomplete one; a warning is logged."""
    for whole, balance in ((b"", "1000"), (b'[17.5, "top_up", "1"]\n', "1001")):
        file.write_bytes(whole + torn + bytes(4096))
        caplog.clear()
        fake = start()
        with fake.persisted_in(file):
            assert (str(fake.balance), file.read_bytes()) == (balance, whole)
        cut = f"{file}: cut off an incomplete line at its end, {len(torn) + 4096} bytes"
        assert caplog.messages == [cut]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "3",
        "[" * 100_000,
        '[1, "deliver", ["x"]]',
        '[1, "top_up", "x"]',
        '[1, "use_dialect", "core"]',
        '[1, "request", {"url": "", "headers": [], "body": 5}]',
        '["1", "top_up", "1"]',
        '[1e300, "top_up", "1"]',
        '[NaN, "top_up", "1"]',
        '[17.5, "requ[17.5, "top_up", "1"]',
        '\0\0[17.5, "top_up", "1"]',
        "a line of other notes",
    ],
)
@pytest.mark.parametrize("end", ["\n", '\n[17.5, "top_up", "1"]\n', "\n[17.5"])
def test_a_file_of_another_kind_is_refused(file: Path, line: str, end: str) -> None:
    """The error names the line and the remedy; the file and its mode stay as they are."""
    written = f'[17.5, "top_up", "1"]\n{line}{end}'
    file.write_text(written, encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(ValueError, match="line 2: cannot be replayed") as caught:
        restore(file)
    assert "cut the file before this line, or name another file" in str(caught.value)
    assert file.read_text(encoding="utf-8") == written
    assert file.stat().st_mode & 0o044


@pytest.mark.parametrize("written", ["A note without a newline", "SQLite\0\0", "\0\0x"])
def test_a_last_line_of_another_format_is_not_cut_off(file: Path, written: str) -> None:
    """Only one that starts like a journal's line is."""
    file.write_text(written, encoding="utf-8")
    with pytest.raises(ValueError, match="it is not a line of a state file"):
        restore(file)
    assert file.read_text(encoding="utf-8") == written


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such files")
def test_a_path_that_is_not_a_regular_file_is_refused(file: Path) -> None:
    """Reading a pipe would wait for ever, and a device may have no end."""
    os.mkfifo(file)
    for path in (file, Path("/dev/full")):
        with pytest.raises(ValueError, match="is not a regular file; name another"):
            restore(path)


def test_on_a_full_disk_no_change_is_made(file: Path) -> None:
    """However little space is missing; earlier changes stay, and with space it goes on."""
    fake, send = start(), request_of("POST", "/messages", message(), key="a")
    with fake.persisted_in(file):
        fake.exchange(send)
        once = file.read_bytes()
        before = state(fake)
        fake.faults.add(Fault.lose_answer())
        for size in range(len(once), 2 * len(once) - 20):
            with disk_of(size), pytest.raises(Refusal, match="Nothing was done") as caught:
                fake.exchange(request_of("POST", "/messages", message(), key="b"))
            assert caught.value.status == 507
            assert (state(fake), file.read_bytes()) == (before, once)
        with disk_of(len(once)):
            for change in (partial(fake.top_up, 1), partial(fake.deliver, fake.messages[0].id)):
                with pytest.raises(Refusal, match="Nothing was done"):
                    change()
        assert (state(fake), len(fake.faults.pending)) == (before, 1)
        fake.exchange(request_of("POST", "/messages", message(), key="b"))
    again = start()
    with again.persisted_in(file):
        assert len(again.messages) == 2


def test_what_cannot_be_cleared_in_the_file_is_not_cleared(file: Path) -> None:
    """Else it would be back at the next start."""
    fake = start()
    with fake.persisted_in(file):
        fake.top_up(1)
        before = state(fake)
        held: Any = fake
        own, read_only = held._journal._file.fileno(), os.open(file, os.O_RDONLY)
        kept = os.dup(own)
        os.dup2(read_only, own)
        with pytest.raises(Refusal, match="Nothing was done") as caught:
            fake.clear()
        assert (caught.value.status, state(fake)) == (507, before)
        os.dup2(kept, own)
        os.close(kept)
        os.close(read_only)


def test_over_http_a_full_disk_is_a_507(file: Path) -> None:
    """As the API's error object and in the request log, and the emulator goes on."""
    fake = start()
    body = b'{"amount": "1"}'
    with fake.persisted_in(file), Emulator(fake) as emulator, disk_of(0):
        client = HTTPConnection("127.0.0.1", emulator.port, timeout=10)
        headers = {"X-API-KEY": "zk_test_x", "Content-Type": "application/json"}
        for path in ("/c/v1/messages", "/_emulator/balance"):
            client.request("POST", path, body, headers)
            answer = client.getresponse()
            document = json.loads(answer.read())
            assert (answer.status, document["code"]) == (507, "INSUFFICIENT_STORAGE")
        client.request("GET", "/_emulator/requests")
        [entry] = json.loads(client.getresponse().read())["requests"]
        assert entry["answer"]["status"] == 507
        client.close()
    assert (fake.balance, file.read_bytes()) == (Decimal(1000), b"")
    assert not fake.requests


def test_a_journal_written_with_other_options_is_refused(file: Path) -> None:
    """Here with a balance that does not suffice."""
    fake = start()
    with fake.persisted_in(file):
        fake.exchange(request_of("POST", "/messages", message()))
    with pytest.raises(ValueError, match="402 now"), start(balance=1).persisted_in(file):
        pass


def test_time_continues_after_the_last_change_in_the_journal(file: Path) -> None:
    """Even if the calendar was set back since."""
    file.write_text(json.dumps([AdjustableClock().time() + 1000, "top_up", "1"]) + "\n")
    clock = AdjustableClock()
    with start(clock).persisted_in(file):
        assert clock.time() >= AdjustableClock().time() + 999


@pytest.mark.skipif(os.name == "nt", reason="this system's files have no such modes")
def test_the_texts_of_messages_are_for_the_owner_only(file: Path) -> None:
    """Also where the file existed with another mode."""
    for _ in range(2):
        with start().persisted_in(file):
            assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0o644)


def test_it_needs_a_clock_that_can_be_stopped(file: Path) -> None:
    """Another clock is a TypeError that names the right one."""
    with pytest.raises(TypeError, match="AdjustableClock"):
        PersistentZiett().top_up(1)
    assert not file.exists()
