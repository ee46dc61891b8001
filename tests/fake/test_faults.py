"""Scripted faults, and the exchange that each results in."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from typing import Any, cast

import attrs
import pytest

from tests.support.requests import message, request_of
from ziett_async.testing import Ending, Exchange, FakeZiett, Fault


def statuses(fake: FakeZiett) -> list[int | None]:
    """Return the status of each recorded request."""
    return [arrival.status for arrival in fake.requests]


def test_without_a_fault_an_exchange_is_the_response() -> None:
    """The request is executed and answered at once."""
    fake = FakeZiett()
    exchange = fake.exchange(request_of("POST", "/messages", message(), key="a"))
    assert exchange == Exchange(fake.handle(request_of("POST", "/messages", message(), key="a")))
    assert (exchange.ending, exchange.delay, exchange.executed) == (Ending.ANSWERED, 0.0, True)


#: Makes a fault, for one operation or for any. Made in the tests, which its defaults are part of.
Make = Callable[..., Fault]


@pytest.mark.parametrize(
    ("make", "ending", "delay", "sent", "status"),
    [
        (Fault.refuse, Ending.REFUSED, 0.0, 0, []),
        (Fault.reset, Ending.RESET, 0.0, 0, [None]),
        (Fault.lose_answer, Ending.RESET, 0.0, 1, [202]),
        (Fault.stall, Ending.STALLED, inf, 1, [202]),
        (partial(Fault.stall, executes=False), Ending.STALLED, inf, 0, [None]),
        (partial(Fault.slow, 3.0), Ending.ANSWERED, 3.0, 1, [202]),
        (Fault.truncate, Ending.TRUNCATED, 0.0, 1, [202]),
        (Fault.garbage, Ending.ANSWERED, 0.0, 1, [202]),
        (partial(Fault.running, 5.0), Ending.RESET, 0.0, 1, [202]),
        (partial(Fault.status, 503), Ending.ANSWERED, 0.0, 0, [503]),
        (Fault.stored_error, Ending.ANSWERED, 0.0, 0, [500]),
        (Fault.gateway_error, Ending.ANSWERED, 0.0, 1, [202]),
    ],
)
def test_each_fault_has_its_ending(
    make: Make, ending: Ending, delay: float, sent: int, status: list[int | None]
) -> None:
    """It decides what the client receives, what is executed, and what is recorded."""
    fake = FakeZiett()
    with fake.script(make()):
        exchange = fake.exchange(request_of("POST", "/messages", message()))
    found = (exchange.ending, exchange.delay, exchange.executed, exchange.cut)
    assert found == (ending, delay, bool(sent), 0)
    assert (len(fake.messages), statuses(fake)) == (sent, status)
    assert {each.operation for each in fake.requests} <= {"send_message"}
    assert fake.exchange(request_of("POST", "/messages", message())).ending is Ending.ANSWERED


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (Fault.refuse, "refuse()"),
        (Fault.reset, "reset()"),
        (Fault.lose_answer, "lose_answer()"),
        (Fault.stall, "stall(executes=True)"),
        (partial(Fault.stall, executes=False), "stall(executes=False)"),
        (partial(Fault.slow, 3.0), "slow(3.0)"),
        (Fault.truncate, "truncate(0)"),
        (partial(Fault.truncate, 4), "truncate(4)"),
        (Fault.garbage, "garbage()"),
        (partial(Fault.running, 5.0), "running(5.0)"),
        (partial(Fault.status, 503), "status(503)"),
        (Fault.stored_error, "stored_error(500)"),
        (Fault.gateway_error, "gateway_error(502)"),
    ],
)
def test_a_fault_is_shown_as_it_was_made(make: Make, label: str) -> None:
    """With the operation that it waits for."""
    assert str(make()) == f"{label} for any operation"
    assert str(make(operation="get_message")) == f"{label} for get_message"


def test_a_truncated_response_ends_after_so_many_bytes() -> None:
    """Of its body; none by default."""
    fake = FakeZiett()
    for fault, cut in ((Fault.truncate(4), 4), (Fault.truncate(), 0)):
        fake.faults.add(fault)
        assert fake.exchange(request_of("GET", "/messages")).cut == cut


def test_a_status_has_the_usual_body_by_default() -> None:
    """An error object from the service, HTML from a proxy, an empty body for a redirect."""
    fake = FakeZiett()
    request = request_of("GET", "/messages")

    def body(fault: Fault) -> bytes:
        with fake.script(fault):
            response = fake.exchange(request).response
        assert response is not None
        return response.body

    assert json.loads(body(Fault.status(500)))["code"] == "INTERNAL_SERVER_ERROR"
    assert json.loads(body(Fault.status(418)))["code"] == "HTTP_418"
    assert body(Fault.status(502)).startswith(b"<html>")
    assert body(Fault.status(302)) == b""
    assert body(Fault.status(200, body=b"{}")) == b"{}"
    assert body(Fault.garbage(b"?")) == b"?"
    assert body(Fault.garbage()) == b"\x00\xff{"
    assert body(Fault.gateway_error(500)).startswith(b"<html>")
    assert body(Fault.gateway_error(body=b"{}")) == b"{}"


def test_a_status_can_have_headers() -> None:
    """Such as a `Retry-After` in any form."""
    fake = FakeZiett()
    fake.faults.add(Fault.status(429, headers=(("retry-after", "1.5"),)))
    response = fake.exchange(request_of("GET", "/messages")).response
    assert response is not None
    assert (response.header("retry-after"), response.header("content-type")) == (
        "1.5",
        "application/json",
    )


def test_a_gateway_error_hides_the_services_response() -> None:
    """The default is a 502; what the key replays is the service's response."""
    fake = FakeZiett()
    request = request_of("POST", "/messages", message(), key="a")
    retry_after = ("retry-after", "3")
    with fake.script(Fault.gateway_error(headers=(retry_after,))):
        hidden = fake.exchange(request).response
    assert hidden is not None
    assert (hidden.status, hidden.header("retry-after")) == (502, "3")
    assert json.loads(fake.handle(request).body)["message_id"] == str(fake.messages[0].id)
    assert [arrival.replayed for arrival in fake.requests] == [False, True]


