"""What the console reads and writes: the ledger's parts, made once."""

from collections.abc import Mapping
from dataclasses import dataclass

from redis import Redis

from receiver.console.places import Places
from shared.clock import Clock
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.due import DueSet
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.outbox import OutboxPublisher
from shared.ledger.reconciliation import ReconciliationLedger
from shared.ledger.silences import Silences
from shared.parked import ParkedList
from shared.redis_client import connect
from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.settings import Settings
from shared.streams import OutcomeStream


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The parts. `codes` is None without SEAM_API_KEY: then no PIN can be revealed."""

    redis: Redis
    ledger: BookingLedger
    alerts: AlertLedger
    issues: DoorIssues
    parked: ParkedList
    silences: Silences
    beats: Heartbeats
    reconciliation: ReconciliationLedger
    places: Places
    streams: Mapping[str, str]
    clock: Clock
    codes: AccessCodes | None


def open_ports(settings: Settings, clock: Clock) -> Ports:
    """Make the parts; nothing is connected before its first use."""
    redis = connect(settings.redis_address)
    due = DueSet(redis, lease=settings.reclaim_after)
    alerts = AlertLedger(redis, due=due, clock=clock, retention=settings.retention)
    outcomes = OutcomeStream(redis, settings.outcome_stream)
    outbox = OutboxPublisher(publish_outcome=outcomes.publish, alerts=alerts)
    return Ports(
        redis=redis,
        ledger=BookingLedger(redis, due=due, outbox=outbox, clock=clock, retention=settings.retention),
        alerts=alerts,
        issues=DoorIssues(redis, clock=clock, retention=settings.retention),
        parked=ParkedList(redis),
        silences=Silences(redis, clock=clock),
        beats=Heartbeats(redis),
        reconciliation=ReconciliationLedger(redis),
        places=Places(settings.doors_file),
        streams={
            "events": settings.event_stream,
            "bookings": settings.booking_stream,
            "outcomes": settings.outcome_stream,
        },
        clock=clock,
        codes=_codes(settings),
    )


def _codes(settings: Settings) -> AccessCodes | None:
    if settings.seam_api_key is None:
        return None
    client = SeamClient(
        endpoint=settings.seam_endpoint,
        api_key=settings.seam_api_key.get_secret_value(),
        answer_within=settings.seam_timeout,
    )
    return AccessCodes(client)
