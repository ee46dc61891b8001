"""How a call went, or why it was refused, to JSON and back: what a journal keeps of an outcome.

Only what a run repeats after it was started again: what was accepted, and refusals that are
final. Every other error is tried again, so that nothing of it has to be kept.
"""

import json
from datetime import datetime
from typing import Any

from ziett_async.errors import ApiError, Trail
from ziett_async.models import Attempt, CallInfo, ErrorCode
from ziett_async.models._problem import Problem


def call_facts(call: CallInfo) -> str:
    """Encode a `CallInfo` as JSON."""
    return _to_json(
        attempts=_attempts(call.attempts_made), elapsed=call.elapsed, trace_id=call.trace_id
    )


def to_call(facts: str) -> CallInfo:
    """Decode a `CallInfo`."""
    given = json.loads(facts)
    return CallInfo(_to_attempts(given["attempts"]), given["elapsed"], given["trace_id"])


def refusal_facts(error: ApiError) -> str:
    """Encode a refusal as JSON."""
    problem, at = error.problem, error.problem.timestamp
    return _to_json(
        attempts=_attempts(error.attempts_made),
        status=problem.status,
        code=problem.code,
        message=problem.message,
        trace_id=problem.trace_id,
        timestamp=None if at is None else at.isoformat(),
        service=problem.service,
        fields=dict(problem.fields),
        retry_after=problem.retry_after,
    )


def to_refusal(facts: str, operation: str, key: str) -> ApiError:
    """Decode a refusal."""
    given = json.loads(facts)
    trail = Trail(operation, _to_attempts(given.pop("attempts")), key)
    code, at = given.pop("code"), given.pop("timestamp")
    problem = Problem(
        code=None if code is None else ErrorCode(code),
        timestamp=None if at is None else datetime.fromisoformat(at),
        **given,
    )
    return ApiError.of(trail, problem)


def _to_json(**facts: object) -> str:
    return json.dumps(facts, separators=(",", ":"))


def _attempts(made: tuple[Attempt, ...]) -> list[list[object]]:
    return [[a.number, a.waited, a.elapsed, a.status, a.error] for a in made]


def _to_attempts(given: list[list[Any]]) -> tuple[Attempt, ...]:
    return tuple(Attempt(*each) for each in given)
