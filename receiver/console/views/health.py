"""Health: streams and what waits in them, what each part did last, and how well webhooks and arrivals stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import ResponseError

from receiver.console.operations import Call, Operation
from shared import redis_keys
from shared.console_tokens import Role
from shared.contracts import OPS_STREAM
from shared.domain.alerting.arrivals import Readiness
from shared.ledger.arrivals import arrivals_between
from shared.streams import GROUP

_LATE_AFTER: Final = timedelta(seconds=10)
_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """A stream: how many entries wait, how many are in hand, and since when the oldest waits."""

    stream: str
    waiting: int
    in_hand: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatRow:
    """When something that happens again and again happened last."""

    name: str
    at: datetime
    seconds_ago: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the system does. `overdue` are members of the due-set that nobody has taken for ten seconds.

    `ready_share` is the part of the arrivals of the next 24 hours that is ready; None where nobody comes.
    """

    as_of: datetime
    streams: tuple[StreamRow, ...]
    beats: tuple[BeatRow, ...]
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


def read_health(call: Call) -> Health:
    """Return how the system does now."""
    ports, now = call.ports, call.now
    names = (ports.streams["bookings"], ports.streams["events"], OPS_STREAM)
    progress = ports.reconciliation.load()
    late = int((now - _LATE_AFTER).timestamp() * 1000)
    coming = arrivals_between(now, now + _DAY, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues)
    ready = sum(each.readiness is Readiness.READY for each in coming)
    beats = sorted(ports.beats.last().items())
    return Health(
        as_of=now,
        streams=tuple(_stream(ports.redis, name) for name in names),
        beats=tuple(
            BeatRow(name=name, at=at, seconds_ago=max(0, int((now - at).total_seconds()))) for name, at in beats
        ),
        due=int(cast(Any, ports.redis.zcount(redis_keys.DUE, "-inf", now.timestamp() * 1000))),
        overdue=int(cast(Any, ports.redis.zcount(redis_keys.DUE, "-inf", late))),
        parked=ports.parked.count(),
        alerts_open=len(ports.alerts.open()),
        compared_until=progress.cursor,
        compared=progress.compared,
        missed=progress.missed,
        webhook_gap_since=progress.gap.since if progress.gap.is_open else None,
        arrivals_24h=len(coming),
        ready_24h=ready,
        at_risk_24h=sum(each.readiness is Readiness.AT_RISK for each in coming),
        ready_share=round(ready / len(coming), 4) if coming else None,
        states=ports.search.counts(),
    )


def _stream(redis: Redis, name: str) -> StreamRow:
    """Return how a stream stands. What it holds is what is still to be done: entries that are done are taken out."""
    length = int(cast(Any, redis.xlen(name)))
    in_hand, oldest = 0, None
    if length:
        first = cast(Any, redis.xrange(name, count=1))
        oldest = datetime.fromtimestamp(int(str(first[0][0]).partition("-")[0]) / 1000).astimezone() if first else None
        try:
            in_hand = int(cast(Any, redis.xpending(name, GROUP))["pending"])
        except ResponseError:
            in_hand = 0
    return StreamRow(stream=name, waiting=max(0, length - in_hand), in_hand=in_hand, oldest_at=oldest)


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
