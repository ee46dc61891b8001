"""Sends what any machine has queued, on as many machines as there are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from celery import Celery
from redis.asyncio import Redis
from ziett_async import ZiettError, idempotency_key_for
from ziett_async.blocking import Ziett
from ziett_async.limits.redis import RedisLimiter

if TYPE_CHECKING:
    from celery import Task

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")

app = Celery("worker", broker=REDIS_URL)
app.conf.broker_transport_options = {
    "visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", "3600"))
}
app.conf.worker_prefetch_multiplier = 1

# One client of the process, within the limit that all workers share.
ziett = Ziett(limiter=RedisLimiter(Redis.from_url(REDIS_URL), new_store="start"))


@app.task(
    bind=True,
    acks_late=True,
    reject_on_worker_lost=True,
    expires=23 * 3600,
    max_retries=20,
    ignore_result=True,
)
def send_sms(self: Task[[str, str], None], number: str, content: str) -> None:
    """Send one message; after an error that may pass, again later."""
    key = idempotency_key_for("send_sms", self.request.id)
    try:
        ziett.send_message(number, content=content, idempotency_key=key, timeout=60)
    except ZiettError as error:
        if not (error.is_retryable or error.affects_all_calls):
            raise
        # At most 600 seconds at a time, far below the visibility timeout, and two hours in all.
        countdown = min(2**self.request.retries, 600)
        raise self.retry(exc=error, countdown=countdown) from error
