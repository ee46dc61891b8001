"""How a method of the asynchronous client becomes one of the blocking client.

Parameters, types and words are those of the method: what is here is only how its result is
waited for.
"""

import inspect
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, get_args, get_origin

from ziett_async._client import AsyncZiett
from ziett_async._pages import Pages as AsyncPages
from ziett_async.blocking._iterators import Loop, Outcomes, Pages
from ziett_async.blocking._source import NOTHING, Inbox, Source, is_lazy
from ziett_async.models._page import Row

if TYPE_CHECKING:
    from ziett_async.blocking._caller import Caller
    from ziett_async.blocking._client import Ziett
    from ziett_async.bulk.outcomes import Outcomes as AsyncOutcomes

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", bound=Row)
F = TypeVar("F", bound=Callable[..., object])

#: What a docstring says of the asynchronous client, and what of this one.
_WORDS = {
    "AsyncZiett": "Ziett",
    "async with": "with",
    "async for": "for",
    "await ": "",
    "aclose()": "close()",
}
#: What is returned in place of something else; `Pages` and `Outcomes` are called the same here.
_RETURNED: dict[object, Any] = {AsyncIterable: Iterable}


#: It is the client's own, and so are these methods.
_caller_of: "Callable[[Ziett], Caller]" = attrgetter("_caller")


def arguments_of(
    method: Callable[Concatenate[AsyncZiett, P], None],
) -> "Callable[[Callable[..., None]], Callable[Concatenate[Ziett, P], None]]":
    """Return a decorator that gives a function the parameters of another."""
    return partial(_describe, method)


def awaited(
    method: Callable[Concatenate[AsyncZiett, P], Coroutine[Any, Any, T]],
) -> "Callable[Concatenate[Ziett, P], T]":
    """Return a method that waits for a result."""

    def wait(client: "Ziett", /, *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 - as `method`
        # To read a generator is to run the caller's code, for which there is the caller's thread.
        given = [list(each) if is_lazy(each) else each for each in args]
        named = {name: list(each) if is_lazy(each) else each for name, each in kwargs.items()}
        caller = _caller_of(client)
        call: Callable[..., Coroutine[Any, Any, T]] = method
        return caller.portal().call(partial(call, caller.client, *given, **named))

    return _describe(method, wait)


def paged(
    method: Callable[Concatenate[AsyncZiett, P], AsyncPages[R]],
) -> "Callable[Concatenate[Ziett, P], Pages[R]]":
    """Return a method whose result is a list to loop over."""

    def pages(client: "Ziett", /, *args: P.args, **kwargs: P.kwargs) -> Pages[R]:
        caller = _caller_of(client)
        return Pages(caller, method(caller.client, *args, **kwargs))

    return _describe(method, pages)


def iterated(
    method: Callable[Concatenate[AsyncZiett, P], AsyncIterable[T]],
) -> "Callable[Concatenate[Ziett, P], Iterable[T]]":
    """Return a method whose result is anything else to loop over."""

    def loop(client: "Ziett", /, *args: P.args, **kwargs: P.kwargs) -> Iterable[T]:
        caller = _caller_of(client)
        return Loop(caller, method(caller.client, *args, **kwargs))

    return _describe(method, loop)


def streamed(
    method: "Callable[Concatenate[AsyncZiett, P], AsyncOutcomes[T]]",
) -> "Callable[Concatenate[Ziett, P], Outcomes[T]]":
    """Return a method that sends many messages, read one by one as it goes on."""

    def stream(client: "Ziett", /, *args: Any, **kwargs: Any) -> Outcomes[T]:  # noqa: ANN401 - as `method`
        inbox = Inbox()
        lazy = next(filter(is_lazy, (*args, *kwargs.values())), NOTHING)
        given = [Source(inbox) if each is lazy else each for each in args]
        named = {name: Source(inbox) if each is lazy else each for name, each in kwargs.items()}
        caller = _caller_of(client)
        begin: Callable[..., AsyncOutcomes[T]] = method
        return Outcomes(caller, begin(caller.client, *given, **named), inbox, lazy)

    return _describe(method, stream)


def _describe(method: Callable[..., object], function: F) -> F:
    """Give a function the name, the parameters and the words of a method."""
    # Not with `functools.wraps`: by `__wrapped__` it would pass for a coroutine function.
    signature = inspect.signature(method)
    returned = _RETURNED.get(get_origin(signature.return_annotation))
    if returned is not None:
        arguments = get_args(signature.return_annotation)
        signature = signature.replace(return_annotation=returned[arguments])
    described: Any = function
    described.__module__, described.__name__ = __package__, method.__name__
    described.__qualname__ = f"Ziett.{method.__name__}"
    described.__doc__ = _without_async(method.__doc__ or "")
    described.__annotations__ = {**method.__annotations__, "return": signature.return_annotation}
    described.__signature__ = signature
    return function


def _without_async(text: str) -> str:
    for word, own in _WORDS.items():
        text = text.replace(word, own)
    return text
