"""One try to deliver an alert, an update of one, or an outcome. A failure is returned as a value.

The next try: `shared.domain.alerting.notifications` (alerts), `shared.domain.booking.outcome_queue` (outcomes).
"""

from collections.abc import Callable
from typing import TypeVar

from worker.alerts.channel import NotDelivered

T = TypeVar("T")


def attempt(send: Callable[[], T], *, crashed: Callable[[], object]) -> T | NotDelivered:
    """Send once; return the result of `send`, or why it failed.

    An unexpected exception counts as a failed try: it is tried again, and other deliveries go on. `crashed` logs it; it
    is called while the exception is handled.
    """
    try:
        return send()
    except NotDelivered as reason:
        return reason
    except Exception as error:  # noqa: BLE001 - `crashed` logs it
        crashed()
        return NotDelivered(type(error).__name__)
