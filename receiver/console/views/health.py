"""Health: processes, streams and their backlogs, when each part worked last, and the state of webhooks and arrivals."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast

from receiver.console.operations import Call, Operation
from receiver.console.views.health_findings import findings_of
from receiver.console.views.health_history import read_readiness, read_seam
from receiver.console.views.health_view import (
    AliveProcess,
    BeatRow,
    FailedTriesRow,
    Health,
    ProcessRow,
    StreamRow,
)
from shared import redis_keys
from shared.console_tokens import Role
from shared.contracts import OPS_STREAM
from shared.domain.alerting.arrivals import Readiness
from shared.domain.alerting.missed_heartbeats import WEBHOOK
from shared.domain.code.webhook_gap import last_webhook_at
from shared.ledger.arrivals import arrivals_between
from shared.ledger.auth_failures import AuthFailureLedger
from shared.ledger.processes import ProcessSigns, SeenProcess
from shared.liveness.fleet import ProcessGroup, groups_of
from shared.stream_backlog import StreamBacklog, backlogs_of

_LATE_AFTER: Final = timedelta(seconds=10)
_DAY: Final = timedelta(hours=24)


def read_health(call: Call) -> Health:
    """Return how the system does now."""
    ports, now = call.ports, call.now
    names = (ports.streams["bookings"], ports.streams["events"], OPS_STREAM)
    progress = ports.reconciliation.load()
    due, overdue = _due(call)
    coming = arrivals_between(now, now + _DAY, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues)
    unapplied = ports.unapplied.between(now, now + _DAY, now=now).messages
    ready = sum(each.readiness is Readiness.READY for each in coming)
    awaited = len(coming) + len(unapplied)
    beats = ports.beats.last()
    groups = groups_of(
        ProcessSigns(ports.redis).seen(), now, webhook_at=last_webhook_at(beats.get(WEBHOOK), progress.gap)
    )
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
        arrivals_24h=awaited,
        ready_24h=ready,
        at_risk_24h=sum(each.readiness is Readiness.AT_RISK for each in coming) + len(unapplied),
        ready_share=round(ready / awaited, 4) if awaited else None,
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
