"""Assertions about the messages that were sent, and the errors that they raise.

The errors show numbers and texts in full, unlike any other part of this package: they come
from the store of a fake, so a test made them up. Nothing else of a message is shown.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import ndiff

from ziett_async._fake.codes import codes_in
from ziett_async._fake.state.records import MessageRecord
from ziett_async._telephony.phone import is_e164

_MAX_SHOWN = 10


def find_sent(
    messages: Sequence[MessageRecord],
    *,
    to: str | None,
    content: str | re.Pattern[str] | None,
    count: int | None,
) -> Sequence[MessageRecord]:
    """Return the messages that match, in their order; see `FakeZiett.assert_sent`."""
    __tracebackhide__ = True
    if to is not None:
        _check_number("to", to)
    found = [each for each in messages if _is_to(each, to) and _has_content(each, content)]
    if (count is None and found) or len(found) == count:
        return found
    raise AssertionError("\n".join(_report(messages, len(found), to, content, count)))


def find_code(inbox: Sequence[MessageRecord], number: str) -> str:
    """Return the code in the first message of an inbox; see `FakeZiett.last_code`."""
    __tracebackhide__ = True
    _check_number("number", number)
    codes: Sequence[str] = codes_in(inbox[0].content) if inbox else ()
    if len(codes) == 1:
        return codes[0]
    if not inbox:
        message = f"no message was sent to {number}, so there is no code"
    elif codes:
        message = f"{' or '.join(codes)}? The newest message to {number}: {inbox[0].content!r}"
    else:
        message = f"no code in the newest message to {number}: {inbox[0].content!r}"
    raise AssertionError(message)


def _check_number(name: str, number: str) -> None:
    # Otherwise `count=0` would be true of every number in another form.
    if not is_e164(number):
        message = f"{name}: must be E.164, as in the store, like '+244990090990', got {number!r}"
        raise ValueError(message)


def _is_to(message: MessageRecord, to: str | None) -> bool:
    return to is None or message.target_e164 == to


def _has_content(message: MessageRecord, content: str | re.Pattern[str] | None) -> bool:
    if isinstance(content, re.Pattern):
        return content.search(message.content) is not None
    return content is None or message.content == content


def _report(
    messages: Sequence[MessageRecord],
    found: int,
    to: str | None,
    content: str | re.Pattern[str] | None,
    count: int | None,
) -> Iterator[str]:
    """Describe what was expected and what was sent, messages to the number `to` first."""
    expected = f"expected {_quantity(count)}{_criteria(to, content)}"
    if not messages:
        yield f"{expected}, but nothing was sent"
        return
    yield f"{expected}, but of {len(messages)} sent {found} match{'es' if found == 1 else ''}:"
    for each in sorted(messages, key=lambda each: not _is_to(each, to))[:_MAX_SHOWN]:
        yield f"  to {each.target_e164}"
        yield from _diff(each.content, content if _is_to(each, to) else None)
    if len(messages) > _MAX_SHOWN:
        yield f"  and {len(messages) - _MAX_SHOWN} more"


def _quantity(count: int | None) -> str:
    if count is None:
        return "at least 1 message"
    return f"{count or 'no'} message{'' if count == 1 else 's'}"


def _criteria(to: str | None, content: str | re.Pattern[str] | None) -> str:
    number = "" if to is None else f" to {to}"
    if isinstance(content, re.Pattern):
        return f"{number} with content matching {content.pattern!r}"
    return number if content is None else f"{number} with content {content!r}"


def _diff(sent: str, expected: str | re.Pattern[str] | None) -> Iterator[str]:
    """Return the lines of a text as a diff: `-` was expected, `+` was sent."""
    other = expected if isinstance(expected, str) else sent
    return (f"    {line.rstrip()}" for line in ndiff(_lines(other), _lines(sent)))


def _lines(text: str) -> Sequence[str]:
    """Return the `repr` of each line, so that invisible differences can be seen."""
    return [repr(line) for line in text.splitlines(keepends=True)] or [repr(text)]
