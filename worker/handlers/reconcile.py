"""Compares Seam's own list of events with what webhooks brought, and adds what is missing to the event stream.

An added event is handled as any other. How many of those about codes had to be added tells whether webhooks arrive at
all. Events of doors and accounts don't count for that: a webhook may have been registered without them (`oracode
doctor` says so), and each only makes a reading earlier that comes anyway.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from shared.clock import Clock
from shared.contracts import is_id
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.domain.code.event_types import Subject, subject_of
from shared.domain.code.kept_event_fields import kept_of
from shared.domain.code.story import moment_of
from shared.domain.code.webhook_gap import Gap, after_pass
from shared.ledger.alerts import AlertLedger
from shared.ledger.reconciliation import ReconciliationLedger
from shared.seam.events import Events
from shared.seam_event_redaction import Redactor
from shared.streams import EventStream

# Seam may list an event a while after it happened. Events that were compared before are known by their ids.
_OVERLAP: Final = timedelta(minutes=10)
# A webhook that is just on its way isn't missing.
_GRACE: Final = timedelta(seconds=60)
# Without a cursor (a first start, an emptied server): older events are for `oracode events backfill`.
_FIRST_SPAN: Final = timedelta(hours=1)
_ALERT_KEY: Final = "webhooks/missing"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Compared:
    """An event of Seam's list: when it happened, and whether no webhook had brought it.

    `is_judged`: it says something about the webhooks.
    """

    at: datetime
    was_missing: bool
    is_judged: bool


class Reconcile:
    """One comparison. May be killed anywhere and run twice: events are known by their ids."""

    def __init__(
        self,
        *,
        events: Events,
        stream: EventStream,
        progress: ReconciliationLedger,
        alerts: AlertLedger,
        every: timedelta,
        clock: Clock,
    ) -> None:
        self._events = events
        self._stream = stream
        self._progress = progress
        self._alerts = alerts
        self._grace = min(_GRACE, every)
        self._clock = clock

    def __call__(self) -> None:
        """Compare what happened since the last time, and a while before. Raises SeamError; nothing is lost by that."""
        before = self._progress.load()
        now = self._clock()
        until = now - self._grace
        cursor = before.cursor
        since = (cursor - _OVERLAP) if cursor else until - _FIRST_SPAN
        if since >= until:
            return
        found = self._add_missing(since, until)
        gap = before.gap
        if cursor is not None:
            # Older ones were judged when they were new.
            missed = [each.at for each in found if each.is_judged and each.was_missing]
            heard = sum(each.is_judged and not each.was_missing and each.at > cursor for each in found)
            gap = after_pass(before.gap, missed=missed, heard=heard, now=now)
            before = replace(before, compared=before.compared + len(missed) + heard, missed=before.missed + len(missed))
        self._tell(before.gap, gap, now)
        self._progress.save(replace(before, cursor=until, gap=gap))

    def backfill(self, since: datetime) -> tuple[int, int]:
        """Add the events that are missing since then; return how many there were, and how many were added."""
        found = self._add_missing(since, self._clock())
        return len(found), sum(each.was_missing for each in found)

    def _add_missing(self, since: datetime, until: datetime) -> list[_Compared]:
        events = list(_readable(self._events.ours(since, until)))
        redactor = Redactor()
        kept = (kept_of(redactor.redact(event)) for event in events)
        texts = [(event["event_id"], json.dumps(event, separators=(",", ":"))) for event in kept]
        missing = self._stream.append_missing(texts, self._clock().isoformat())
        if any(missing):
            log.warning("events.missed", count=sum(missing), of=len(missing))
        return [
            _Compared(moment_of(event) or until, was_missing, is_judged=subject_of(event["event_type"]) is Subject.CODE)
            for event, was_missing in zip(events, missing, strict=True)
        ]

    def _tell(self, before: Gap, after: Gap, now: datetime) -> None:
        if after.is_open and after.missed != before.missed and after.since is not None:
            self._alerts.record_notice(_alert(after.since, now, raised=True))
        elif before.is_open and not after.is_open:
            self._alerts.record_notice(_alert(now, now, raised=False))


def _readable(events: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for event in events:
        subject = subject_of(str(event.get("event_type")))
        if subject is not None and is_id(event.get("event_id")) and is_id(event.get(subject.id_field)):
            yield event


def _alert(since: datetime, now: datetime, *, raised: bool) -> AlertNotice:
    return alert_notice(
        Reason.WEBHOOKS_MISSING,
        key=_ALERT_KEY,
        subject="Seam's webhooks",
        at=now,
        raised=raised,
        detail=f"This began at {since:%Y-%m-%d %H:%M} UTC.",
        look_closer="oracode doctor",
    )
