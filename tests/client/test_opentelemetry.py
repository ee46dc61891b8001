"""OpenTelemetry: the spans and metrics of calls, and that nothing secret is in them."""

import json
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import anyio
import attrs
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv import attributes as stable
from opentelemetry.trace import SpanKind, StatusCode

from tests.support.samples import API_KEY, CONTENT, NUMBER, OTHER_ID, REMITTER
from tests.support.services import AT_ONCE
from ziett_async import (
    AsyncZiett,
    Bucket,
    Limiter,
    ManualClock,
    NotFoundError,
    OutcomeUnknown,
    Rate,
    Request,
    Response,
    TokenBucketLimiter,
    Unlimited,
)
from ziett_async.instrumentation.opentelemetry import OpenTelemetryObserver
from ziett_async.testing import FakeTransport, FakeZiett, Fault

pytestmark = pytest.mark.anyio

SERVER = {"server.address": "api.ziett.co", "server.port": 443}
SEND = {**SERVER, "http.request.method": "POST", "ziett.operation": "send_message"}


@attrs.frozen
class Point:
    """What an instrument has for one set of attributes."""

    unit: str
    attributes: dict[str, Any]
    #: A count, or the last value; of a histogram the number of values.
    value: float
    #: Of a histogram: the sum of the values.
    total: float = 0.0


class Telemetry:
    """An observer, and what it has exported."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        meters = MeterProvider(metric_readers=[self._reader])
        self.observer = OpenTelemetryObserver(tracer_provider=self.tracers, meter_provider=meters)

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that have ended, in that order."""
        return list(self._spans.get_finished_spans())

    def points(self, name: str) -> list[Point]:
        """Return what an instrument shows now."""
        return [point for metric, point in self.measure() if metric == name]

    def measure(self) -> list[tuple[str, Point]]:
        """Return what all instruments show now."""
        data: Any = self._reader.get_metrics_data()
        found = list[tuple[str, Point]]()
        for resource in data.resource_metrics if data else ():
            for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                for each in metric.data.data_points:
                    value = each.count if hasattr(each, "count") else each.value
                    total = getattr(each, "sum", 0.0)
                    point = Point(metric.unit, dict(each.attributes), value, total)
                    found.append((metric.name, point))
        return found


@pytest.fixture
def telemetry() -> Telemetry:
    """Return an observer whose exports stay in memory."""
    return Telemetry()


@pytest.fixture
def fake() -> FakeZiett:
    """Return a service whose clock is moved by hand."""
    return FakeZiett(clock=ManualClock())


def client_of(
    fake: FakeZiett,
    telemetry: Telemetry,
    transport: FakeTransport | None = None,
    limiter: Limiter | None = None,
    base_url: str | None = None,
) -> AsyncZiett:
    """Return a client that lives on the fake's clock and is observed."""
    return AsyncZiett(
        API_KEY,
        base_url=base_url,
        transport=transport or FakeTransport(fake),
        default_remitter_id=REMITTER,
        retry=AT_ONCE,
        limiter=limiter or Unlimited(),
        observer=telemetry.observer,
    )


def attributes_of(each: Any) -> dict[str, Any]:  # noqa: ANN401 - a span or an event
    """Return the attributes of a span or of an event."""
    return dict(each.attributes)


