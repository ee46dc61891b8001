"""SqliteJournal: a file for one run at a time, that is durable, private and its own."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.bulk import TEXT, accepted, client_of, collected, messages, numbers, take
from ziett_async import ConfigurationError, NewMessage, SendOutcome, SqliteJournal, Unlimited
from ziett_async.bulk.journal import Header, Record
from ziett_async.testing import FakeZiett, Fault

pytestmark = pytest.mark.anyio

HEADER = Header("send_many", "July", "0f")
RECORDS = [
    Record(0, "key-0", 1.5, "019b4b56-e704-7c30-83a0-527df63c3e00", "{}"),
    Record(2, "key-2", None, None, None),
    Record(7, "key-7", 2.25, None, None),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "run.db"


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


async def refusal(path: Path) -> str:
    """Return why a file cannot be opened."""
    with pytest.raises(ConfigurationError) as caught:
        await SqliteJournal(path).open(HEADER)
    text = str(caught.value)
    assert text.startswith(f"journal {path}: ")
    return text


async def test_what_is_written_is_read_again(file: Path) -> None:
    """By another journal of the same file, in order, from any row, with the first header."""
    journal = SqliteJournal(file)
    assert await journal.open(HEADER) == HEADER
    await journal.write(RECORDS[::-1])
    await journal.aclose()
    journal = SqliteJournal(str(file))
    assert await journal.open(Header("send_many", "August", None)) == HEADER
    assert await journal.read(0, 10) == RECORDS
    assert await journal.read(1, 1) == RECORDS[1:2]
    assert await journal.read(8, 10) == []
    changed = Record(2, "key-2", 3.0, "an id", None)
    await journal.write([changed])
    assert await journal.read(2, 1) == [changed]
    assert await journal.has_accepted("an id")
    assert not await journal.has_accepted("another id")
    await journal.aclose()
    await journal.aclose()


async def test_only_its_owner_may_read_it(file: Path) -> None:
    """Whatever the umask, and the log beside it, too; there is no other file."""
    before = os.umask(0)
    try:
        journal = SqliteJournal(file)
        await journal.open(HEADER)
        await journal.write(RECORDS)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
        assert modes == {"run.db": 0o600, "run.db-wal": 0o600}
        await journal.aclose()
    finally:
        os.umask(before)
    assert [each.name for each in file.parent.iterdir()] == ["run.db"]


async def test_a_journal_that_others_may_read_is_closed_to_them(file: Path) -> None:
    """As after it was copied."""
    journal = SqliteJournal(file)
    await journal.open(HEADER)
    await journal.aclose()
    file.chmod(0o644)
    await journal.open(HEADER)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await journal.aclose()


async def test_every_commit_has_reached_the_disk(file: Path) -> None:
    """A write-ahead log, and an fsync for each commit."""
    journal: Any = SqliteJournal(file)
    await journal.open(HEADER)
    connection = journal._opened
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    await journal.aclose()


async def test_no_second_run_may_open_it(file: Path) -> None:
    """In the same process, with another journal or the same one."""
    journal, other = SqliteJournal(file), SqliteJournal(file)
    await journal.open(HEADER)
    assert "another run has it open" in await refusal(file)
    with pytest.raises(ConfigurationError, match="another run has it open"):
        await journal.open(HEADER)
    await journal.write(RECORDS)
    await journal.aclose()
    await other.open(HEADER)
    assert await other.read(0, 9) == RECORDS
    await other.aclose()


#: Opens a journal, says so, and waits for its end.
HOLDS = """
import sys, anyio
from ziett_async import SqliteJournal
from ziett_async.bulk.journal import Header

async def main():
    await SqliteJournal(sys.argv[1]).open(Header("send_many", "July", "0f"))
    print("open", flush=True)
    sys.stdin.read()

