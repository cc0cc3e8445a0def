"""The alert of a door that was removed although guests are to come, and how urgent it is. Pure.

Seam answers 404 for it, or still lists it with the error `device_removed`. Codes that are on its lock may still open
it. But no code for it can be made, changed or confirmed.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.affected_bookings import affected_doors, cause_of
from shared.domain.alerting.causes import Cause
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import Booking
from shared.domain.matching.manual_choice import short

PROBLEM: Final = Reason.DOOR_GONE
# These bookings have an alert of their own.
_HAS_OWN_ALERT: Final = Reason.DEVICE_NOT_FOUND


def door_gone_key(device_id: str) -> str:
    """Return the alert's key."""
    return f"door/{device_id}/gone"


def door_gone_cause(
    device_id: str, bookings: Iterable[Booking], now: datetime, *, was_told: bool, detail: str = ""
) -> Cause | None:
    """Return the cause for the alert of a door that is gone; None if no booking to come needs it.

    A booking that never found the door has an alert of its own, so it raises none here. But once this alert was told,
    it stays open until no stay on the door is left. `detail` is what Seam says of the door, if anything.
    """
    affected = affected_doors(bookings, {device_id}, now)
    if not affected or (not was_told and all(each.door.reason == _HAS_OWN_ALERT for each in affected)):
        return None
    name = next((each.door.name for each in affected if each.door.name), "")
    subject = f"Door {short(name)} ({device_id})" if name else f"Door {device_id}"
    notice = alert_notice(PROBLEM, key=door_gone_key(device_id), subject=subject, at=now, detail=detail)
    return cause_of(replace(notice, device_id=device_id), affected)
