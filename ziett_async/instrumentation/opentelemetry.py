"""OpenTelemetry: a span for each call, with its attempts as events, and metrics.

Of the semantic conventions only stable attributes are used; other attributes, and the metrics,
have names of their own, which begin with `ziett.`. No text of a request, a response or an
error goes in: no number, content, key or URL, and no message of an error, which may hold an
idempotency key. What goes in are statuses, durations, counts, names of classes, and the trace id
of an error, which is left out if it repeats anything of the request.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from ziett_async._extras import needs_extra
from ziett_async._operation import Bucket
from ziett_async.errors import ApiError, OutcomeUnknown
from ziett_async.instrumentation._observer import ObservedCall
from ziett_async.models import Attempt

with needs_extra("OpenTelemetryObserver", "otel"):
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter
    from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider, get_tracer

__all__ = ["OpenTelemetryObserver"]

#: Of histograms, in seconds: a call takes milliseconds, or waits for the rate limit for minutes.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

Attributes = Mapping[str, str | int | float]


@runtime_checkable
class _Measurable(Protocol):
    """A limiter that knows how much of a limit is used."""

    def used(self, bucket: Bucket) -> float:
        """Return the share."""
        ...


#: Limiters of this process, with their server's address and port. In one place, because a second
#: observer gets no gauge: of two instruments with one name OpenTelemetry drops the second.
_limiters = WeakKeyDictionary[_Measurable, tuple[str, int]]()


class OpenTelemetryObserver:
    """Records calls with OpenTelemetry: make one, and share it among the program's clients.

    ```python
    from ziett_async.instrumentation.opentelemetry import OpenTelemetryObserver

    async with AsyncZiett(observer=OpenTelemetryObserver()) as client:
        await client.send_message("+244990090990", content="Olá")
    ```

    Args:
        tracer_provider: None is the one that is set for the program.
        meter_provider: None is the one that is set for the program.

    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._tracer = get_tracer("ziett_async", tracer_provider=tracer_provider)
        meter = get_meter("ziett_async", meter_provider=meter_provider)
        self._duration = meter.create_histogram(
            "ziett.client.operation.duration",
            unit="s",
            description="What a call takes: limiter, attempts and backoff.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._wait = meter.create_histogram(
            "ziett.client.limiter.wait",
            unit="s",
            description="What an attempt waits for the rate limiter.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._retries = meter.create_counter(
            "ziett.client.retries",
            unit="{retry}",
            description="Attempts after the first of their call.",
        )
        meter.create_observable_gauge(
            "ziett.limiter.used",
            [_observe_limiters],
            unit="1",
            description="The share of a rate limit that is used; at 1 the next attempt waits.",
        )

    @contextmanager
    def on_call(self, call: ObservedCall) -> Generator[Callable[[Attempt], None]]:
        """Make a span for a call, the current one while the call is carried out."""
        attributes = {
            **_server_attributes(call.server_address, call.server_port),
            "http.request.method": call.method,
            "ziett.operation": call.operation,
        }
        span_of_call = self._tracer.start_as_current_span(
            call.operation,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            # They would write the text and the traceback of an exception into the span.
            record_exception=False,
            set_status_on_exception=False,
        )
        with span_of_call as span, self._record(call, attributes, span) as on_attempt:
            yield on_attempt

    @contextmanager
    def _record(
        self, call: ObservedCall, attributes: Attributes, span: Span
    ) -> Generator[Callable[[Attempt], None]]:
        """Record what becomes of a call."""
        began, made = perf_counter(), list[Attempt]()
        outcome: dict[str, str | int | float] = {}

        def on_attempt(attempt: Attempt) -> None:
            self._wait.record(attempt.waited, _limit_attributes(call))
            if made:
                self._retries.add(1, {**attributes, "error.type": _error_type(made[-1])})
            span.add_event("ziett.attempt", _attempt_attributes(attempt))
            made.append(attempt)

        try:
            yield on_attempt
        except BaseException as error:
            outcome["error.type"] = type(error).__qualname__
            span.set_status(StatusCode.ERROR)
            if isinstance(error, ApiError | OutcomeUnknown) and error.trace_id:
                span.set_attribute("ziett.trace_id", error.trace_id)
            raise
        finally:
            for attempt in made[-1:]:
                outcome |= _status_attributes(attempt)
                span.set_attributes(_resend_attributes(attempt))
            span.set_attributes(outcome)
            self._duration.record(perf_counter() - began, {**attributes, **outcome})

    def on_limiter(self, limiter: object, server_address: str, server_port: int) -> None:
        """Include a client's limiter in `ziett.limiter.used`, if it has a method `used`."""
        if isinstance(limiter, _Measurable):
            _limiters[limiter] = server_address, server_port


def _observe_limiters(_: CallbackOptions) -> Iterator[Observation]:
    """Yield the share of each limit of each server; with several keys, of the one used most."""
    used = dict[tuple[str, int, Bucket], float]()
    # `keyrefs` is a list made at once: clients are built while a thread of the SDK is here.
    for limiter in [found for each in _limiters.keyrefs() if (found := each()) is not None]:
        address, port = _limiters[limiter]
        for bucket in Bucket:
            limit = address, port, bucket
            used[limit] = max(used.get(limit, 0.0), limiter.used(bucket))
    for (address, port, bucket), share in used.items():
        attributes = {**_server_attributes(address, port), "ziett.bucket": str(bucket)}
        yield Observation(share, attributes)


def _server_attributes(address: str, port: int) -> Attributes:
    return {"server.address": address, "server.port": port}


def _limit_attributes(call: ObservedCall) -> Attributes:
    return {
        **_server_attributes(call.server_address, call.server_port),
        "ziett.bucket": str(call.bucket),
        "ziett.priority": str(call.priority),
    }


def _attempt_attributes(attempt: Attempt) -> Attributes:
    failure = {"error.type": _error_type(attempt)} if attempt.error is not None else {}
    return {
        "ziett.attempt.number": attempt.number,
        "ziett.attempt.waited": attempt.waited,
        "ziett.attempt.elapsed": attempt.elapsed,
        **_status_attributes(attempt),
        **failure,
    }


def _error_type(attempt: Attempt) -> str:
    """Return why an attempt failed as one of few words: its `error` is a text."""
    return "_OTHER" if attempt.status is None else str(attempt.status)


def _status_attributes(attempt: Attempt) -> Attributes:
    return {} if attempt.status is None else {"http.response.status_code": attempt.status}


def _resend_attributes(attempt: Attempt) -> Attributes:
    return {} if attempt.number == 1 else {"http.request.resend_count": attempt.number - 1}
