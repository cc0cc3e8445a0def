"""One try to deliver something to others: alerts, their updates, outcomes. A failure is returned as a value.

The next try: `shared.domain.alerting.notifications` (alerts), `shared.domain.booking.outcome_queue` (outcomes).
"""

from collections.abc import Callable
from typing import TypeVar

from worker.alerts.channel import NotDelivered

T = TypeVar("T")


def attempt(send: Callable[[], T], *, crashed: Callable[[], object]) -> T | NotDelivered:
    """Send once; return what `send` returned, or why it failed.

    A bug counts as a failed try: it ends neither the tries nor the work for others. `crashed` is to log it, and is
    called while the exception is handled.
    """
    try:
        return send()
    except NotDelivered as reason:
        return reason
    except Exception as error:  # noqa: BLE001 - `crashed` logs it
        crashed()
        return NotDelivered(type(error).__name__)
