"""What worker and command line share: ledger, Seam client, units and channels, each made from the settings."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from redis import Redis

from shared.clock import Clock, system_clock
from shared.current_units import CurrentUnits
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.stay.stay import UnitRules
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.due_set import DueSet
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.outbox import OutboxPublisher
from shared.ledger.outcome_queues import OutcomeQueues
from shared.ledger.silences import Silences
from shared.ledger.work_for_newer_version import WorkForNewerVersion
from shared.parked import ParkedList
from shared.redis_client import connect
from shared.replay_results import ReplayResults
from shared.seam.client import Observe, SeamClient, unobserved
from shared.settings import Settings
from shared.streams import OutcomeStream
from worker.alerts.channel import Channel
from worker.alerts.setup import Alerting, load_alerting, simple_policy
from worker.parking import Parking


@dataclass(frozen=True, slots=True)
class Ports:
    """What the worker and the command line share: the ledger and what belongs to it."""

    redis: Redis
    due: DueSet
    ledger: BookingLedger
    alerts: AlertLedger
    parked: ParkedList
    parking: Parking
    replays: ReplayResults
    silences: Silences
    beats: Heartbeats
    work_for_newer_version: WorkForNewerVersion
    outcomes: OutcomeStream
    outcome_queues: OutcomeQueues
    issues: DoorIssues


def open_ports(
    settings: Settings,
    channels: tuple[Channel, ...] = (),
    clock: Clock = system_clock,
    policy: AlertPolicy | None = None,
    *,
    publishes: bool = True,
) -> Ports:
    """Connect the ledger; nothing is opened before its first use.

    Unless it `publishes`, what a booking has to tell is left to the worker: a command need not know the receivers.
    """
    redis = connect(settings.redis_address, sync_replicas=settings.sync_replicas)
    due = DueSet(redis, lease=settings.reclaim_after)
    policy = policy or simple_policy(settings, channels)
    alerts = AlertLedger(redis, due=due, clock=clock, retention=settings.retention, policy=policy)
    outcomes = OutcomeStream(redis, settings.outcome_stream)
    queues = OutcomeQueues(redis, due=due, clock=clock, retention=settings.retention)
    ledger = BookingLedger(
        redis,
        due=due,
        outbox=_outbox(settings, outcomes, queues, alerts) if publishes else None,
        clock=clock,
        retention=settings.retention,
    )
    parked = ParkedList(redis)
    replays = ReplayResults(redis)
    parking = Parking(parked, replays, due, clock)
    newer = WorkForNewerVersion(redis, clock=clock, comes_back_after=settings.reclaim_after)
    issues = DoorIssues(redis, clock=clock, retention=settings.retention)
    silences, beats = Silences(redis, clock=clock), Heartbeats(redis)
    return Ports(redis, due, ledger, alerts, parked, parking, replays, silences, beats, newer, outcomes, queues, issues)


def _outbox(settings: Settings, outcomes: OutcomeStream, queues: OutcomeQueues, alerts: AlertLedger) -> OutboxPublisher:
    names = [receiver.name for receiver in settings.outcome_receivers]
    return OutboxPublisher(
        publish_outcome=outcomes.publish,
        alerts=alerts,
        queue_outcome=lambda booking_id, sequence, event: queues.enqueue(names, booking_id, sequence, event),
    )


def seam_client(settings: Settings, *, observe: Observe = unobserved) -> SeamClient:
    """Return the client for the settings' workspace; `observe` is told of its calls.

    Raises ValueError without SEAM_API_KEY.
    """
    if settings.seam_api_key is None:
        raise ValueError("SEAM_API_KEY is not set")
    return SeamClient(
        endpoint=settings.seam_endpoint,
        api_key=settings.seam_api_key.get_secret_value(),
        answer_within=settings.seam_timeout,
        observe=observe,
    )


def alerting_of(settings: Settings) -> Alerting:
    """Return the channels and rules of ALERT_URLS and ALERTS_FILE. Raises InvalidAlertUrls, InvalidAlertsFile."""
    return load_alerting(settings, httpx.Client(), units_of(settings))


def units_of(settings: Settings) -> Mapping[str, UnitRules]:
    """Return what DOORS_FILE says, now and after each change; nothing without one. Raises InvalidDoorsFile."""
    if settings.doors_file is None:
        return {}
    return CurrentUnits.load(settings.doors_file)
