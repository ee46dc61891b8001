"""Ziett: the asynchronous client's methods, each of which waits for its result."""

from types import TracebackType
from typing import Any, NoReturn, Self

from ziett_async._client import AsyncZiett
from ziett_async.blocking._caller import Caller, require_no_event_loop
from ziett_async.blocking._methods import arguments_of, awaited, iterated, paged, streamed


class _Client(AsyncZiett):
    def __del__(self) -> None:
        """Do nothing: the `Caller` that it belongs to warns."""


class Ziett:
    """A Ziett client for programs without an event loop: make one, and share it among threads.

    ```python
    from ziett_async.blocking import Ziett

    with Ziett() as client:
        accepted = client.send_message("+244990090990", content="Olá")
    ```

    It takes what `AsyncZiett` takes, and its methods are those of `AsyncZiett` without `await`:
    they give the same values and raise the same errors. All clients of a process make their calls
    in one event loop, in a thread that starts with the first call. What you hand over (a
    transport, a limiter, an observer, a journal) is used there, with the context variables of
    the call; a generator of messages or ids is read in the thread that calls.

    Ctrl-C, like any exception of a signal handler, cancels the call and is raised when the call
    has ended; the client stays usable. A message may have been sent then: the same
    `idempotency_key` makes sure, as after `OutcomeUnknown`.

    After a fork the child may use the client, too; a loop that was begun before is refused there.
    A client that is open when the process ends is closed then.

    Every call raises `ConfigurationError` in a thread that runs an event loop, where it would
    stop it: `AsyncZiett` is for there.
    """

    _caller: Caller

    @arguments_of(AsyncZiett.__init__)
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of AsyncZiett
        try:
            client = _Client(*args, **kwargs)
        finally:
            # A traceback that shows local variables would show the key in this frame, too.
            del args, kwargs
        self._caller = Caller(client)

    call = awaited(AsyncZiett.call)
    send_message = awaited(AsyncZiett.send_message)
    get_message = awaited(AsyncZiett.get_message)
    list_messages = awaited(AsyncZiett.list_messages)
    iter_messages = paged(AsyncZiett.iter_messages)
    send_batch_campaign = awaited(AsyncZiett.send_batch_campaign)
    get_campaign = awaited(AsyncZiett.get_campaign)
    list_campaigns = awaited(AsyncZiett.list_campaigns)
    iter_campaigns = paged(AsyncZiett.iter_campaigns)
    list_campaign_messages = awaited(AsyncZiett.list_campaign_messages)
    iter_campaign_messages = paged(AsyncZiett.iter_campaign_messages)
    send_many = streamed(AsyncZiett.send_many)
    send_campaign = streamed(AsyncZiett.send_campaign)
    wait_until_final = awaited(AsyncZiett.wait_until_final)
    watch_messages = iterated(AsyncZiett.watch_messages)

    def close(self) -> None:
        """Close the client; closing it again does nothing, and later calls are refused.

        Calls of other threads that are waiting for the limiter or for their next attempt end at
        once, as with `AsyncZiett.aclose`. Then the transport is closed.
        """
        self._caller.close()

    def __enter__(self) -> Self:
        require_no_event_loop()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._caller) if hasattr(self, "_caller") else "<Ziett (not built)>"

    def __reduce__(self) -> NoReturn:
        message = "a client is not picklable: it holds the key; build one in each process"
        raise TypeError(message)
