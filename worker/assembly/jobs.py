"""The periodic jobs: what runs again and again by itself, and how often."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from shared.clock import Clock, system_clock
from shared.current_units import CurrentUnits
from shared.domain.stay.stay import UnitRules
from shared.ledger.clocks import ClockReadings
from shared.ledger.readiness_history import ReadinessHistory
from shared.ledger.reconciliation import ReconciliationLedger
from shared.refused_messages import RefusedMessages
from shared.replayed_messages import ReplayedMessages
from shared.replicas import are_replicas_there
from shared.seam.client import SeamClient
from shared.seam.events import Events
from shared.settings import Settings
from shared.streams import EventStream
from worker.assembly.doors import DoorReading
from worker.assembly.resources import Resources
from worker.handlers.after_rollback import AfterRollback
from worker.handlers.check_arrivals import CheckArrivals
from worker.handlers.check_clocks import CheckClocks
from worker.handlers.check_replicas import CheckReplicas
from worker.handlers.compare_ledger import CompareLedger
from worker.handlers.count_readiness import COUNT_READINESS, CountReadiness
from worker.handlers.end_outage import EndOutage
from worker.handlers.follow_doors_file import FollowDoorsFile
from worker.handlers.newer_version_needed_alert import NewerVersionNeededAlert
from worker.handlers.reconcile import Reconcile
from worker.handlers.tell_parked import TellParked
from worker.handlers.tell_refused import TellRefused
from worker.handlers.tell_unknown_cancellations import TellUnknownCancellations
from worker.parking import TELL_PARKED
from worker.periodic_jobs import PeriodicJob, PeriodicJobs, every
from worker.ports import Ports

_INDEXED_EVERY = timedelta(hours=1)
_READINESS_COUNTED_EVERY = timedelta(minutes=10)
_TRIM_EVERY = timedelta(hours=1)
_STUCK_WORK_CHECKED_EVERY = timedelta(minutes=1)
_PARKED_TOLD_EVERY = timedelta(minutes=1)
_UNKNOWN_CANCELLATIONS_TOLD_EVERY = timedelta(minutes=5)
_REFUSED_TOLD_EVERY = timedelta(seconds=30)
_ROLLBACK_LOOKED_FOR_EVERY = timedelta(seconds=10)
_CLOCKS_CHECKED_EVERY = timedelta(seconds=30)
_REPLICAS_CHECKED_EVERY = timedelta(seconds=20)
_DOORS_FILE_FOLLOWED_EVERY = timedelta(seconds=10)


def periodic_jobs(using: Resources, reading: DoorReading, units: Mapping[str, UnitRules]) -> PeriodicJobs:
    """Assemble all periodic jobs."""
    jobs = (
        _compare_events(using),
        PeriodicJob("refresh_doors", reading.refresh.plan, every(using.settings.door_refresh_every)),
        _check_arrivals(using),
        PeriodicJob("after_rollback", _after_rollback(using), every(_ROLLBACK_LOOKED_FOR_EVERY)),
        *_check_replicas(using),
        _check_clocks(using),
        _count_readiness(using),
        *_follow_doors_file(using, units),
        _tell_parked(using),
        _tell_refused(using),
        _tell_unknown_cancellations(using),
        _tell_newer_version_needed(using),
        # Those that an older version wrote are in no index.
        PeriodicJob("index_open_alerts", using.ports.alerts.index_open, every(_INDEXED_EVERY)),
        _trim_outcomes(using),
    )
    return PeriodicJobs(redis=using.ports.redis, due=using.ports.due, clock=using.clock, periodic_jobs=jobs)


def reconciliation(settings: Settings, ports: Ports, seam: SeamClient, clock: Clock = system_clock) -> Reconcile:
    """Return the comparison of Seam's events with what webhooks brought."""
    return Reconcile(
        events=Events(seam),
        stream=EventStream(ports.redis, settings.event_stream),
        progress=ReconciliationLedger(ports.redis),
        alerts=ports.alerts,
        every=settings.reconcile_every,
        clock=clock,
    )


def _compare_events(using: Resources) -> PeriodicJob:
    reconcile = reconciliation(using.settings, using.ports, using.seam, using.clock)
    end_outage = EndOutage(ledger=using.ports.ledger, alerts=using.ports.alerts, clock=using.clock)

    def compare_events() -> None:
        reconcile()
        # Seam has answered.
        end_outage()

    return PeriodicJob("reconcile", compare_events, every(using.settings.reconcile_every))


