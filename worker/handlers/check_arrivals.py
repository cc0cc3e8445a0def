"""The daily pre-arrival check: one message about all arrivals of the next two days that are at risk."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.arrivals import Arrival, Readiness
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.domain.matching.manual_choice import short
from shared.domain.times.daily import DailyTime
from shared.ledger.alerts import AlertLedger
from shared.ledger.arrivals import LOOK_BACK, arrivals_between
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues

HORIZON: Final = timedelta(hours=48)
_ALERT_KEY: Final = "arrivals/at_risk"
# While an arrival is at risk, the list is made anew each hour, so that the alert closes by itself.
_AGAIN_AFTER: Final = timedelta(hours=1)
_MOST_NAMED: Final = 20

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CheckArrivals:
    """Reads the ledgers alone, not Seam."""

    def __init__(
        self, *, ledger: BookingLedger, alerts: AlertLedger, issues: DoorIssues, daily: DailyTime, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._alerts = alerts
        self._issues = issues
        self._daily = daily
        self._clock = clock

    def __call__(self) -> list[Arrival]:
        """Check now; raise the alert, or resolve it. Return all arrivals, the nearest first."""
        now = self._clock()
        since, until = now - LOOK_BACK, now + HORIZON
        arrivals = arrivals_between(
            since, until, now=now, ledger=self._ledger, alerts=self._alerts, issues=self._issues
        )
        risky = [arrival for arrival in arrivals if arrival.readiness is Readiness.AT_RISK]
        log.info("arrivals.checked", arrivals=len(arrivals), at_risk=len(risky))
        before = self._alerts.get(_ALERT_KEY)
        if risky or (before is not None and before.is_open):
            self._alerts.record_notice(_notice(risky, now))
        return arrivals

    def next_at(self, done_at: datetime) -> datetime:
        """Return when to check again: at the daily time, and every hour while somebody is at risk."""
        alert = self._alerts.get(_ALERT_KEY)
        daily = self._daily.after(done_at)
        return min(daily, done_at + _AGAIN_AFTER) if alert is not None and alert.is_open else daily


def _notice(risky: list[Arrival], now: datetime) -> AlertNotice:
    named = [
        f"{each.booking_id} on {short(each.door_name)} ({each.reason or each.state})" for each in risky[:_MOST_NAMED]
    ]
    more = f" and {len(risky) - _MOST_NAMED} more" if len(risky) > _MOST_NAMED else ""
    return alert_notice(
        Reason.ARRIVALS_AT_RISK,
        key=_ALERT_KEY,
        subject="Arrivals of the next two days",
        at=now,
        raised=bool(risky),
        detail=f"At risk: {', '.join(named)}{more}.",
        look_closer="oracode arrivals",
        check_in=risky[0].check_in if risky else None,
        wall_check_in=risky[0].wall_check_in if risky else None,
        time_zone=risky[0].time_zone if risky else None,
    )
