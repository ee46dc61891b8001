"""The queue in which scripted faults wait for their requests."""

import threading
from typing import Any, cast

import pytest

from tests.support.requests import request_of
from ziett_async._wire import Request
from ziett_async.testing import FakeZiett, Fault


def test_a_fault_waits_for_its_operation() -> None:
    """It does not happen to others; a fault for any operation happens to unknown paths too."""
    fake = FakeZiett()
    fake.faults.add(Fault.status(500, operation="get_message"), Fault.status(503))
    assert fake.exchange(request_of("GET", "/nowhere")).response == fake_answer(503)
    assert fake.exchange(request_of("GET", "/messages")).response == fake.handle(
        request_of("GET", "/messages")
    )
    assert [str(fault) for fault in fake.faults.pending] == ["status(500) for get_message"]
    assert fake.faults


def test_another_thread_may_add_faults_while_requests_take_them() -> None:
    """No request fails for it, and each fault happens once."""
    fake = FakeZiett()
    begun, taken = threading.Barrier(2), 0

    def add() -> None:
        begun.wait()
        for _ in range(2000):
            fake.faults.add(Fault.status(503, operation="get_message"), Fault.status(503))

    thread = threading.Thread(target=add)
    thread.start()
    begun.wait()
    while thread.is_alive() or len(fake.faults.pending) > 2000:
        taken += fake.faults.take("send_message") is not None
    thread.join()
    assert taken == 2000


def test_a_queue_without_faults_is_false() -> None:
    """Whether it was never used or was cleared."""
    fake = FakeZiett()
    assert not fake.faults
    fake.faults.add(Fault.refuse())
    fake.faults.clear()
    assert not fake.faults
    assert fake.faults.pending == ()


def fake_answer(status: int) -> object:
    """Return the response of a proxy."""
    fake = FakeZiett()
    fake.faults.add(Fault.status(status))
    return fake.exchange(Request("GET", "http://localhost/c/v1/messages", ())).response


def test_every_scripted_fault_has_to_happen() -> None:
    """The block fails with those that did not, and removes them."""
    fake = FakeZiett()
    expected = r"never happened: slow\(2\) for any operation, refuse\(\) for send_message"
    with (
        pytest.raises(AssertionError, match=expected),
        fake.script(Fault.refuse(), Fault.slow(2), Fault.refuse(operation="send_message")),
    ):
        fake.exchange(request_of("GET", "/messages"))
    assert fake.faults.pending == ()


def test_a_block_that_raises_keeps_its_error() -> None:
    """Its error is not replaced, and its faults are removed."""
    fake = FakeZiett()
    with pytest.raises(KeyError), fake.script(Fault.refuse()):
        raise KeyError
    assert fake.faults.pending == ()


def test_anything_but_a_fault_is_refused_before_the_block_begins() -> None:
    """And is not queued."""
    fake, nonsense = FakeZiett(), cast("Any", "lose_answer")
    expected = r"give a Fault, .*, not 'lose_answer'"
    with pytest.raises(TypeError, match=expected), fake.script(Fault.reset(), nonsense):
        pytest.fail("the block began")
    with pytest.raises(TypeError, match="give a Fault"):
        fake.faults.add(nonsense)
    assert fake.faults.pending == ()


def test_faults_happen_in_the_order_in_which_they_were_added() -> None:
    """However many were added before, at once or one by one."""
    fake = FakeZiett()
    fake.faults.add(Fault.status(500), Fault.status(501))
    fake.faults.add(Fault.status(502))
    fake.faults.add(Fault.status(503), Fault.status(504))
    request = request_of("GET", "/messages")
    found = [fake.exchange(request).response for _ in range(5)]
    assert [each.status for each in found if each] == [500, 501, 502, 503, 504]


def test_a_script_in_another_one_removes_only_its_own_faults() -> None:
    """Those of the outer one still have to happen."""
    fake = FakeZiett()
    with fake.script(Fault.status(503, operation="send_message")):
        with fake.script(Fault.reset()):
            fake.exchange(request_of("GET", "/messages"))
        assert [str(fault) for fault in fake.faults.pending] == ["status(503) for send_message"]
        fake.exchange(request_of("POST", "/messages"))
