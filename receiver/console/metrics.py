"""`GET /metrics`: gauges that are read from Redis when they are asked for. Their names: `shared/metrics.py`."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from receiver.console.operations import Call
from receiver.console.ports import Ports
from receiver.console.views.health import read_health
from receiver.console.views.health_view import Health
from shared import metrics
from shared.console_tokens import ConsoleToken

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Family = GaugeMetricFamily | CounterMetricFamily


class LedgerMetrics(Collector):
    """What the ledger says of the whole system now."""

    def __init__(self, ports: Ports, token: ConsoleToken) -> None:
        self._ports = ports
        self._token = token

    def describe(self) -> Iterator[Family]:
        """Yield nothing: the registry is made for one answer, and clashes can't be."""
        yield from ()

    def collect(self) -> Iterator[Family]:
        """Yield each metric. Raises RedisError."""
        health = read_health(Call(ports=self._ports, token=self._token, now=self._ports.clock()))
        severities: dict[str, int] = dict.fromkeys(metrics.ALERTS_OPEN.labels["severity"], 0)
        for alert in self._ports.alerts.open():
            severities[str(alert.severity)] = severities.get(str(alert.severity), 0) + 1
        yield _by(metrics.ALERTS_OPEN, severities)
        yield _by(metrics.BOOKINGS, health.states)
        yield from _arrivals(health)
        yield from _processes(health)
        yield from _streams(health)
        yield from _upkeep(health)


def _arrivals(health: Health) -> Iterator[Family]:
    arrivals = {
        "ready": health.ready_24h,
        "at risk": health.at_risk_24h,
        "on its way": health.arrivals_24h - health.ready_24h - health.at_risk_24h,
    }
    yield _by(metrics.ARRIVALS, arrivals)


def _processes(health: Health) -> Iterator[Family]:
    # Whether one of an older version lives isn't known: 0 would wake somebody.
    known = (row for row in health.processes if row.state != "unknown")
    yield _by(metrics.PROCESSES_ALIVE, {row.process: len(row.alive) for row in known})
    yield _by(metrics.PROCESS_RESTARTS, {row.process: row.restarts_last_hour for row in health.processes})
    yield _by(metrics.LAST_DONE, {beat.name: beat.at.timestamp() for beat in health.beats})


def _streams(health: Health) -> Iterator[Family]:
    def age(at: datetime | None) -> float:
        return max(0.0, (health.as_of - at).total_seconds()) if at else 0.0

    yield _by(metrics.STREAM_WAITING, {row.stream: row.waiting for row in health.streams})
    yield _by(metrics.STREAM_IN_HAND, {row.stream: row.in_hand for row in health.streams})
    yield _by(metrics.STREAM_OLDEST, {row.stream: age(row.oldest_at) for row in health.streams})
    yield _by(metrics.STREAM_OLDEST_WAITING, {row.stream: age(row.oldest_waiting_at) for row in health.streams})


def _upkeep(health: Health) -> Iterator[Family]:
    yield _one(metrics.DUE_OVERDUE, health.overdue)
    yield _one(metrics.PARKED, health.parked)
    yield _one(metrics.EVENTS_COMPARED, health.compared)
    yield _one(metrics.EVENTS_MISSED, health.missed)
    yield _one(metrics.WEBHOOK_GAP, 0 if health.webhook_gap_since is None else 1)
    yield _by(metrics.FAILED_TRIES, {row.reason: row.count for row in health.auth_failures})


def _one(row: metrics.Metric, value: float) -> Family:
    kind = CounterMetricFamily if row.kind == "counter" else GaugeMetricFamily
    return kind(row.name, row.text, value)


def _by(row: metrics.Metric, values: Mapping[str, float]) -> Family:
    (label,) = row.labels
    family = GaugeMetricFamily(row.name, row.text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def metrics_text(ports: Ports, token: ConsoleToken) -> bytes:
    """Return all metrics in Prometheus' text format. Raises RedisError."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LedgerMetrics(ports, token))
    return generate_latest(registry)
