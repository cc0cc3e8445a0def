"""The Celery tasks: thin, by name, without results. The work stands in a stream or in the due-set.

Task arguments are ids only: no message, no name, no PIN ever enters the broker. A task's name is its version: a task
with other arguments has another name. Work for a newer version is left to it (`PutBackForNewerVersion`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import structlog
from celery import Celery

from shared import metrics, tracing
from shared.clock import Clock
from shared.contracts import (
    ADVANCE_DOOR,
    APPLY_BOOKING,
    CHECK_CONFLICTS,
    CHECK_REMOVALS,
    DELIVER_ALERT,
    DELIVER_OUTCOMES,
    OPS_STREAM,
    RECORD_EVENTS,
    REFRESH_ACCOUNT,
    REFRESH_DOOR,
    RUN_OPS_COMMAND,
    RUN_PERIODIC_JOB,
    SWEEP_DUE,
)
from shared.domain.alerting.missed_heartbeats import BOOKINGS
from shared.ledger.due_set import (
    DueItem,
    account_item,
    alert_item,
    conflicts_item,
    door_item,
    periodic_job_item,
    refresh_item,
    removal_item,
)
from worker.assembly import Handlers

SWEEP_LIMIT: Final = 500
# Work that was lost with its worker comes again; what was begun in vain this often takes its workers with it.
MOST_STARTS: Final = 4
_BOOKINGS_NOTED_EVERY: Final = timedelta(minutes=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def register_tasks(app: Celery, handlers: Handlers, clock: Clock) -> None:
    """Make the use cases callable by name."""
    _register_work(app, handlers, clock)
    _register_upkeep(app, handlers)
    _register_sweep(app, handlers, clock)


def _register_work(app: Celery, handlers: Handlers, clock: Clock) -> None:
    @app.task(name=APPLY_BOOKING)
    def apply_booking(entry_id: str) -> None:
        handlers.beats.beat(BOOKINGS, clock(), at_most_every=_BOOKINGS_NOTED_EVERY)
        booking = None
        with handlers.version_skew.entry(handlers.booking_stream, entry_id):
            booking = handlers.apply_booking(entry_id)
        if booking is None:
            return
        here, *elsewhere = [door.key for door in booking.doors] or [""]
        with tracing.span(
            "take each door as far as it goes", within=tracing.booking_trace(booking.booking_id, booking.revision)
        ):
            for key in elsewhere:
                app.send_task(ADVANCE_DOOR, (booking.booking_id, key), headers=tracing.carrier())
            with handlers.version_skew.item(door_item(booking.booking_id, here)):
                handlers.advance_door(booking.booking_id, here, seen=booking)

    @app.task(name=RECORD_EVENTS)
    def record_events(entry_ids: list[str]) -> None:
        handlers.record_events(entry_ids)

    @app.task(name=ADVANCE_DOOR)
    def advance_door(booking_id: str, door_key: str, *, prompted: bool = False) -> None:
        with _work_on(handlers, door_item(booking_id, door_key)):
            handlers.advance_door(booking_id, door_key, prompted=prompted)

    @app.task(name=DELIVER_ALERT)
    def deliver_alert(group: str) -> None:
        with _work_on(handlers, alert_item(group)):
            handlers.deliver_alert(group)

    @app.task(name=DELIVER_OUTCOMES)
    def deliver_outcomes(receiver: str, lane: str) -> None:
        with _work_on(handlers, DueItem("outcome", (receiver, lane))):
            handlers.deliver_outcomes(receiver, lane)

    @app.task(name=RUN_OPS_COMMAND)
    def run_ops_command(entry_id: str) -> None:
        with handlers.version_skew.entry(OPS_STREAM, entry_id):
            handlers.run_ops_command(entry_id)


def _register_upkeep(app: Celery, handlers: Handlers) -> None:
    @app.task(name=RUN_PERIODIC_JOB)
    def run_periodic_job(name: str) -> None:
        with _work_on(handlers, periodic_job_item(name)):
            handlers.periodic_jobs(name)

    @app.task(name=REFRESH_DOOR)
    def refresh_door(device_id: str) -> None:
        with _work_on(handlers, refresh_item(device_id)):
            handlers.refresh_door(device_id)

    @app.task(name=REFRESH_ACCOUNT)
    def refresh_account(account_id: str) -> None:
        with _work_on(handlers, account_item(account_id)):
            handlers.refresh_account(account_id)

    @app.task(name=CHECK_CONFLICTS)
    def check_conflicts(device_id: str) -> None:
        with _work_on(handlers, conflicts_item(device_id)):
            handlers.check_conflicts(device_id)

    @app.task(name=CHECK_REMOVALS)
    def check_removals(booking_id: str, door_key: str) -> None:
        with _work_on(handlers, removal_item(booking_id, door_key)):
            handlers.check_removals(booking_id, door_key)


@contextmanager
def _work_on(handlers: Handlers, item: DueItem) -> Iterator[None]:
    """Count that work on an item of the due-set begins, and leave what is for a newer process to it."""
    with handlers.version_skew.item(item):
        handlers.due.begin(item)
        yield


def _register_sweep(app: Celery, handlers: Handlers, clock: Clock) -> None:
    @app.task(name=SWEEP_DUE)
    def sweep_due(*, is_beat: bool = True) -> int:
        handlers.primary.note()
        handlers.periodic_jobs.ensure()
        claimed = handlers.due.claim(clock(), SWEEP_LIMIT)
        for item, starts in claimed:
            if not item.is_known:
                handlers.version_skew.put_back(item, "a subject of the due-set that this process doesn't know")
            elif starts >= MOST_STARTS and not handlers.are_replicas_there():
                # Nothing can be recorded for good: that is no fault of the item.
                handlers.due.put_back(item, clock() + handlers.due.lease)
            elif starts >= MOST_STARTS:
                with handlers.version_skew.item(item):
                    handlers.quarantine(item, starts)
            else:
                _start(app, item)
        metrics.DUE_CLAIMED.add(amount=len(claimed))
        if claimed:
            log.info("due.claimed", count=len(claimed))
        if is_beat:
            handlers.heartbeat()
        return len(claimed)


def _start(app: Celery, item: DueItem) -> None:
    match item.subject:
        case "door":
            # Due by its record, or because somebody died who meant to look at it: either way it is looked at.
            app.send_task(ADVANCE_DOOR, item.ids, {"prompted": True})
        case "alert":
            app.send_task(DELIVER_ALERT, item.ids)
        case "outcome":
            app.send_task(DELIVER_OUTCOMES, item.ids)
        case "chore":
            app.send_task(RUN_PERIODIC_JOB, item.ids)
        case "refresh":
            app.send_task(REFRESH_DOOR, item.ids)
        case "account":
            app.send_task(REFRESH_ACCOUNT, item.ids)
        case "conflicts":
            app.send_task(CHECK_CONFLICTS, item.ids)
        case "removal":
            app.send_task(CHECK_REMOVALS, item.ids)
        case _:
            raise ValueError(item.subject)
