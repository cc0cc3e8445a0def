"""The composition root of process `worker`: every part is made once, from the settings, and handed what it needs.

`build_handlers` is the table of contents. Each module of this package assembles one subject.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from shared.clock import Clock, system_clock
from shared.domain.stay.stay import UnitRules
from shared.ledger.due_set import DueSet
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.rollback import LedgerPrimary
from shared.planning_rules import planning_rules
from shared.replicas import are_replicas_there
from shared.seam.access_codes import AccessCodes
from shared.settings import Settings
from worker.alerts.channel import Channel
from worker.alerts.delivery import AlertDelivery
from worker.assembly import bookings, codes, commands, deliveries, doors, jobs
from worker.assembly.resources import Resources, seam_observer, settle_time
from worker.handlers.advance_door import AdvanceDoor
from worker.handlers.apply_message import ApplyMessage
from worker.handlers.check_conflicts import CheckConflicts
from worker.handlers.check_removals import CheckRemovals
from worker.handlers.put_back_for_newer_version import PutBackForNewerVersion
from worker.handlers.quarantine_door import Quarantine
from worker.handlers.record_events import RecordEvents
from worker.handlers.refresh_account import RefreshAccount
from worker.handlers.refresh_doors import RefreshDoors
from worker.handlers.run_ops_command import RunOpsCommand
from worker.liveness.heartbeat import Heartbeat
from worker.outcomes.delivery import DeliverOutcomes
from worker.periodic_jobs import PeriodicJobs
from worker.ports import Ports, seam_client


@dataclass(frozen=True, slots=True)
class Handlers:
    """The use cases behind the tasks."""

    apply_booking: ApplyMessage
    record_events: RecordEvents
    advance_door: AdvanceDoor
    deliver_alert: AlertDelivery
    deliver_outcomes: DeliverOutcomes
    periodic_jobs: PeriodicJobs
    refresh_door: RefreshDoors
    refresh_account: RefreshAccount
    check_conflicts: CheckConflicts
    check_removals: CheckRemovals
    quarantine: Quarantine
    run_ops_command: RunOpsCommand
    heartbeat: Heartbeat
    version_skew: PutBackForNewerVersion
    booking_stream: str
    beats: Heartbeats
    due: DueSet
    primary: LedgerPrimary
    are_replicas_there: Callable[[], bool]


def build_handlers(
    settings: Settings,
    ports: Ports,
    *,
    channels: tuple[Channel, ...],
    units: Mapping[str, UnitRules],
    look: Callable[[str, str], None],
    clock: Clock = system_clock,
) -> Handlers:
    """Assemble the use cases. `look` starts a look at one door of a booking, elsewhere and soon.

    Raises ValueError without SEAM_API_KEY.
    """
    seam = seam_client(settings, observe=seam_observer(ports, clock))
    using = Resources(
        settings=settings,
        ports=ports,
        seam=seam,
        codes=AccessCodes(seam),
        primary=LedgerPrimary(ports.redis, settle=settle_time(settings)),
        clock=clock,
    )
    rules = planning_rules(settings)
    reading = doors.door_reading(using, rules)
    version_skew = bookings.put_back_for_newer_version(using)
    return Handlers(
        apply_booking=bookings.apply_booking(using, units),
        record_events=bookings.record_events(using, reading, version_skew, look),
        advance_door=codes.advance_door(using, reading, rules),
        deliver_alert=deliveries.deliver_alert(using, channels),
        deliver_outcomes=deliveries.deliver_outcomes(using),
        periodic_jobs=jobs.periodic_jobs(using, reading, units),
        refresh_door=reading.refresh,
        refresh_account=reading.refresh_account,
        check_conflicts=bookings.check_conflicts(using),
        check_removals=bookings.check_removals(using),
        quarantine=bookings.quarantine(using),
        run_ops_command=commands.run_ops_command(using, reading.doors, rules, units),
        heartbeat=deliveries.heartbeat(using),
        version_skew=version_skew,
        booking_stream=settings.booking_stream,
        beats=ports.beats,
        due=ports.due,
        primary=using.primary,
        are_replicas_there=partial(are_replicas_there, ports.redis),
    )