async def test_a_call_is_a_client_span(fake: FakeZiett, telemetry: Telemetry) -> None:
    """Named as the operation, with server, method and status."""
    async with client_of(fake, telemetry) as client:
        await client.send_message(NUMBER, content=CONTENT)
    [span] = telemetry.spans
    assert (span.name, span.kind) == ("send_message", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    assert attributes_of(span) == {**SEND, "http.response.status_code": 202}


async def test_attempts_are_events(fake: FakeZiett, telemetry: Telemetry) -> None:
    """Each with its number, its times and its status, or that there was none."""
    limiter = TokenBucketLimiter(send=Rate(1, per=5.0), clock=fake.clock)
    async with client_of(fake, telemetry, limiter=limiter) as client:
        with fake.script(Fault.status(503), Fault.reset()):
            await client.send_message(NUMBER, content=CONTENT)
    [span] = telemetry.spans
    assert attributes_of(span)["http.request.resend_count"] == 2
    assert {event.name for event in span.events} == {"ziett.attempt"}
    first, second, third = map(attributes_of, span.events)
    assert first == {
        "ziett.attempt.number": 1,
        "ziett.attempt.waited": 0.0,
        "ziett.attempt.elapsed": 0.0,
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert second["error.type"] == "_OTHER"
    assert "http.response.status_code" not in second
    assert second["ziett.attempt.waited"] == 5.0
    assert third["http.response.status_code"] == 202
    assert "error.type" not in third


async def test_an_error_is_named_by_its_class(fake: FakeZiett, telemetry: Telemetry) -> None:
    """With the trace id for the API's support, and without a word of its text."""
    async with client_of(fake, telemetry) as client:
        with pytest.raises(NotFoundError) as caught:
            await client.get_message(OTHER_ID)
    [span] = telemetry.spans
    assert attributes_of(span)["error.type"] == "NotFoundError"
    assert attributes_of(span)["ziett.trace_id"] == caught.value.trace_id
    assert attributes_of(span)["http.response.status_code"] == 404
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)


async def test_a_cancelled_call_is_a_span(fake: FakeZiett, telemetry: Telemetry) -> None:
    """With the attempt that was cut off, and no status."""
    async with client_of(fake, telemetry) as client, anyio.create_task_group() as tasks:
        with fake.script(Fault.slow(9.0)):
            tasks.start_soon(lambda: client.send_message(NUMBER, content=CONTENT))
            await fake.clock.sleep(5.0)
            tasks.cancel_scope.cancel()
    [span] = telemetry.spans
    assert attributes_of(span)["error.type"] == anyio.get_cancelled_exc_class().__qualname__
    assert "http.response.status_code" not in attributes_of(span)
    [event] = span.events
    assert attributes_of(event)["ziett.attempt.elapsed"] == 5.0
    assert not trace.get_current_span().is_recording()


async def test_a_call_without_an_attempt_has_no_status(
    fake: FakeZiett, telemetry: Telemetry
) -> None:
    """Where the limiter gave it no turn in time."""
    limiter = TokenBucketLimiter(read=Rate(1, per=60.0), clock=fake.clock)
    async with client_of(fake, telemetry, limiter=limiter) as client:
        await client.list_messages()
        for _ in range(2):
            with pytest.raises((NotFoundError, TimeoutError)):
                await client.get_message(OTHER_ID, timeout=1.0)
    span = telemetry.spans[-1]
    assert attributes_of(span)["error.type"] == "DeadlineExceeded"
    assert "http.response.status_code" not in attributes_of(span)
    assert span.events == ()


class Sending(FakeTransport):
    """A transport that makes a span of its own, as instrumented HTTP libraries do."""

    def __init__(self, service: FakeZiett, tracers: TracerProvider) -> None:
        super().__init__(service)
        self.tracer = tracers.get_tracer("http")

    async def send(self, request: Request) -> Response:
        """Send within a span."""
        with self.tracer.start_as_current_span(request.method):
            return await super().send(request)


async def test_the_spans_of_attempts_are_children(fake: FakeZiett, telemetry: Telemetry) -> None:
    """Of the call's, which is a child of what the program was doing."""
    transport = Sending(fake, telemetry.tracers)
    async with client_of(fake, telemetry, transport) as client:
        tracer = telemetry.tracers.get_tracer("app")
        with tracer.start_as_current_span("order"), fake.script(Fault.status(503)):
            await client.send_message(NUMBER, content=CONTENT)
    spans: Any = telemetry.spans
    *attempts, call, order = spans
    assert [each.name for each in spans] == ["POST", "POST", "send_message", "order"]
    assert {each.parent.span_id for each in attempts} == {call.context.span_id}
    assert call.parent.span_id == order.context.span_id


async def test_calls_are_measured(fake: FakeZiett, telemetry: Telemetry) -> None:
    """How many of which operation ended how, how long they took and waited, what was repeated."""
    limiter = TokenBucketLimiter(send=Rate(1, per=5.0), clock=fake.clock)
    async with client_of(fake, telemetry, limiter=limiter) as client:
        with fake.script(Fault.status(503), Fault.reset()):
            await client.send_message(NUMBER, content=CONTENT)
        with pytest.raises(NotFoundError):
            await client.get_message(OTHER_ID)
    sent, read = telemetry.points("ziett.client.operation.duration")
    assert (sent.unit, sent.value) == ("s", 1)
    assert sent.attributes == {**SEND, "http.response.status_code": 202}
    assert read.attributes["error.type"] == "NotFoundError"
    waits = {point.attributes["ziett.bucket"]: point for point in telemetry.points(WAIT)}
    assert waits["send"] == Point(
        "s", {**SERVER, "ziett.bucket": "send", "ziett.priority": "urgent"}, 3, 10.0
    )
    assert waits["read"].value == 1
    retries = {
        point.attributes["error.type"]: point for point in telemetry.points("ziett.client.retries")
    }
    assert retries == {
        reason: Point("{retry}", {**SEND, "error.type": reason}, 1) for reason in ("503", "_OTHER")
    }


WAIT = "ziett.client.limiter.wait"


async def test_the_use_of_a_limit_is_measured(fake: FakeZiett, telemetry: Telemetry) -> None:
    """By bucket, when it is asked for; of two keys of one server that which is used more."""
    first, second = (TokenBucketLimiter(send=Rate(4, per=60.0), clock=fake.clock) for _ in range(2))
    async with (
        client_of(fake, telemetry, limiter=first, base_url=LIMITED) as client,
        client_of(fake, telemetry, limiter=second, base_url=LIMITED) as other,
        client_of(fake, Telemetry()),
    ):
        await client.send_message(NUMBER, content=CONTENT)
        for _ in range(3):
            await other.send_message(NUMBER, content=CONTENT)
        assert shares(telemetry) == {"send": 0.75, "list": 0.0, "read": 0.0, "batch": 0.0}
        await fake.clock.sleep(60.0)
        assert shares(telemetry)["send"] == 0.0


#: A server of which no other test has a limiter.
LIMITED = "https://limited.example"


def shares(telemetry: Telemetry) -> dict[str, float]:
    """Return the used share of each limit of that server."""
    address = LIMITED.removeprefix("https://")
    every = telemetry.points("ziett.limiter.used")
    points = [point for point in every if point.attributes["server.address"] == address]
    assert {point.unit for point in points} == {"1"}
    return {point.attributes["ziett.bucket"]: point.value for point in points}


async def test_a_second_observer_shows_all_limiters(fake: FakeZiett) -> None:
    """OpenTelemetry keeps only the first of its gauges; that one shows the limiters of both."""
    telemetry = Telemetry()
    limiter = TokenBucketLimiter(send=Rate(2, per=60.0), clock=fake.clock)
    async with client_of(fake, Telemetry(), limiter=limiter, base_url=LIMITED) as client:
        await client.send_message(NUMBER, content=CONTENT)
        assert shares(telemetry)["send"] == 0.5


def test_a_limiter_that_is_gone_is_not_measured(telemetry: Telemetry) -> None:
    """The observer does not keep it, and one that cannot be asked is left out."""
    limiter = TokenBucketLimiter()
    telemetry.observer.on_limiter(limiter, "gone.example", 443)
    telemetry.observer.on_limiter(Unlimited(), "never.example", 443)
    servers = [p.attributes["server.address"] for p in telemetry.points("ziett.limiter.used")]
    assert servers.count("gone.example") == len(Bucket)
    del limiter
    points = telemetry.points("ziett.limiter.used")
    assert {p.attributes["server.address"] for p in points} & {"gone.example", "never.example"} == (
        set()
    )


def stable_names() -> Iterator[str]:
    """Yield the attributes that the semantic conventions call stable."""
    for module in pkgutil.iter_modules(stable.__path__, f"{stable.__name__}."):
        values = vars(import_module(module.name)).values()
        yield from (value for value in values if isinstance(value, str))


async def make_every_kind_of_call(fake: FakeZiett, telemetry: Telemetry) -> str:
    """Make calls that succeed, are refused and stay unknown; return all that was exported."""
    echo = {"code": "NO", "message": f"{NUMBER} {CONTENT} {API_KEY}", "trace_id": NUMBER[1:]}
    body = json.dumps(echo).encode()
    async with client_of(fake, telemetry) as client:
        await client.send_message(NUMBER, content=CONTENT)
        await client.list_messages(q=NUMBER)
        with pytest.raises(NotFoundError):
            await client.get_message(OTHER_ID)
        with fake.script(*[Fault.status(500, body=body)] * 3), pytest.raises(OutcomeUnknown):
            await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
    spans = "\n".join(str(span.to_json()) for span in telemetry.spans)
    return f"{spans}\n{telemetry.measure()}"


SECRETS = (NUMBER[1:], CONTENT, API_KEY, "order-7", OTHER_ID, REMITTER)


@pytest.mark.promise("No number, text, key, id or URL is in a span or a metric")
async def test_nothing_secret_is_exported(fake: FakeZiett, telemetry: Telemetry) -> None:
    """No number, text, key, idempotency key, id or URL, even where the server repeats it."""
    exported = await make_every_kind_of_call(fake, telemetry)
    assert "OutcomeUnknown" in exported
    assert [secret for secret in SECRETS if secret in exported] == []


@pytest.mark.naive("A span that records exceptions", "exports the idempotency key")
async def test_a_span_of_the_defaults_holds_the_idempotency_key(fake: FakeZiett) -> None:
    """The naive observer, a bare span around the call, exports it with the error's text."""
    telemetry = Telemetry()
    tracer = telemetry.tracers.get_tracer("naive")
    async with client_of(fake, telemetry) as client:
        with (
            fake.script(*[Fault.reset()] * 3),
            pytest.raises(OutcomeUnknown),
            tracer.start_as_current_span("send"),
        ):
            await client.send_message(NUMBER, content=CONTENT, idempotency_key="order-7")
    ours, naive = telemetry.spans
    assert "order-7" in str(naive.to_json())
    assert "order-7" not in str(ours.to_json())


async def test_attributes_are_stable_or_our_own(fake: FakeZiett, telemetry: Telemetry) -> None:
    """Those of the semantic conventions are stable, and all others begin with `ziett.`."""
    await make_every_kind_of_call(fake, telemetry)
    used = {name for span in telemetry.spans for name in attributes_of(span)}
    used |= {name for span in telemetry.spans for e in span.events for name in attributes_of(e)}
    used |= {name for _, point in telemetry.measure() for name in point.attributes}
    borrowed = {name for name in used if not name.startswith("ziett.")}
    assert "error.type" in borrowed
    assert borrowed - set(stable_names()) == set()


async def test_metrics_have_few_attributes(fake: FakeZiett, telemetry: Telemetry) -> None:
    """A hundred calls that go alike are one point each."""
    async with client_of(fake, telemetry) as client:
        for _ in range(100):
            await client.send_message(NUMBER, content=CONTENT)
    mine = [p for name, p in telemetry.measure() if name != "ziett.limiter.used"]
    assert [point.value for point in mine] == [100, 100]


async def test_it_works_where_nothing_is_set_up(fake: FakeZiett) -> None:
    """Without a provider of the program, all of it does nothing."""
    async with AsyncZiett(
        API_KEY,
        transport=FakeTransport(fake),
        default_remitter_id=REMITTER,
        observer=OpenTelemetryObserver(),
    ) as client:
        await client.send_message(NUMBER, content=CONTENT)
