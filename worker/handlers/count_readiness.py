"""Counts how arrivals stand as they pass the moment 24 hours before check-in: the periodic job `count_readiness`."""

from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.ledger.alerts import AlertLedger
from shared.ledger.arrivals import arrivals_between
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.readiness_history import AHEAD, ReadinessHistory

COUNT_READINESS: Final = "count_readiness"
# After a longer pause, what was before that is not counted: nobody looked at it at its time.
_FARTHEST_BACK: Final = timedelta(hours=24)


class CountReadiness:
    """Looks at the ledgers alone. Two at once count once; a kill leaves all of it or nothing."""

    def __init__(
        self,
        *,
        history: ReadinessHistory,
        ledger: BookingLedger,
        alerts: AlertLedger,
        issues: DoorIssues,
        clock: Clock,
    ) -> None:
        self._history = history
        self._ledger = ledger
        self._alerts = alerts
        self._issues = issues
        self._clock = clock

    def __call__(self) -> None:
        """Count those that have passed the moment since the last time; the first time only begins."""
        now = self._clock()
        until = now + AHEAD
        since = self._history.counted_until()
        if since is None:
            self._history.count((), since=None, until=until)
            return
        if since >= until:
            return
        begin = max(since, until - _FARTHEST_BACK)
        found = arrivals_between(begin, until, now=now, ledger=self._ledger, alerts=self._alerts, issues=self._issues)
        self._history.count([each for each in found if each.check_in > begin], since=since, until=until)
