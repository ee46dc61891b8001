"""A service whose state outlives it, in a file that survives a crash."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ziett_async._wire import Request
from ziett_async.testing import Delivery, FakeZiett, Fault
from ziett_async.testing._desk_clock import DeskClock
from ziett_async.testing._lasting import LastingZiett

Ask = Callable[..., Request]
Body = Callable[..., dict[str, object]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file that does not exist yet."""
    return tmp_path / "state"


def start(clock: DeskClock | None = None, balance: int = 1000) -> LastingZiett:
    """Make a service as it is made at every start."""
    return LastingZiett(
        clock=clock or DeskClock(), balance=balance, delivery=Delivery(failed=0.5, sent_after=60)
    )


def state(fake: FakeZiett) -> object:
    """Return all that should survive."""
    return fake.messages, fake.campaigns, fake.contacts, fake.balance


def test_everything_is_there_again_after_a_restart(
    file: Path, request_of: Ask, message: Body, batch: Body
) -> None:
    """Messages with their ids and fates, campaigns, contacts, balance and keys."""
    send = request_of("POST", "/messages", message(save_contact={"name": "João"}), key="a")
    clocks = DeskClock(), DeskClock()
    first, second = map(start, clocks)
    with first.kept_in(file):
        accepted = first.exchange(send)
        first.exchange(request_of("POST", "/campaigns/batch", batch()))
        first.exchange(request_of("POST", "/messages", message(content="\U0001f30d")))
        first.deliver(first.messages[-1].id, "UNDELIVERED", "HANDSET_OFF")
        first.top_up(Decimal("0.50"))
    with second.kept_in(file):
        for later in (0, 3600):
            moments = [clock.standing_still(clocks[0].time() + later) for clock in clocks]
            with moments[0], moments[1]:
                assert state(second) == state(first)
        assert second.exchange(send).response == accepted.response
    assert (len(second.messages), second.requests[-1].replayed) == (5, True)


def test_what_changes_nothing_is_not_kept(file: Path, request_of: Ask, message: Body) -> None:
    """Reads, refusals, and requests that a fault kept from being carried out."""
    fake = start()
    with fake.kept_in(file):
        fake.exchange(request_of("GET", "/messages"))
        fake.exchange(request_of("POST", "/messages", {}))
        with fake.script(Fault.reset(), Fault.status(202)):
            fake.exchange(request_of("POST", "/messages", message()))
            fake.exchange(request_of("POST", "/messages", message()))
    assert file.read_bytes() == b""


def test_nothing_is_kept_unless_it_is_told_to(file: Path, request_of: Ask, message: Body) -> None:
    """Before the block, and after it."""
    fake = start()
    fake.exchange(request_of("POST", "/messages", message()))
    with fake.kept_in(file):
        pass
    fake.exchange(request_of("POST", "/messages", message()))
    fake.clear()
    assert file.read_bytes() == b""


def test_two_services_at_once_do_not_share_a_file(
    file: Path, request_of: Ask, message: Body
) -> None:
    """The second is refused and leaves no trace; the first goes on, and then it is free."""
    first = start()
    with first.kept_in(file):
        first.exchange(request_of("POST", "/messages", message()))
        before = file.read_bytes()
        with (
            pytest.raises(BlockingIOError, match="state is in use by another emulator"),
            start().kept_in(file),
        ):
            pass
        assert file.read_bytes() == before
        first.exchange(request_of("POST", "/messages", message()))
    second = start()
    with second.kept_in(file):
        assert len(second.messages) == 2


def test_clearing_empties_the_file(file: Path, request_of: Ask, message: Body) -> None:
    """What comes afterwards is kept."""
    fake = start()
    with fake.kept_in(file):
        fake.exchange(request_of("POST", "/messages", message()))
        fake.clear()
        fake.exchange(request_of("POST", "/messages", message(content="Again")))
    again = start()
    with again.kept_in(file):
        assert [each.content for each in again.messages] == ["Again"]


def test_the_dialect_is_kept_as_it_was_chosen(file: Path, request_of: Ask, message: Body) -> None:
    """What was accepted before it and after it has the same moments again."""
    first, send = start(), request_of("POST", "/messages", message())
    with first.kept_in(file):
        first.exchange(send)
        first.use_dialect("reference")
        first.exchange(send)
    second = start()
    with second.kept_in(file):
        assert second.dialect.name == "reference"
        assert [row.created_at for row in second.messages] == [
            row.created_at for row in first.messages
        ]
        second.clear()
        assert (second.dialect.name, file.read_bytes()) == ("site", b"")


def test_no_trace_id_comes_twice_across_restarts(file: Path, request_of: Ask) -> None:
    """Although the seed is the same, and errors are not kept in the file."""
    traces = list[str]()
    for _ in range(2):
        fake = start()
        with fake.kept_in(file):
            for _ in range(2):
                exchange = fake.exchange(request_of("POST", "/messages", {}))
                assert exchange.response is not None
                traces.append(json.loads(exchange.response.body)["trace_id"])
                fake.clear()
    assert len(set(traces)) == 4


def test_a_line_that_a_crash_cut_short_is_forgotten(
    file: Path, request_of: Ask, message: Body
) -> None:
    """Wherever it was cut; the lines before it count, and new ones follow them."""
    fake = start()
    with fake.kept_in(file):
        fake.exchange(request_of("POST", "/messages", message()))
        whole = file.read_bytes()
        fake.exchange(request_of("POST", "/messages", message()))
    both = file.read_bytes()
    for cut in range(len(whole), len(both)):
        file.write_bytes(both[:cut])
        fake = start()
        with fake.kept_in(file):
            assert len(fake.messages) == 1
            assert file.read_bytes() == whole
            fake.top_up(1)
        with start().kept_in(file):
            assert file.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '[1, "deliver", ["x"]]', '[1, "use_dialect", "core"]', '[1, "top_up", "x"]', "3"],
)
def test_a_file_of_another_kind_is_refused(file: Path, line: str) -> None:
    """By its line, and the file stays as it is."""
    file.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="line 1: cannot happen again"), start().kept_in(file):
        pass
    assert file.read_text() == f"{line}\n"


def test_a_past_that_is_impossible_now_is_refused(
    file: Path, request_of: Ask, message: Body
) -> None:
    """The service has to be set up as the one that wrote the file."""
    fake = start()
    with fake.kept_in(file):
        fake.exchange(request_of("POST", "/messages", message()))
    with pytest.raises(ValueError, match="402 now"), start(balance=1).kept_in(file):
        pass


def test_time_goes_on_even_if_the_calendar_was_set_back(file: Path) -> None:
    """What has happened stays in the past."""
    file.write_text(json.dumps([DeskClock().time() + 1000, "top_up", "1"]) + "\n")
    clock = DeskClock()
    with start(clock).kept_in(file):
        assert clock.time() >= DeskClock().time() + 999


def test_the_texts_of_messages_are_for_the_owner_only(file: Path) -> None:
    """Nobody else may read the file."""
    with start().kept_in(file):
        assert file.stat().st_mode & 0o077 == 0


def test_it_needs_a_clock_that_can_stand_still(file: Path) -> None:
    """Another is a TypeError that says so."""
    with pytest.raises(TypeError, match="DeskClock"):
        LastingZiett().top_up(1)
    assert not file.exists()
