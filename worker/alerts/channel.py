"""What a channel is: something that takes a message for people, or says why not."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from shared.domain.alerts import Alert, Severity, severity


class NotDelivered(Exception):
    """The channel didn't take the message. Its text holds no address and no token."""

    def __init__(self, text: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """One alert as people read it. `delivery_id` is the same for every try: a receiver may drop a repeat by it."""

    delivery_id: str
    key: str
    problem: str
    status: str
    severity: Severity
    subject: str
    happened: str
    check_in: str
    next_step: str
    actor: str
    look_closer: str
    count: int
    at: datetime


class Channel(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """The channel's name; what it was told is kept under it."""

    def send(self, message: AlertMessage) -> None:
        """Deliver once. Raises NotDelivered."""


def message_of(alert: Alert, now: datetime) -> AlertMessage:
    """Return what is to be told of `alert` as it stands. Times are in the lock's zone, with the zone named."""
    notice = alert.notice
    return AlertMessage(
        delivery_id=f"{notice.key}#{alert.sequence}",
        key=notice.key,
        problem=notice.problem,
        status="open" if alert.is_open else "resolved",
        severity=severity(notice.check_in, now) if alert.is_open else Severity.INFO,
        subject=notice.subject,
        happened=notice.happened,
        check_in=_local(notice.check_in, notice.time_zone),
        next_step=notice.next_step if alert.is_open else "Nothing: the problem is gone.",
        actor=notice.actor,
        look_closer=notice.look_closer,
        count=alert.count,
        at=now,
    )


def _local(moment: datetime | None, time_zone: str | None) -> str:
    if moment is None:
        return ""
    if time_zone is None:
        return f"{moment:%Y-%m-%d %H:%M} UTC{moment:%z}"
    return f"{moment.astimezone(ZoneInfo(time_zone)):%a %Y-%m-%d %H:%M} {time_zone}"
