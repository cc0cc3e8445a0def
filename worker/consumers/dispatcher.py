"""The dispatcher: which streams are read, and which task an entry becomes. It runs in the worker, a thread a stream."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from celery import Celery

from shared.clock import Clock
from shared.contracts import APPLY_BOOKING, BOOKING_FIELD, EVENT_FIELD, OPS_STREAM, RECORD_EVENTS, RUN_OPS_COMMAND
from shared.ops_commands import COMMAND_FIELD
from shared.parked import Parked, kept_fields, kept_text, message_in
from shared.redis_client import connect
from shared.streams import ORDERS_LOOKED_FOR_EVERY
from worker.consumers.quarantine_entries import MOST_DELIVERIES
from worker.consumers.stream_reader import StreamReader
from worker.consumers.thread_step import Work
from worker.parking import Parking

_EVENTS_A_TASK: Final = 200
# A task costs milliseconds for any number of events, so events of the same moment go into one task.
_GATHER_EVENTS_FOR: Final = timedelta(milliseconds=100)
_MOST_EVENTS_UNDER_WAY: Final = 5_000
_ENTRIES_A_READ: Final = 100
_MOST_ENTRIES_UNDER_WAY: Final = 1_000

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DispatcherOptions:
    """What the dispatcher needs to know."""

    redis_url: str = field(repr=False)
    event_stream: str
    booking_stream: str
    reclaim_after: timedelta
    parking: Parking
    clock: Clock
    sync_replicas: int = 0


def dispatcher(app: Celery, options: DispatcherOptions) -> Mapping[str, Work]:
    """Return the works of the dispatcher: a reader a stream.

    What one handed over, and what isn't done when it ends, is claimed again by the next.
    """
    bookings = _one_by_one_reader(app, options, options.booking_stream, BOOKING_FIELD, APPLY_BOOKING)
    # A person waits for an order: what a worker that died has left is looked for more often.
    often = min(ORDERS_LOOKED_FOR_EVERY, options.reclaim_after / 2)
    commands = _one_by_one_reader(app, options, OPS_STREAM, COMMAND_FIELD, RUN_OPS_COMMAND, reclaim_every=often)
    return {
        "dispatch-events": _event_reader(app, options).run,
        "dispatch-bookings": bookings.run,
        "dispatch-commands": commands.run,
    }


def _event_reader(app: Celery, options: DispatcherOptions) -> StreamReader:
    return StreamReader(
        redis=connect(options.redis_url, sync_replicas=options.sync_replicas),
        stream=options.event_stream,
        count=_EVENTS_A_TASK,
        most_under_way=_MOST_EVENTS_UNDER_WAY,
        reclaim_after=options.reclaim_after,
        gather_for=_GATHER_EVENTS_FOR,
        send=lambda entry_ids: _send(app, RECORD_EVENTS, entry_ids),
        park=partial(_give_up, options, options.event_stream, EVENT_FIELD),
    )


def _one_by_one_reader(
    app: Celery,
    options: DispatcherOptions,
    stream: str,
    field: str,
    task: str,
    *,
    reclaim_every: timedelta | None = None,
) -> StreamReader:
    """Return a reader of a stream whose entries are a task each."""

    def send(entry_ids: list[str]) -> None:
        for entry_id in entry_ids:
            _send(app, task, entry_id)

    return StreamReader(
        redis=connect(options.redis_url, sync_replicas=options.sync_replicas),
        stream=stream,
        count=_ENTRIES_A_READ,
        most_under_way=_MOST_ENTRIES_UNDER_WAY,
        reclaim_after=options.reclaim_after,
        reclaim_every=reclaim_every,
        send=send,
        park=partial(_give_up, options, stream, field),
    )


def _give_up(options: DispatcherOptions, stream: str, field: str, entry_id: str, fields: Mapping[str, str]) -> None:
    """Park an entry whose task failed again and again."""
    log.error("entry.given_up", stream=stream, entry_id=entry_id)
    problem = f"its task failed, or ended its worker, {MOST_DELIVERIES} times; the log has more under this entry's id"
    options.parking.park(
        Parked(
            stream=stream,
            field=field,
            source_id=entry_id,
            message=kept_text(message_in(fields, field)),
            fields=kept_fields(fields, field),
            problems=(problem,),
            parked_at=options.clock().isoformat(),
        ),
        entry_id=entry_id,
        entry=fields,
    )


def _send(app: Celery, task: str, argument: str | list[str]) -> None:
    app.send_task(task, (argument,))
