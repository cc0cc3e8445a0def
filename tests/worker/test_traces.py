"""Traces: from a webhook to the look at Seam, and from a booking message to the create; links across pauses."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from redis import Redis
from structlog.testing import capture_logs

from shared import tracing
from shared.seam.errors import Unreachable
from tests.receiver.web import event_of, running, settings_for
from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.worker.machine import Machine
from worker.task_traces import TaskTraces

LABEL = "Mrs Secret"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Keep every span that is made during the test."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "_tracer", None)  # put back afterwards
    tracing.export_to(exporter, "tests", version="1.2.3", at_once=True)
    return exporter


def found(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """Return the spans of this name."""
    return [each for each in spans.get_finished_spans() if each.name == name]


def trace_of(it: ReadableSpan) -> int:
    """Return the id of a span's trace."""
    assert it.context is not None
    return int(it.context.trace_id)


def below(it: ReadableSpan, all_spans: Sequence[ReadableSpan]) -> list[str]:
    """Return the names on the way from a span up to the first of its trace."""
    by_id = {each.context.span_id: each for each in all_spans if each.context is not None}
    way = [it.name]
    while it.parent is not None and it.parent.span_id in by_id:
        it = by_id[it.parent.span_id]
        way.append(it.name)
    return way


def test_from_a_booking_message_to_the_create(machine: Machine, sandbox: Sandbox, spans: InMemorySpanExporter) -> None:
    """Message, door, plan, create and read-back are one trace; later work of the due-set is linked with it."""
    door = sandbox.door()
    applied = machine.handlers.apply_booking(machine.publish(machine.new_id(), [door], label=LABEL))
    assert applied is not None
    trace = tracing.booking_trace(applied.booking_id, applied.revision)
    with tracing.span("take each door as far as it goes", within=trace):
        machine.handlers.advance_door(applied.booking_id, door, seen=applied)
    (begun,) = found(spans, "apply booking message")
    (create,) = found(spans, "Seam /access_codes/create")
    assert trace_of(create) == trace_of(begun)
    way = below(create, spans.get_finished_spans())
    assert way == [
        "Seam /access_codes/create",
        "plan",
        "advance door",
        "take each door as far as it goes",
        "apply booking message",
    ]
    assert create.attributes is not None
    assert create.attributes["seam.outcome"] == "answered"
    machine.handlers.advance_door(applied.booking_id, door, prompted=True)
    _, later = found(spans, "advance door")
    assert trace_of(later) != trace_of(begun)
    assert [link.context.trace_id for link in later.links] == [trace_of(begun)]


def test_from_a_webhook_to_the_look_at_seam(
    machine: Machine, data_server: DataServer, redis_client: Redis, sandbox: Sandbox, spans: InMemorySpanExporter
) -> None:
    """Webhook, prompt, task and look are one trace, which is linked with the booking's."""
    booking = machine.book(sandbox.door())
    code = booking.doors[0].code
    assert code is not None
    carried: list[dict[str, str]] = []
    machine.handlers.record_events._look = lambda *_: carried.append(tracing.carrier())
    spans.clear()
    with running(settings_for(data_server.url)) as web:
        assert web.webhook(event_of("access_code.set_on_device", access_code_id=code.access_code_id)).status_code == 202
    machine.handlers.record_events([str(entry_id) for entry_id, _ in redis_client.xrange("seam-events")])  # type: ignore[union-attr]
    (headers,) = carried
    task = TaskTraces()
    task.begin(task_id="1", task=SimpleNamespace(request=SimpleNamespace(headers=headers)))
    machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
    task.end(task_id="1")
    (begun,) = found(spans, "POST /webhooks/seam")
    looks = [each for each in spans.get_finished_spans() if each.name.startswith("Seam /access_codes/")]
    assert looks
    for look in looks:
        assert trace_of(look) == trace_of(begun)
        assert below(look, spans.get_finished_spans())[-2:] == ["prompt a look", "POST /webhooks/seam"]
    (advance,) = found(spans, "advance door")
    assert len(advance.links) == 1
    with tracing.span("afterwards"):
        pass
    (afterwards,) = found(spans, "afterwards")
    assert afterwards.parent is None


def test_no_span_has_a_pin_or_data_of_a_guest(machine: Machine, sandbox: Sandbox, spans: InMemorySpanExporter) -> None:
    """Only ids, types and states."""
    booking = machine.until(machine.book(sandbox.door(), label=LABEL), "ready")
    code = booking.doors[0].code
    assert code is not None
    pin = sandbox.code(code.access_code_id)["code"]
    text = json.dumps([json.loads(each.to_json()) for each in spans.get_finished_spans()])
    assert booking.booking_id in text
    for secret in (pin, LABEL, LABEL.split()[1], "seam_key"):
        assert secret not in text


def test_only_the_class_of_an_error_is_recorded(spans: InMemorySpanExporter) -> None:
    """Its text may contain parameters."""
    with pytest.raises(Unreachable), tracing.span("it"):
        raise Unreachable("739158")
    (it,) = found(spans, "it")
    assert (it.status.status_code, it.status.description) == (StatusCode.ERROR, "Unreachable")
    assert "739158" not in it.to_json()


def test_without_the_setting_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything works, and no context is sent. If the setting is there without the extra, that is logged once."""
    tracing.start_tracing("web", version="1.2.3", environment={})
    with tracing.span("it", within=tracing.event_trace("e")):
        assert tracing.carrier() == {}
    hidden: dict[str, Any] = {"opentelemetry.exporter.otlp.proto.http.trace_exporter": None}
    for name, value in hidden.items():
        monkeypatch.setitem(__import__("sys").modules, name, value)
    with capture_logs() as logs:
        tracing.start_tracing("web", version="1.2.3", environment={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert [line["event"] for line in logs] == ["tracing.not_installed"]
