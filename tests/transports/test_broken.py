"""The conformance tests find out transports that are written as they often are."""

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest

from ziett_async import Request, Response, SendFailed, Transport
from ziett_async.testing import Fault
from ziett_async.testing.conformance import TransportConformance
from ziett_async.transports import HttpxTransport

pytestmark = pytest.mark.anyio

#: Sends a request through a good transport, and does something wrong; the list is its memory.
Habit = Callable[[Transport, Request, list[Any]], Awaitable[Response]]


async def _loses_the_key(inner: Transport, request: Request, _: list[Any]) -> Response:
    headers = tuple(pair for pair in request.headers if pair[0] != "idempotency-key")
    return await inner.send(attrs.evolve(request, headers=headers))


async def _unquotes(inner: Transport, request: Request, _: list[Any]) -> Response:
    return await inner.send(attrs.evolve(request, url=request.url.replace("%2B", "+")))


async def _repeats(inner: Transport, request: Request, _: list[Any]) -> Response:
    response = await inner.send(request)
    return response if response.status < 300 else await inner.send(request)


async def _raises_for_status(inner: Transport, request: Request, _: list[Any]) -> Response:
    response = await inner.send(request)
    if response.status >= 400:
        raise SendFailed(str(response.status), reached=True)
    return response


async def _unpacks(inner: Transport, request: Request, _: list[Any]) -> Response:
    response = await inner.send(request)
    packed = response.header("content-encoding") == "gzip"
    return attrs.evolve(response, body=gzip.decompress(response.body)) if packed else response


async def _is_sure_it_was_sent(inner: Transport, request: Request, _: list[Any]) -> Response:
    try:
        return await inner.send(request)
    except SendFailed as failure:
        raise SendFailed(str(failure), reached=True) from None


async def _is_sure_it_was_not(inner: Transport, request: Request, _: list[Any]) -> Response:
    try:
        return await inner.send(request)
    except SendFailed as failure:
        raise SendFailed(str(failure), reached=False, timed_out=failure.timed_out) from None


async def _raises_what_it_likes(inner: Transport, request: Request, _: list[Any]) -> Response:
    try:
        return await inner.send(request)
    except SendFailed as failure:
        raise OSError(str(failure)) from None


async def _has_no_timeout(inner: Transport, request: Request, _: list[Any]) -> Response:
    return await inner.send(attrs.evolve(request, timeout=None))


async def _is_late(inner: Transport, request: Request, kept: list[Any]) -> Response:
    kept.append(await inner.send(request))
    first: Response = kept[0]
    return first


async def _finishes_what_was_cancelled(
    inner: Transport, request: Request, kept: list[Any]
) -> Response:
    kept.append(request)
    response = await inner.send(kept[0])
    del kept[0]
    return response


class Habitual:
    """A transport with a bad habit."""

    def __init__(self, habit: Habit) -> None:
        self._inner = HttpxTransport()
        self._habit = habit
        self._kept: list[Any] = []

    async def send(self, request: Request) -> Response:
        """Send, the habit's way."""
        return await self._habit(self._inner, request, self._kept)

    async def aclose(self) -> None:
        """Close the other one."""
        await self._inner.aclose()


class Reopening(HttpxTransport):
    """A transport that does not know that it was closed."""

    async def aclose(self) -> None:
        """Close, and open again."""
        await super().aclose()
        self._is_closed = False


def conformance(make: Callable[[], Transport]) -> Any:  # noqa: ANN401 - a class with these tests
    """Return the tests of a transport."""

    class Mine(TransportConformance):
        def make_transport(self) -> Transport:
            return make()

    return Mine()


@pytest.mark.parametrize(
    ("habit", "test", "arguments"),
    [
        (_loses_the_key, "it_sends_these_bytes_and_returns_the_answer", ()),
        (_unquotes, "a_query_arrives_as_it_is_quoted", ()),
        (_repeats, "every_status_is_an_answer", (503,)),
        (_repeats, "every_status_is_an_answer", (307,)),
        (_raises_for_status, "every_status_is_an_answer", (401,)),
        (_unpacks, "a_body_is_returned_as_it_came", ()),
        (_is_sure_it_was_sent, "a_refused_connection_has_not_reached_the_server", ()),
        (_raises_what_it_likes, "a_refused_connection_has_not_reached_the_server", ()),
        (
            _is_sure_it_was_not,
            "a_broken_answer_may_have_reached_the_server",
            (Fault.lose_answer(),),
        ),
        (_is_sure_it_was_not, "the_timeout_is_for_the_whole_attempt", ()),
        (_is_sure_it_was_sent, "the_timeout_is_for_the_whole_attempt", ()),
        (_has_no_timeout, "the_timeout_is_for_the_whole_attempt", ()),
        (_finishes_what_was_cancelled, "a_cancelled_send_leaves_nothing_behind", ()),
        (_is_late, "many_at_once_get_their_own_answers", ()),
    ],
)
async def test_a_bad_habit_is_found_out(habit: Habit, test: str, arguments: tuple[Any]) -> None:
    """Each test of the contract fails for a transport that does not keep its sentence."""
    run = getattr(conformance(lambda: Habitual(habit)), f"test_{test}")
    with pytest.raises((AssertionError, pytest.fail.Exception, SendFailed, OSError)):
        await run(*arguments)


async def test_a_transport_that_opens_again_is_found_out() -> None:
    """What was closed sends no more."""
    with pytest.raises(pytest.fail.Exception):
        await conformance(Reopening).test_it_closes_twice_and_sends_no_more()
