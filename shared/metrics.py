"""Every metric: its name, what it counts or measures in which unit, its labels, and which process shows it.

Names follow Prometheus' conventions: `oracode_`, base units (seconds), `_total` for counters. Ids, names and PINs are
never labels.

Counters and histograms are kept by the process in which it happens, and shown on its METRICS_PORT
(`shared.metrics_server`). Where the values of a label are listed here, any other value becomes `other`.

Gauges are read from Redis, by the console's `GET /metrics` (`receiver.console.metrics`). Their values are what our
processes wrote: those that are listed here, and where a newer version runs too, those that it adds, as they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from prometheus_client import Counter, Histogram, disable_created_metrics
from prometheus_client.registry import Collector

from shared import contracts
from shared.domain.booking.record import State
from shared.liveness.fleet import PROCESSES
from shared.seam.refusals import ENDPOINTS

OTHER: Final = "other"
_WEB: Final = "web"
_WORKER: Final = "worker"
_BEAT: Final = "beat"
_CONSOLE: Final = "console"
_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40)

Labels = Mapping[str, tuple[str, ...]]
"""A label's name and its values. None are listed where other code names them: a setting's streams and channels, the
console's routes, the parts of the worker that note when they worked."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the catalogue. `name` is without what the kind adds to it (`_bucket`, `_count`, `_sum`)."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    shown_by: tuple[str, ...]
    labels: Labels

    @property
    def samples(self) -> tuple[str, ...]:
        """The names under which Prometheus has it."""
        if self.kind == "histogram":
            return (f"{self.name}_bucket", f"{self.name}_count", f"{self.name}_sum")
        return (self.name,)


# A second curve beside each counter, for when it was made: nobody looks at it.
disable_created_metrics()  # type: ignore[no-untyped-call] # the library has no types for it

CATALOGUE: Final[dict[str, Metric]] = {}
"""All metrics, by name."""

_COLLECTORS: Final[list[tuple[Metric, Collector]]] = []


class EventCounter:
    """Counts what happens in this process. Thread-safe."""

    def __init__(self, row: Metric) -> None:
        self._row = row
        self._counter = Counter(row.name, row.text, tuple(row.labels), registry=None)
        # From zero on: what appears with its first event shows no increase for it. Kept, because looking one up in the
        # library takes three times as long.
        self._counted = {values: self._counter.labels(*values) for values in _all_values(row)}
        _keep(row, self._counter)

    def add(self, *values: str, amount: float = 1) -> None:
        """Count; `values` are those of the labels, in their order."""
        counter = self._counted.get(values)
        if counter is None:
            counter = self._counter.labels(*_bounded(self._row, values)) if self._row.labels else self._counter
        counter.inc(amount)

    def start_at_zero(self, **of_settings: str) -> None:
        """Show what may be counted, from zero on, where a label's values are those of a setting: one value of each."""
        for values in product(*(known or (of_settings[name],) for name, known in self._row.labels.items())):
            self._counter.labels(*values)


class Durations:
    """Measures how long something took in this process, in seconds. Thread-safe."""

    def __init__(self, row: Metric, buckets: tuple[float, ...]) -> None:
        self._row = row
        self._histogram = Histogram(row.name, row.text, tuple(row.labels), buckets=buckets, registry=None)
        for values in _all_values(row):
            self._histogram.labels(*values)
        _keep(row, self._histogram)

    def observe(self, seconds: float, *values: str) -> None:
        """Note one; `values` are those of the labels, in their order."""
        histogram = self._histogram.labels(*_bounded(self._row, values)) if self._row.labels else self._histogram
        histogram.observe(seconds)


def collectors_of(process: str) -> Iterator[Collector]:
    """Yield the counters and histograms that a process shows."""
    return (collector for row, collector in _COLLECTORS if process in row.shown_by)


def _keep(row: Metric, collector: Collector) -> None:
    CATALOGUE[row.name] = row
    _COLLECTORS.append((row, collector))


def _all_values(row: Metric) -> Iterator[tuple[str, ...]]:
    if row.labels and all(row.labels.values()):
        yield from product(*row.labels.values())


def _bounded(row: Metric, values: tuple[str, ...]) -> tuple[str, ...]:
    known = zip(row.labels.values(), values, strict=True)
    return tuple(value if not allowed or value in allowed else OTHER for allowed, value in known)


def _counter(name: str, text: str, *shown_by: str, labels: Labels | None = None) -> EventCounter:
    return EventCounter(Metric(name, "counter", text, shown_by, labels or {}))


def _histogram(
    name: str, text: str, *shown_by: str, labels: Labels | None = None, buckets: tuple[float, ...]
) -> Durations:
    return Durations(Metric(name, "histogram", text, shown_by, labels or {}), buckets)


