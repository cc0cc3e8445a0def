"""What the health page says first: each thing that a person should look at, the most urgent first."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from receiver.console.views.health_view import Health, HealthFinding, ProcessRow
from shared.domain.times.wording import show_length
from shared.liveness.fleet import BEAT, CONSOLE, WEB, WORKER

# As in deploy/prometheus/alerts.yml: OracodeStreamUnread, OracodeProcessRestarts.
_UNREAD_FOR: Final = timedelta(seconds=60)
_MANY_RESTARTS: Final = 3
_MEANS: Final = {
    WEB: "No webhook is accepted.",
    WORKER: "No code is made.",
    BEAT: "Nothing that is due is done.",
    CONSOLE: "Codes are made all the same.",
}


def findings_of(health: Health) -> tuple[HealthFinding, ...]:
    """Return what a person should look at, the urgent first."""
    found = [*_of_processes(health), *_of_work(health), *_of_seam(health), *_of_people(health)]
    return tuple(sorted(found, key=lambda each: not each.is_urgent))


def _of_processes(health: Health) -> Iterator[HealthFinding]:
    for row in health.processes:
        if row.state in ("not alive", "not seen"):
            text = f"{row.process} {_silence(row, health.as_of)}. {_MEANS.get(row.process, '')}".strip()
            yield HealthFinding(text=text, page="#processes", is_urgent=row.process != CONSOLE)
        elif row.restarts_last_hour >= _MANY_RESTARTS:
            text = f"{row.process} started again {row.restarts_last_hour} times within an hour."
            yield HealthFinding(text=text, page="#processes", is_urgent=False)


def _silence(row: ProcessRow, now: datetime) -> str:
    if row.last_sign_at is None:
        return "has given no sign of life in the last week"
    return f"is not alive: its last sign of life was {_length(now - row.last_sign_at)} ago"


def _of_work(health: Health) -> Iterator[HealthFinding]:
    if health.overdue:
        text = f"{_many(health.overdue, 'task')} overdue. Is a beat running, and a worker?"
        yield HealthFinding(text=text, page="#processes", is_urgent=True)
    for row in health.streams:
        age = health.as_of - row.oldest_waiting_at if row.oldest_waiting_at else timedelta()
        if age > _UNREAD_FOR:
            text = f"No worker reads {row.stream}: {row.waiting} waiting, the oldest for {_length(age)}."
            yield HealthFinding(text=text, page="#streams", is_urgent=True)


def _of_seam(health: Health) -> Iterator[HealthFinding]:
    if health.webhook_gap_since is not None:
        text = "Events came by no webhook lately. They were fetched from Seam instead."
        yield HealthFinding(text=text, page="#webhooks", is_urgent=False)
    calls = sum(row.calls_hour for row in health.seam.paths)
    failed = sum(row.failed_hour for row in health.seam.paths)
    if failed:
        text = f"{failed} of {calls} calls to Seam failed in the last hour."
        yield HealthFinding(text=text, page="#seam", is_urgent=2 * failed >= calls)
    refused = sum(row.count for row in health.auth_failures)
    if refused:
        text = f"{refused} request{'s' * (refused != 1)} refused in the last hour."
        yield HealthFinding(text=text, page="#webhooks", is_urgent=False)


def _of_people(health: Health) -> Iterator[HealthFinding]:
    if health.at_risk_24h:
        text = f"{_many(health.at_risk_24h, 'arrival')} at risk in the next 24 hours."
        yield HealthFinding(text=text, page="/arrivals?hours=24&readiness=at+risk", is_urgent=True)
    if health.alerts_open:
        text = f"{_many(health.alerts_open, 'alert')} open."
        yield HealthFinding(text=text, page="/alerts", is_urgent=False)
    if health.parked:
        text = f"{_many(health.parked, 'message')} parked, because of content that can't be used."
        yield HealthFinding(text=text, page="/parked", is_urgent=False)


def _many(count: int, what: str) -> str:
    return f"{count} {what} is" if count == 1 else f"{count} {what}s are"


def _length(length: timedelta) -> str:
    """Return a length, to the minute from one minute on."""
    unit = timedelta(minutes=1) if length >= timedelta(minutes=1) else timedelta(seconds=1)
    return show_length(max(length, timedelta()) // unit * unit)