def _check_arrivals(using: Resources) -> PeriodicJob:
    ports = using.ports
    check = CheckArrivals(
        ledger=ports.ledger,
        alerts=ports.alerts,
        issues=ports.issues,
        daily=using.settings.arrivals_check_at,
        clock=using.clock,
    )
    return PeriodicJob("check_arrivals", check, check.next_at)


def _after_rollback(using: Resources) -> AfterRollback:
    ports = using.ports
    return AfterRollback(
        primary=using.primary,
        ledger=ports.ledger,
        compare=CompareLedger(ledger=ports.ledger, due=ports.due, codes=using.codes, clock=using.clock),
        events=Events(using.seam),
        alerts=ports.alerts,
        due=ports.due,
        near=using.settings.create_lead_time,
        loses_promises=not using.settings.sync_replicas,
        clock=using.clock,
    )


def _check_replicas(using: Resources) -> tuple[PeriodicJob, ...]:
    """Return the job that watches the replicas, where some are needed."""
    if not using.settings.sync_replicas:
        return ()
    check = CheckReplicas(
        are_there=partial(are_replicas_there, using.ports.redis),
        needed=using.settings.sync_replicas,
        alerts=using.ports.alerts,
        clock=using.clock,
    )
    return (PeriodicJob("check_replicas", check, every(_REPLICAS_CHECKED_EVERY)),)


def _check_clocks(using: Resources) -> PeriodicJob:
    ports = using.ports
    check = CheckClocks(readings=ClockReadings(ports.redis, using.clock), alerts=ports.alerts, clock=using.clock)
    return PeriodicJob("check_clocks", check, every(_CLOCKS_CHECKED_EVERY))


def _count_readiness(using: Resources) -> PeriodicJob:
    ports = using.ports
    count = CountReadiness(
        history=ReadinessHistory(ports.redis),
        ledger=ports.ledger,
        alerts=ports.alerts,
        issues=ports.issues,
        clock=using.clock,
    )
    return PeriodicJob(COUNT_READINESS, count, every(_READINESS_COUNTED_EVERY))


def _follow_doors_file(using: Resources, units: Mapping[str, UnitRules]) -> tuple[PeriodicJob, ...]:
    """Return the job that follows DOORS_FILE, where there is one."""
    if not isinstance(units, CurrentUnits):
        return ()
    ports = using.ports
    follow = FollowDoorsFile(units=units, parked=ports.parked, alerts=ports.alerts, due=ports.due, clock=using.clock)
    return (PeriodicJob("follow_doors_file", follow, every(_DOORS_FILE_FOLLOWED_EVERY)),)


def _tell_parked(using: Resources) -> PeriodicJob:
    ports = using.ports
    tell = TellParked(
        parked=ports.parked,
        replayed=ReplayedMessages(ports.redis),
        ledger=ports.ledger,
        alerts=ports.alerts,
        clock=using.clock,
    )
    return PeriodicJob(TELL_PARKED, tell, every(_PARKED_TOLD_EVERY))


def _tell_refused(using: Resources) -> PeriodicJob:
    ports = using.ports
    tell = TellRefused(
        refused=RefusedMessages(ports.redis), ledger=ports.ledger, alerts=ports.alerts, clock=using.clock
    )
    return PeriodicJob("tell_refused", tell, every(_REFUSED_TOLD_EVERY))


def _tell_unknown_cancellations(using: Resources) -> PeriodicJob:
    ports = using.ports
    tell = TellUnknownCancellations(redis=ports.redis, ledger=ports.ledger, alerts=ports.alerts, clock=using.clock)
    return PeriodicJob("tell_unknown_cancellations", tell, every(_UNKNOWN_CANCELLATIONS_TOLD_EVERY))


def _tell_newer_version_needed(using: Resources) -> PeriodicJob:
    tell = NewerVersionNeededAlert(
        work=using.ports.work_for_newer_version, alerts=using.ports.alerts, clock=using.clock
    )
    # The name is stored, and older versions have it.
    return PeriodicJob("tell_left", tell, every(_STUCK_WORK_CHECKED_EVERY))


def _trim_outcomes(using: Resources) -> PeriodicJob:
    outcomes, clock, retention = using.ports.outcomes, using.clock, using.settings.retention
    return PeriodicJob("trim_outcomes", lambda: outcomes.trim(clock() - retention), every(_TRIM_EVERY))
