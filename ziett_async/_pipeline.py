"""The loop every call goes through: acquire, send, decode; then return, retry or raise.

The order is the correctness argument. The bytes and their key are made once, before
anything waits. A token is held for exactly as long as an attempt lasts. What an attempt
means is interpreted with all that is known of the attempts before it, and only then is it
decided whether there is another.
"""

import logging
from collections.abc import Callable
from math import inf
from os import urandom
from typing import TYPE_CHECKING, TypeVar

import attrs

from ziett_async._clock import Clock
from ziett_async._codec import Undecodable
from ziett_async._operation import Bucket, Call, Priority
from ziett_async._outcome import CallState, FailedAttempt
from ziett_async._retry import RetryBudget, RetryPolicy
from ziett_async._sansio import Origin, to_problem, to_request, to_result
from ziett_async._unsettled_keys import KeyForgotten, UnsettledKeys
from ziett_async._waits import ClientClosed, Waits
from ziett_async._wire import Request, Response, SendFailed
from ziett_async.errors import OutcomeUnknown
from ziett_async.errors._call import error_fields
from ziett_async.limits import Limiter, Permit, pause, release
from ziett_async.models import CallInfo
from ziett_async.models._call import log_fields
from ziett_async.transports import Transport

if TYPE_CHECKING:
    from ziett_async.instrumentation._observer import GuardedObserver

T = TypeVar("T")

logger = logging.getLogger("ziett_async")

_URGENT = Priority.URGENT  # to look up a member of an enum takes longer than to compare it


def _never_at_once(_: Bucket) -> None:
    """Have every call wait for its turn."""


