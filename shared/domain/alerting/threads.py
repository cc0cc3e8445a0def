"""Which conversation of a channel (a thread, an incident) a new problem belongs to.

Problems of a group that is open and told are one matter. The person who takes care of it must see new ones there. An
incident that pages doesn't ring again for what joins it, so a page joins only what paged a short while ago.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.alerting.alert import Alert, News
from shared.domain.alerting.severity import Severity


def newcomers(alerts: Iterable[Alert], channel: str) -> list[Alert]:
    """Return those that the channel doesn't know of."""
    return [alert for alert in alerts if not alert.knows(channel)]


def joined_thread(
    new: Iterable[Alert], alerts: Iterable[Alert], channel: str, *, within: timedelta, now: datetime
) -> str:
    """Return the conversation of the group's `alerts` that the `new` ones join; empty where they begin one.

    It is the newest of those that are open. A page joins where another paged `within` that time, and each that joins
    keeps it open to the next.
    """
    live = [alert for alert in alerts if alert.is_open and alert.knows(channel)]
    if any(alert.severity is Severity.PAGE for alert in new):
        live = [alert for alert in live if alert.severity is Severity.PAGE and now - _began(alert) <= within]
    newest = max(live, key=lambda alert: (_began(alert), alert.key), default=None)
    return newest.told_to(channel).thread if newest is not None else ""


def _began(alert: Alert) -> datetime:
    """Return when the alert got as loud as it is, as far as that is known."""
    return alert.news_at if alert.news is News.ROSE else alert.opened_at


def live_threads(alerts: Iterable[Alert], channel: str) -> frozenset[str]:
    """Return the conversations in which something is still open."""
    return frozenset(alert.told_to(channel).thread for alert in alerts if alert.is_open and alert.knows(channel))
