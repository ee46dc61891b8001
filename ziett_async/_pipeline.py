"""The one corridor every call walks through: acquire, send, decode; on failure wait or raise.

The order is the correctness argument. The bytes and their key are made once, before
anything waits. A token is held for exactly as long as an attempt lasts. What an attempt
means is judged with all that is known of the attempts before it, and only then is it
decided whether there is another.
"""

import logging
from datetime import UTC, datetime
from math import inf
from os import urandom
from typing import TypeVar

import attrs

from ziett_async._clock import Clock
from ziett_async._codec import Undecodable
from ziett_async._operation import Call
from ziett_async._retry import RetryBudget, RetryPolicy
from ziett_async._sansio import Origin, to_problem, to_request, to_result
from ziett_async._verdict import Attempts, OpenKeys, Verdict
from ziett_async._wire import Request, Response, SendFailed
from ziett_async.errors import OutcomeUnknown
from ziett_async.limits import Limiter, pause, release
from ziett_async.models import CallInfo
from ziett_async.transports import Transport

T = TypeVar("T")

logger = logging.getLogger("ziett_async")

#: Seconds for which the server answers a repeated key with the first result.
_KEY_LIVES = 24 * 60 * 60


@attrs.frozen(eq=False, repr=False)
class Pipeline:
    """Carries calls over the ports; between them it keeps what is at the end of its fields."""

    origin: Origin
    transport: Transport
    limiter: Limiter
    retry: RetryPolicy
    clock: Clock
    #: Seconds for one attempt in all.
    attempt_timeout: float
    budget: RetryBudget
    open_keys: OpenKeys

    async def run(self, call: Call[T], timeout: float | None, idempotency_key: str | None) -> T:
        """Carry out one call; `timeout` is seconds for all of it, None is no bound."""
        key = (idempotency_key or urandom(16).hex()) if call.operation.is_keyed else None
        request = to_request(call, self.origin, key, self.attempt_timeout)
        open_until = self.open_keys.until(idempotency_key, request.body)
        attempts = Attempts(call, key, self.clock.monotonic(), open_until)
        try:
            result = await self._carry_out(attempts, request, timeout)
        except BaseException as error:
            # A call that was cancelled has an unknown outcome, too.
            if isinstance(error, Exception) and not isinstance(error, OutcomeUnknown):
                # Other bytes under an open key are another call, which settles nothing.
                self.open_keys.settle(None if open_until is None else key)
            elif key is not None and attempts.count:
                self.open_keys.add(key, request.body, self._forgotten(attempts))
            raise
        if open_until is not None:
            self.open_keys.settle(key)
        return result

    async def _carry_out(self, attempts: Attempts[T], request: Request, timeout: float | None) -> T:
        clock, limiter, bucket = self.clock, self.limiter, attempts.call.operation.bucket
        end = inf if timeout is None else attempts.began + timeout
        verdict: Verdict | None = None
        while True:
            queued = clock.monotonic()
            try:
                permit = await limiter.acquire(
                    bucket, timeout=None if timeout is None else end - queued
                )
            except TimeoutError:
                raise (attempts.late() if verdict is None else verdict.error) from None
            except Exception as error:  # noqa: BLE001 - a user's limiter may raise anything
                raise (attempts.undecided(error) if verdict is None else verdict.error) from None
            started = clock.monotonic()
            attempts.begin(waited=started - queued)
            try:
                answer = await self._attempt(request, end - started)
            finally:
                await release(permit)
            outcome = self._judge(attempts, answer, end)
            if not isinstance(outcome, Verdict):
                self.budget.earn()
                return outcome
            verdict = outcome
            await self._back_off(attempts, verdict, end)

    async def _attempt(self, request: Request, left: float) -> Response | SendFailed:
        """Send once. Nothing but a cancellation gets out: what was not foreseen may have sent."""
        try:
            if left < self.attempt_timeout:
                request = attrs.evolve(request, timeout=left)
            return await self.transport.send(request)
        except SendFailed as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - a user's transport may raise anything
            return SendFailed(f"the transport raised {type(error).__name__}", reached=True)

    def _judge(
        self, attempts: Attempts[T], answer: Response | SendFailed, end: float
    ) -> T | Verdict:
        """Return the result of an attempt, or what its failure means."""
        now = self.clock.monotonic()
        if isinstance(answer, Response) and 200 <= answer.status < 300:
            info = CallInfo(attempts.count, attempts.waited, now - attempts.began, answer.status)
            try:
                result = to_result(attempts.call, answer, info, attempts.key)
            except Undecodable as error:
                return attempts.unusable(answer.status, str(error), self._forgotten(attempts))
            logger.debug("%s: %d in attempt %d", attempts.call, answer.status, attempts.count)
            return result
        if isinstance(answer, Response):
            problem = to_problem(attempts.call, answer, self.clock.time())
            return attempts.refused(problem, self._forgotten(attempts))
        return attempts.broken(answer, self._forgotten(attempts), time_is_up=now >= end)

    async def _back_off(self, attempts: Attempts[T], verdict: Verdict, end: float) -> None:
        """Wait until the next attempt may start, or raise because there is none."""
        asked, retry = verdict.retry_after, self.retry
        if verdict.is_rate_limit:
            seconds = min(asked or retry.backoff(attempts.count), retry.longest_retry_after)
            await pause(self.limiter, attempts.call.operation.bucket, seconds)
        wait = retry.wait(attempts.count, asked) if verdict.is_retried else None
        left = end - self.clock.monotonic()
        if wait is None or wait >= left or not self.budget.spend():
            raise verdict.error
        logger.warning("%s; again in %.2f s (%s)", verdict.error.describe(), wait, attempts.call)
        await self.clock.sleep(wait)

    def _forgotten(self, attempts: Attempts[T]) -> datetime:
        """Return when the server forgets the key, counted from when it may first have come."""
        if attempts.open_until is not None:
            return attempts.open_until
        elapsed = self.clock.monotonic() - attempts.began
        return datetime.fromtimestamp(self.clock.time() - elapsed + _KEY_LIVES, UTC)
