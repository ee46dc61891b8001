"""A service that sends messages: at once, or by the workers. Any number of copies may run."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import coredis
from fastapi import FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, Field
from ziett_async import AsyncZiett, InvalidRequest, OutcomeUnknown, ZiettError, idempotency_key_for
from ziett_async.limits.redis import RedisLimiter

from worker import REDIS_URL, send_sms


class Message(BaseModel):
    """What a caller wants sent."""

    number: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
    content: Annotated[str, Field(min_length=1, max_length=1600)]


#: A caller that asks again with the same key gets no second message.
Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Open one client, whose limit is shared with every copy and every worker."""
    async with coredis.Redis.from_url(REDIS_URL) as store:
        limiter = RedisLimiter(store, new_store="start")
        async with AsyncZiett(limiter=limiter) as client:
            app.state.ziett = client
            yield


app = FastAPI(lifespan=lifespan)


@app.post("/codes", status_code=202)
async def send_now(message: Message, key: Key, request: Request) -> None:
    """Send while the caller waits, for as long as a person waits for a code."""
    client: AsyncZiett = request.app.state.ziett
    try:
        await client.send_message(
            message.number,
            content=message.content,
            idempotency_key=idempotency_key_for("codes", key),
            timeout=20,
        )
    except InvalidRequest as error:
        raise HTTPException(422, error.fields) from error
    except OutcomeUnknown as error:
        raise HTTPException(503, "Ask again with the same key.", {"Retry-After": "5"}) from error
    except ZiettError as error:
        raise HTTPException(502, "The message was not sent.") from error


@app.post("/reminders", status_code=202)
def send_later(message: Message, key: Key) -> None:
    """Queue for the workers; the key names the task, so that asking again adds no message."""
    task_id = idempotency_key_for("reminders", key)
    send_sms.apply_async((message.number, message.content), task_id=task_id)


@app.get("/health")
def health() -> None:
    """Answer, for the health check."""