def _gauge(
    name: str, text: str, *, labels: Labels | None = None, kind: Literal["counter", "gauge"] = "gauge"
) -> Metric:
    row = Metric(name, kind, text, (_CONSOLE,), labels or {})
    CATALOGUE[name] = row
    return row


_AUTH_FAILURES: Final = (
    "missing_headers",
    "malformed_headers",
    "too_old",
    "too_new",
    "wrong_signature",
    "slack",
    "invalid_token",
)

# --- What happens in `web`

WEBHOOKS: Final = _counter(
    "oracode_webhooks_total",
    "Signed webhooks of Seam, by what they were answered with.",
    _WEB,
    labels={"outcome": ("accepted", "duplicate", "ignored", "parked")},
)
WEBHOOK_SECONDS: Final = _histogram(
    "oracode_webhook_seconds",
    "Time from a webhook's headers to its answer, of those whose event was stored or known.",
    _WEB,
    buckets=_FAST,
)
BOOKINGS_ACCEPTED: Final = _counter(
    "oracode_bookings_accepted_total",
    "Booking messages that POST /bookings took, by whether they were new.",
    _WEB,
    labels={"outcome": ("accepted", "duplicate")},
)
BOOKINGS_REFUSED: Final = _counter(
    "oracode_bookings_refused_total",
    "Booking messages that POST /bookings refused with 400 or 413, by what they are as far as they can be read.",
    _WEB,
    labels={"kind": ("booking", "change", "cancellation", "unreadable")},
)
REFUSED: Final = _counter(
    "oracode_requests_refused_total",
    "Requests that were refused for another reason than a signature or a token.",
    _WEB,
    labels={"reason": ("body_too_large", "no_room", "unavailable", "invalid_message", "unreadable_form")},
)
AUTH_FAILURES: Final = _counter(
    "oracode_auth_failures_total",
    "Requests refused because of their signature or token, by reason.",
    _WEB,
    labels={"reason": _AUTH_FAILURES},
)

# --- What happens in `worker`

BOOKING_MESSAGES: Final = _counter(
    "oracode_booking_messages_total",
    "Booking messages taken from their stream, by what became of them.",
    _WORKER,
    labels={"outcome": ("applied", "known", "repeated", "superseded", "parked")},
)
EVENTS: Final = _counter(
    "oracode_events_total",
    "Seam's events taken from their stream: recorded in the story of a code, or parked.",
    _WORKER,
    labels={"outcome": ("recorded", "parked")},
)
CREATES: Final = _counter(
    "oracode_creates_total",
    "Creates of access codes by their outcome; adopted: a look at Seam found the code of an earlier create.",
    _WORKER,
    labels={"outcome": ("issued", "adopted", "refused", "try_again", "in_doubt")},
)
CREATE_SECONDS: Final = _histogram(
    "oracode_create_seconds",
    "Time from the written intent to create a code until the ledger has the code.",
    _WORKER,
    buckets=_SLOW,
)
SEAM_REQUESTS: Final = _counter(
    "oracode_seam_requests_total",
    "Calls to Seam, by endpoint and outcome.",
    _WORKER,
    _CONSOLE,
    _WEB,
    labels={
        "endpoint": tuple(ENDPOINTS),
        "outcome": (
            "answered",
            "unreachable",
            "rate_limited",
            "unauthorized",
            "outcome_unknown",
            "refused",
            "not_found",
            "unreadable",
        ),
    },
)
SEAM_SECONDS: Final = _histogram(
    "oracode_seam_request_seconds",
    "Time that a call to Seam took, whatever its outcome.",
    _WORKER,
    _CONSOLE,
    _WEB,
    labels={"endpoint": ("/access_codes/create", "/access_codes/get", "/access_codes/list", "/devices/get")},
    buckets=_SLOW,
)
_TASKS: Final = (
    contracts.APPLY_BOOKING,
    contracts.RECORD_EVENTS,
    contracts.ADVANCE_DOOR,
    contracts.DELIVER_ALERT,
    contracts.DELIVER_OUTCOMES,
    contracts.SWEEP_DUE,
    contracts.RUN_PERIODIC_JOB,
    contracts.REFRESH_DOOR,
    contracts.REFRESH_ACCOUNT,
    contracts.CHECK_CONFLICTS,
    contracts.CHECK_REMOVALS,
    contracts.RUN_OPS_COMMAND,
)
TASKS: Final = _counter(
    "oracode_tasks_total",
    "Tasks that ended, by whether they ended with an error. What failed comes back by itself.",
    _WORKER,
    labels={"task": _TASKS, "outcome": ("done", "failed")},
)
TASK_SECONDS: Final = _histogram(
    "oracode_task_seconds", "Time that a task took.", _WORKER, labels={"task": _TASKS}, buckets=_SLOW
)
DUE_CLAIMED: Final = _counter(
    "oracode_due_claimed_total", "Members of the due-set that a sweep claimed and made into tasks.", _WORKER
)
NOTIFICATIONS: Final = _counter(
    "oracode_alert_notifications_total",
    "Notifications about alerts, by channel: delivered, failed (tried again later) or given up.",
    _WORKER,
    labels={"channel": (), "outcome": ("delivered", "failed", "given_up")},
)
OUTCOME_POSTS: Final = _counter(
    "oracode_outcome_posts_total",
    "Posts of outcomes to OUTCOME_WEBHOOK_URLS: taken, failed (tried again later) or given up.",
    _WORKER,
    labels={"outcome": ("taken", "failed", "given_up")},
)

