"""`GET /metrics`: gauges that are read from Redis when they are asked for. All names of the console's are here."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.console.operations import Call
from receiver.console.ports import Ports
from receiver.console.views.health import Health, read_health
from shared.console_tokens import ConsoleToken

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_HORIZON: Final = timedelta(hours=24)


class LedgerMetrics(Collector):
    """What the ledger says of the whole system now."""

    def __init__(self, ports: Ports, token: ConsoleToken) -> None:
        self._ports = ports
        self._token = token

    def collect(self) -> Iterator[Metric]:
        """Yield each metric. Raises RedisError."""
        health = read_health(Call(ports=self._ports, token=self._token, now=self._ports.clock()))
        yield from _waiting(health)
        yield _by("oracode_bookings", "Bookings in the ledger, by state.", "state", health.states)
        arrivals = {
            "ready": health.ready_24h,
            "at risk": health.at_risk_24h,
            "on its way": health.arrivals_24h - health.ready_24h - health.at_risk_24h,
        }
        yield _by("oracode_arrivals", "Doors awaited in the next 24 hours, by how they stand.", "readiness", arrivals)
        severities: dict[str, int] = {"page": 0, "warning": 0, "info": 0}
        for alert in self._ports.alerts.open():
            severities[str(alert.severity)] = severities.get(str(alert.severity), 0) + 1
        yield _by("oracode_alerts_open", "Open alerts, by severity.", "severity", severities)
        done = {beat.name: beat.at.timestamp() for beat in health.beats}
        text = "When each part of the worker did its work last, in seconds since 1970."
        yield _by("oracode_last_done_timestamp_seconds", text, "part", done)


def _waiting(health: Health) -> Iterator[Metric]:
    waiting = {row.stream: row.waiting for row in health.streams}
    in_hand = {row.stream: row.in_hand for row in health.streams}
    oldest = {
        row.stream: max(0.0, (health.as_of - row.oldest_at).total_seconds()) if row.oldest_at else 0.0
        for row in health.streams
    }
    yield _by("oracode_stream_waiting", "Entries of a stream that no worker has taken.", "stream", waiting)
    yield _by("oracode_stream_in_hand", "Entries of a stream that a worker has taken.", "stream", in_hand)
    yield _by("oracode_stream_oldest_seconds", "Age of the oldest entry of a stream, in seconds.", "stream", oldest)
    yield GaugeMetricFamily("oracode_due_overdue", "Members of the due-set that are over 10 s late.", health.overdue)
    yield GaugeMetricFamily("oracode_parked_messages", "Messages that were put aside.", health.parked)
    yield CounterMetricFamily("oracode_events_compared", "Events compared with Seam's own list.", health.compared)
    yield CounterMetricFamily("oracode_events_missed", "Events of those that came by no webhook.", health.missed)


def _by(name: str, text: str, label: str, values: dict[str, int] | dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def metrics_text(ports: Ports, token: ConsoleToken) -> bytes:
    """Return all metrics in Prometheus' text format. Raises RedisError."""
    registry = CollectorRegistry(auto_describe=False)
    # Registering asks for the names once; a collector that is described doesn't need to.
    registry.register(_Described(ports, token))
    return generate_latest(registry)


class _Described(LedgerMetrics):
    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry is made for one answer, and clashes can't be."""
        yield from ()
