"""Which conversation of a channel (a thread, an incident) a new problem belongs to.

While a group is open, its problems share a conversation: the person who takes care of it must see new ones there. An
incident doesn't page again when a problem joins it. So a problem that pages joins only an incident that paged a short
while ago.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.alerting.alert import Alert, News
from shared.domain.alerting.severity import Severity


def alerts_new_to(alerts: Iterable[Alert], channel: str) -> list[Alert]:
    """Return the alerts that the channel doesn't know of."""
    return [alert for alert in alerts if not alert.was_notified(channel)]


def thread_to_join(
    new: Iterable[Alert], alerts: Iterable[Alert], channel: str, *, within: timedelta, now: datetime
) -> str:
    """Return the conversation of the group's `alerts` that the `new` ones join; empty if they start a new one.

    It is the newest open conversation. An alert that pages joins only if another one paged `within` that time; then it
    counts for the next one, too.
    """
    live = [alert for alert in alerts if alert.is_open and alert.was_notified(channel)]
    if any(alert.severity is Severity.PAGE for alert in new):
        live = [
            alert for alert in live if alert.severity is Severity.PAGE and now - _at_this_level_since(alert) <= within
        ]
    newest = max(live, key=lambda alert: (_at_this_level_since(alert), alert.key), default=None)
    return newest.receipt_of(channel).thread if newest is not None else ""


def _at_this_level_since(alert: Alert) -> datetime:
    """Return when the alert reached its severity, as far as that is known."""
    return alert.news_at if alert.news is News.ROSE else alert.opened_at


def open_threads(alerts: Iterable[Alert], channel: str) -> frozenset[str]:
    """Return the conversations in which something is still open."""
    return frozenset(
        alert.receipt_of(channel).thread for alert in alerts if alert.is_open and alert.was_notified(channel)
    )
