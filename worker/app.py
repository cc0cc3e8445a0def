"""The assembly of processes `worker` and `beat`: one Celery app, configured by what was measured when it was killed.

Celery is the engine, never the record: a message that it loses costs a delay, because the entry stays in its stream, or
the door in the due-set, until the work is done. No result backend, no ETA, no automatic retries.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

import httpx
from celery import Celery
from celery.signals import setup_logging

from shared import metrics, tracing
from shared.clock import Clock, system_clock
from shared.contracts import ADVANCE_DOOR, QUEUE, SWEEP_DUE
from shared.domain.stay.stay import UnitRules
from shared.doors_file import InvalidDoorsFile
from shared.ledger.processes import ProcessSigns
from shared.ledger.reconciliation import ReconciliationLedger
from shared.logging_setup import configure_logging
from shared.settings import InvalidSettings, Settings
from worker.alerts.setup import Alerting, InvalidAlerting, load_alerting
from worker.assembly import build_handlers
from worker.assembly.resources import SETTLE_MARGIN
from worker.broker import SteadyConnection, broker_settings
from worker.consumers import rabbitmq_bridge
from worker.consumers.dispatcher import DispatcherOptions, dispatcher
from worker.consumers.rabbitmq_bridge import BridgeOptions
from worker.consumers.thread_step import add_threads
from worker.liveness.missed_heartbeats import MissedHeartbeatWatch
from worker.liveness.progress_check import MOST_CALLS_A_TASK, add_watchdog
from worker.liveness.self_ping import register_self_ping
from worker.ports import open_ports, units_of
from worker.tasks import register_tasks

REQUIRED = ("SEAM_API_KEY", "REDIS_URL")
SWEEP_EVERY = timedelta(seconds=1)
_SWEEPS_LAST_AT_LEAST: Final = SWEEP_EVERY * 5
_REPEAT_ONCE: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}


def create_celery(settings: Settings) -> Celery:
    """Return the configured app without any task: enough for `beat`, and for a process that only sends tasks."""
    broker = settings.celery_broker_url or settings.redis_url
    url = broker.get_secret_value() if broker else ""
    app = Celery("oracode", set_as_current=False)
    app.amqp.Connection = SteadyConnection
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_publish_retry=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_consumer="worker.consumers.unknown_tasks:RequeueingConsumer",
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=8,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        **broker_settings(url),
        beat_schedule={
            "sweep-due": {
                "task": SWEEP_DUE,
                "schedule": SWEEP_EVERY,
                # While tasks wait for half a lease, nothing that is due is put behind them: it would be claimed again
                # before it is done. Nor do sweeps pile up while there is no worker. The worker's clock judges: one that
                # is ahead by more discards these sweeps.
                # Beat keeps one connection for ever; only a repeat gives it a new one where RabbitMQ was restarted.
                "options": {
                    "expires": _sweeps_last(settings).total_seconds(),
                    "retry": True,
                    "retry_policy": _REPEAT_ONCE,
                },
            }
        },
        beat_max_loop_interval=1,
    )
    return app


def _sweeps_last(settings: Settings) -> timedelta:
    """Return the age from which a sweep is discarded: half of the lease of what it claims."""
    return max(_SWEEPS_LAST_AT_LEAST, settings.reclaim_after / 2)


def _files_of(settings: Settings) -> tuple[Mapping[str, UnitRules], Alerting]:
    """Return what DOORS_FILE, and ALERT_URLS or ALERTS_FILE, say. Raises InvalidSettings with every problem."""
    problems: dict[str, str] = {}
    alerting = Alerting()
    units: Mapping[str, UnitRules] = {}
    try:
        units = units_of(settings)
    except InvalidDoorsFile as invalid:
        problems["DOORS_FILE"] = str(invalid)
    try:
        alerting = load_alerting(settings, httpx.Client(), units)
    except InvalidAlerting as invalid:
        problems |= invalid.problems
    if problems:
        raise InvalidSettings(problems)
    return units, alerting


def create_worker(settings: Settings, clock: Clock = system_clock) -> Celery:
    """Return the app of process `worker`: tasks, and the dispatcher that feeds them from the streams.

    Raises InvalidSettings where ALERT_URLS, ALERTS_FILE or DOORS_FILE can't be used, with every problem.
    """
    units, alerting = _files_of(settings)
    app = create_celery(settings)

    def look(booking_id: str, device_id: str) -> None:
        app.send_task(ADVANCE_DOOR, (booking_id, device_id), {"prompted": True}, headers=tracing.carrier())

    for channel in alerting.channels:
        metrics.NOTIFICATIONS.start_at_zero(channel=channel.name)
    ports = open_ports(settings, alerting.channels, clock, alerting.policy)
    handlers = build_handlers(settings, ports, channels=alerting.channels, units=units, look=look, clock=clock)
    register_tasks(app, handlers, clock)
    register_self_ping(app)
    add_watchdog(app, busy=MOST_CALLS_A_TASK * (settings.seam_timeout + SETTLE_MARGIN))
    reading = DispatcherOptions(
        redis_url=settings.redis_address,
        event_stream=settings.event_stream,
        booking_stream=settings.booking_stream,
        reclaim_after=settings.reclaim_after,
        parking=ports.parking,
        clock=clock,
        sync_replicas=settings.sync_replicas,
    )
    add_threads(app, "dispatcher", dispatcher(app, reading))
    heartbeats = MissedHeartbeatWatch(
        alerts=ports.alerts,
        beats=ports.beats,
        signs=ProcessSigns(ports.redis),
        reconciliation=ReconciliationLedger(ports.redis),
        clock=clock,
        sweep=lambda: app.send_task(SWEEP_DUE, kwargs={"is_beat": False}),
    )
    add_threads(app, "missed-heartbeats", {"missed-heartbeats": heartbeats.run})
    if settings.booking_queue_url is not None:
        bridging = BridgeOptions(
            queue_url=settings.booking_queue_url.get_secret_value(),
            redis_url=settings.redis_address,
            stream=settings.booking_stream,
            alerts=ports.alerts,
            clock=clock,
            sync_replicas=settings.sync_replicas,
        )
        add_threads(app, "bridge", {"bridge": partial(rabbitmq_bridge.run, bridging)}, ends_within=timedelta(seconds=3))
    return app


def log_as(process: str, settings: Settings) -> None:
    """Keep Celery from setting up logging of its own, and set up ours."""

    @setup_logging.connect(weak=False)
    def _(**_: object) -> None:
        configure_logging(process, settings.log_level, settings.secrets)