anyio.run(main)
"""


async def test_no_second_process_may_open_it(file: Path) -> None:
    """Until the first one has ended, however it ends."""
    with subprocess.Popen(  # noqa: ASYNC220, S603 - our own words, and nothing else is going on
        [sys.executable, "-W", "ignore", "-c", HOLDS, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        # Looking at it a second time, and failing, must not lift the lock.
        for _ in range(2):
            assert "another run has it open" in await refusal(file)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    journal = SqliteJournal(file)
    await journal.open(HEADER)
    await journal.aclose()


async def test_a_second_run_sends_nothing(file: Path) -> None:
    """Its error comes from its first step; the first run goes on."""
    fake = FakeZiett()
    journal = SqliteJournal(file)
    async with client_of(fake) as client:
        first = client.send_many(messages(9), journal=journal, concurrency=2)
        await anext(first)
        # The same object must not be closed by the run that could not open it.
        for other in (journal, file):
            second = client.send_many(messages(9), journal=other)
            with pytest.raises(ConfigurationError, match="another run has it open"):
                await anext(second)
        assert len([each async for each in first]) == 8
    assert len(fake.requests) == 9


async def test_a_file_that_is_no_journal_is_refused_and_left_alone(file: Path) -> None:
    """A text, a database of another program, a folder."""
    file.write_text("number,content\n" * 100)
    file.chmod(0o644)
    before = file.read_bytes()
    assert "no journal; name another file" in await refusal(file)
    assert file.read_bytes() == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    file.unlink()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE people (name)")
    before = file.read_bytes()
    assert "a database but not a journal; name another file" in await refusal(file)
    assert file.read_bytes() == before
    file.unlink()
    file.mkdir()
    assert "name another" in await refusal(file)


async def test_a_folder_that_is_missing_is_named(file: Path) -> None:
    """It is not created, as it may be a typing error."""
    text = await refusal(file.parent / "missing" / "run.db")
    assert "No such file or directory" in text
    assert not (file.parent / "missing").exists()


async def test_a_journal_of_a_newer_version_is_refused(file: Path) -> None:
    """What is in it may mean something else."""
    journal = SqliteJournal(file)
    await journal.open(HEADER)
    await journal.aclose()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA user_version = 2")
    assert "update the package" in await refusal(file)


@pytest.mark.parametrize("page", range(5))
async def test_a_damaged_journal_is_refused(file: Path, page: int) -> None:
    """Whatever part of it, before anything is sent."""
    fake = FakeZiett(limits={})
    async with client_of(fake, limiter=Unlimited()) as client:
        await collected(client.send_many(messages(100), journal=file))
        content = bytearray(file.read_bytes())
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
        file.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"journal .*run\.db: it is "):
            await collected(client.send_many(messages(100), journal=file))
    assert len(fake.requests) == 100


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="no file is read-only here")
async def test_a_journal_that_may_not_be_written_is_refused(file: Path) -> None:
    """Before anything is sent."""
    journal = SqliteJournal(file)
    await journal.open(HEADER)
    await journal.aclose()
    file.chmod(0o400)
    assert "check its rights" in await refusal(file)


async def test_a_journal_is_used_between_opening_and_closing(file: Path) -> None:
    """Anything else is an error of the program."""
    with pytest.raises(ConfigurationError, match="it is not open"):
        await SqliteJournal(file).read(0, 1)


@pytest.mark.parametrize("size", [0, 4096, 30_000, 60_000, 120_000])
async def test_a_full_disk_stops_the_run_before_it_sends(file: Path, size: int) -> None:
    """What is not in the journal is not sent; with more space the run goes on, nothing is lost."""
    fake = FakeZiett(limits={})
    async with client_of(fake, limiter=Unlimited()) as client:
        outcomes = list[SendOutcome]()
        with disk_of(size), pytest.raises(ConfigurationError, match="disk is full"):
            await take(client.send_many(messages(900), journal=file, concurrency=4), outcomes)
        sent = len(fake.requests)
        assert sent <= len(accepted(outcomes)) + 4
        again = accepted(await collected(client.send_many(messages(900), journal=file)))
    assert len(again) == 900
    # Only what was sent and could not be written any more is a repetition.
    assert len(fake.requests) - 900 <= 4
    assert len(fake.messages) == 900


async def test_no_number_and_no_text_is_in_it(file: Path) -> None:
    """Of what is accepted, refused, unknown, invalid; and no name of a contact."""
    fake = FakeZiett()
    rows: list[NewMessage] = [
        NewMessage(number, TEXT, save_contact={"name": "Ana Domingos"}) for number in numbers(5)
    ]
    rows.append(NewMessage("923 000", "an invalid row"))
    faults = [
        Fault.status(422, operation="send_message"),
        Fault.lose_answer(operation="send_message"),
    ]
    with fake.script(*faults):
        async with client_of(fake) as client:
            run = client.send_many(rows, journal=file, concurrency=1)
            async for _ in run:
                files = [file, file.with_name("run.db-wal")]
                content = b"".join(each.read_bytes() for each in files if each.exists())
                assert TEXT.encode() not in content
                assert b"Ana" not in content
                assert not any(number[4:].encode() in content for number in numbers(5))


async def test_a_name_that_sqlite_would_understand_is_a_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`:memory:` would be forgotten with the process."""
    monkeypatch.chdir(tmp_path)
    journal = SqliteJournal(":memory:")
    await journal.open(HEADER)
    await journal.aclose()
    assert (tmp_path / ":memory:").is_file()
