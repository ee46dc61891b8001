"""What a test says of the messages that were sent, and reads in its failures.

Numbers and texts are shown there in full, unlike anywhere else in this package: they are in
the store of a fake, so the test has made them up. Nothing else of a message is shown.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import ndiff

from ziett_async._fake.state.records import MessageRecord

#: 4 to 8 digits that are no part of a word, an amount, a date or a longer number.
_CODE = re.compile(r"(?<![\w/+])(?<!\d[.,-])\d{4,8}(?!\w|[.,/-]\d)")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_MOST_SHOWN = 10


def find_sent(
    messages: Sequence[MessageRecord],
    *,
    to: str | None,
    content: str | re.Pattern[str] | None,
    count: int | None,
) -> Sequence[MessageRecord]:
    """Return the messages that are so, in their order; see `FakeZiett.assert_sent`."""
    __tracebackhide__ = True
    if to is not None:
        _check_number("to", to)
    found = [each for each in messages if _is_to(each, to) and _says(each, content)]
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


def codes_in(content: str) -> Sequence[str]:
    """Return the one-time codes in a text, each once: Web OTP repeats it, `@shop.ao #482910`."""
    found: list[str] = _CODE.findall(content)
    return list(dict.fromkeys(found))


def _check_number(name: str, number: str) -> None:
    # Otherwise `count=0` would hold for every number in another form.
    if not _E164.fullmatch(number):
        message = f"{name}: must be E.164, as in the store, like '+244990090990', got {number!r}"
        raise ValueError(message)


def _is_to(message: MessageRecord, to: str | None) -> bool:
    return to is None or message.target_e164 == to


def _says(message: MessageRecord, content: str | re.Pattern[str] | None) -> bool:
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
    """Say what was expected and show what was sent: to the number first, beside the text."""
    expected = f"expected {_amount(count)}{_described(to, content)}"
    if not messages:
        yield f"{expected}, but nothing was sent"
        return
    yield f"{expected}, but of {len(messages)} sent {found} match{'es' if found == 1 else ''}:"
    for each in sorted(messages, key=lambda each: not _is_to(each, to))[:_MOST_SHOWN]:
        yield f"  to {each.target_e164}"
        yield from _compared(each.content, content if _is_to(each, to) else None)
    if len(messages) > _MOST_SHOWN:
        yield f"  and {len(messages) - _MOST_SHOWN} more"


def _amount(count: int | None) -> str:
    if count is None:
        return "at least 1 message"
    return f"{count or 'no'} message{'' if count == 1 else 's'}"


def _described(to: str | None, content: str | re.Pattern[str] | None) -> str:
    number = "" if to is None else f" to {to}"
    if isinstance(content, re.Pattern):
        return f"{number} with content matching {content.pattern!r}"
    return number if content is None else f"{number} with content {content!r}"


def _compared(sent: str, wanted: str | re.Pattern[str] | None) -> Iterator[str]:
    """Show a text, and how it differs from the wanted one: `-` is wanted, `+` was sent."""
    other = wanted if isinstance(wanted, str) else sent
    return (f"    {line.rstrip()}" for line in ndiff(_lines(other), _lines(sent)))


def _lines(text: str) -> Sequence[str]:
    """Return each line as Python writes it, so that whatever differs can be seen."""
    return [repr(line) for line in text.splitlines(keepends=True)] or [repr(text)]
