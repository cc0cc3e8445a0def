"""Whether the bridge makes progress, and the alerts if it doesn't. The alerts quote no message.

An alert that can't be written must not stop the bridge, so it is written later. `bridge_stuck` is raised with the next
failure and resolved with the next message; `booking_rejected` is raised with the next look at the queue of rejected
messages.
"""

from collections.abc import Callable
from typing import Final

import structlog
from redis.exceptions import RedisError

from shared.clock import Clock
from shared.contracts import BOOKING_QUEUE, REJECTED_QUEUE
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.record import AlertNotice
from shared.ledger.alerts import AlertLedger
from shared.ledger.records import Conflict

STUCK: Final = "bridge_stuck"
REJECTED: Final = "booking_rejected"
# With the pauses between them 15 s: a broker that is restarted is back by then, and no alert is needed.
STUCK_AFTER: Final = 5
LONGEST_PAUSE: Final = 30.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def pause_after(crashes: int) -> float:
    """Return how many seconds to wait after so many crashes in a row: 1, 2, 4 … LONGEST_PAUSE."""
    return min(LONGEST_PAUSE, 2.0 ** min(max(crashes, 1) - 1, 10))


class BridgeWatch:
    """Counts what fails in a row, and keeps two alerts: one of the bridge, one of the queue of what it rejected."""

    def __init__(self, alerts: AlertLedger, clock: Clock) -> None:
        self._alerts = alerts
        self._clock = clock
        self._failures = 0
        self._crashes = 0
        # Unknown at first: an earlier process may have left an alert open.
        self._is_known_to_work = False

    def crashed(self) -> float:
        """Note that the bridge has to start over; return after how many seconds."""
        self._crashes += 1
        self.failed()
        return pause_after(self._crashes)

    def failed(self) -> None:
        """Note a try without progress; tell people of the last of STUCK_AFTER in a row, and of each after it."""
        self._failures += 1
        self._is_known_to_work = False
        if self._failures >= STUCK_AFTER:
            self._try(lambda: self._tell(STUCK, raised=True))

    def worked(self) -> None:
        """Note progress: what was told of a bridge that stands still is over."""
        self._failures = self._crashes = 0
        if not self._is_known_to_work:
            self._is_known_to_work = self._try(lambda: self._settle(STUCK, is_open=False))

    def rejected(self) -> None:
        """Tell of one more rejected message: one alert, which counts."""
        self._try(lambda: self._tell(REJECTED, raised=True))

    def found_rejected(self, count: int) -> None:
        """Compare what is in the queue of the rejected with what people were told."""
        self._try(lambda: self._settle(REJECTED, is_open=count > 0))

    def _settle(self, problem: str, *, is_open: bool) -> None:
        self._alerts.record_change(self._notice(problem, raised=is_open))

    def _tell(self, problem: str, *, raised: bool) -> None:
        self._alerts.record_notice(self._notice(problem, raised=raised))

    def _notice(self, problem: str, *, raised: bool) -> AlertNotice:
        return alert_notice(
            problem,
            key=_KEYS[problem],
            subject=_SUBJECTS[problem],
            at=self._clock(),
            raised=raised,
            look_closer="oracode doctor",
        )

    def _try(self, tell: Callable[[], None]) -> bool:
        try:
            tell()
        except (RedisError, OSError, Conflict) as error:
            log.warning("bridge.untold", error=type(error).__name__)
            return False
        return True


_KEYS: Final = {STUCK: f"bridge/{BOOKING_QUEUE}", REJECTED: f"rejected/{BOOKING_QUEUE}"}
_SUBJECTS: Final = {STUCK: f"Queue {BOOKING_QUEUE}", REJECTED: f"Queue {REJECTED_QUEUE}"}
