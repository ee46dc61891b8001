"""Tells whether address, key, scopes and sender work, and sends nothing: it only reads.

What reading cannot tell is called unknown: whether the key may send, and whether a sender with
which no message was sent yet is one of the organisation's.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from typing import Literal

import attrs

from ziett_async import (
    AsyncZiett,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    ZiettError,
)
from ziett_async._settings import read_defaults, read_origin
from ziett_async.cli._client import run_with_client
from ziett_async.cli._failures import DONE, exit_code
from ziett_async.cli._output import Column, add_json, table

#: A well-formed id, of version 7, that no message has.
_NO_MESSAGE = "00000000-0000-7000-8000-000000000000"
#: What a key that begins so does.
_KEYS = {"zk_live_": "sends and charges", "zk_test_": "simulates, sends and charges nothing"}


Result = Literal["ok", "no", "unknown"]


@attrs.frozen
class Finding:
    """What became of one check."""

    check: str
    result: Result
    detail: str = ""
    #: How the command ends if nothing worse is found.
    exit_code: int = DONE


_COLUMNS = (
    Column[Finding]("Check", lambda finding: finding.check),
    Column[Finding]("Result", lambda finding: finding.result, is_coloured=True),
    Column[Finding]("Detail", lambda finding: finding.detail, is_folded=True),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Take nothing but how to print it: what is checked is what the environment has."""
    add_json(parser)


def run(options: Namespace) -> int:
    """Check; return the exit code."""
    return run_with_client(_check, options)


async def _check(client: AsyncZiett, options: Namespace) -> int:
    findings = await find(client)
    with table(_COLUMNS, as_json=options.json) as show:
        for finding in findings:
            show(finding)
    return max(finding.exit_code for finding in findings)


async def find(client: AsyncZiett) -> list[Finding]:
    """Return what reading tells, in the order of the questions; the first ones may be the last."""
    address = read_origin("unused", None).base_url
    error = await _error_of(lambda: client.list_messages(size=1))
    if error is not None and not _is_about_the_key(error):
        return [Finding("address", "no", f"{address}: {error}", exit_code(error))]
    findings = [Finding("address", "ok", address)]
    if isinstance(error, AuthenticationError):
        return [*findings, Finding("key", "no", str(error), exit_code(error))]
    return [
        *findings,
        Finding("key", "ok", _describe_key()),
        _scope("messages:list", error),
        _scope("messages:read", await _error_of(lambda: client.get_message(_NO_MESSAGE))),
        _scope("campaign:read", await _error_of(lambda: client.list_campaigns(size=1))),
        Finding("scope messages:send", "unknown", "only a send tells"),
        Finding("scope campaign:send", "unknown", "only a campaign tells"),
        await _sender(client),
    ]


async def _error_of(call: Callable[[], Awaitable[object]]) -> ZiettError | None:
    try:
        await call()
    except ZiettError as error:
        return error
    return None


def _is_about_the_key(error: ZiettError) -> bool:
    """Return whether it is the service that refuses, and not another server at the address."""
    return isinstance(error, AuthenticationError | PermissionDeniedError)


def _describe_key() -> str:
    key = os.environ.get("ZIETT_API_KEY", "")
    return next(
        (f"{start}...: {does}" for start, does in _KEYS.items() if key.startswith(start)), ""
    )


def _scope(name: str, error: ZiettError | None) -> Finding:
    """Return what a read tells of its scope: an id that is not found was looked up."""
    if error is None or isinstance(error, NotFoundError):
        return Finding(f"scope {name}", "ok")
    result: Result = "no" if isinstance(error, PermissionDeniedError) else "unknown"
    return Finding(f"scope {name}", result, str(error), exit_code(error))


async def _sender(client: AsyncZiett) -> Finding:
    """Return what the messages of the default sender tell of it."""
    sender = read_defaults(None, None, None).remitter_id
    if sender is None:
        return Finding("sender", "unknown", "ZIETT_REMITTER_ID is not set")
    try:
        page = await client.list_messages(sms_remitter_id=sender, size=1)
    except ZiettError as error:
        return Finding("sender", "unknown", str(error), exit_code(error))
    if not page.total:
        return Finding("sender", "unknown", "no message was sent with it yet; only a send tells")
    [message] = page.entries
    name = f", as {message.sms_remitter.name}" if message.sms_remitter else ""
    return Finding("sender", "ok", f"{page.total} messages were sent with it{name}")
