"""Health: processes, streams and their backlogs, when each part worked last, and the state of webhooks and arrivals."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast

from receiver.console.operations import Call, Operation
from receiver.console.views.health_findings import HealthFinding, findings_of
from receiver.console.views.health_history import ReadinessChart, SeamHealth, read_readiness, read_seam
from shared import redis_keys
from shared.console_tokens import Role
from shared.contracts import OPS_STREAM
from shared.domain.alerting.arrivals import Readiness
from shared.domain.alerting.missed_heartbeats import WEBHOOK
from shared.domain.code.webhook_gap import heard_at
from shared.ledger.arrivals import arrivals_between
from shared.ledger.auth_failures import AuthFailureLedger
from shared.ledger.processes import ProcessSigns, SeenProcess
from shared.liveness.fleet import ProcessGroup, groups_of
from shared.stream_backlog import StreamBacklog, backlogs_of

_LATE_AFTER: Final = timedelta(seconds=10)
_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """A stream: how many entries no worker has read (`waiting`), how many are in hand, and since when.

    `oldest_at` is when the oldest of all was appended, `oldest_waiting_at` that of those that wait.
    """

    stream: str
    waiting: int
    in_hand: int
    oldest_at: datetime | None
    oldest_waiting_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AliveProcess:
    """One process that gave a sign of life a moment ago."""

    host: str
    pid: int
    version: str
    started_at: datetime
    silent_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRow:
    """The processes of one name: which live, when the last sign of any was, how often they started again in an hour.

    `last_sign_at` is None where none gave one within a week: then they are `not seen`. They are `unknown` where one of
    an older version, which gives no signs, did its work at `worked_at`.
    """

    process: str
    state: Literal["alive", "unknown", "not alive", "not seen"]
    worked_at: datetime | None
    alive: tuple[AliveProcess, ...]
    last_sign_at: datetime | None
    restarts_last_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTriesRow:
    """Requests that `web` refused in the last hour for one reason, and when the last was."""

    reason: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatRow:
    """When something that happens again and again happened last."""

    name: str
    at: datetime
    seconds_ago: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the system does. `overdue` are members of the due-set that nobody has taken for ten seconds.

    `ready_share` is the part of the arrivals of the next 24 hours that is ready; None where nobody comes. `findings`
    are what a person should look at, the urgent first; none where all is well. `webhook_at` is when a webhook brought
    an event last.
    """

    as_of: datetime
    findings: tuple[HealthFinding, ...] = ()
    webhook_at: datetime | None
    processes: tuple[ProcessRow, ...]
    streams: tuple[StreamRow, ...]
    beats: tuple[BeatRow, ...]
    auth_failures: tuple[FailedTriesRow, ...]
    due: int
    overdue: int
    parked: int
    alerts_open: int
    compared_until: datetime | None
    compared: int
    missed: int
    webhook_gap_since: datetime | None
    arrivals_24h: int
    ready_24h: int
    at_risk_24h: int
    ready_share: float | None
    states: dict[str, int]
    seam: SeamHealth
    readiness: ReadinessChart


def read_health(call: Call) -> Health:
    """Return how the system does now."""
    ports, now = call.ports, call.now
    names = (ports.streams["bookings"], ports.streams["events"], OPS_STREAM)
    progress = ports.reconciliation.load()
    due, overdue = _due(call)
    coming = arrivals_between(now, now + _DAY, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues)
    ready = sum(each.readiness is Readiness.READY for each in coming)
    beats = ports.beats.last()
    groups = groups_of(ProcessSigns(ports.redis).seen(), now, webhook_at=heard_at(beats.get(WEBHOOK), progress.gap))
    health = Health(
        as_of=now,
        webhook_at=beats.get(WEBHOOK),
        processes=tuple(_processes(group, now) for group in groups),
        streams=tuple(_stream(name, backlog) for name, backlog in backlogs_of(ports.redis, names).items()),
        beats=tuple(
            BeatRow(name=name, at=at, seconds_ago=max(0, int((now - at).total_seconds())))
            for name, at in sorted(beats.items())
        ),
        auth_failures=tuple(
            FailedTriesRow(reason=it.reason, count=it.count, last_at=it.last_at)
            for it in AuthFailureLedger(ports.redis).last_hour(now)
        ),
        due=due,
        overdue=overdue,
        parked=ports.parked.count(),
        alerts_open=ports.alerts.count_open(),
        compared_until=progress.cursor,
        compared=progress.compared,
        missed=progress.missed,
        webhook_gap_since=progress.gap.since if progress.gap.is_open else None,
        arrivals_24h=len(coming),
        ready_24h=ready,
        at_risk_24h=sum(each.readiness is Readiness.AT_RISK for each in coming),
        ready_share=round(ready / len(coming), 4) if coming else None,
        states=ports.search.counts(),
        seam=read_seam(call),
        readiness=read_readiness(call),
    )
    return replace(health, findings=findings_of(health))


def _processes(group: ProcessGroup, now: datetime) -> ProcessRow:
    return ProcessRow(
        process=group.process,
        state=_state(group),
        worked_at=group.worked_at,
        alive=tuple(_alive(each) for each in group.alive),
        last_sign_at=None if group.silent_for is None else now - group.silent_for,
        restarts_last_hour=group.restarts,
    )


def _state(group: ProcessGroup) -> Literal["alive", "unknown", "not alive", "not seen"]:
    if group.alive:
        return "alive"
    if group.is_unknown:
        return "unknown"
    return "not alive" if group.is_missing else "not seen"


def _alive(seen: SeenProcess) -> AliveProcess:
    it = seen.identity
    return AliveProcess(
        host=it.host,
        pid=it.pid,
        version=it.version,
        started_at=it.started_at,
        silent_seconds=int(seen.silent_for.total_seconds()),
    )


def _due(call: Call) -> tuple[int, int]:
    """Return how many members of the due-set are due, and how many of them are overdue."""
    pipeline = call.ports.redis.pipeline(transaction=False)
    for moment in (call.now, call.now - _LATE_AFTER):
        pipeline.zcount(redis_keys.DUE, "-inf", int(moment.timestamp() * 1000))
    due, overdue = cast(Any, pipeline.execute())
    return int(due), int(overdue)


def _stream(name: str, backlog: StreamBacklog) -> StreamRow:
    return StreamRow(
        stream=name,
        waiting=backlog.unread,
        in_hand=backlog.in_hand,
        oldest_at=backlog.oldest_at,
        oldest_waiting_at=backlog.oldest_unread_at,
    )


OPERATIONS: Final = (
    Operation(
        name="health",
        method="GET",
        path="/health",
        role=Role.VIEWER,
        summary="Streams, what each part did last, webhooks against Seam's list, and the readiness of the next day.",
        handle=read_health,
        answer=Health,
        page="/health",
        template="health.html",
    ),
)