def test_a_stored_error_is_replayed_for_its_key() -> None:
    """A request with another key, or without one, is executed."""
    fake = FakeZiett()
    request = request_of("POST", "/messages", message(), key="a")
    with fake.script(Fault.stored_error(), Fault.stored_error(503)):
        first = fake.exchange(request).response
        fake.exchange(request_of("POST", "/messages", message()))
    assert fake.handle(request) == first
    assert fake.handle(request_of("POST", "/messages", message(), key="b")).status == 202
    assert fake.handle(request_of("POST", "/messages", message())).status == 202


def test_an_unknown_operation_is_refused() -> None:
    """A misspelt fault would never happen; the error lists the choices."""
    with pytest.raises(ValueError, match=r"no operation 'send_mesage'; there are: send_message,"):
        Fault.lose_answer(operation="send_mesage")


@pytest.mark.parametrize("status", [199, 600, 99])
def test_a_status_out_of_range_is_refused(status: int) -> None:
    """As in the control API; 200 and 599 are accepted."""
    for make in (Fault.status, Fault.stored_error, Fault.gateway_error):
        with pytest.raises(ValueError, match=f"from 200 to 599, got {status}"):
            make(status)
    assert [str(Fault.status(edge))[:11] for edge in (200, 599)] == ["status(200)", "status(599)"]


def test_a_status_is_an_integer() -> None:
    """A string of digits is refused."""
    with pytest.raises(TypeError, match="must be an integer, got '503'"):
        Fault.status(cast("Any", "503"))


class Headers(tuple[tuple[str, str], ...]):  # noqa: SLOT001 (it counts)
    """Headers that count how often they are read."""

    reads = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Count a read."""
        self.reads += 1
        return super().__iter__()


@pytest.mark.parametrize(
    "fault", [None, Fault.reset(), Fault.lose_answer(), Fault.status(500), Fault.stored_error()]
)
def test_a_request_is_parsed_once(fault: Fault | None) -> None:
    """One reading serves to find its fault, execute it and record it, whatever the fault is."""
    request = request_of("POST", "/messages", message(), key="a")
    headers = Headers(request.headers)
    fake = FakeZiett()
    fake.faults.add(*([] if fault is None else [fault]))
    fake.exchange(attrs.evolve(request, headers=headers))
    assert headers.reads == 1


def test_an_exchange_has_the_record_of_its_request() -> None:
    """Or None, if the connection was refused."""
    fake = FakeZiett()
    with fake.script(Fault.reset(), Fault.refuse()):
        reset, refused, answered = (
            fake.exchange(request_of("GET", path)) for path in ("/a", "/b", "/messages")
        )
    assert [reset.arrival, answered.arrival] == fake.requests
    assert refused.arrival is None