# --- What happens in `beat` and `console`

SWEEPS: Final = _counter("oracode_sweeps_sent_total", "Sweeps that beat has sent, one a second.", _BEAT)
PAGES: Final = _counter(
    "oracode_console_requests_total",
    "Requests that the console answered, by route and by the first digit of the status.",
    _CONSOLE,
    labels={"route": (), "status": ("2xx", "3xx", "4xx", "5xx")},
)
PAGE_SECONDS: Final = _histogram(
    "oracode_console_request_seconds",
    "Time from a request's headers to the first byte of its answer.",
    _CONSOLE,
    labels={"route": ()},
    buckets=_FAST,
)

# --- What the console reads from Redis

BOOKINGS: Final = _gauge("oracode_bookings", "Bookings in the ledger, by state.", labels={"state": tuple(State)})
ARRIVALS: Final = _gauge(
    "oracode_arrivals",
    "Doors awaited in the next 24 hours, by how they stand.",
    labels={"readiness": ("ready", "on its way", "at risk")},
)
ALERTS_OPEN: Final = _gauge(
    "oracode_alerts_open", "Open alerts, by severity.", labels={"severity": ("page", "warning", "info")}
)
PROCESSES_ALIVE: Final = _gauge(
    "oracode_processes_alive",
    "Processes that gave a sign of life within 20 seconds, by name. Nothing of those that work without giving signs.",
    labels={"process": PROCESSES},
)
PROCESS_RESTARTS: Final = _gauge(
    "oracode_process_restarts",
    "Processes that took the place of one that ended, in the last hour.",
    labels={"process": PROCESSES},
)
STREAM_WAITING: Final = _gauge(
    "oracode_stream_waiting", "Entries of a stream that no worker has read.", labels={"stream": ()}
)
STREAM_IN_HAND: Final = _gauge(
    "oracode_stream_in_hand", "Entries of a stream that a worker has in hand.", labels={"stream": ()}
)
STREAM_OLDEST: Final = _gauge(
    "oracode_stream_oldest_seconds", "Age of the oldest entry of a stream; 0 where it is empty.", labels={"stream": ()}
)
STREAM_OLDEST_WAITING: Final = _gauge(
    "oracode_stream_oldest_waiting_seconds",
    "Age of the oldest entry of a stream that no worker has read; 0 where there is none.",
    labels={"stream": ()},
)
DUE_OVERDUE: Final = _gauge("oracode_due_overdue", "Members of the due-set that are over 10 s late.")
PARKED: Final = _gauge("oracode_parked_messages", "Messages that were put aside, for a person.")
EVENTS_COMPARED: Final = _gauge(
    "oracode_events_compared_total", "Events compared with Seam's own list.", kind="counter"
)
EVENTS_MISSED: Final = _gauge(
    "oracode_events_missed_total", "Events of those that had come by no webhook.", kind="counter"
)
WEBHOOK_GAP: Final = _gauge("oracode_webhook_gap", "1 while events come by no webhook, else 0.")
LAST_DONE: Final = _gauge(
    "oracode_last_done_timestamp_seconds",
    "When each part of the worker did its work last, in seconds since 1970.",
    labels={"part": ()},
)
FAILED_TRIES: Final = _gauge(
    "oracode_auth_failures_last_hour",
    "Requests that all web together refused in the last hour because of signature or token, by reason.",
    labels={"reason": _AUTH_FAILURES},
)


_BEFORE_UPPER: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def snake_case(kind: type) -> str:
    """Return the name of a class as a label has it: `RateLimited` is `rate_limited`."""
    return _BEFORE_UPPER.sub("_", kind.__name__).lower()


# Kinds of SeamError that mean the same to who looks at a curve.
_SAME_AS: Final = {
    "no_such_device": "not_found",
    "no_such_access_code": "not_found",
    "no_such_account": "not_found",
    "unexpected_not_found": "unreachable",
    "unnamed_not_found": "unreachable",
    "create_not_found": "outcome_unknown",
}


def outcome_of(failure: BaseException | None) -> str:
    """Return how a call to Seam ended: `answered`, or the kind of its SeamError."""
    outcome = "answered" if failure is None else snake_case(type(failure))
    return _SAME_AS.get(outcome, outcome)