@attrs.frozen(eq=False, repr=False)
class Pipeline:
    """Runs calls over transport, limiter and clock; what is last of its fields all calls share."""

    origin: Origin
    transport: Transport
    limiter: Limiter
    retry: RetryPolicy
    clock: Clock
    #: Seconds for one attempt in all.
    attempt_timeout: float
    budget: RetryBudget
    #: What sees calls begin and end, and their attempts.
    observer: "GuardedObserver | None" = None
    unsettled_keys: UnsettledKeys = attrs.field(factory=UnsettledKeys)
    waits: Waits = attrs.field(factory=Waits)
    #: When an attempt was last answered with anything but a 429, by bucket, since the first 429.
    last_allowed: dict[Bucket, float] = attrs.field(factory=dict[Bucket, float])
    #: `limiter.acquire_nowait`, if it has one: a third of the cost of `acquire` without a wait.
    acquire_nowait: Callable[[Bucket], Permit | None] = attrs.field(
        init=False,
        default=attrs.Factory(
            lambda self: getattr(self.limiter, "acquire_nowait", _never_at_once), takes_self=True
        ),
    )

    async def run(
        self,
        call: Call[T],
        timeout: float | None,
        idempotency_key: str | None,
        priority: Priority = _URGENT,
        begun_at: float | None = None,
    ) -> T:
        """Carry out one call; `timeout` is seconds for all of it, None is no bound.

        `begun_at` is when another process may have made its first attempt.
        """
        key = (idempotency_key or urandom(16).hex()) if call.operation.is_keyed else None
        request = to_request(call, self.origin, key, self.attempt_timeout)
        use = None
        if key is not None and idempotency_key is not None:
            use = self.unsettled_keys.begin(key, self.clock.time())
            if begun_at is not None:
                use.recall(hash(request.body), begun_at)
        state = CallState(call, key, self.clock.monotonic(), use)
        if use is not None:
            state.is_unsettled = hash(request.body) in use.unsettled
        try:
            if self.observer is None:
                result = await self._attempt_until_done(state, request, timeout, priority)
            else:
                with self.observer.watch(state, priority):
                    result = await self._attempt_until_done(state, request, timeout, priority)
        except OutcomeUnknown:
            # The error carries the key that was made here, so the caller may use it again.
            if use is None and key is not None:
                use = self.unsettled_keys.begin(key, self.clock.time())
            raise
        else:
            state.is_settled = True
            return result
        finally:
            if use is not None and key is not None:
                state.save_to(use, hash(request.body))
                self.unsettled_keys.end(key, use)

    async def _attempt_until_done(
        self, state: CallState[T], request: Request, timeout: float | None, priority: Priority
    ) -> T:
        clock, bucket = self.clock, state.call.operation.bucket
        end = inf if timeout is None else state.began + timeout
        failed: FailedAttempt | None = None
        while True:
            queued = clock.monotonic()
            try:
                may_be_quick = priority is _URGENT and not self.waits.is_closed
                permit = self.acquire_nowait(bucket) if may_be_quick else None
                if permit is None:
                    permit = await self._wait_for_turn(state, priority, end - queued)
            except Exception as error:  # noqa: BLE001 - a user's limiter may raise anything
                raise (state.no_permit(error) if failed is None else failed.error) from None
            started = clock.monotonic()
            state.begin(queued, started, clock.time())
            try:
                answer = await self._attempt(request, end - started)
            finally:
                await release(permit)
            outcome = self._interpret(state, answer, end)
            if not isinstance(outcome, FailedAttempt):
                self.budget.earn()
                return outcome
            failed = outcome
            await self._wait_for_next(state, failed, end)

    async def _wait_for_turn(self, state: CallState[T], priority: Priority, left: float) -> Permit:
        """Wait for the turn of an attempt.

        Raises:
            ClientClosed: the client is closed before.
            KeyForgotten: the server may have forgotten the key.

        """
        self.waits.check_open()
        timeout = None if left == inf else left
        bucket = state.call.operation.bucket
        turn = self.limiter.acquire(bucket, priority=priority, timeout=timeout)
        permit = await self.waits.wait(turn)
        try:
            self.waits.check_open()
            state.check_key(self.clock.time() + self.attempt_timeout)
        except (ClientClosed, KeyForgotten):
            await release(permit)
            raise
        return permit

    async def _attempt(self, request: Request, left: float) -> Response | SendFailed:
        """Send once; only a cancellation is raised. What was not foreseen may have been sent."""
        try:
            if left < self.attempt_timeout:
                request = attrs.evolve(request, timeout=left)
            return await self.transport.send(request)
        except SendFailed as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - a user's transport may raise anything
            return SendFailed(f"the transport raised {type(error).__name__}", reached=True)

    def _interpret(
        self, state: CallState[T], answer: Response | SendFailed, end: float
    ) -> T | FailedAttempt:
        """Return the result of an attempt, or what its failure means."""
        now = state.ended = self.clock.monotonic()
        if isinstance(answer, SendFailed):
            return state.interpret_failure(answer, time_is_up=now >= end)
        if answer.status == 429:
            state.count_rate_limit(now)
            self.last_allowed.setdefault(state.call.operation.bucket, -inf)
        elif self.last_allowed:
            self.last_allowed[state.call.operation.bucket] = now
        if not 200 <= answer.status < 300:
            return state.interpret_refusal(to_problem(state.call, answer, self.clock.time()))
        attempt = state.last_attempt(answer.status)
        made = state.attempts_made + (attempt,)  # noqa: RUF005 - half the price of (*made, attempt)
        info = CallInfo(made, now - state.began)
        try:
            result = to_result(state.call, answer, info, state.key)
        except Undecodable as error:
            return state.interpret_unusable(answer.status, str(error))
        if state.on_attempt is not None:
            state.on_attempt(attempt)
        if logger.isEnabledFor(logging.DEBUG):
            fields = log_fields(state.call.operation.name, attempt)
            message = "%s: %d in attempt %d"
            logger.debug(message, state.call, answer.status, attempt.number, extra=fields)
        return result

    async def _wait_for_next(self, state: CallState[T], failed: FailedAttempt, end: float) -> None:
        """Wait until the next attempt may start, or raise because there is none."""
        if failed.is_rate_limit:
            await self._pause(state, failed.retry_after)
            wait = self.retry.wait_for_rate_limit(state.rate_limited, failed.retry_after)
            end = self._rate_limit_deadline(state) if end == inf else end
        else:
            used = len(state.attempts_made) - state.rate_limited
            wait = self.retry.wait(used, failed.retry_after) if failed.is_retried else None
        left = end - self.clock.monotonic()
        if wait is None or wait >= left or self.waits.is_closed:
            raise failed.error
        if not (failed.is_rate_limit or self.budget.spend()):
            raise failed.error
        fields = {**error_fields(failed.error), "ziett_retry_in": wait}
        reason = failed.error.describe()
        logger.warning("%s; again in %.2f s (%s)", reason, wait, state.call, extra=fields)
        try:
            await self.waits.wait(self.clock.sleep(wait))
        except ClientClosed:
            raise failed.error from None

    async def _pause(self, state: CallState[T], asked: float | None) -> None:
        """Pause the bucket for every call of it, after a 429 and for a bounded time."""
        seconds = min(
            asked or self.retry.backoff(state.rate_limited), self.retry.longest_retry_after
        )
        await pause(self.limiter, state.call.operation.bucket, seconds)

    def _rate_limit_deadline(self, state: CallState[T]) -> float:
        """Return when a call without a `timeout` gives up if it gets 429s and nothing else."""
        others = self.last_allowed[state.call.operation.bucket]
        return max(state.rate_limited_since, others) + self.retry.longest_retry_after
