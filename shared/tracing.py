"""Traces, where the extra `otel` is installed and OTEL_EXPORTER_OTLP_ENDPOINT is set; else all of this does nothing.

The trace of an event begins with its webhook, that of a booking with its message. A trace's id is made of the id of the
event, or of the booking and its revision. So what happens later can be put into it, though nothing about traces is
stored: work that was asked for is *within* the trace, also after it waited in a stream. What comes by the clock begins
a trace of its own, with a *link*.

No span holds a PIN, a name or a label of a guest: ids, types, states and counts alone.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Literal

import structlog

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Link, SpanContext, Tracer

_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_NAME: Final = "oracode"

Attributes = Mapping[str, str | int | bool]
Begun = tuple[Literal["event", "booking"], str]
"""What began a trace: an event by its id, or a booking by `booking_trace`."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()

_tracer: "Tracer | None" = None
_ids: ContextVar["tuple[int, int] | None"] = ContextVar("ids", default=None)


def event_trace(event_id: str) -> Begun:
    """Name the trace that an event of Seam began."""
    return ("event", event_id)


def booking_trace(booking_id: str, revision: int) -> Begun:
    """Name the trace that a revision of a booking began."""
    return ("booking", f"{booking_id}\x1f{revision}")


def start_tracing(process: str, *, version: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send the spans of this process to OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP), where it is set.

    OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`, …) count as well.
    """
    if not environment.get(_ENDPOINT):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
    except ImportError:
        log.warning("tracing.not_installed", why=f"{_ENDPOINT} is set, and the extra `otel` isn't installed")
        return
    export_to(OTLPSpanExporter(), process, version=version)
    log.info("tracing.started")


def export_to(exporter: "SpanExporter", process: str, *, version: str, at_once: bool = False) -> "TracerProvider":
    """Let spans go to an exporter from now on: in batches, or each `at_once`."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415 - an extra

    class _Ids(RandomIdGenerator):
        """Gives the first span of a trace the ids that are made of what began it."""

        def generate_trace_id(self) -> int:
            ids = _ids.get()
            return ids[0] if ids else super().generate_trace_id()

        def generate_span_id(self) -> int:
            ids = _ids.get()
            return ids[1] if ids else super().generate_span_id()

    global _tracer  # noqa: PLW0603 - one tracer a process, as OpenTelemetry has it
    resource = Resource.create({"service.name": f"{_NAME}-{process}", "service.version": version})
    provider = TracerProvider(resource=resource, id_generator=_Ids())
    provider.add_span_processor(SimpleSpanProcessor(exporter) if at_once else BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer(_NAME)
    return provider


@contextmanager
def span(
    name: str, *, within: Begun | None = None, links: Iterable[Begun] = (), attributes: Attributes | None = None
) -> Iterator[None]:
    """Make a span around a block: within a trace, else below the span that is open here, else of a trace of its own.

    It links to the traces in `links`. An error that leaves the block is noted by its kind alone: its text could
    hold what was asked.
    """
    if _tracer is None:
        yield
        return
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - an extra

    with _tracer.start_as_current_span(
        name,
        context=_context_of(within) if within else None,
        links=[_link(each) for each in links],
        attributes=dict(attributes or {}),
        record_exception=False,
        set_status_on_exception=False,
    ) as it:
        try:
            yield
        except Exception as error:
            it.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def record(
    name: str,
    *,
    seconds: float,
    begins: Begun | None = None,
    attributes: Attributes | None = None,
    error: str = "",
) -> None:
    """Make a span of what is over and took so long: below the span that is open here, or as the first of its trace."""
    if _tracer is None:
        return
    from opentelemetry.context import Context  # noqa: PLC0415 - an extra
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - an extra

    ended_at = time.time_ns()
    token = _ids.set(_ids_of(begins) if begins else None)
    try:
        it = _tracer.start_span(
            name,
            context=Context() if begins else None,
            attributes=dict(attributes or {}),
            start_time=ended_at - int(seconds * 1e9),
        )
    finally:
        _ids.reset(token)
    if error:
        it.set_status(Status(StatusCode.ERROR, error))
    it.end(ended_at)


def carrier() -> dict[str, str]:
    """Return the headers that carry the open span to another process; none where no span is open."""
    if _tracer is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - an extra

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers


@contextmanager
def carried(headers: Mapping[str, str]) -> Iterator[None]:
    """Let spans in the block be below the one that `headers` carry."""
    if _tracer is None or "traceparent" not in headers:
        yield
        return
    from opentelemetry.context import attach, detach  # noqa: PLC0415 - an extra
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - an extra

    token = attach(TraceContextTextMapPropagator().extract(dict(headers)))
    try:
        yield
    finally:
        detach(token)


def _ids_of(begun: Begun) -> tuple[int, int]:
    """Return the ids of a trace and of its first span."""
    digest = hashlib.sha256("\x1f".join(begun).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")


def _span_context(begun: Begun) -> "SpanContext":
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415 - an extra

    trace_id, span_id = _ids_of(begun)
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _context_of(begun: Begun) -> "Context":
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context  # noqa: PLC0415 - an extra

    return set_span_in_context(NonRecordingSpan(_span_context(begun)))


def _link(begun: Begun) -> "Link":
    from opentelemetry.trace import Link  # noqa: PLC0415 - an extra

    return Link(_span_context(begun))
