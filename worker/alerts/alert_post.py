"""The body of a signed webhook about alerts, field by field; `docs/schemas/alert.json` is made from it."""

from dataclasses import dataclass

from shared.domain.alerting.severity import Severity
from worker.alerts.message import AlertItem, AlertMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPost:
    """The body of one post: fields of the whole message, and every problem in `alerts`."""

    delivery_id: str
    key: str
    problem: str
    status: str
    severity: Severity
    title: str
    subject: str
    happened: str
    check_in: str
    next_step: str
    actor: str
    look_closer: str
    runbook: str
    count: int
    at: str
    alerts: tuple[AlertItem, ...]


def post_of(message: AlertMessage) -> AlertPost:
    """Return what is posted for a message."""
    first = message.first
    return AlertPost(
        delivery_id=message.delivery_id,
        key=message.key,
        problem=first.problem,
        status=message.status,
        severity=message.severity,
        title=message.title,
        subject=first.subject if len(message.items) == 1 else message.title,
        happened=message.happened,
        check_in=first.check_in,
        next_step=first.next_step,
        actor=first.actor,
        look_closer=message.look_closer,
        runbook=first.runbook,
        count=first.count,
        at=message.at.isoformat(),
        alerts=message.items,
    )
