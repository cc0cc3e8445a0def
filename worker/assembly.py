"""The assembly of process `worker`: every part made once, from the settings, and handed what it needs."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx

from shared.clock import Clock, system_clock
from shared.current_units import CurrentUnits
from shared.domain.booking.planning import PlanningRules
from shared.domain.booking.slot_drift import drift_of
from shared.domain.door.door import Door
from shared.domain.stay.stay import UnitRules
from shared.ledger.alert_channels import ChannelBudgets
from shared.ledger.door_conflicts import DoorConflicts
from shared.ledger.due import DueSet
from shared.ledger.epoch import LedgerEpoch
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.known_doors import KnownDoors
from shared.ledger.readings import Readings
from shared.ledger.reconciliation import ReconciliationLedger
from shared.seam.access_codes import AccessCodes
from shared.seam.accounts import Accounts
from shared.seam.doors import Doors
from shared.seam.events import Events
from shared.settings import Settings
from shared.streams import EventStream
from worker.alerts.channel import Channel
from worker.alerts.delivery import AlertDelivery
from worker.alerts.inhibition import Inhibition
from worker.create_quota.code_limit import CodeLimitWatch
from worker.create_quota.quota import AskQuota
from worker.create_quota.rate_limit import CreateRateLimit
from worker.handlers.advance_door import AdvanceDoor
from worker.handlers.apply_message import ApplyMessage
from worker.handlers.cancel_booking import CancelBooking
from worker.handlers.change_code import ChangeCode
from worker.handlers.check_arrivals import CheckArrivals
from worker.handlers.check_code import CheckCode
from worker.handlers.check_conflicts import CheckConflicts
from worker.handlers.check_removals import CheckRemovals
from worker.handlers.choose_slot import ChooseSlot
from worker.handlers.create_code import CreateCode
from worker.handlers.door_changed import DoorChanged
from worker.handlers.door_problem_alerts import DoorProblemAlerts
from worker.handlers.end_outage import EndOutage
from worker.handlers.find_code import FindCode
from worker.handlers.follow_doors_file import FollowDoorsFile
from worker.handlers.plan_door import PlanDoor
from worker.handlers.prompt_readings import PromptReadings
from worker.handlers.quarantine import Quarantine
from worker.handlers.reconcile import Reconcile
from worker.handlers.record_events import RecordEvents
from worker.handlers.refresh_account import RefreshAccount
from worker.handlers.refresh_doors import HurryDoors, RefreshDoors
from worker.handlers.return_parked import ReturnParked
from worker.handlers.run_ops_command import RunOpsCommand
from worker.handlers.tell_parked import TellParked
from worker.handlers.version_skew import LeaveToNewer
from worker.handlers.version_skew_alert import VersionSkewAlert
from worker.liveness.heartbeat import Heartbeat
from worker.outcomes.alert import NotTakenAlert
from worker.outcomes.delivery import DeliverOutcomes, as_published
from worker.outcomes.pins import WithPins
from worker.outcomes.posting import OutcomePost
from worker.parking import TELL_PARKED
from worker.periodic_jobs import PeriodicJob, PeriodicJobs, every
from worker.ports import Ports, seam_client

# How much longer than one call's time-outs a create may go on at Seam before a look that finds nothing is believed.
SETTLE_MARGIN = timedelta(seconds=15)
_TRIM_EVERY = timedelta(hours=1)
_LEFT_TOLD_EVERY = timedelta(minutes=1)
_PARKED_TOLD_EVERY = timedelta(minutes=1)
_DOORS_FILE_FOLLOWED_EVERY = timedelta(seconds=10)


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
    leave: LeaveToNewer
    booking_stream: str
    beats: Heartbeats
    due: DueSet


def build_handlers(
    settings: Settings,
    ports: Ports,
    *,
    channels: tuple[Channel, ...],
    units: Mapping[str, UnitRules],
    look: Callable[[str, str], None],
    clock: Clock = system_clock,
) -> Handlers:
    """Assemble the use cases. `look` starts a prompted look at one door of a booking, elsewhere and soon."""
    client = seam_client(settings)
    codes = AccessCodes(client)
    settle = settings.seam_timeout + SETTLE_MARGIN
    epoch = LedgerEpoch(ports.redis, settle=settle, clock=clock, new_id=_new_id)
    make = CreateCode(
        ledger=ports.ledger,
        codes=codes,
        find=FindCode(ledger=ports.ledger, codes=codes, epoch=epoch, clock=clock),
        room=AskQuota(
            ledger=ports.ledger,
            rate_limit=CreateRateLimit(ports.redis, patience=settings.waiting_retry_every * 2),
            capacity=CodeLimitWatch(ports.alerts),
        ),
        epoch=epoch,
        waiting_retry_every=settings.waiting_retry_every,
        settle=settle,
        clock=clock,
        new_id=_new_id,
    )
    change = ChangeCode(ledger=ports.ledger, codes=codes, clock=clock)
    rules = PlanningRules(
        policy=settings.match_policy,
        lead_time=settings.create_lead_time,
        longest_wait=settings.waiting_retry_every,
        splits=settings.long_stays == "split",
    )
    wake = DoorChanged(
        ledger=ports.ledger,
        drift_of=lambda booking, booked, door: drift_of(booked, rules.plan(booking, booked, door, clock())),
        clock=clock,
    )
    hurry = HurryDoors(ledger=ports.ledger, due=ports.due, beats=ports.beats, clock=clock)

    def door_changed(door: Door) -> None:
        wake(door)
        hurry(door)

    readings = Readings(ports.redis, due=ports.due, clock=clock, at_most_every=settings.door_cache_for)
    prompt = PromptReadings(ledger=ports.ledger, issues=ports.issues, readings=readings)
    troubles = DoorProblemAlerts(
        ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues, due=ports.due, clock=clock
    )
    doors = Doors(
        client,
        ports.redis,
        issues=ports.issues,
        cache_for=settings.door_cache_for,
        remember_for=settings.retention,
        changed=door_changed,
        troubled=prompt.of_troubled,
    )
    plan = PlanDoor(ledger=ports.ledger, doors=doors, make=make, change=change, rules=rules, clock=clock)
    reconcile = reconciliation(settings, ports, clock)
    end_outage = EndOutage(ledger=ports.ledger, alerts=ports.alerts, clock=clock)

    def compare_events() -> None:
        reconcile()
        # Seam has answered.
        end_outage()

    arrivals = CheckArrivals(
        ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues, daily=settings.arrivals_check_at, clock=clock
    )
    refresh = RefreshDoors(
        ledger=ports.ledger,
        due=ports.due,
        doors=doors,
        issues=ports.issues,
        readings=readings,
        troubles=troubles,
        every=settings.door_refresh_every,
        clock=clock,
    )
    leave = LeaveToNewer(redis=ports.redis, due=ports.due, left=ports.left, clock=clock)
    return Handlers(
        apply_booking=ApplyMessage(
            redis=ports.redis,
            stream=settings.booking_stream,
            ledger=ports.ledger,
            parking=ports.parking,
            units=units,
            clock=clock,
        ),
        record_events=RecordEvents(
            redis=ports.redis,
            stream=settings.event_stream,
            ledger=ports.ledger,
            due=ports.due,
            parking=ports.parking,
            look=look,
            prompt=prompt.of_events,
            leave=leave,
            clock=clock,
        ),
        leave=leave,
        booking_stream=settings.booking_stream,
        advance_door=AdvanceDoor(
            ledger=ports.ledger,
            plan=plan,
            make=make,
            change=change,
            check=CheckCode(
                ledger=ports.ledger,
                codes=codes,
                read_door=prompt.of_inherited,
                late_set_after=settings.late_set_after,
                clock=clock,
            ),
            recall=KnownDoors(ports.redis, bookings_of=ports.ledger.of_door),
            clock=clock,
        ),
        periodic_jobs=PeriodicJobs(
            redis=ports.redis,
            due=ports.due,
            clock=clock,
            periodic_jobs=(
                PeriodicJob("reconcile", compare_events, every(settings.reconcile_every)),
                PeriodicJob("refresh_doors", refresh.plan, every(settings.door_refresh_every)),
                PeriodicJob("check_arrivals", arrivals, arrivals.next_at),
                *_following(units, ports, clock),
                PeriodicJob(
                    TELL_PARKED,
                    TellParked(parked=ports.parked, alerts=ports.alerts, clock=clock),
                    every(_PARKED_TOLD_EVERY),
                ),
                PeriodicJob(
                    "tell_left",
                    VersionSkewAlert(left=ports.left, alerts=ports.alerts, clock=clock),
                    every(_LEFT_TOLD_EVERY),
                ),
                PeriodicJob(
                    "trim_outcomes", lambda: ports.outcomes.trim(clock() - settings.retention), every(_TRIM_EVERY)
                ),
            ),
        ),
        refresh_door=refresh,
        refresh_account=RefreshAccount(
            accounts=Accounts(client),
            issues=ports.issues,
            readings=readings,
            troubles=troubles,
            every=settings.door_refresh_every,
            clock=clock,
        ),
        check_conflicts=CheckConflicts(
            ledger=ports.ledger,
            alerts=ports.alerts,
            conflicts=DoorConflicts(ports.redis, retention=settings.retention),
            due=ports.due,
            with_double_bookings=settings.double_booking_alerts,
            clock=clock,
        ),
        check_removals=CheckRemovals(ledger=ports.ledger, codes=codes, due=ports.due, clock=clock),
        quarantine=Quarantine(ledger=ports.ledger, clock=clock),
        deliver_alert=alert_delivery(ports, channels, clock=clock),
        deliver_outcomes=DeliverOutcomes(
            queues=ports.outcome_queues,
            posts=tuple(OutcomePost(receiver, clock=clock) for receiver in settings.outcome_receivers),
            alert=NotTakenAlert(queues=ports.outcome_queues, alerts=ports.alerts, clock=clock),
            lease=ports.due.lease,
            clock=clock,
            prepare=WithPins(ledger=ports.ledger, codes=codes, clock=clock) if settings.outcome_pin else as_published,
        ),
        run_ops_command=RunOpsCommand(
            redis=ports.redis,
            ledger=ports.ledger,
            alerts=ports.alerts,
            choose=ChooseSlot(
                ledger=ports.ledger,
                read_door=lambda device_id: doors.read(device_id, fresh=True),
                policy=settings.match_policy,
                clock=clock,
            ),
            cancel=CancelBooking(redis=ports.redis, ledger=ports.ledger, stream=settings.booking_stream, clock=clock),
            parked=ReturnParked(parked=ports.parked, alerts=ports.alerts, clock=clock),
            clock=clock,
        ),
        heartbeat=Heartbeat(
            beats=ports.beats,
            url=settings.heartbeat_url.get_secret_value() if settings.heartbeat_url else "",
            client=httpx.Client(),
            clock=clock,
        ),
        beats=ports.beats,
        due=ports.due,
    )


def _following(units: Mapping[str, UnitRules], ports: Ports, clock: Clock) -> tuple[PeriodicJob, ...]:
    """Return the job that follows DOORS_FILE, where there is one."""
    if not isinstance(units, CurrentUnits):
        return ()
    follow = FollowDoorsFile(units=units, parked=ports.parked, alerts=ports.alerts, due=ports.due, clock=clock)
    return (PeriodicJob("follow_doors_file", follow, every(_DOORS_FILE_FOLLOWED_EVERY)),)


def reconciliation(settings: Settings, ports: Ports, clock: Clock = system_clock) -> Reconcile:
    """Return the comparison of Seam's events with what webhooks brought. Raises ValueError without SEAM_API_KEY."""
    return Reconcile(
        events=Events(seam_client(settings)),
        stream=EventStream(ports.redis, settings.event_stream),
        progress=ReconciliationLedger(ports.redis),
        alerts=ports.alerts,
        every=settings.reconcile_every,
        clock=clock,
    )


def alert_delivery(ports: Ports, channels: tuple[Channel, ...], *, clock: Clock = system_clock) -> AlertDelivery:
    """Assemble what brings the channels up to date."""
    return AlertDelivery(
        ledger=ports.alerts,
        silences=ports.silences,
        inhibition=Inhibition(alerts=ports.alerts, issues=ports.issues, clock=clock),
        budgets=ChannelBudgets(ports.redis, rate=ports.alerts.policy.rate),
        channels=channels,
        lease=ports.due.lease,
        clock=clock,
    )


def _new_id() -> str:
    return str(uuid.uuid4())
